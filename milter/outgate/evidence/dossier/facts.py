"""What is known of one address on each list; plain values, and the same as JSON."""

import json
import re
from base64 import urlsafe_b64encode
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from outgate.model.list_day import Week
from outgate.model.optin import Permission, Record, State, commitment_of
from outgate.model.optin_proof import Proof
from outgate.model.optin_time import format_local

# What importers, a list host's tokens and others call it, the best first.
_CLIENTS = ("confirm.ip", "ip")
_SCAN = "scan-sha256"
_SHA256 = re.compile(r"[0-9a-f]{64}", re.ASCII)
_NO_SUBSCRIBERS = frozenset({Permission.WITHDRAWN, Permission.UNKNOWN})


class ScanState(StrEnum):
    """What became of the copy of a scan."""

    MATCHES = "matches"
    DIFFERS = "differs"
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class Scan:
    """The copy of a scanned sheet.

    Attributes:
        path: where it is kept.
        state: whether the file there has the SHA-256 that the evidence names.
    """

    path: str
    state: ScanState


@dataclass(frozen=True, slots=True)
class Opened:
    """Evidence, opened.

    Attributes:
        record: the consent that it is of.
        raw: the record that was hashed, byte for byte.
        scan: of a sheet of paper; else None.
    """

    record: Record
    raw: bytes
    scan: Scan | None = None

    @property
    def text(self) -> str:
        """The raw record as text."""
        return self.raw.decode("utf-8", "backslashreplace")

    @property
    def commitment(self) -> bytes:
        """Recomputed from the raw record."""
        return commitment_of(self.raw)


@dataclass(frozen=True, slots=True)
class ListCount:
    """How a list stands: its subscribers by what stands behind them.

    Attributes:
        by_permission: without those that were erased.
        erased: marks of erasures.
        weeks: what its mail was like, the last one first.
    """

    by_permission: Counter[Permission]
    erased: int
    weeks: Sequence[Week] = ()

    @property
    def subscribers(self) -> int:
        """Who has not withdrawn."""
        return sum(number for _, number in self._grades)

    @property
    def consents(self) -> int:
        """Subscribers whose mail is solicited."""
        return sum(number for one, number in self._grades if one.is_consent)

    @property
    def withdrawn(self) -> int:
        """Who does not want the list's mail any more."""
        return self.by_permission[Permission.WITHDRAWN]

    @property
    def _grades(self) -> list[tuple[Permission, int]]:
        return [
            (one, self.by_permission[one])
            for one in Permission
            if one not in _NO_SUBSCRIBERS
        ]

    def as_json(self) -> dict[str, Any]:
        """For programs; grades that nobody has are left out."""
        return {
            "subscribers": self.subscribers,
            "consents": self.consents,
            "by-grade": {one.value: count for one, count in self._grades if count},
            "withdrawn": self.withdrawn,
            "erased": self.erased,
        }

    def weeks_json(self) -> list[dict[str, Any]]:
        """For programs: each week with its counts."""
        return [
            {"from": first.isoformat(), "to": last.isoformat(), **sums.counts}
            for first, last, sums in self.weeks
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """What is kept of the address on one list.

    Attributes:
        list_id: lower case.
        customer: whose list it is.
        record: the one that counts; None where nothing is kept, or nobody can read it.
        unreadable: key and field of what is no record; "" where there is no such thing.
        proof: how evidence and record belong together.
        opened: the evidence; None where none is kept, or it stayed closed.
        count: of the list's subscribers; None where nobody asked, or it says too much.
        challenged_us: when the address was first asked to confirm; 0 where that was not
            seen.
        contradicted_us: the claimed confirmation that no challenge went before; 0 for
            none.
    """

    list_id: str
    customer: str
    record: Record | None = None
    unreadable: str = ""
    proof: Proof = Proof.NONE
    opened: Opened | None = None
    count: ListCount | None = None
    challenged_us: int = 0
    contradicted_us: int = 0

    def as_json(self) -> dict[str, Any]:
        """For programs; what is not known is left out. An erasure says its time alone."""
        fields: dict[str, Any] = {"list": self.list_id, "customer": self.customer}
        record = self.record
        if self.unreadable:
            return fields | {"state": "unreadable", "place": self.unreadable}
        if record is None:
            return fields | {"state": "unknown"}
        fields |= record_fields(record)
        if record.state is State.ERASED:
            return fields
        fields["proof"] = self.proof.value
        if self.challenged_us:
            fields["challenged"] = format_local(self.challenged_us, 0)
        if self.contradicted_us:
            fields["contradicted-by-ledger"] = format_local(self.contradicted_us, 0)
        if self.opened is not None:
            fields |= _opened_json(self.opened)
        if self.count is not None:
            fields["subscribers"] = self.count.as_json()
            fields["weeks"] = self.count.weeks_json()
        return fields


@dataclass(frozen=True, slots=True, kw_only=True)
class Dossier:
    """All of it.

    Attributes:
        address: canonical.
        subscriptions: one for each list that was asked for.
        made_us: when, microseconds since the epoch.
        why: the reason that was given.
        actor: who made it.
    """

    address: str
    subscriptions: Sequence[Subscription]
    made_us: int
    why: str
    actor: str

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return {
            "address": self.address,
            "made": format_local(self.made_us, 0),
            "why": self.why,
            "by": self.actor,
            "lists": [one.as_json() for one in self.subscriptions],
        }


def base64url(value: bytes) -> str:
    """Without padding (RFC 4648 §5), as commitments are written."""
    return urlsafe_b64encode(value).decode("ascii").rstrip("=")


def read_raw(raw: bytes) -> Mapping[str, str]:
    """The raw record's names and values; empty where it is no JSON object."""
    try:
        value = json.loads(raw)
    except (ValueError, RecursionError):
        return {}
    if not isinstance(value, dict):
        return {}
    return {
        name: one if isinstance(one, str) else json.dumps(one)
        for name, one in value.items()
    }


def client_of(raw: bytes) -> str:
    """From where the recipient asked, "" where the raw record does not say it."""
    known = read_raw(raw)
    return next((known[name] for name in _CLIENTS if known.get(name)), "")


def scan_of(raw: bytes) -> str:
    """SHA-256 of a scanned sheet in hex, "" where the raw record names none."""
    digest = read_raw(raw).get(_SCAN, "")
    return digest if _SHA256.fullmatch(digest) else ""


def record_fields(record: Record) -> dict[str, Any]:
    """A record for programs; what is not known is left out.

    `time` is in UTC, `local-time` as it was noted; an erasure says `time` alone.
    """
    fields: dict[str, Any] = {"state": record.state.value, **_times(record)}
    if record.state is State.ERASED:
        fields.pop("local-time", None)
        return fields
    if record.state is State.CONSENT:
        fields["grade"] = record.grade.value
    fields |= {"zone": record.zone.value, "method": record.method.value}
    if record.source:
        fields["source"] = record.source
    if record.evidence_id:
        fields["evidence-id"] = record.evidence_id
    if record.commitment:
        fields["commitment"] = base64url(record.commitment)
    return fields


def _times(record: Record) -> dict[str, Any]:
    if record.time_us is None:
        return {}
    return {
        "time": format_local(record.time_us, 0),
        "local-time": format_local(record.time_us, record.offset_minutes),
    }


def _opened_json(opened: Opened) -> dict[str, Any]:
    record = opened.record
    known: dict[str, Any] = {
        "grade": record.grade.value,
        "method": record.method.value,
        "zone": record.zone.value,
        "commitment": base64url(opened.commitment),
        "raw": opened.text,
    }
    known |= _times(record)
    if client := client_of(opened.raw):
        known["ip"] = client
    if opened.scan is not None:
        known["scan"] = {
            "sha256": scan_of(opened.raw),
            "path": opened.scan.path,
            "state": opened.scan.state.value,
        }
    return {"evidence": known}

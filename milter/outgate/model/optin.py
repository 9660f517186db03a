"""Who asked for which list, when and how.

A *record* is what the registry keeps of one subscription: a consent, a withdrawal, or
the mark of an erasure. It holds no address. An *opt-in* is a consent as an importer or a
list host tells it, with the address and what stands behind it. Which of two records
counts is told in `optin_order`.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from hashlib import sha256
from ipaddress import IPv4Address, IPv6Address

from outgate.model.consent import Grade

COMMITMENT_BYTES = 16
MAX_EVIDENCE_BYTES = 4096
"""Of one evidence record: an address, a browser, a few links; not a scanned sheet."""

MAX_TIME_US = 2**53 - 1
"""The year 2255: what a Lua number holds exactly."""

MAX_OFFSET_MINUTES = 1439
"""RFC 3339 §5.6: hours to 23, minutes to 59."""

# Made once: an import encodes a million records.
_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False)
_EVIDENCE_ID = re.compile(r"[A-Za-z0-9_-]{0,32}", re.ASCII)
_SOURCE = re.compile(r"[a-z0-9.-]{0,10}", re.ASCII)


class Method(StrEnum):
    """How the recipient asked (`m` of an `Opt-In-Evidence` header)."""

    COI = "coi"
    COI_MAIL = "coi-mail"
    COI_WEB = "coi-web"
    PAPER = "paper"
    IMPORT = "import"
    OTHER = "other"

    @property
    def is_confirmed(self) -> bool:
        """Whether the recipient answered a request to confirm."""
        return self in {Method.COI, Method.COI_MAIL, Method.COI_WEB}


class ZoneSource(StrEnum):
    """Where the time's zone is from.

    `explicit` stands beside the time, `source-utc` is how the software writes times,
    `declared` was said by an operator for all of a source.
    """

    EXPLICIT = "explicit"
    SOURCE_UTC = "source-utc"
    DECLARED = "declared"
    UNKNOWN = "unknown"


class State(StrEnum):
    """What a record says; of two at one moment, the later one in this list counts."""

    CONSENT = "consent"
    WITHDRAWN = "withdrawn"
    ERASED = "erased"


class Permission(StrEnum):
    """What the registry says of one recipient of a list's mail.

    Withdrawn is said only where there had been a consent, or an order; whoever was
    erased is unknown again.
    """

    WITNESSED = "witnessed"
    CORROBORATED = "corroborated"
    ASSERTED = "asserted"
    PAPER = "paper"
    IMPORT = "import"
    NONE = "none"
    WITHDRAWN = "withdrawn"
    UNKNOWN = "unknown"

    @property
    def grade(self) -> Grade:
        """What stands behind the consent, `none` where there is none."""
        return _GRADES.get(self, Grade.NONE)

    @property
    def is_consent(self) -> bool:
        """Whether mail to this recipient is solicited."""
        return self in SOLICITED


_GRADES = {Permission(grade.value): grade for grade in Grade}
SOLICITED = frozenset(one for one, grade in _GRADES.items() if grade.is_consent)
"""Permissions that are consents: for whoever asks of a thousand recipients at a time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What the registry keeps of one subscription.

    Attributes:
        state: consent, withdrawal, or mark of an erasure.
        time_us: of the event, microseconds since the epoch; None for a consent of which
            nobody knows when it was given.
        offset_minutes: of the clock by which the event was noted, east of UTC.
        zone: how the offset is known.
        method: how the recipient asked.
        grade: what stands behind a consent; `none` in other states.
        evidence_id: names the evidence, at most 32 of `[A-Za-z0-9_-]`; "" for none.
        commitment: the first 16 bytes of SHA-256 over the evidence; b"" for none.
        source: the software that it comes from, at most 10 of `[a-z0-9.-]`.

    Raises:
        ValueError: an attribute is out of its bounds, or does not fit the state: only a
            consent has a grade, or no time; an erasure leaves nothing but its time.
    """

    state: State = State.CONSENT
    time_us: int | None = None
    offset_minutes: int = 0
    zone: ZoneSource = ZoneSource.UNKNOWN
    method: Method = Method.OTHER
    grade: Grade = Grade.NONE
    evidence_id: str = ""
    commitment: bytes = b""
    source: str = ""

    def __post_init__(self) -> None:
        self._check_state()
        if self.time_us is not None and not 0 < self.time_us <= MAX_TIME_US:
            raise ValueError(f"time_us: {self.time_us} is no time of ours")
        if abs(self.offset_minutes) > MAX_OFFSET_MINUTES:
            raise ValueError(f"offset_minutes: {self.offset_minutes} is a day or more")
        if not _EVIDENCE_ID.fullmatch(self.evidence_id):
            raise ValueError("evidence_id: expected at most 32 of A-Z a-z 0-9 _ -")
        if len(self.commitment) not in {0, COMMITMENT_BYTES}:
            raise ValueError(f"commitment: expected {COMMITMENT_BYTES} bytes")
        if not _SOURCE.fullmatch(self.source):
            raise ValueError("source: expected at most 10 of a-z 0-9 . -")

    def _check_state(self) -> None:
        if self.time_us is None:
            if self.state is not State.CONSENT:
                raise ValueError(f"time_us: {self.state} needs a time")
            if self.zone is not ZoneSource.UNKNOWN:
                raise ValueError(f"zone: {self.zone} of no time")
        if self.state is not State.CONSENT and self.grade is not Grade.NONE:
            raise ValueError(f"grade: {self.grade} of what is {self.state}")
        if self.state is State.ERASED and (
            self.offset_minutes
            or self.zone is not ZoneSource.UNKNOWN
            or self.method is not Method.OTHER
            or self.evidence_id
            or self.commitment
            or self.source
        ):
            raise ValueError("an erasure leaves its time, and nothing else")

    @property
    def permission(self) -> Permission:
        """What it says to whoever asks for the recipient."""
        match self.state:
            case State.CONSENT:
                return Permission(self.grade.value)
            case State.WITHDRAWN:
                return Permission.WITHDRAWN
            case State.ERASED:
                return Permission.UNKNOWN

    @property
    def is_firm(self) -> bool:
        """Whether the recipient, or the law, had a say: all but addresses in files."""
        return self.state is not State.CONSENT or self.grade.is_consent


def highest_grade(record: Record, *, has_address: bool) -> Grade:
    """The best grade that a consent may have by what is known of it.

    The policy wants the originating address and an accurate time with its zone; a sheet
    of paper has no address. A commitment stands for the address: the list host can show
    no other one afterwards. Whether somebody else saw the consent, too (`corroborated`,
    `witnessed`), is not to be told from the record: that is for the caller.

    Args:
        record: a consent.
        has_address: whether the client's IP address is known.
    """
    if record.state is not State.CONSENT:
        return Grade.NONE
    if record.zone is ZoneSource.UNKNOWN or record.method is Method.IMPORT:
        return Grade.IMPORT
    if record.method is Method.PAPER:
        return Grade.PAPER
    if not has_address and not record.commitment:
        return Grade.IMPORT
    return Grade.WITNESSED


def bounded(record: Record, *, has_address: bool) -> Record:
    """The record, with the grade that it claims or the best that it may have."""
    highest = highest_grade(record, has_address=has_address)
    if record.grade.rank >= highest.rank:
        return record
    return replace(record, grade=highest)


@dataclass(frozen=True, kw_only=True)
class OptIn:
    """One consent, as an importer or a list host tells it; plain, only in memory.

    Attributes:
        customer: whose list it is.
        list_id: lower case, no brackets.
        mailbox: canonical.
        record: what the registry is to keep; its grade within what it may be.
        client_ip: from where the recipient asked, None where not known.
        evidence: canonical, as `canonical_evidence` gives it; b"" for none. It is kept
            apart, encrypted.

    Raises:
        ValueError: the grade is better than the record may have, or the evidence is not
            the one that the commitment is of.
    """

    customer: str
    list_id: str
    mailbox: str
    record: Record
    client_ip: IPv4Address | IPv6Address | None = None
    evidence: bytes = b""

    def __post_init__(self) -> None:
        if self.record != bounded(self.record, has_address=self.client_ip is not None):
            raise ValueError(f"grade: {self.record.grade} is more than is known")
        if len(self.evidence) > MAX_EVIDENCE_BYTES:
            raise ValueError(f"evidence: more than {MAX_EVIDENCE_BYTES} bytes")
        if self.evidence and self.record.commitment != commitment_of(self.evidence):
            raise ValueError("evidence: its commitment is another one")

    def __repr__(self) -> str:
        """Without the person."""
        return f"OptIn({self.customer!r}, {self.list_id!r}, {self.record!r})"


def canonical_evidence(fields: Mapping[str, str | int]) -> bytes:
    """Evidence in the one form that is hashed: JSON, keys sorted, no spaces, UTF-8.

    Args:
        fields: what is known, with a `salt` of 128 random bits or more, base64url: so
            nobody who sees the commitment can guess the rest.

    Raises:
        ValueError: there is no such salt, or a text that UTF-8 cannot hold.
    """
    # 22 letters of 6 bits each.
    if len(str(fields.get("salt", ""))) < 22:  # noqa: PLR2004
        raise ValueError("salt: expected 128 bits or more, base64url")
    try:
        return _ENCODER.encode(fields).encode()
    except UnicodeEncodeError:
        raise ValueError("evidence: holds text that is no Unicode") from None


def commitment_of(evidence: bytes) -> bytes:
    """What is published of evidence: it can be shown later, and no other instead."""
    return sha256(evidence).digest()[:COMMITMENT_BYTES]

"""The document, before anybody has chosen its format: headings, texts and tables."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from outgate.evidence.dossier.facts import (
    Dossier,
    ListCount,
    Opened,
    Scan,
    ScanState,
    Subscription,
    base64url,
    client_of,
    read_raw,
    scan_of,
)
from outgate.evidence.dossier.words import GRADES, METHODS, PROOFS, STATES, ZONES
from outgate.model.consent import Grade
from outgate.model.list_day import HELD, RECIPIENTS, REFUSED, Week
from outgate.model.optin import Record, State
from outgate.model.optin_proof import Proof
from outgate.model.optin_time import format_local

TITLE = "Evidence of opt-in"
_SCANS = {
    ScanState.MATCHES: "opened, it has that SHA-256",
    ScanState.DIFFERS: "it is NOT what was sealed, or has ANOTHER SHA-256",
    ScanState.MISSING: "the file is MISSING",
}


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading; level 1 is the document's."""

    level: int
    text: str


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A few sentences."""

    text: str


@dataclass(frozen=True, slots=True)
class Table:
    """Names and values; `head` is their row of titles."""

    head: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Verbatim:
    """One text, every character as it is."""

    text: str


Block = Heading | Paragraph | Table | Verbatim


def blocks(dossier: Dossier) -> Iterator[Block]:
    """What the document says, from its first heading to the last."""
    yield Heading(1, f"{TITLE}: {dossier.address}")
    yield Table(
        ("", ""),
        (
            ("address", dossier.address),
            ("made", format_local(dossier.made_us, 0)),
            ("made by", dossier.actor),
            ("reason", dossier.why),
        ),
    )
    if not dossier.subscriptions:
        yield Paragraph(
            "Nothing is on file: this address is no subscriber of any list."
        )
    for one in dossier.subscriptions:
        yield from _subscription(one)
    if any(_has_grade(one) for one in dossier.subscriptions):
        yield Heading(2, "What the grades mean")
        yield Table(
            ("grade", "what stands behind the subscription"),
            [(grade.value, _sentence(text)) for grade, text in GRADES.items()],
        )


def _has_grade(one: Subscription) -> bool:
    return one.opened is not None or bool(
        one.record and one.record.state is State.CONSENT
    )


def _subscription(one: Subscription) -> Iterator[Block]:
    yield Heading(2, f"List {one.list_id}")
    record = one.record
    if one.unreadable:
        yield Paragraph(
            "Something is on file that nobody can read, so it counts as nothing: "
            f"{one.unreadable}."
        )
        return
    if record is None:
        yield Paragraph(
            "Nothing is on file: this address is no subscriber of the list."
        )
        return
    if record.state is State.ERASED:
        yield Paragraph(f"Erased on {_utc(record)}.")
        return
    yield Table(("", ""), list(_on_file(one, record)))
    yield Heading(3, "Chain to the raw record")
    yield Paragraph(_sentence(PROOFS[one.proof]))
    if one.challenged_us:
        when = format_local(one.challenged_us, 0)
        yield Paragraph(f"The gate saw a request to confirm leave at {when}.")
    if one.contradicted_us:
        when = format_local(one.contradicted_us, 0)
        yield Paragraph(
            f"A confirmation is claimed for {when}; the gate saw no request before it."
        )
    yield Table(("", ""), list(_chain(one, record)))
    if one.opened is not None:
        if one.proof is not Proof.MATCHES:
            yield Heading(3, "The consent that the raw record is of")
            yield Table(("", ""), list(_consent(one.opened.record, one.opened)))
        yield from _raw(one.opened)
    if one.count is not None:
        yield from _compliance(one.count)


def _on_file(one: Subscription, record: Record) -> Iterator[tuple[str, str]]:
    yield "customer", one.customer
    yield "state", STATES[record.state]
    if record.state is State.CONSENT:
        yield from _consent(record, one.opened if one.proof is Proof.MATCHES else None)
    else:
        yield from _times(record)
    if record.source:
        yield "source", record.source


def _consent(record: Record, opened: Opened | None) -> Iterator[tuple[str, str]]:
    yield "grade", f"{record.grade.value}: {GRADES[record.grade]}"
    yield "solicited", "yes" if record.grade.is_consent else "no"
    yield "method", METHODS[record.method]
    yield from _times(record)
    if opened is not None:
        yield from _whence(opened.raw)


def _whence(raw: bytes) -> Iterator[tuple[str, str]]:
    """From where: a client's address, or where a sheet was signed."""
    known = read_raw(raw)
    if client := client_of(raw):
        yield "from", client
    elif place := known.get("place"):
        yield "signed at", place
        yield "collected by", known.get("collector", "not known")
    else:
        yield "from", "no address is on file"


def _times(record: Record) -> Iterator[tuple[str, str]]:
    if record.time_us is None:
        yield "time", "not known"
        return
    yield "time (UTC)", _utc(record)
    yield "time as noted", format_local(record.time_us, record.offset_minutes)
    yield "zone", f"{record.zone.value}: {ZONES[record.zone]}"


def _chain(one: Subscription, record: Record) -> Iterator[tuple[str, str]]:
    yield "evidence id", record.evidence_id or "none"
    if record.commitment:
        yield "commitment on file", _commitment(record.commitment)
    else:
        yield "commitment on file", "none"
    opened = one.opened
    if opened is None:
        return
    yield "commitment, recomputed", _commitment(opened.commitment)
    yield "SHA-256 of the raw record", hashlib.sha256(opened.raw).hexdigest()
    if digest := scan_of(opened.raw):
        yield "SHA-256 of the scan", digest
    if opened.scan is not None:
        yield "scan", _scan(opened.scan)


def _scan(scan: Scan) -> str:
    return f"{scan.path}: {_SCANS[scan.state]}"


def _raw(opened: Opened) -> Iterator[Block]:
    yield Heading(3, "Raw record")
    if known := read_raw(opened.raw):
        yield Table(("", ""), sorted(known.items()))
    yield Paragraph(
        "The commitment is the first 16 bytes of SHA-256 over this line, byte for byte, "
        "without a line break."
    )
    yield Verbatim(opened.text)


def _compliance(count: ListCount) -> Iterator[Block]:
    yield Heading(3, "The list")
    yield Paragraph(
        f"{count.consents} of {count.subscribers} subscribers have a consent on file; "
        f"{count.withdrawn} withdrew, {count.erased} were erased."
    )
    fields = count.as_json()["by-grade"]
    if fields:
        yield Table(
            ("grade", "subscribers"),
            [
                (grade.value, str(fields[grade.value]))
                for grade in Grade
                if grade.value in fields
            ],
        )
    if count.weeks:
        yield Paragraph("What its mail was like, by weeks:")
        yield Table(
            ("days", "messages", "recipients", "with a consent", "held", "refused"),
            [_week(one) for one in count.weeks],
        )


def _week(week: Week) -> tuple[str, ...]:
    sums = week.sums
    percent = sums.coverage_percent
    return (
        f"{week.first} to {week.last}",
        str(sums.messages),
        str(sums.of(RECIPIENTS)),
        "" if percent is None else f"{sums.covered} ({percent:.1f} %)",
        str(sums.of(HELD)),
        str(sums.of(REFUSED)),
    )


def _commitment(value: bytes) -> str:
    return f"{base64url(value)} (hex {value.hex()})"


def _utc(record: Record) -> str:
    return format_local(record.time_us or 0, 0)


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."

"""Headers that accompany those of a list: what they say, and whether it is well said.

Auto-Submitted: auto-generated                           RFC 3834 §5
Precedence: bulk                                         no standard
CFBL-Address: fbl@example.org; report=arf                RFC 9477
Feedback-ID: spring:anne:news:example                    Gmail's
"""

import re
from collections.abc import Callable, Sequence

from outgate.message.automation import auto_submitted, precedence
from outgate.message.cfws import skip_cfws, unfold
from outgate.message.headers import Headers, header_from_address
from outgate.message.listcheck.note import Level, Note
from outgate.message.listcheck.signature import Signature
from outgate.model.address import canonical_domain

_GMAIL = "support.google.com/mail/answer/6254652"
_AUTO_KEYWORDS = frozenset({"no", "auto-generated", "auto-replied"})
_BULK_WORDS = frozenset({"bulk", "junk", "list"})
_MAX_BYTES = 998

_ADDRESS = re.compile(rb"[^\s<>(),:;\\\[\]@\"]{1,64}@([A-Za-z0-9._-]{1,253})")
# RFC 9477 §5: the format is named in lower case.
_REPORT = re.compile(rb"[ \t]*+(?:;[ \t]*+report=(?:arf|xarf)[ \t]*+)?")
# Up to three fields of the sender's choice, then who sends: 5 to 15 characters.
_FEEDBACK_ID = re.compile(rb"(?:[^:\s]*:){0,3}[^:\s]{5,15}")


class CompanionNote(Note):
    """Notes on headers beside those of a list."""

    AUTO_GENERATED = (
        "auto-generated",
        Level.OK,
        "The message says that no person wrote it, so that vacation programs are still.",
        "",
        "RFC 3834 §5",
    )
    AUTO_REPLIED = (
        "auto-replied",
        Level.FIX,
        "The message calls itself the automatic answer to another, and list mail is none.",
        "Write Auto-Submitted: auto-generated, or leave the header out.",
        "RFC 3834 §5",
    )
    AUTO_SUBMITTED_MALFORMED = (
        "auto-submitted-malformed",
        Level.FIX,
        "Auto-Submitted has no value that programs know.",
        "Write Auto-Submitted: auto-generated, or leave the header out.",
        "RFC 3834 §5",
    )
    AUTO_SUBMITTED_REPEATED = (
        "auto-submitted-repeated",
        Level.FIX,
        "Auto-Submitted stands in the message more than once.",
        "Leave one.",
        "RFC 3834 §5",
    )
    PRECEDENCE_BULK = (
        "precedence-bulk",
        Level.OK,
        "The message calls itself bulk mail. No standard says what that means.",
        "",
        "RFC 3834 §3.1.8",
    )
    PRECEDENCE_UNKNOWN = (
        "precedence-unknown",
        Level.OK,
        "Precedence is none of bulk, list and junk, which alone are understood.",
        "",
        "RFC 3834 §3.1.8",
    )
    CFBL_ADDRESS = (
        "cfbl-address",
        Level.OK,
        "Mailbox providers are told where to send complaints.",
        "",
        "RFC 9477 §5",
    )
    CFBL_MALFORMED = (
        "cfbl-malformed",
        Level.FIX,
        "CFBL-Address holds no plain address, or an unknown format of reports.",
        "Write CFBL-Address: complaints@your-domain.org; report=arf.",
        "RFC 9477 §5",
    )
    CFBL_REPEATED = (
        "cfbl-repeated",
        Level.FIX,
        "CFBL-Address stands in the message more than once; one of them counts.",
        "Leave one.",
        "RFC 9477 §3",
    )
    CFBL_NOT_SIGNED = (
        "cfbl-not-signed",
        Level.FIX,
        (
            "No DKIM signature of the sender's domain, or none of the complaint address's,"
            " covers CFBL-Address, so no complaint is sent."
        ),
        "Sign CFBL-Address for the domain of From, and for that of the address.",
        "RFC 9477 §3",
    )
    FEEDBACK_ID = (
        "feedback-id",
        Level.OK,
        "Gmail counts complaints by this identifier.",
        "",
        _GMAIL,
    )
    FEEDBACK_ID_MALFORMED = (
        "feedback-id-malformed",
        Level.FIX,
        (
            "Feedback-ID is not up to three fields and a sender of 5 to 15 characters,"
            " with colons between."
        ),
        "Write Feedback-ID: campaign:customer:kind:sender.",
        _GMAIL,
    )
    FEEDBACK_ID_REPEATED = (
        "feedback-id-repeated",
        Level.FIX,
        "Feedback-ID stands in the message more than once; Gmail wants one.",
        "Leave one.",
        _GMAIL,
    )


def read_companions(
    headers: Headers, signatures: Sequence[Signature]
) -> dict[str, list[Note]]:
    """Read those that are there: notes by lower-case name of the header."""
    return {
        name: read(headers, signatures)
        for name, read in _READERS.items()
        if headers.get(name)
    }


def _auto_submitted(headers: Headers, _signatures: Sequence[Signature]) -> list[Note]:
    notes: list[Note] = []
    if len(headers["auto-submitted"]) > 1:
        notes.append(CompanionNote.AUTO_SUBMITTED_REPEATED)
    word = auto_submitted(headers)
    # The grammar lets further words be registered; none is, but some make their own.
    if word == "auto-generated":
        notes.append(CompanionNote.AUTO_GENERATED)
    elif word == "auto-replied":
        notes.append(CompanionNote.AUTO_REPLIED)
    elif word not in _AUTO_KEYWORDS and not word.startswith(("auto-", "x-")):
        notes.append(CompanionNote.AUTO_SUBMITTED_MALFORMED)
    return notes


def _precedence(headers: Headers, _signatures: Sequence[Signature]) -> list[Note]:
    is_bulk = precedence(headers) in _BULK_WORDS
    return [
        CompanionNote.PRECEDENCE_BULK if is_bulk else CompanionNote.PRECEDENCE_UNKNOWN
    ]


def _cfbl_address(headers: Headers, signatures: Sequence[Signature]) -> list[Note]:
    values = headers["cfbl-address"]
    notes: list[Note] = []
    if len(values) > 1:
        notes.append(CompanionNote.CFBL_REPEATED)
    value = unfold(values[0][:_MAX_BYTES]).replace(b"\n", b" ")
    found = _ADDRESS.match(value, skip_cfws(value, 0))
    if found is None or not _REPORT.fullmatch(value, found.end()):
        return [*notes, CompanionNote.CFBL_MALFORMED]
    domain = canonical_domain(found[1].decode("ascii"))
    author = header_from_address(headers)
    is_signed = _is_signed(domain, author.domain if author else "", signatures)
    if signatures and not is_signed:
        return [*notes, CompanionNote.CFBL_NOT_SIGNED]
    return [*notes, CompanionNote.CFBL_ADDRESS]


def _is_signed(domain: str, author: str, signatures: Sequence[Signature]) -> bool:
    """RFC 9477 §3: the author's domain signs, and that of the address if it is another."""
    covering = {one.domain for one in signatures if "cfbl-address" in one.covers}
    wanted = {author} if is_below(domain, author) else {author, domain}
    return all(any(is_below(one, by) for by in covering) for one in wanted)


def is_below(domain: str, parent: str) -> bool:
    """Whether a domain is another one, or below it."""
    return bool(parent) and (domain == parent or domain.endswith(f".{parent}"))


def _feedback_id(headers: Headers, _signatures: Sequence[Signature]) -> list[Note]:
    values = headers["feedback-id"]
    notes: list[Note] = []
    if len(values) > 1:
        notes.append(CompanionNote.FEEDBACK_ID_REPEATED)
    is_known = _FEEDBACK_ID.fullmatch(unfold(values[0][:_MAX_BYTES]))
    notes.append(
        CompanionNote.FEEDBACK_ID if is_known else CompanionNote.FEEDBACK_ID_MALFORMED
    )
    return notes


_READERS: dict[str, Callable[[Headers, Sequence[Signature]], list[Note]]] = {
    "precedence": _precedence,
    "auto-submitted": _auto_submitted,
    "cfbl-address": _cfbl_address,
    "feedback-id": _feedback_id,
}
COMPANION_HEADERS = tuple(_READERS)

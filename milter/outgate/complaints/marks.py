"""What the embedded message carries that may be ours; nothing of it is believed here."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass

from outgate.feedback.entity import Budget, read_headers
from outgate.feedback.report import ComplaintReport, Disguise
from outgate.message.address_list import first_mailbox
from outgate.message.cfws import unfold
from outgate.message.headers import Headers, header_from_address
from outgate.model.address import Address, canonical_domain
from outgate.model.trace import TRACE_HEADER

MAX_TRACES = 4
_MAX_SIGNATURES = 8
_DOMAIN = re.compile(rb"(?:^|;)\s*d\s*=\s*([A-Za-z0-9._-]{1,255})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Marks:
    """Marks of one embedded message.

    Attributes:
        has_headers: whether there is anything to look at.
        traces: values of trace headers, topmost first, `MAX_TRACES` at most.
        signed_by: `d=` of DKIM signatures, valid or not, lower case.
        sender_domains: of header From and envelope sender, lower case.
        recipients: whom the report or the message names in plain, canonical.
        names_recipient: whether the report itself says in plain who got it.
        copy: what copies of one signed message have in common: 32 hexadecimal digits;
            "" where nobody signed it.
    """

    has_headers: bool = False
    traces: tuple[bytes, ...] = ()
    signed_by: tuple[str, ...] = ()
    sender_domains: tuple[str, ...] = ()
    recipients: tuple[Address, ...] = ()
    names_recipient: bool = False
    copy: str = ""


def read_marks(report: ComplaintReport) -> Marks:
    """Look at the message in a report, and at what the report says of it."""
    headers: Headers = {}
    has_headers = False
    if report.embedded is not None:
        headers, _, _ = read_headers(report.embedded.raw, Budget())
        has_headers = bool(headers)
    domains: dict[str, None] = {}
    author = header_from_address(headers)
    for address in (author, report.original_sender):
        if isinstance(address, Address) and address.domain:
            domains[canonical_domain(address.domain)] = None
    people = {
        one.address: None for one in report.recipients if one.disguise is Disguise.PLAIN
    }
    names_recipient = bool(people)
    # Where the report names nobody, the message may: it proves nothing, until its hash
    # is among those of the trace.
    for value in headers.get("to", ())[:1]:
        named = first_mailbox(unfold(value[:1024]))
        if named is not None:
            people[named] = None
    return Marks(
        has_headers=has_headers,
        traces=tuple(headers.get(TRACE_HEADER.lower(), ())[:MAX_TRACES]),
        signed_by=_signed_by(headers.get("dkim-signature", ())),
        sender_domains=tuple(domains),
        recipients=tuple(people),
        names_recipient=names_recipient,
        copy=_copy(headers.get("dkim-signature", ())),
    )


def _copy(values: Sequence[bytes]) -> str:
    if not values:
        return ""
    return hashlib.sha256(b"".join(values[0].split())).hexdigest()[:32]


def _signed_by(values: Sequence[bytes]) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for value in values[:_MAX_SIGNATURES]:
        domain = _DOMAIN.search(unfold(value[:4096]))
        if domain:
            found[domain[1].decode("ascii").lower()] = None
    return tuple(found)

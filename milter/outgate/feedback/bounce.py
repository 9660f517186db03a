"""From bytes to a bounce: who did not get what, and why."""

import re
from collections.abc import Collection
from dataclasses import dataclass

from outgate.feedback.complaint import is_bounce_report
from outgate.feedback.documents import documents_in
from outgate.feedback.dsn import MAX_STATUS_BYTES, read_outcomes, status_groups
from outgate.feedback.embedded import embed, message_parts
from outgate.feedback.entity import (
    MAX_REPORT_BYTES,
    Budget,
    Entity,
    is_headers,
    is_message,
    read_entity,
)
from outgate.feedback.outcome import Outcome
from outgate.feedback.prose import read_prose
from outgate.feedback.report import Embedded, Unread, UnreadReport
from outgate.feedback.ses import read_ses_outcomes
from outgate.message.address_list import first_mailbox
from outgate.message.headers import decode_text, header_from_address
from outgate.model.address import Address, EnvelopeSender, parse_path

_STATUS_KINDS = frozenset({"message/delivery-status", "message/global-delivery-status"})
_SUBJECT = re.compile(
    r"(?i)undeliver|non.?deliver|failure notice|return(?:ed|ing) (?:mail|message|to)"
    r"|delivery (?:status|failure|failed|problem|report|has)|mail delivery|delivery error"
    r"|mail system error|could not be delivered|message delivery|mail failure"
    r"|warning: could not send|not deliverable|unzustellbar|rejected mail|delayed mail"
    r"|(?:delivery|message) delayed|error mail"
)
_FIELDS_IN_TEXT = re.compile(r"(?im)^[> \t]*final-recipient:")
_QUOTE = re.compile(r"(?m)^[ \t]*(?:>[ \t]?)+")
_POSTMASTERS = frozenset(
    {"postmaster", "mailer-daemon", "mail-daemon", "poostmaster", "mdaemon"}
)
# What stands before the recipient, as `model.address` takes it off: the surer ones first.
_VERP_MARKS = (re.compile(r"-\d+-|\+"), re.compile(r"-"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounce:
    """One bounce.

    Attributes:
        outcomes: of each recipient that is named, at least one.
        envelope_id: what our MTA gave as ENVID (RFC 3461 §4.4), "" where there is none.
        returned: the message, or its headers, as far as it came back.
        to: whom the bounce went to: the envelope sender of the message.
        verp_recipient: whom our own VERP sender names; the surest of all, since nobody
            else wrote it. None where the sender is not ours or names nobody.
        reporter: header From of the bounce.
    """

    outcomes: tuple[Outcome, ...]
    envelope_id: str = ""
    returned: Embedded | None = None
    to: EnvelopeSender | None = None
    verp_recipient: Address | None = None
    reporter: Address | None = None


def read_bounce(raw: bytes, own_domains: Collection[str] = ()) -> Bounce:
    """Read a delivery status notification, or a bounce in prose.

    Args:
        raw: the mail.
        own_domains: canonical domains whose VERP addresses are our senders'.

    Raises:
        UnreadReport: it is no bounce, or names no recipient that is clear.
    """
    budget = Budget()
    entity = read_entity(raw[: MAX_REPORT_BYTES + 1], budget)
    if not entity.headers:
        raise UnreadReport(Unread.UNREADABLE, "it does not begin with a mail's headers")
    about = next((part for part in entity.walk() if part.kind in _STATUS_KINDS), None)
    to = first_mailbox(entity.header("to")[:998])
    outcomes, sender = _outcomes(entity, about, to)
    if not outcomes:
        raise UnreadReport(
            Unread.NO_REPORT, "no bounce, or none that names whom it did not reach"
        )
    returned = None
    inner = next(message_parts(entity), None)
    if inner is not None and (is_message(inner.kind) or is_headers(inner.kind)):
        returned, headers = embed(inner, rewritten=False, budget=budget)
        for value in headers.get("return-path", ())[:1]:
            sender = sender or parse_path(value[:700])
    fields = (
        status_groups(about.head(MAX_STATUS_BYTES))[0] if about is not None else None
    )
    return Bounce(
        outcomes=outcomes,
        envelope_id=fields.first("original-envelope-id")[:200] if fields else "",
        returned=returned,
        to=sender or to,
        verp_recipient=verp_recipient(to, own_domains),
        reporter=header_from_address(entity.headers),
    )


def _outcomes(
    entity: Entity, about: Entity | None, to: Address | None
) -> tuple[tuple[Outcome, ...], EnvelopeSender | None]:
    text = _notice(entity)
    if about is not None:
        status = about.head(MAX_STATUS_BYTES)
        found = tuple(one for one in read_outcomes(status, text) if one.recipient)
        if found:
            return found, None
    for document in documents_in(entity):
        from_ses, sender = read_ses_outcomes(document)
        if from_ses:
            return tuple(from_ses), sender
    if about is None and not _looks_like_bounce(entity):
        return (), None
    if (fields := _FIELDS_IN_TEXT.search(text)) is not None:
        # The parts are not where it says, or a person sends it on.
        block = _QUOTE.sub("", text[fields.start() :]).encode("utf-8", "replace")
        found = tuple(one for one in read_outcomes(block, "") if one.recipient)
        if found:
            return found, None
    return tuple(read_prose(entity, text, to)), None


def _notice(entity: Entity) -> str:
    """What a bounce says to people: its first text."""
    for part in entity.walk():
        if (
            not part.parts
            and part.kind.startswith("text/")
            and not is_headers(part.kind)
        ):
            return part.text()
    if entity.kind.startswith("multipart/"):
        # Its parts are not where it says: what there is, is text.
        return entity.body[:65536].decode("utf-8", "replace").replace("\r\n", "\n")
    return ""


def _looks_like_bounce(entity: Entity) -> bool:
    if is_bounce_report(entity):
        return True
    if entity.header("auto-submitted").lower().startswith(b"auto-replied"):
        return False
    sender = header_from_address(entity.headers)
    if sender is not None and sender.local in _POSTMASTERS:
        return True
    returned_to_nobody = entity.header("return-path") == b"<>"
    subject = decode_text(entity.header("subject"))
    return bool(_SUBJECT.search(subject)) or returned_to_nobody


def verp_recipient(
    sender: EnvelopeSender | None, own_domains: Collection[str]
) -> Address | None:
    """Whom a VERP address of ours names: `list-bounces+anne=example.net@ours`."""
    if not isinstance(sender, Address) or sender.domain not in own_domains:
        return None
    head, _, host = sender.local.partition("=")
    mark = next(filter(None, (one.search(head) for one in _VERP_MARKS)), None)
    if mark is None or "." not in host or not head[mark.end() :]:
        return None
    return Address(head[mark.end() :], host)

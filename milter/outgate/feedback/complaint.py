"""From bytes to a complaint, whatever form it has."""

from outgate.feedback.arf import field_part, read_arf
from outgate.feedback.documents import Document, documents_in, read_document
from outgate.feedback.embedded import message_parts
from outgate.feedback.entity import (
    MAX_REPORT_BYTES,
    Budget,
    Entity,
    is_message,
    open_message,
    read_entity,
)
from outgate.feedback.report import ComplaintReport, Unread, UnreadReport
from outgate.feedback.ses import opened, read_ses_complaint
from outgate.feedback.variants import read_variant
from outgate.feedback.xarf import is_xarf, read_xarf
from outgate.message.headers import header_from_address
from outgate.model.address import Address

# A mailing list or a colleague hands a report on as an attachment.
_MAX_HANDED_ON = 2
_DAEMONS = frozenset({"mailer-daemon", "mail-daemon"})
_BOUNCE_KINDS = frozenset({"message/delivery-status", "message/global-delivery-status"})


def read_complaint(raw: bytes) -> ComplaintReport:
    """Read a mail, or a XARF document, as a complaint.

    Raises:
        UnreadReport: there is none in it, or none that can be read: a person has to.
    """
    raw = raw[: MAX_REPORT_BYTES + 1]
    if not raw.strip():
        raise UnreadReport(Unread.EMPTY, "there is nothing in it")
    document = read_document(raw)
    if document is not None:
        return _from_document(document, None)
    budget = Budget()
    entity = read_entity(raw, budget)
    if not entity.headers:
        raise UnreadReport(Unread.UNREADABLE, "it does not begin with a mail's headers")
    found = _from_entity(entity, budget, 0)
    if found is not None:
        return found
    raise _unread(entity)


def _from_entity(entity: Entity, budget: Budget, depth: int) -> ComplaintReport | None:
    if (part := field_part(entity)) is not None:
        return read_arf(entity, part, budget)
    reporter = header_from_address(entity.headers)
    for document in documents_in(entity):
        if is_xarf(document) or opened(document) is not None:
            return _from_document(document, reporter)
    if is_bounce_report(entity):
        return None
    inner = next(message_parts(entity), None)
    if inner is not None and is_message(inner.kind) and depth < _MAX_HANDED_ON:
        attached = open_message(inner, budget)
        if attached.kind == "multipart/report":
            found = _from_entity(attached, budget, depth + 1)
            if found is not None:
                return found
    if depth or entity.header("auto-submitted").lower().startswith(b"auto-replied"):
        return None
    return read_variant(entity, budget)


def _from_document(document: Document, reporter: Address | None) -> ComplaintReport:
    if is_xarf(document):
        found = read_xarf(document, reporter)
        if found is None:
            raise UnreadReport(Unread.NO_REPORT, "a XARF report, but not about mail")
        return found
    found = read_ses_complaint(document, reporter)
    if found is None:
        raise UnreadReport(Unread.NO_REPORT, "JSON, but no complaint that is known")
    return found


def is_bounce_report(entity: Entity) -> bool:
    """Whether a mail is a bounce by its form or by its sender (RFC 3464, RFC 3834)."""
    if any(part.kind in _BOUNCE_KINDS for part in entity.walk()):
        return True
    if entity.parameters.get(b"report-type", b"").lower() == b"delivery-status":
        return True
    if "x-failed-recipients" in entity.headers:
        return True
    sender = header_from_address(entity.headers)
    return sender is not None and sender.local in _DAEMONS


def _unread(entity: Entity) -> UnreadReport:
    if is_bounce_report(entity):
        return UnreadReport(Unread.BOUNCE, "a bounce, no complaint")
    if entity.header("auto-submitted").lower().startswith(b"auto-replied"):
        return UnreadReport(Unread.AUTO_REPLY, "an automatic reply, no complaint")
    return UnreadReport(
        Unread.NO_REPORT, "no report in it, and no message that it complains about"
    )

"""Feedback reports: ARF (RFC 5965, 6591, 6650, 9991), as feeds really send it.

Tolerated, because feeds do it: any order of parts, `multipart/mixed`, parts that are
missing, any version, `Received-Date` for `Arrival-Date`, a transfer encoding on parts
that may have none, a field part that says it is plain text.
"""

import re

from outgate.feedback.embedded import embed, message_parts, recipients_within
from outgate.feedback.entity import MAX_TEXT_BYTES, Budget, Entity, Fields, read_fields
from outgate.feedback.feeds import find_feed
from outgate.feedback.report import (
    ComplaintReport,
    Format,
    OriginalRecipient,
    dedup_key,
    feedback_type,
    incident_count,
    original_recipients,
    port_number,
    source_address,
)
from outgate.feedback.times import read_time
from outgate.message.headers import header_from_address
from outgate.model.address import EnvelopeSender, parse_path

_FIELD_KINDS = frozenset(
    {
        "message/feedback-report",
        "text/feedback-report",
        "application/feedback-report",
    }
)
_FIELDS_IN_TEXT = re.compile(rb"(?im)\A\s*(?:[\w-]+:[^\n]*\n){0,8}?feedback-type:")
_PROBE_BYTES = 2048


def field_part(entity: Entity) -> Entity | None:
    """The machine-readable part, or None: then it is no ARF."""
    for part in entity.walk():
        if part.kind in _FIELD_KINDS:
            return part
    if entity.kind == "multipart/report":
        for part in entity.parts:
            probe = part.head(_PROBE_BYTES) if not part.parts else b""
            if _FIELDS_IN_TEXT.match(probe):
                return part
    return None


def read_arf(entity: Entity, part: Entity, budget: Budget) -> ComplaintReport:
    """Read a report whose fields are in `part`."""
    fields = read_fields(part.head(MAX_TEXT_BYTES))
    reporter = header_from_address(entity.headers)
    feed = find_feed(reporter, fields.first("user-agent"), fields.first("source"))
    recipients = _recipients(fields)
    embedded = None
    if (inner := next(message_parts(entity), None)) is not None:
        embedded, headers = embed(inner, rewritten=feed.rewrites, budget=budget)
        recipients = recipients or tuple(recipients_within(headers))[:1]
    return ComplaintReport(
        format=Format.ARF,
        feed=feed.name,
        feedback_type=feedback_type(fields.first("feedback-type")),
        fields=fields,
        arrival=read_time(fields.first("arrival-date"))
        or read_time(fields.first("received-date")),
        source=source_address(fields.first("source-ip")),
        source_port=port_number(fields.first("source-port")),
        original_sender=_sender(fields),
        recipients=recipients,
        embedded=embedded,
        incidents=incident_count(fields.first("incidents")),
        reporter=reporter,
        dedup_key=dedup_key(
            Format.ARF, reporter, message_identity(entity), fields, embedded
        ),
    )


def _recipients(fields: Fields) -> tuple[OriginalRecipient, ...]:
    for names in (
        ("original-rcpt-to", "original-recipient"),
        ("removal-recipient",),
        ("redacted-address",),
    ):
        texts = [text for name in names for text in fields.all(name)]
        if found := original_recipients(texts):
            return found
    return ()


def _sender(fields: Fields) -> EnvelopeSender | None:
    text = fields.first("original-mail-from")
    return parse_path(text[:700].encode("utf-8", "replace")) if text else None


def message_identity(entity: Entity) -> str:
    """What a mail is known by: its Message-ID, or its Date."""
    value = entity.header("message-id") or entity.header("date")
    return value[:998].decode("utf-8", "backslashreplace")

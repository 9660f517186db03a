"""Complaints that are no ARF: Microsoft's older feed, wishes, forwarded spam.

What people forward is read where the message came along: attached, or in the text
behind a mark that mail programs set, or as pasted headers. A person's word that it was
spam is a report of abuse.
"""

import re
from collections.abc import Iterator
from html import unescape

from outgate.feedback.arf import message_identity
from outgate.feedback.embedded import embed, message_parts, recipients_within
from outgate.feedback.entity import Budget, Entity, Fields, read_headers
from outgate.feedback.feeds import UNKNOWN_FEED, Feed, feed_named, find_feed
from outgate.feedback.report import (
    Alteration,
    ComplaintReport,
    Embedded,
    FeedbackType,
    Format,
    OriginalRecipient,
    dedup_key,
    original_recipient,
    source_address,
)
from outgate.feedback.times import ReportTime, read_time
from outgate.message.headers import Headers, decode_text, header_from_address
from outgate.model.address import EnvelopeSender, parse_path

_NO_FIELDS = Fields({})
_COMPLAINT_SUBJECT = re.compile(
    r"\A\W*complaint about message from\W+([0-9A-Fa-f:.]{3,45})"
)
_MAX_PATH_BYTES = 700
_UNSUBSCRIBE_SUBJECT = re.compile(r"(?i)\A\s*unsubscribe\b")
# As mail programs write it before what they forward.
_FORWARD_MARK = re.compile(
    r"(?im)^[> \t]*(?:[-_*=]{2,20}[ ]*(?:original message|forwarded message|"
    r"forwarded by [^\n]{0,100}|begin forwarded message|ursprüngliche nachricht|"
    r"weitergeleitete nachricht|message d'origine|message transféré|"
    r"mensaje original|mensaje reenviado|messaggio originale|messaggio inoltrato|"
    r"oorspronkelijk bericht|doorgestuurd bericht)[ ]*[-_*=]{0,20}|"
    r"begin forwarded message:?)[ \t]*$"
)
# Headers that only a message's source has: nobody types them.
_PASTED = re.compile(
    r"(?im)^[> \t]*(?:return-path|received|delivered-to|x-apparently-to|"
    r"authentication-results|dkim-signature|arc-seal):[ \t]"
)
_QUOTE = re.compile(r"(?m)^[ \t]*(?:>[ \t]?)+")
_LINE_TAG = re.compile(r"(?i)<(?:br|/?p|/?div|/tr|/?blockquote)\b[^<>]{0,500}>")
_TAG = re.compile(r"<[^<>]{0,2000}>")
_TELLING = frozenset({"from", "subject", "received", "message-id", "return-path"})
_LEAST_HEADERS = 2
_MAX_MARKS = 5


def read_variant(entity: Entity, budget: Budget) -> ComplaintReport | None:
    """Read a mail that has no feedback report inside; None where it is no complaint."""
    if entity.header("x-apple-unsubscribe").lower() == b"true":
        return _unsubscribe(entity)
    inner = next(message_parts(entity), None)
    if inner is not None:
        return _attached(entity, inner, budget)
    return _inline(entity, budget)


def _unsubscribe(entity: Entity) -> ComplaintReport:
    reporter = header_from_address(entity.headers)
    named = original_recipient(str(reporter)) if reporter else None
    return _report(
        entity,
        Format.UNSUBSCRIBE,
        feed_named("apple"),
        FeedbackType.OPT_OUT,
        recipients=(named,) if named else (),
    )


def _attached(entity: Entity, inner: Entity, budget: Budget) -> ComplaintReport:
    reporter = header_from_address(entity.headers)
    subject = _COMPLAINT_SUBJECT.match(decode_text(entity.header("subject")))
    embedded, headers = embed(inner, rewritten=False, budget=budget)
    marked = "x-hmxmroriginalrecipient" in headers
    is_jmrp = marked or (subject is not None and "hotmail" in str(reporter))
    feed = find_feed(reporter, "", "") if not is_jmrp else feed_named("microsoft")
    return _report(
        entity,
        Format.JMRP if is_jmrp else Format.FORWARDED,
        feed if is_jmrp else UNKNOWN_FEED,
        FeedbackType.ABUSE,
        # Who forwards by hand forwards what went to an address of their own, or to
        # a list: only the provider's marks are believed.
        recipients=tuple(recipients_within(headers))[:1],
        source=source_address(subject[1]) if subject and is_jmrp else "",
        embedded=embedded,
        headers=headers,
    )


def _inline(entity: Entity, budget: Budget) -> ComplaintReport | None:
    for part in entity.walk():
        if part.parts or part.kind not in {"text/plain", "text/html"}:
            continue
        text = part.text() if part.kind == "text/plain" else _without_tags(part.text())
        for quoted in _candidates(text):
            raw = _QUOTE.sub("", quoted).lstrip("\n \t").encode("utf-8", "replace")
            headers, at, _ = read_headers(raw, budget)
            if len(headers) < _LEAST_HEADERS or not _TELLING & headers.keys():
                continue
            embedded = Embedded(
                raw,
                has_body=bool(raw[at:].strip()),
                is_cut=part.is_cut,
                alterations=frozenset({Alteration.QUOTED}),
            )
            return _report(
                entity,
                Format.FORWARDED,
                UNKNOWN_FEED,
                FeedbackType.ABUSE,
                recipients=tuple(recipients_within(headers))[:1],
                embedded=embedded,
                headers=headers,
            )
    return None


def _without_tags(html: str) -> str:
    """Lines of HTML; what it hides stays, since nobody is to be deceived here."""
    return unescape(_TAG.sub("", _LINE_TAG.sub("\n", html)))


def _candidates(text: str) -> Iterator[str]:
    for count, mark in enumerate(_FORWARD_MARK.finditer(text)):
        if count >= _MAX_MARKS:
            return
        yield text[mark.end() :]
    if (pasted := _PASTED.search(text)) is not None:
        yield text[pasted.start() :]


def _report(
    entity: Entity,
    report_format: Format,
    feed: Feed,
    kind: FeedbackType,
    *,
    recipients: tuple[OriginalRecipient, ...] = (),
    source: str = "",
    embedded: Embedded | None = None,
    headers: Headers | None = None,
) -> ComplaintReport:
    reporter = header_from_address(entity.headers)
    return ComplaintReport(
        format=report_format,
        feed=feed.name,
        feedback_type=kind,
        fields=_NO_FIELDS,
        arrival=_arrival(headers or {}),
        source=source,
        original_sender=_return_path(headers or {}),
        recipients=recipients,
        embedded=embedded,
        reporter=reporter,
        dedup_key=dedup_key(
            report_format, reporter, message_identity(entity), _NO_FIELDS, embedded
        ),
    )


def _arrival(headers: Headers) -> ReportTime | None:
    """When the reporter's own server took it: the topmost Received."""
    for value in headers.get("received", ())[:1]:
        _, _, date = value[-200:].rpartition(b";")
        return read_time(" ".join(date.decode("ascii", "replace").split()))
    return None


def _return_path(headers: Headers) -> EnvelopeSender | None:
    for value in headers.get("return-path", ())[:1]:
        return parse_path(value[:_MAX_PATH_BYTES])
    return None

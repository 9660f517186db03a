"""Notifications of Amazon SES: complaints, bounces and deliveries in JSON.

They come as mail, by a topic that is subscribed by e-mail, in the form of "Contents of
Amazon SNS notifications for Amazon SES".
"""

from outgate.feedback.causes import cause_of, read_codes
from outgate.feedback.documents import (
    Document,
    at,
    items_at,
    read_document,
    scalar_fields,
    text_at,
)
from outgate.feedback.entity import Fields
from outgate.feedback.outcome import MAX_REPLY_CHARACTERS, Action, Outcome
from outgate.feedback.report import (
    ComplaintReport,
    Embedded,
    Format,
    dedup_key,
    feedback_type,
    original_recipients,
    source_address,
)
from outgate.feedback.times import read_time
from outgate.model.address import Address, EnvelopeSender, parse_address, parse_path

_FEED = "amazon-ses"
_MAX_HEADERS = 200
_BOUNCE_KEYS = ("bouncedRecipients", "delayedRecipients")


def opened(document: Document) -> Document | None:
    """The notification, out of the envelope that a topic puts around it."""
    if "notificationType" in document or "eventType" in document:
        return document
    message = text_at(document, "Type") and at(document, "Message")
    inner = (
        read_document(message.encode("utf-8", "replace"))
        if isinstance(message, str)
        else None
    )
    if inner is not None and ("notificationType" in inner or "eventType" in inner):
        return inner
    return None


def _kind(document: Document) -> str:
    return text_at(document, "notificationType") or text_at(document, "eventType")


def read_ses_complaint(
    document: Document, reporter: Address | None
) -> ComplaintReport | None:
    """Read a complaint; None where the document is no such notification."""
    found = opened(document)
    if found is None or _kind(found) != "Complaint":
        return None
    complaint = found.get("complaint")
    said = scalar_fields(complaint if isinstance(complaint, dict) else {})
    embedded = _headers(found)
    return ComplaintReport(
        format=Format.SES,
        feed=_FEED,
        feedback_type=feedback_type(text_at(complaint, "complaintFeedbackType")),
        fields=Fields(dict(said.values) | dict(_about_mail(found).values)),
        arrival=read_time(text_at(complaint, "arrivalDate"))
        or read_time(text_at(complaint, "timestamp")),
        source=source_address(text_at(found, "mail", "sourceIp")),
        original_sender=_sender(found),
        recipients=original_recipients(
            text_at(one, "emailAddress")
            for one in items_at(complaint, "complainedRecipients")
        ),
        embedded=embedded,
        reporter=reporter,
        dedup_key=dedup_key(
            Format.SES, reporter, text_at(complaint, "feedbackId"), said, embedded
        ),
    )


def read_ses_outcomes(
    document: Document,
) -> tuple[list[Outcome], EnvelopeSender | None]:
    """Read what became of a message; an empty list where nothing is said of it."""
    found = opened(document)
    if found is None:
        return [], None
    match _kind(found):
        case "Bounce":
            return list(map(_bounced, _people(found, "bounce"))), _sender(found)
        case "Delivery":
            return list(_delivered(found)), _sender(found)
        case _:
            return [], None


def _people(document: Document, name: str) -> list[tuple[object, bool]]:
    part = at(document, name)
    is_transient = text_at(part, "bounceType") == "Transient"
    return [(one, is_transient) for key in _BOUNCE_KEYS for one in items_at(part, key)]


def _bounced(person: tuple[object, bool]) -> Outcome:
    one, is_transient = person
    text = text_at(one, "diagnosticCode")[:MAX_REPLY_CHARACTERS]
    code, status = read_codes(text)
    status = text_at(one, "status") or status
    return Outcome(
        recipient=parse_address(text_at(one, "emailAddress")),
        action=Action.DEFERRED
        if is_transient and text_at(one, "action") == "delayed"
        else Action.BOUNCED,
        cause=cause_of(status, code, text),
        status=status,
        reply_code=code,
        reply=text,
    )


def _delivered(document: Document) -> list[Outcome]:
    text = text_at(document, "delivery", "smtpResponse")[:MAX_REPLY_CHARACTERS]
    code, status = read_codes(text)
    return [
        Outcome(
            recipient=parse_address(text_at({"": one}, "")),
            action=Action.DELIVERED,
            cause=None,
            status=status,
            reply_code=code,
            reply=text,
        )
        for one in items_at(document, "delivery", "recipients")
    ]


def _sender(document: Document) -> EnvelopeSender | None:
    text = text_at(document, "mail", "source")
    return parse_path(text.encode("utf-8", "replace")) if text else None


def _about_mail(document: Document) -> Fields:
    mail = document.get("mail")
    values = scalar_fields(mail if isinstance(mail, dict) else {}).values
    return Fields({f"mail.{name}": value for name, value in values.items()})


def _headers(document: Document) -> Embedded | None:
    """Headers of the mail, as far as SES was told to give them."""
    lines = [
        f"{text_at(one, 'name')}: {text_at(one, 'value')}".replace("\n", "\n ")
        for one in items_at(document, "mail", "headers")[:_MAX_HEADERS]
        if text_at(one, "name").isascii()
    ]
    if not lines:
        return None
    raw = "\n".join([*lines, ""]).encode("utf-8", "replace")
    return Embedded(raw, has_body=False)

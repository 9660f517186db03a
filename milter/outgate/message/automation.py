"""Mail that no person wrote just now: bounces, receipts, auto-replies, invitations.

    Auto-Submitted: auto-replied (vacation)                            RFC 3834 §5
    Content-Type: multipart/report; report-type=delivery-status        RFC 3464, 3462
    Content-Type: text/calendar; method=REQUEST                        RFC 6047 §2.4

Software is no bulk mail by itself: a cron job's report and a receipt are automatic
too. So `auto-generated` makes no class.

Limits: only headers are seen. An invitation whose calendar part stands within a
multipart/alternative is known by Exchange's Content-Class alone.
"""

import re

from outgate.message.headers import Headers, first_value, header_from_address

AUTOMATION_HEADERS = frozenset(
    {
        "auto-submitted",
        "content-class",
        "content-type",
        "from",
        "precedence",
        "x-auto-response-suppress",
        "x-autoreply",
        "x-autorespond",
        "x-failed-recipients",
    }
)

# Parameters of a type come within its first lines; RFC 2045 sets no length.
MAX_PARAMETERS_BYTES = 1024

_AUTO_SUBMITTED = re.compile(rb"(?:\([^()]*+\)|[ \t]++)*+([A-Za-z][A-Za-z0-9-]*+)")
_REPORT_TYPE = re.compile(rb';[ \t]*+report-type[ \t]*+=[ \t]*+"?([a-z-]++)')
_CALENDAR_METHOD = re.compile(rb';[ \t]*+method[ \t]*+=[ \t]*+"?[a-z]')
_CALENDAR_CLASS = b"urn:content-classes:calendarmessage"  # [MS-OXCMAIL]
_NOTIFICATIONS = frozenset({b"delivery-status", b"disposition-notification"})
_MAILER_LOCALS = frozenset({"mailer-daemon", "postmaster"})


def auto_submitted(headers: Headers) -> str:
    """Keyword of Auto-Submitted, lower case (RFC 3834 §5); "" where there is none."""
    value = first_value(headers, "auto-submitted")
    if value is None:
        return ""
    found = _AUTO_SUBMITTED.match(value[:MAX_PARAMETERS_BYTES])
    return found[1].decode("ascii").lower() if found else ""


def precedence(headers: Headers) -> str:
    """Word of Precedence, lower case; "" where there is none (RFC 3834 §3.1.8)."""
    value = first_value(headers, "precedence")
    return value[:64].decode("ascii", "replace").lower() if value else ""


def is_auto_reply(headers: Headers) -> bool:
    """Whether a program answered a message: a vacation notice, a receipt.

    Auto-Submitted is the standard; the others are those of cPanel, of old Exim filters
    and of several webmailers.
    """
    return (
        "x-autoreply" in headers
        or "x-autorespond" in headers
        or ("auto-submitted" in headers and auto_submitted(headers) == "auto-replied")
        or ("precedence" in headers and precedence(headers) == "auto_reply")
    )


def is_notification(headers: Headers) -> bool:
    """Whether it is a delivery status or disposition notification (RFC 3464, 8098).

    A report that forgot its type counts (RFC 6522 §3 demands one); one of another
    type, such as a feedback report, does not.
    """
    value = first_value(headers, "content-type")
    if value is None or value[:16].lower() != b"multipart/report":
        return False
    found = _REPORT_TYPE.search(value[:MAX_PARAMETERS_BYTES].lower())
    return found is None or found[1] in _NOTIFICATIONS


def is_response(headers: Headers) -> bool:
    """Whether mail with a null sender is what a null sender is for (RFC 5321 §4.5.5).

    Beside what the standards name: qmail's bounces come from mailer-daemon and Exim's
    name the failed recipients; Sendmail's say auto-generated, against RFC 3834 §5;
    Exchange's absence notices have only X-Auto-Response-Suppress.
    """
    if is_notification(headers) or is_auto_reply(headers):
        return True
    if "x-failed-recipients" in headers or "x-auto-response-suppress" in headers:
        return True
    if auto_submitted(headers) not in {"", "no"}:
        return True
    address = header_from_address(headers)
    return address is not None and address.local in _MAILER_LOCALS


def is_calendar(headers: Headers) -> bool:
    """Whether it is an iTIP message: an invitation, an answer to one (RFC 6047)."""
    content_class = first_value(headers, "content-class")
    if content_class and content_class.lower() == _CALENDAR_CLASS:
        return True
    value = first_value(headers, "content-type")
    if value is None or value[:13].lower() != b"text/calendar":
        return False
    return _CALENDAR_METHOD.search(value[:MAX_PARAMETERS_BYTES].lower()) is not None

"""Requests to confirm a subscription, as list software words them.

    From: news-confirm+1a2b3c…@lists.example.org       Mailman 3, Mailman 2 with VERP
    Subject: confirm 1a2b3c…                           Mailman 2
    Subject: AUTH 1a2b3c… SUBSCRIBE news anne@…        Sympa

Whoever confirms sends the same subject back, so it counts only on mail of a program; a
request goes to one person.

Limits: others (listmonk, phpList, web shops) put nothing but a link into the body, and
each in its own words. Their requests are known where a stream is registered for them.
"""

import re

from outgate.message.headers import Headers, first_value, header_from_address

CONFIRMATION_HEADERS = frozenset({"auto-submitted", "from", "subject"})

_SUBJECT = re.compile(
    rb"(?:confirm [0-9a-f]{20,64}|auth [0-9a-f]{8,64} (?:sub|subscribe) [^\r\n]+)",
    re.IGNORECASE,
)
_AUTHOR = re.compile(r"-confirm\+[0-9a-f]{20,64}")
# The longest that is asked for, with a list and an address behind it.
_MAX_SUBJECT_BYTES = 512


def is_confirmation_request(headers: Headers, recipients: int, *, bulk: bool) -> bool:
    """Whether a message asks one person to confirm a subscription.

    Args:
        headers: lower-case names to values.
        recipients: of the envelope.
        bulk: whether it declares itself bulk, as Mailman's requests do.
    """
    if recipients != 1:
        return False
    author = header_from_address(headers)
    if author is not None and "-confirm+" in author.local:
        return _AUTHOR.search(author.local) is not None
    if not bulk and "auto-submitted" not in headers:
        return False
    subject = (first_value(headers, "subject") or b"")[:_MAX_SUBJECT_BYTES]
    return _SUBJECT.fullmatch(subject.strip()) is not None

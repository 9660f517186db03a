"""The message that a report is about: where it lies, and what was done to it."""

import re
from collections.abc import Iterator, Mapping, Sequence

from outgate.feedback.entity import (
    Budget,
    Entity,
    is_headers,
    is_message,
    read_headers,
)
from outgate.feedback.report import (
    Alteration,
    Embedded,
    OriginalRecipient,
    original_recipient,
)
from outgate.message.cfws import unfold

_HASHED_WORD = re.compile(rb"(?<![0-9a-fA-F])[0-9a-fA-F]{32}@")
_REDACTED_WORD = re.compile(
    rb"(?i)(?:\b|<|\[)(?:redacted|hashed|anonymi[sz]ed)(?:@|>|\]|\b)"
)
# What the provider itself writes on arrival says to whom.
_RECIPIENT_HEADERS = (
    "x-hmxmroriginalrecipient",
    "x-apparently-to",
    "x-original-rcpt-to",
    "delivered-to",
)
_RECEIVED_FOR = re.compile(rb"\bfor\s+<([^<>\s]{1,320})>")
# Headers that name a recipient; hashes elsewhere are a sender's own identifiers.
_ADDRESSING = ("to", "cc", "delivered-to", "x-original-to", "envelope-to", "received")
_MAX_LOOK_BYTES = 8192
Headers = Mapping[str, Sequence[bytes]]


def message_parts(entity: Entity) -> Iterator[Entity]:
    """Parts that hold a message or its headers, in order."""
    for part in entity.walk():
        if part is not entity and (is_message(part.kind) or is_headers(part.kind)):
            yield part


def embed(part: Entity, *, rewritten: bool, budget: Budget) -> tuple[Embedded, Headers]:
    """Take the message out of a part, and read its headers.

    Args:
        part: of type message/rfc822 or of headers alone.
        budget: what may still be read of the report.
        rewritten: the feed is known to change what it embeds.
    """
    raw = part.content()
    headers, at, was_cut = read_headers(raw, budget)
    body = raw[at:].strip()
    headers_only = is_headers(part.kind)
    altered = set(_alterations(headers))
    if rewritten:
        altered.add(Alteration.REWRITTEN_BY_FEED)
    if not headers_only and (not body or not headers):
        altered.add(Alteration.BODY_MISSING)
    if not headers and _REDACTED_WORD.search(raw[:_MAX_LOOK_BYTES]):
        altered.add(Alteration.RECIPIENT_REDACTED)
    return (
        Embedded(
            raw,
            has_body=not headers_only and bool(body) and bool(headers),
            is_cut=part.is_cut or was_cut,
            alterations=frozenset(altered),
        ),
        headers,
    )


def _alterations(headers: Headers) -> Iterator[Alteration]:
    shown = b"\n".join(
        value[:_MAX_LOOK_BYTES]
        for name in _ADDRESSING
        for value in headers.get(name, ())[:20]
    )[: 4 * _MAX_LOOK_BYTES]
    if _HASHED_WORD.search(shown):
        yield Alteration.RECIPIENT_HASHED
    if _REDACTED_WORD.search(shown):
        yield Alteration.RECIPIENT_REDACTED


def recipients_within(headers: Headers) -> Iterator[OriginalRecipient]:
    """To whom the provider's own marks say that it went, the surest first."""
    for name in _RECIPIENT_HEADERS:
        for value in headers.get(name, ())[:5]:
            text = unfold(value[:_MAX_LOOK_BYTES]).decode("utf-8", "backslashreplace")
            # `anne@yahoo.com via 192.0.2.1; Tue, …`
            found = original_recipient(text.partition(" via ")[0])
            if found is not None:
                yield found
    for value in headers.get("received", ())[:1]:
        named = _RECEIVED_FOR.search(value[:_MAX_LOOK_BYTES])
        if named:
            found = original_recipient(named[1].decode("utf-8", "backslashreplace"))
            if found is not None:
                yield found

"""Single headers: values, header From, text that is fit to be shown.

`Headers` is what the session keeps of a message: lower-case names to values in the
order they came, so the topmost, which the last hop added, is first.
"""

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache

from outgate.message.address_list import first_mailbox
from outgate.message.cfws import unfold
from outgate.message.encoded_words import decode_words
from outgate.model.address import Address

Headers = Mapping[str, Sequence[bytes]]

FROM_HEADERS = frozenset({"from"})

# What a person reads of a header: one full line (RFC 5322 §2.1.1).
MAX_TEXT_BYTES = 998

# Control characters, line separators, lone surrogates, and the marks that make text
# run backwards: shown raw, they forge log lines and file names (Unicode TR 36 §3).
_UNFIT = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)


def first_value(headers: Headers, name: str) -> bytes | None:
    """Topmost value of a header, unfolded; None where it is absent."""
    values = headers.get(name)
    return unfold(values[0]) if values else None


def decode_text(value: bytes) -> str:
    r"""Give a header's value as one line for people: encoded words read (RFC 2047).

    At most `MAX_TEXT_BYTES` of it. Bytes and characters that are unfit to be shown
    stand there as `\xNN` or `\uNNNN`.
    """
    text = decode_words(unfold(value[:MAX_TEXT_BYTES]))
    return _UNFIT.sub(_escape, text)


def _escape(found: re.Match[str]) -> str:
    character = found[0]
    if character.isascii():
        return f"\\x{ord(character):02x}"
    return character.encode("ascii", "backslashreplace").decode("ascii")


def header_from_address(headers: Headers) -> Address | None:
    """First address of the first header From (RFC 5322 §3.6.2), or None."""
    value = first_value(headers, "from")
    if not value:
        return None
    return _remembered(value) if len(value) <= _SHORT else first_mailbox(value)


# A sender's own From is the same on all of its mail; a long one is no sender's.
_SHORT = 256
_remembered = lru_cache(maxsize=4096)(first_mailbox)


def header_from_count(headers: Headers) -> int:
    """How many From headers there are; RFC 5322 §3.6 wants exactly one."""
    return len(headers.get("from", ()))

"""From a body to the text that a reader would see (RFC 2045, RFC 2046).

Foreign mail is read with patience and within bounds: every step is linear in the bytes
given, no library parser builds a tree. What cannot be read as MIME is taken as plain
text, so that a body always gives something.

Limits: encodings other than RFC 2045 knows (uuencode, yEnc), and parameters cut into
pieces (RFC 2231), stay unread.
"""

import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from string import ascii_letters, digits

from outgate.message.charsets import decode
from outgate.message.headers import Headers, first_value

CONTENT_HEADERS = frozenset({"content-transfer-encoding", "content-type"})

MAX_DEPTH = 5
MAX_PARTS = 40
# Nobody's part needs more for its own headers, and no Content-Type for itself.
_MAX_PART_HEADER_BYTES = 4096
_MAX_TYPE_BYTES = 512

_BOUNDARY = re.compile(rb'(?i)boundary\s*=\s*(?:"([^"\r\n]{1,200})"|([^\s;"]{1,200}))')
_CHARSET = re.compile(rb'(?i)charset\s*=\s*"?([A-Za-z0-9_.:+-]{1,40})')
_TYPE = re.compile(rb"\s*([A-Za-z0-9.+-]{1,60})/([A-Za-z0-9.+-]{1,80})")
_BLANK_LINE = re.compile(rb"\r?\n\r?\n")
_FIELD = re.compile(
    rb"(?im)^content-(type|transfer-encoding)[ \t]*:([^\n]*+(?:\n[ \t][^\n]*+)*)"
)
# What may follow a delimiter on its line, but for the mark of the last. Anything else
# belongs to a longer delimiter of parts inside (RFC 2046 §5.1.1).
_PADDING = (b"\n", b"\r", b" ", b"\t")
_NOT_BASE64 = bytes(set(range(256)) - set((ascii_letters + digits + "+/").encode()))


@dataclass(frozen=True, slots=True)
class Part:
    """One leaf of a message.

    Attributes:
        kind: `text/plain` and the like, lower case.
        text: what it says; "" for what is no text.
    """

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class _Type:
    kind: str
    charset: bytes
    boundary: bytes


@lru_cache(maxsize=512)  # the same few of each sender; of at most half a KiB each
def _read_type(value: bytes) -> _Type:
    found = _TYPE.match(value)
    kind = f"{found[1].decode()}/{found[2].decode()}".lower() if found else "text/plain"
    charset = _CHARSET.search(value)
    boundary = _BOUNDARY.search(value) if kind.startswith("multipart/") else None
    return _Type(
        kind,
        charset[1] if charset else b"",
        (boundary[1] or boundary[2]) if boundary else b"",
    )


def read_parts(headers: Headers, body: bytes) -> list[Part]:
    """Give what a reader would see of a message, in order.

    Of alternatives the last that can be shown counts, as mail programs have it: the
    others are often there for filters. Attached texts count too. Past `MAX_PARTS` parts
    nothing is read; what is nested deeper than `MAX_DEPTH` is read as plain text.

    Args:
        headers: lower-case names to values; only `CONTENT_HEADERS` are looked at.
        body: its first bytes; it may end anywhere.
    """
    kind = first_value(headers, "content-type") or b""
    encoding = first_value(headers, "content-transfer-encoding") or b""
    return list(
        _walk(_read_type(kind[:_MAX_TYPE_BYTES]), encoding, body, 0, [MAX_PARTS])
    )


def _walk(
    declared: _Type, encoding: bytes, body: bytes, depth: int, budget: list[int]
) -> Iterator[Part]:
    budget[0] -= 1
    if budget[0] < 0:
        return
    kind = declared.kind
    if declared.boundary and depth < MAX_DEPTH:
        delimiter = b"\n--" + declared.boundary
        pieces = (b"\n" + body).split(delimiter, budget[0] + 1)
        if len(pieces) > 1:
            contents = _contents(pieces, delimiter)
            yield from _walk_all(kind, contents, depth, budget)
            return
    if kind == "message/rfc822" and depth < MAX_DEPTH:
        yield from _walk(*_open(body), depth + 1, budget)
        return
    if kind.startswith(("text/", "multipart/", "message/rfc822")):
        yield Part(kind, decode(_decoded(body, encoding), declared.charset))
    else:
        yield Part(kind, "")


def _contents(pieces: list[bytes], delimiter: bytes) -> list[bytes]:
    """What stands between delimiters: headers and body of each part."""
    contents: list[bytes] = []
    for piece in pieces[1:]:
        if piece.startswith(b"--"):
            break
        if piece.startswith(_PADDING):
            # To the end of the line; where the body was cut there is none.
            contents.append(piece.partition(b"\n")[2])
        elif piece and contents:
            contents[-1] += delimiter + piece
    return contents


def _walk_all(
    kind: str, contents: list[bytes], depth: int, budget: list[int]
) -> Iterator[Part]:
    shown: list[Part] = []
    for content in contents:
        parts = list(_walk(*_open(content), depth + 1, budget))
        if kind != "multipart/alternative":
            yield from parts
        elif not shown or any(map(_can_be_shown, parts)):
            shown = parts
    yield from shown


def _can_be_shown(part: Part) -> bool:
    # An invitation is a form to be filled in beside the text that announces it.
    return part.kind != "text/calendar" and bool(part.text.strip())


def _open(entity: bytes) -> tuple[_Type, bytes, bytes]:
    """Type, encoding and body of a part with headers of its own."""
    if entity.startswith((b"\n", b"\r\n")):
        return _read_type(b""), b"", entity
    end = _BLANK_LINE.search(entity, 0, _MAX_PART_HEADER_BYTES)
    if end is None:
        return _read_type(b""), b"", entity
    fields = {
        name.lower(): value.strip()
        for name, value in _FIELD.findall(entity, 0, end.start())
    }
    return (
        _read_type(fields.get(b"type", b"")[:_MAX_TYPE_BYTES]),
        fields.get(b"transfer-encoding", b""),
        entity[end.end() :],
    )


def _decoded(body: bytes, encoding: bytes) -> bytes:
    match encoding.strip().lower():
        case b"base64":
            # Padded in the middle, where texts were joined, or cut anywhere: only a
            # digit that alone makes no byte is in the way.
            read = body.translate(None, _NOT_BASE64)
            return binascii.a2b_base64(
                read[: -1 if len(read) % 4 == 1 else None] + b"=="
            )
        case b"quoted-printable":
            return binascii.a2b_qp(body)
        case _:
            return body

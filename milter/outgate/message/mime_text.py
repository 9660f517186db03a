"""From a body to the text that a reader would see (RFC 2045, RFC 2046).

Foreign mail is read with patience and within bounds: every step is linear in the bytes
given, no library parser builds a tree. What cannot be read as MIME is taken as plain
text, so that a body always gives something.

Limits: encodings other than RFC 2045 knows (uuencode, yEnc) stay unread. Of a header that
stands there twice, mail programs choose differently: what is read here is the one that
names an encoding, where the body has it.
"""

import binascii
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from string import ascii_letters, digits
from urllib.parse import unquote_to_bytes

from outgate.message.charsets import decode
from outgate.message.headers import Headers, first_value

CONTENT_HEADERS = frozenset({"content-transfer-encoding", "content-type"})

MAX_DEPTH = 5
MAX_PARTS = 40
# Nobody's part needs more for its own headers, and no Content-Type for itself.
_MAX_PART_HEADER_BYTES = 4096
_MAX_TYPE_BYTES = 512
# More names of what divides one body are not looked for.
_MAX_BOUNDARIES = 3

# Each parameter as a whole, so that none is found in the value of another. RFC 2231 §3,
# §4: in pieces that are numbered, or with a character set before it.
_PARAMETER = re.compile(
    rb"(?<![\w*.-])([\w.-]++)(\*?)(?:(\d)(\*)?)?\s*+=\s*+"
    rb'(?:"([^"\r\n]{1,200})"|([^\s;"]{1,200}))'
)
_CHARSET = re.compile(rb'(?i)charset\s*=\s*"?([A-Za-z0-9_.:+-]{1,40})')
_TYPE = re.compile(rb"\s*([A-Za-z0-9.+-]{1,60})/([A-Za-z0-9.+-]{1,80})")
_BLANK_LINE = re.compile(rb"\r?\n\r?\n")
_FIELD = re.compile(
    rb"(?im)^content-(type|transfer-encoding)[ \t]*:([^\n]*+(?:\n[ \t][^\n]*+)*)"
)
# What may follow a delimiter on its line, but for the mark of the last. Anything else
# belongs to a longer delimiter of parts inside (RFC 2046 §5.1.1).
_PADDING = (b"\n", b"\r", b" ", b"\t")
# What it is, without quotes and comments, which it should not have.
_ENCODING = re.compile(rb"base64|quoted-printable")
_COMMENT = re.compile(rb"\([^()]*+\)")
_NO_BASE64_LINE = re.compile(rb"[^A-Za-z0-9+/=\s]|[^\s=] +[^\s]")
_KNOWN_ENCODINGS = frozenset({b"7bit", b"8bit", b"base64", b"quoted-printable"})
# Enough to tell a text from its encoding.
_PROBE_BYTES = 512
_ALTERNATIVES = frozenset({"text/html", "text/plain"})
_NOT_BASE64 = bytes(set(range(256)) - set((ascii_letters + digits + "+/").encode()))


@dataclass(frozen=True, slots=True)
class Part:
    """One leaf of a message.

    Attributes:
        kind: `text/plain` and the like, lower case.
        text: what it says; "" for what is no text.
        content: its bytes as they came, encoded.
        enveloped: whether its type is S/MIME that only its recipient can read
            (RFC 8551 §3.2.2), and its bytes are a sequence (X.690 §8.9).
        encoding: `base64`, `quoted-printable`, or anything else for none.
    """

    kind: str
    text: str
    content: bytes = field(default=b"", compare=False, repr=False)
    enveloped: bool = field(default=False, compare=False)
    encoding: bytes = field(default=b"", compare=False)


@dataclass(frozen=True, slots=True)
class _Type:
    kind: str
    charset: bytes
    boundaries: tuple[bytes, ...]
    enveloped: bool


@lru_cache(maxsize=512)  # the same few of each sender; of at most half a KiB each
def _read_type(value: bytes) -> _Type:
    found = _TYPE.match(value)
    kind = f"{found[1].decode()}/{found[2].decode()}".lower() if found else "text/plain"
    charset = _CHARSET.search(value)
    return _Type(
        kind,
        charset[1] if charset else b"",
        _boundaries(value) if kind.startswith("multipart/") else (),
        enveloped=kind.endswith("/pkcs7-mime") and b"enveloped-data" in value.lower(),
    )


def _boundaries(value: bytes) -> tuple[bytes, ...]:
    """All that one is named by: of several, mail programs choose differently."""
    found: dict[bytes, None] = {}
    pieces: dict[int, bytes] = {}
    for name, star, number, extended, quoted, bare in _PARAMETER.findall(value):
        if name.lower() != b"boundary":
            continue
        one = quoted or bare
        if not star:
            found[one] = None
        else:
            is_extended = extended or not number
            pieces[int(number or 0)] = _unescaped(one, number) if is_extended else one
    found[b"".join(pieces[number] for number in sorted(pieces))] = None
    return tuple(one for one in found if one)[:_MAX_BOUNDARIES]


def _unescaped(value: bytes, number: bytes) -> bytes:
    """RFC 2231 §4: `charset'language'value`, of pieces in the first one only."""
    if number in {b"", b"0"}:
        value = value.rpartition(b"'")[2]
    return unquote_to_bytes(value)


class Parts(list[Part]):
    """What a message consists of.

    Attributes:
        is_all: whether nothing was left unread for the number of parts.
    """

    __slots__ = ("is_all",)

    def __init__(self, parts: Iterable[Part], budget: list[int]) -> None:
        """Take parts, and what is left of the budget once they are read."""
        super().__init__(parts)
        self.is_all = budget[0] >= 0


def read_parts(headers: Headers, body: bytes) -> Parts:
    """Give what a reader would see of a message, in order.

    Of alternatives the last that can be shown counts, as mail programs have it: the
    others are often there for filters. Attached texts count too. Past `MAX_PARTS` parts
    nothing is read; what is nested deeper than `MAX_DEPTH` is read as plain text.

    Args:
        headers: lower-case names to values; only `CONTENT_HEADERS` are looked at.
        body: its first bytes; it may end anywhere.
    """
    kind = first_value(headers, "content-type") or b""
    encodings = headers.get("content-transfer-encoding", ())
    budget = [MAX_PARTS]
    declared = _read_type(kind[:_MAX_TYPE_BYTES])
    return Parts(_walk(declared, encodings, body, 0, budget), budget)


def _walk(
    declared: _Type,
    encodings: Sequence[bytes],
    body: bytes,
    depth: int,
    budget: list[int],
) -> Iterator[Part]:
    budget[0] -= 1
    if budget[0] < 0:
        return
    kind = declared.kind
    if declared.boundaries and depth < MAX_DEPTH:
        is_divided = False
        for boundary in declared.boundaries:
            delimiter = b"\n--" + boundary
            pieces = (b"\n" + body).split(delimiter, max(0, budget[0]) + 1)
            if len(pieces) > 1:
                is_divided = True
                contents = _contents(pieces, delimiter)
                yield from _walk_all(kind, contents, depth, budget)
        if is_divided:
            return
    if kind == "message/rfc822" and depth < MAX_DEPTH:
        yield from _walk(*_open(body), depth + 1, budget)
        return
    if kind.startswith(("text/", "multipart/", "message/rfc822")):
        encoding = _encoding(encodings, body)
        text = decode(_decoded(body, encoding), declared.charset)
        yield Part(kind, text, body, encoding=encoding)
    else:
        encoding = _encoding(encodings, body)
        enveloped = declared.enveloped and _is_sequence(body, encoding)
        yield Part(kind, "", body, enveloped, encoding)


def _is_sequence(body: bytes, encoding: bytes) -> bool:
    head = _decoded(body[:_PROBE_BYTES], encoding)
    # Of any length that its content has: two bytes or more to say it.
    return head[:1] == b"\x30" and head[1:2] >= b"\x80"


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
    # Others are forms, or only a few programs know them.
    return part.kind in _ALTERNATIVES and bool(part.text.strip())


def _open(entity: bytes) -> tuple[_Type, Sequence[bytes], bytes]:
    """Type, encodings and body of a part with headers of its own."""
    if entity.startswith((b"\n", b"\r\n")):
        return _read_type(b""), (), entity
    end = _BLANK_LINE.search(entity, 0, _MAX_PART_HEADER_BYTES)
    if end is None:
        return _read_type(b""), (), entity
    kind = b""
    encodings: list[bytes] = []
    for name, value in _FIELD.findall(entity, 0, end.start()):
        if len(name) == len(b"type"):
            # Of two, the first counts.
            kind = kind or value.strip()
        else:
            encodings.append(value)
    return _read_type(kind[:_MAX_TYPE_BYTES]), encodings, entity[end.end() :]


def _encoding(encodings: Sequence[bytes], body: bytes) -> bytes:
    """What a body is encoded in; of several, what it looks like."""
    if not encodings:
        return b""
    found = [_read_encoding(value) for value in encodings[:MAX_PARTS]]
    if len(found) > 1 and b"base64" in found:
        if _NO_BASE64_LINE.search(body, 0, _PROBE_BYTES) is None:
            return b"base64"
        found = [one for one in found if one != b"base64"] or [b""]
    # By their names the one that encodes is the last.
    return max(found)


def _read_encoding(value: bytes) -> bytes:
    value = value[:_MAX_TYPE_BYTES].strip().lower()
    if value in _KNOWN_ENCODINGS:
        return value
    found = _ENCODING.search(_COMMENT.sub(b"", value))
    return found[0] if found is not None else b""


def _decoded(body: bytes, encoding: bytes) -> bytes:
    match encoding:
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

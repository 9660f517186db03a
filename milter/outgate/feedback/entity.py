"""A report taken apart: MIME entities as a bounded tree (RFC 2045, RFC 2046).

Reports are what strangers send to an address that everybody knows: nothing in them is
trusted to be small. Of a report the first `MAX_REPORT_BYTES` are read, of all its
headers together `MAX_HEADER_BYTES`, of its parts `MAX_PARTS`, `MAX_DEPTH` deep. What
lies beyond is absent, and the entity says that it was cut.

Limits: of a boundary that is written in pieces (RFC 2231) nothing is found.
"""

import binascii
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from string import ascii_letters, digits

from outgate.message.cfws import unfold
from outgate.message.charsets import decode
from outgate.message.headers import first_value
from outgate.message.split import split_message

# A message with pictures fits; what is behind it is no one's evidence.
MAX_REPORT_BYTES = 4 * 1024 * 1024
MAX_HEADER_BYTES = 96 * 1024
# Nobody's headers need more; the rest of the budget is for those of the parts.
_MAX_SECTION_BYTES = 64 * 1024
MAX_PARTS = 60
MAX_DEPTH = 6
# What a person or a table would read of a text.
MAX_TEXT_BYTES = 64 * 1024
_MAX_TYPE_BYTES = 1024

_TYPE = re.compile(rb"\s*([A-Za-z0-9.+-]{1,60})/([A-Za-z0-9.+-]{1,80})")
_PARAMETER = re.compile(
    rb'(?i)[;\s](boundary|charset|name|filename|report-type)\s*+=\s*+(?:"([^"\r\n]{1,200})"|([^\s;"]{1,200}))'
)
_NOT_BASE64 = bytes(set(range(256)) - set((ascii_letters + digits + "+/").encode()))
_PADDING = (b"\n", b"\r", b" ", b"\t")
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Entity:
    """One part, or the whole.

    Attributes:
        kind: `text/plain` and the like, lower case.
        headers: lower-case names to values in order, folds inside.
        raw: headers and body as they came.
        body: as it came, encoded.
        parts: what a multipart is made of; an attached message is one entity of its
            own, read only by `open_message`.
        is_cut: something of it was beyond a bound.
    """

    kind: str
    headers: Mapping[str, Sequence[bytes]]
    raw: bytes = field(repr=False)
    body: bytes = field(repr=False)
    parameters: Mapping[bytes, bytes]
    parts: tuple["Entity", ...] = ()
    is_cut: bool = False

    def header(self, name: str) -> bytes:
        """Topmost value, unfolded; b"" where there is none."""
        return first_value(self.headers, name) or b""

    def content(self) -> bytes:
        """The body without its transfer encoding."""
        return self._decoded(self.body)

    def head(self, size: int) -> bytes:
        """Begin of the content, at most `size` bytes, without decoding all of it."""
        # Quoted-printable may need three for one.
        return self._decoded(self.body[: 3 * size])[:size]

    def _decoded(self, body: bytes) -> bytes:
        encoding = self.header("content-transfer-encoding")[:40].lower()
        if encoding.startswith(b"base64"):
            return _base64(body)
        if encoding.startswith(b"quoted-printable"):
            return binascii.a2b_qp(body)
        return body

    def text(self) -> str:
        """What a person would read of it, lines ended by LF, at most MAX_TEXT_BYTES."""
        data = self.head(MAX_TEXT_BYTES)
        text = decode(data, self.parameters.get(b"charset", b""))
        return text.replace("\r\n", "\n").replace("\r", "\n")

    def walk(self) -> Iterator["Entity"]:
        """Itself and all within, in order."""
        yield self
        for part in self.parts:
            yield from part.walk()


@dataclass(slots=True)
class Budget:
    """What may still be read of one report, however it is nested."""

    header_bytes: int = MAX_HEADER_BYTES
    parts: int = MAX_PARTS


def read_entity(raw: bytes, budget: Budget | None = None) -> Entity:
    """Take a message or a part apart; never raises, whatever the bytes."""
    is_cut = len(raw) > MAX_REPORT_BYTES
    raw = raw[:MAX_REPORT_BYTES].removeprefix(_BYTE_ORDER_MARK)
    budget = budget or Budget()
    return _read(raw, budget, 0, is_cut=is_cut)


def open_message(entity: Entity, budget: Budget | None = None) -> Entity:
    """Read the message that a `message/rfc822` part holds."""
    return read_entity(entity.content(), budget)


def is_message(kind: str) -> bool:
    """Whether a part holds a message, or its headers, by any name in use."""
    return kind.startswith("message/") and kind.endswith(("rfc822", "global"))


def is_headers(kind: str) -> bool:
    """Whether a part holds a message's headers alone (RFC 6522 §4, and misspelt)."""
    return kind in _HEADER_KINDS


_HEADER_KINDS = frozenset(
    {
        "text/rfc822-headers",
        "text/rfc822-header",
        "text/rfc822",
        "message/rfc822-headers",
        "message/rfc822-header",
        "message/global-headers",
    }
)


def _read(raw: bytes, budget: Budget, depth: int, *, is_cut: bool) -> Entity:
    budget.parts -= 1
    headers, at, was_cut = read_headers(raw, budget)
    kind, parameters = _content_type(headers)
    body = raw[at:]
    parts: tuple[Entity, ...] = ()
    boundary = parameters.get(b"boundary")
    if kind.startswith("multipart/") and boundary:
        if depth < MAX_DEPTH:
            parts, lacks = _parts(body, boundary, budget, depth, is_cut=is_cut)
            was_cut = was_cut or lacks
        else:
            was_cut = True
    return Entity(kind, headers, raw, body, parameters, parts, is_cut or was_cut)


def read_headers(
    raw: bytes, budget: Budget
) -> tuple[dict[str, list[bytes]], int, bool]:
    """Headers, where the body begins, and whether there were more than the budget."""
    room = min(_MAX_SECTION_BYTES, max(0, budget.header_bytes))
    section = raw[:room]
    pairs, rest = split_message(section)
    at = len(section) - len(rest)
    is_cut = not rest and len(raw) > room
    budget.header_bytes -= at
    headers: dict[str, list[bytes]] = {}
    for name, value in pairs:
        headers.setdefault(name.decode("ascii").lower(), []).append(value)
    return headers, at, is_cut


def _content_type(
    headers: Mapping[str, Sequence[bytes]],
) -> tuple[str, dict[bytes, bytes]]:
    value = (first_value(headers, "content-type") or b"")[:_MAX_TYPE_BYTES]
    found = _TYPE.match(value)
    kind = f"{found[1].decode()}/{found[2].decode()}".lower() if found else "text/plain"
    parameters: dict[bytes, bytes] = {}
    for name, quoted, bare in _PARAMETER.findall(value):
        parameters.setdefault(name.lower(), quoted or bare)
    return kind, parameters


def _parts(
    body: bytes, boundary: bytes, budget: Budget, depth: int, *, is_cut: bool
) -> tuple[tuple[Entity, ...], bool]:
    delimiter = b"\n--" + boundary
    room = max(0, budget.parts) + 1
    pieces = (b"\n" + body).split(delimiter, room)
    lacks = len(pieces) > room
    contents: list[bytes] = []
    for piece in pieces[1:]:
        if piece.startswith(b"--"):
            break
        if piece.startswith(_PADDING):
            contents.append(piece.partition(b"\n")[2])
        elif piece and contents:
            contents[-1] += delimiter + piece
    found: list[Entity] = []
    for number, content in enumerate(contents, 1):
        if budget.parts <= 0:
            lacks = True
            break
        is_last = is_cut and number == len(contents)
        found.append(_read(content, budget, depth + 1, is_cut=is_last))
    return tuple(found), lacks


def _base64(body: bytes) -> bytes:
    """Read with patience: padding is mended, what is left over is dropped."""
    try:
        return binascii.a2b_base64(body)
    except binascii.Error:
        pass
    read = body.translate(None, _NOT_BASE64)
    return binascii.a2b_base64(read[: -1 if len(read) % 4 == 1 else None] + b"==")


@dataclass(frozen=True, slots=True)
class Fields:
    """Fields of a machine-readable part: names in lower case, values unfolded.

    A name keeps all its values, in order.
    """

    values: Mapping[str, tuple[str, ...]]

    def first(self, name: str) -> str:
        """First value that says something, or ""."""
        return next((value for value in self.values.get(name, ()) if value), "")

    def all(self, name: str) -> tuple[str, ...]:
        """All values that say something."""
        return tuple(value for value in self.values.get(name, ()) if value)


MAX_FIELDS = 500
_MAX_FIELD_BYTES = 2048


def read_fields(block: bytes) -> Fields:
    """Read `Name: value` lines with folds (RFC 5965 §3, RFC 3464 §2.1).

    At most `MAX_FIELDS`, of a value 2 KiB: canonicalised bodies in failure reports
    are longer, and nobody reads them from here.
    """
    values: dict[str, list[str]] = {}
    pairs, _ = split_message(block[:_MAX_SECTION_BYTES].lstrip(b"\r\n \t"))
    for name, value in pairs[:MAX_FIELDS]:
        text = unfold(value[:_MAX_FIELD_BYTES]).decode("utf-8", "backslashreplace")
        values.setdefault(name.decode("ascii").lower(), []).append(text)
    return Fields({name: tuple(all_of) for name, all_of in values.items()})


def normal_lines(data: bytes) -> bytes:
    """Lines ended by LF, whatever carried them."""
    return data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")

"""Bodies made to be costly: what repeats, nests, never ends, or is nothing but noise."""

import base64
from collections.abc import Iterator
from random import Random

from message.builders import HeaderMap
from message.mailings import Mail

# Each means something to one of the steps from bytes to words.
PIECES = (
    b"a",
    b"abc ",
    b" ",
    b"\n",
    b"\r\n\r\n",
    b"\x00",
    b"\x81",
    b"\xc3",
    b"\xe9 ",
    b"\xff",
    b"<",
    b"<a",
    b"<a ",
    b"<a>",
    b"<p>",
    b"<br>",
    b"<!--",
    b"<!---->",
    b"<style",
    b"<style></style>",
    b"<b style=display:none>",
    b"<b display:none>x</b>",
    b"<b display:none",
    b"display:none ",
    b"display   ",
    b"font-size:0",
    b"font-size:00",
    b'<blockquote type="cite">',
    b"&",
    b"&#65;",
    b"&#1",
    b"&lt;",
    b"http://",
    b"http://a ",
    b"http://a@",
    b"http://abc.de/ ",
    b">\n",
    b"\n|",
    b"\na\n>",
    b"-- \n",
    b"\n-----",
    b"\nfrom: a",
    b"\nfrom: a\n\n\n",
    b"confidential\n\n",
    b"confidentia",
    b"=\r\n",
    b"=E4",
    b"A!",
    b"--b\n\n",
    b"--b\nContent-Type: multipart/mixed; boundary=b\n\n",
    b"Content-Type: message/rfc822\n\n",
    b"content-type:\n",
    "\u0430".encode(),
    "\u0130".encode(),
    "\ufb01".encode(),
    "\ufdfa".encode(),
    "\ufdfa\u3300".encode(),
    "a\u200b".encode(),
    "\u0301\u0323".encode(),
    ("a" + "\u0301\u0323" * 8).encode(),
)
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_TYPES = (
    b"text/plain; charset=utf-8",
    b"text/html; charset=utf-8",
    b"multipart/mixed; boundary=b",
    b"message/rfc822",
)
_CHARSETS = (
    b"big5 euc-jp gb2312 iso-2022-jp iso-2022-kr iso-8859-3 iso-8859-8 koi8-r "
    b"ks_c_5601-1987 shift_jis tis-620 utf-16 windows-1252 windows-1255"
)


def hostile_mail(size: int) -> Iterator[tuple[str, Mail]]:
    """Give names and messages with bodies of that many bytes."""
    for kind in _TYPES:
        for piece in PIECES:
            name = f"{kind.partition(b';')[0].decode()}, {piece[:24]!r} repeated"
            yield name, (_headers(kind), _repeated(piece, size))
    for encoding, piece in (
        (b"base64", b"A!"),
        (b"base64", b"A\n"),
        (b"quoted-printable", b"=\r\n"),
        (b"quoted-printable", b"=E4"),
        (b"quoted-printable", b"="),
    ):
        name = f"{encoding.decode()}, {piece!r} repeated"
        yield name, (_headers(_TYPES[0], encoding), _repeated(piece, size))
    yield from _noise(Random(6), size)
    yield from _structures(size)


def _noise(random: Random, size: int) -> Iterator[tuple[str, Mail]]:
    noise = random.randbytes(size)
    for charset in _CHARSETS.split():
        for kind in (b"plain", b"html"):
            declared = b"text/%b; charset=%b" % (kind, charset)
            yield f"random bytes as {declared.decode()}", (_headers(declared), noise)
    for kind in _TYPES[:2]:
        name = kind.partition(b";")[0].decode()
        encoded = base64.encodebytes(noise)[:size]
        yield f"random base64, {name}", (_headers(kind, b"base64"), encoded)
        for script, first, last in (
            ("Han", 0x4E00, 0x9FA5),
            ("Hangul", 0xAC00, 0xD7A3),
            ("Kana", 0x3040, 0x30FF),
            ("all planes", 0x20, 0xD7FF),
            ("Latin", 0x61, 0x7A),
        ):
            letters = (chr(random.randint(first, last)) for _ in range(size))
            body = "".join(letters).encode()[:size]
            yield f"random {script}, {name}", (_headers(kind), body)
        words = ("".join(random.choices(_LETTERS, k=3)) for _ in range(size // 4))
        body = " ".join(words).encode()[:size]
        yield f"random words, {name}", (_headers(kind), body)


def _structures(size: int) -> Iterator[tuple[str, Mail]]:
    names = "".join(
        f"<{chr(97 + number % 26)}{number} display:none>"
        for number in range(size // 20)
    )
    yield "hidden elements of all names", (_headers(_TYPES[1]), names.encode()[:size])
    hosts = "".join(f"http://a{number}.b{number}/ " for number in range(size // 20))
    yield "other links all the time", (_headers(_TYPES[1]), hosts.encode()[:size])
    tag = b"<a " + _repeated(b"display:none ", size)
    yield "one tag that hides for ever", (_headers(_TYPES[1]), tag[:size])
    nested = b"".join(
        b"--b%d\nContent-Type: multipart/mixed; boundary=b%d\n\n" % (depth, depth + 1)
        for depth in range(99)
    )
    found = _headers(b"multipart/mixed; boundary=b0")
    yield "parts in parts", (found, (nested + _repeated(b"--b5\n\nx\n", size))[:size])
    for length, piece in (
        (90, b"-"),
        (190, b"\n" + b"-" * 180),
        (190, b"-" * 189 + b" "),
    ):
        found = _headers(b'multipart/mixed; boundary="%b"' % (b"-" * length))
        name = f"a boundary of {length} dashes, among dashes"
        yield name, (found, _repeated(piece, size))
    part = b"--b\n" + b"content-type: a\n " * 250 + b"\n\n"
    yield "long headers of parts", (_headers(_TYPES[2]), _repeated(part, size))


def _repeated(piece: bytes, size: int) -> bytes:
    return (piece * (size // len(piece) + 1))[:size]


def _headers(kind: bytes, encoding: bytes = b"8bit") -> HeaderMap:
    return {"content-type": [kind], "content-transfer-encoding": [encoding]}

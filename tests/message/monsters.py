"""Whole messages made to be costly: headers and bodies at their largest.

What one body can do to the steps from bytes to words is in `message.hostile`; here is
the rest of a message, and what people ask about first.
"""

import base64
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from outgate.message.wanted import WANTED_HEADERS

# As libmilter gives a body, and the longest header that it takes.
CHUNK_BYTES = 65_535
_HEADER_BYTES = 65_000
# Each means something to one of the parsers of headers.
_PIECES = (
    b"a",
    b" ",
    b"\n ",
    b'"',
    b"(",
    b"()",
    b"\\",
    b"<",
    b"<a@b>,",
    b"a,",
    b"@",
    b":",
    b";",
    b"=?utf-8?q?=C3=A4?= ",
    b"=?utf-8?b?w6Q=?= ",
    b"=?utf-7?q?a?=",
    b"=?",
    b"<https://a.example/>,",
    b"<mailto:a@b.example?subject=%20>,",
    b"=%",
    b"\xc3",
    b"\xff",
    "\u0130".encode(),
    "\u0301\u0323".encode(),
)
_CHARSETS = (
    b"utf-8 us-ascii iso-8859-1 iso-8859-15 windows-1252 windows-1251 koi8-r big5 gbk "
    b"gb2312 gb18030 euc-jp shift_jis iso-2022-jp iso-2022-kr euc-kr ks_c_5601-1987 "
    b"tis-620 utf-16 utf-32 utf-7 hz cp437 x-unknown iso-8859-8-i macintosh"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Monster:
    """One message.

    Attributes:
        name: what is wrong with it.
        headers: name and value, in order.
        body: any number of bytes; a filter sees them in chunks.
        recipients: how many, all different.
    """

    name: str
    headers: tuple[tuple[str, bytes], ...] = ()
    body: bytes = b"Shall we?\r\n"
    recipients: int = 1


def monsters() -> Iterator[Monster]:
    """What is asked about first, each at its largest."""
    yield from _bodies()
    yield from _headers()


def hostile_headers() -> Iterator[Monster]:
    """Every header that is read, of 64 KB, full of each thing in turn."""
    for name in sorted(WANTED_HEADERS):
        for piece in _PIECES:
            value = piece * (_HEADER_BYTES // len(piece))
            yield Monster(
                name=f"{name}: {piece[:20]!r} repeated", headers=((name, value),)
            )


def typed(kind: str, encoding: str = "8bit") -> tuple[tuple[str, bytes], ...]:
    """The headers of a body."""
    return (
        ("Content-Type", kind.encode()),
        ("Content-Transfer-Encoding", encoding.encode()),
    )


def _bodies() -> Iterator[Monster]:
    html, plain = typed("text/html; charset=utf-8"), typed("text/plain; charset=utf-8")
    random = Random(1)
    nested = b"".join(
        b"--b%d\r\nContent-Type: multipart/mixed; boundary=b%d\r\n\r\n" % (one, one + 1)
        for one in range(1_200)
    )
    yield Monster(
        name="MIME nested a thousand times",
        headers=typed("multipart/mixed; boundary=b0"),
        body=nested,
    )
    part = b"--b\r\nContent-Type: text/html; charset=%b\r\n\r\n"
    text = random.randbytes(1_500)
    yield Monster(
        name="40 parts, each of another charset",
        headers=typed("multipart/mixed; boundary=b"),
        body=b"".join(
            part % charset + text + b"\r\n" for charset in _CHARSETS.split() * 2
        ),
    )
    yield Monster(name="HTML of 60,000 tags", headers=html, body=b"<b>" * 60_000)
    links = "".join(
        f"<a href=http://a{one}.b{one}.example/>x</a>" for one in range(2_000)
    )
    yield Monster(name="nothing but links", headers=html, body=links.encode())
    yield Monster(name="10,000 short lines", headers=plain, body=b"abc de\r\n" * 10_000)
    yield Monster(name="one word of 64 KiB", headers=plain, body=b"a" * CHUNK_BYTES)
    soup = "".join(chr(random.randrange(0x20, 0xD7FF)) for _ in range(30_000))
    yield Monster(name="characters of all scripts", headers=plain, body=soup.encode())
    marks = "".join("a" + "\u0301\u0323" * random.randint(1, 30) for _ in range(2_000))
    yield Monster(name="letters with many marks", headers=plain, body=marks.encode())
    noise = base64.encodebytes(random.randbytes(60_000))
    yield Monster(
        name="base64 of noise", headers=typed("text/html", "base64"), body=noise
    )
    yield Monster(
        name="what is no base64",
        headers=typed("text/plain", "base64"),
        body=b"A!=\n" * 16_000,
    )
    for piece in (b"=\r\n", b"=E4", b"=", b"=C3=A4 =3Cb=3E"):
        yield Monster(
            name=f"quoted-printable, {piece!r} repeated",
            headers=typed("text/html; charset=utf-8", "quoted-printable"),
            body=piece * (CHUNK_BYTES // len(piece)),
        )
    yield Monster(name="a body of 10 MB", headers=plain, body=b"abc de\r\n" * 1_250_000)


def _headers() -> Iterator[Monster]:
    yield Monster(
        name="500 headers",
        headers=tuple((f"X-Header-{one}", b"value %d" % one) for one in range(500)),
    )
    yield Monster(
        name="500 times each header that is read",
        headers=tuple((name, b"<a@b>") for name in WANTED_HEADERS for _ in range(500)),
    )
    yield Monster(
        name="1 MB of headers that nobody reads",
        headers=tuple(("To", b"<a@b.example>, " * 4_300) for _ in range(16)),
    )
    yield Monster(
        name="1 MB of headers that are read",
        headers=tuple(
            (name, b"=?utf-8?q?a?= <a@b.example>, " * 2_240)
            for name in ("Subject", "From", "List-Unsubscribe", "List-Id") * 4
        ),
    )

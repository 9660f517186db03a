r"""Relaxed canonicalisation (RFC 6376 §3.4.2 and §3.4.4).

A body comes in pieces of 64 KiB, and its end decides which empty lines count. So what is
kept between two pieces is a number of empty lines and two bytes at most: memory is
bounded, whatever the body is. Every step is one call of the interpreter's C functions.

A line ends with CRLF or LF, since either leaves as CRLF; a CR alone is text. A body that
does not end with a line end is taken for one that does: SMTP knows no other.
"""

from hashlib import sha256

EMPTY_BODY_SHA256 = sha256().digest()
# How many empty lines are hashed at a time.
_LINES = b"\r\n" * 4096


def canonical_header(name: str, value: bytes) -> bytes:
    """One header without its line end: `name:value`.

    Args:
        name: lower case.
        value: as an MTA shows it, folded by LF or CRLF.
    """
    if b"\n" in value:
        value = value.replace(b"\r\n", b"").replace(b"\n", b"")
    return b"%b:%b" % (name.encode("latin-1"), _compressed(value).strip(b" "))


class BodyHash:
    """SHA-256 of a relaxed body, piece by piece."""

    __slots__ = ("_began", "_hash", "_lines", "_rest")

    def __init__(self) -> None:
        self._hash = sha256()
        # A body of empty lines is an empty one.
        self._began = False
        # Line ends that count only if text follows.
        self._lines = 0
        # A space that counts only before text, a CR that may begin a line end.
        self._rest = b""

    def feed(self, piece: bytes) -> None:
        """Go on with the next piece of the body."""
        text = self._rest + piece if self._rest else piece
        rest = b""
        if text.endswith(b"\r"):
            rest, text = b"\r", text[:-1]
        if text.count(b"\n") != text.count(b"\r\n"):
            text = text.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
        text = _compressed(text)
        if b" \r\n" in text:
            text = text.replace(b" \r\n", b"\r\n")
        if text.endswith(b" "):
            rest, text = b" " + rest, text[:-1]
        kept = text[: _end_of_text(text)]
        if kept:
            self._began = True
            self._flush()
            self._hash.update(kept)
        self._lines += (len(text) - len(kept)) // 2
        self._rest = rest

    def digest(self) -> bytes:
        """The hash; nothing may be fed afterwards."""
        if self._rest.endswith(b"\r"):
            self._flush()
            self._hash.update(self._rest)
            self._hash.update(b"\r\n")
            self._rest, self._lines = b"", 0
        elif self._began:
            self._hash.update(b"\r\n")
        return self._hash.digest()

    def _flush(self) -> None:
        """Hash the line ends that stand before text."""
        lines, self._lines = self._lines, 0
        while lines > 0:
            some = min(lines, 4096)
            self._hash.update(_LINES[: 2 * some])
            lines -= some


def _end_of_text(text: bytes) -> int:
    """Where the line ends at the end begin; every LF has its CR before it."""
    end = len(text.rstrip(b"\r\n"))
    tail = text[end:]
    if len(tail) != 2 * tail.count(b"\n"):
        # A CR alone is text: only whole line ends go.
        return end + len(tail.replace(b"\r\n", b"\n\n").rstrip(b"\n"))
    return end


def _compressed(text: bytes) -> bytes:
    """With one space for each run of spaces and tabs."""
    if b"\t" in text:
        text = text.replace(b"\t", b" ")
    # Each round halves the longest run: 16 rounds for a whole piece of spaces.
    while b"  " in text:
        text = text.replace(b"  ", b" ")
    return text

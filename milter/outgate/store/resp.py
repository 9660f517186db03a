"""Commands as the server reads them (RESP): counted words of counted bytes."""

from collections.abc import Iterable
from functools import lru_cache


def word(text: bytes) -> bytes:
    """One word."""
    return b"$%d\r\n%b\r\n" % (len(text), text)


@lru_cache(maxsize=8192)
def known(text: str) -> bytes:
    """One word that comes again and again: a name, a number, the key of a counter.

    Names are bounded where they are read (addresses, list ids, header From), so a
    hostile sender can fill this cache, but not the memory.
    """
    return word(text.encode("utf-8", "surrogateescape"))


def command(count: int, *packed: bytes) -> bytes:
    """So many words, packed already."""
    return b"*%d\r\n%b" % (count, b"".join(packed))


def pack(words: Iterable[bytes]) -> bytes:
    """One command, word by word."""
    packed = [word(text) for text in words]
    return command(len(packed), *packed)

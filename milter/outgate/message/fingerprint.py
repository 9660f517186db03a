"""A fingerprint of what a message says, by which its near-duplicates are found.

MinHash by one permutation (Li, Owen, Zhang: One Permutation Hashing, 2012; empty bins are
filled by rotation, Shrivastava and Li 2014) over the set of words; the minima are joined
into bands (locality-sensitive hashing, Broder 1997; Indyk and Motwani 1998): two messages
belong together where one band is the same. With `ROWS` minima in a band, texts that share
the part J of their words have each band in common with probability J^ROWS: unrelated
texts share a tenth of their words, copies of one mailing more than three quarters.

A text of a few words has no meaningful minima: it is compared as a whole, together with
its subject. So are messages without any text, by what they consist of.
"""

from bisect import bisect_left
from collections.abc import Iterable
from hashlib import blake2b
from struct import Struct
from zlib import crc32

from outgate.message.headers import Headers, decode_text, first_value
from outgate.message.mime_text import CONTENT_HEADERS, Part, read_parts
from outgate.message.words import words_of

FINGERPRINT_HEADERS = CONTENT_HEADERS | {"subject"}

BANDS = 12
ROWS = 5
_BINS = BANDS * ROWS
_STARTS = tuple(place * (1 << 32) // _BINS for place in range(_BINS))
# Below it, one changed word changes most bands, and greetings look alike.
_FEW_WORDS = 8

_WHOLE_BYTES = 16
_ROW = Struct(f">{ROWS}I")


def fingerprint(headers: Headers, body: bytes) -> tuple[bytes, ...]:
    """Give the bands of a message: equal ones, at the same place, join two messages.

    Args:
        headers: lower-case names to values; only `FINGERPRINT_HEADERS` count.
        body: the first 64 KiB at most.

    Returns:
        `BANDS` values of a few bytes, or one for what is compared as a whole. They
        are not secret: hash them with a key before they are kept.
    """
    parts = read_parts(headers, body)
    words, hosts = words_of(parts)
    if len(words) >= _FEW_WORDS:
        return _bands(words | hosts)
    return (_whole(headers, parts, words | hosts),)


def _bands(words: Iterable[bytes]) -> tuple[bytes, ...]:
    hashes = sorted(map(crc32, words))
    count = len(hashes)
    # The first hash at or after a bin's start: its minimum, or that of the next bin
    # that has one.
    minima = [hashes[bisect_left(hashes, start) % count] for start in _STARTS]
    return tuple(_ROW.pack(*minima[place::BANDS]) for place in range(BANDS))


def _whole(headers: Headers, parts: list[Part], words: set[bytes]) -> bytes:
    kinds = [part.kind.encode() for part in parts if not part.text]
    if not words and kinds:
        # Pictures, or what is no text: each copy is another file, so only what the
        # message consists of is compared.
        told = [b"nothing to read", *kinds]
    else:
        subject = decode_text(first_value(headers, "subject") or b"").lower()
        told = [subject.encode("utf-8", "replace"), *sorted(words), *kinds]
    return blake2b(b"\n".join(told), digest_size=_WHOLE_BYTES).digest()

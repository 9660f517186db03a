"""A fingerprint of what a message says, by which its near-duplicates are found.

MinHash (Broder 1997) by one permutation (Li, Owen, Zhang: One Permutation Hashing, 2012)
over the set of words; bins that it leaves empty are filled by further permutations
(Shrivastava 2017), in the end by their neighbours. The minima are joined into bands
(locality-sensitive hashing, Indyk and Motwani 1998): two messages belong together where
one band is the same. With `ROWS` minima in a band, texts that share the part J of their
words have each band in common with probability J^ROWS: unrelated texts share a twentieth
of their words, copies of one mailing more than three quarters.

A text of a few words has no meaningful minima: it is compared as a whole, together with
its subject.

A message without any text is compared by the types of its parts alone: all pictures of a
customer are one content; where it has none, as HTML with a picture from elsewhere, by the
sites that it links to. A digest of the first part, or the subject beside it, would tell
them apart, but the copies of a mailing that hides in pictures too: those who hide there
change the picture, and the subject, from copy to copy. Little is lost by it. Such mail is
rare (none of 470 messages of people, lists and shops, four of 312 of spam), only strangers
count against a content, and what has one band is never compared across customers.
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
_END = 1 << 32
_MASK = _END - 1
_STARTS = tuple(place * _END // _BINS for place in range(_BINS + 1))
# Texts of a hundred words need two; texts of eight would need forty.
_ROUNDS = 8
# Odd, so that a round puts the hashes into another order (Knuth: the golden ratio).
_STIRRER = 0x9E3779B1
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
    return (_whole(headers, parts, words, hosts),)


def _bands(words: Iterable[bytes]) -> tuple[bytes, ...]:
    minima = _minima(sorted(map(crc32, words)))
    return tuple(_ROW.pack(*minima[place::BANDS]) for place in range(BANDS))


def _minima(hashes: list[int]) -> list[int]:
    """The minimum of each bin, in the first round that puts a hash into it.

    To fill all empty bins from their neighbours would make most bands of a short text
    the same band: what divides two copies in one would divide them in all.
    """
    minima: dict[int, int] = {}
    empty = list(range(_BINS))
    for _ in range(_ROUNDS):
        hashes.append(_END)
        still: list[int] = []
        for place in empty:
            least = hashes[bisect_left(hashes, _STARTS[place])]
            if least < _STARTS[place + 1]:
                minima[place] = least
            else:
                still.append(place)
        empty = still
        if not empty:
            break
        hashes.pop()
        hashes = sorted([one * _STIRRER & _MASK for one in hashes])
    filled = sorted(minima)
    for place in empty:
        minima[place] = minima[filled[bisect_left(filled, place) % len(filled)]]
    return [minima[place] for place in range(_BINS)]


def _whole(
    headers: Headers, parts: list[Part], words: set[bytes], hosts: set[bytes]
) -> bytes:
    kinds = [part.kind.encode() for part in parts if not part.kind.startswith("text/")]
    is_html = any(part.kind == "text/html" for part in parts)
    if not words and (kinds or is_html):
        # Pictures, or what is no text: each copy is another file, its subject greets
        # another reader, and its links may lead anywhere.
        told = [b"nothing to read", *(kinds or sorted(hosts))]
    else:
        subject = decode_text(first_value(headers, "subject") or b"").lower()
        said = sorted(words | hosts)
        told = [subject.encode("utf-8", "replace"), *said, *kinds]
    return blake2b(b"\n".join(told), digest_size=_WHOLE_BYTES).digest()

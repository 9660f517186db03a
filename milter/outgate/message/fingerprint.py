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

A message without any text is compared by what it consists of. Pictures, by their types
alone: all of a customer are one content; where it has none, as HTML with a picture from
elsewhere, by the sites that it links to. A digest of the first part, or the subject beside
it, would tell them apart, but the copies of a mailing that hides in pictures too: those who
hide there change the picture, and the subject, from copy to copy. Little is lost by it. Such
mail is rare (none of 470 messages of people, lists and shops, four of 312 of spam), only
strangers count against a content, and what has one band is never compared across customers.
Documents without a word beside them are what scanners and offices send all day: of them the
words of the subject and all bytes that are read count too, and of a text that may lie behind
a picture longer than what is read, the words of the subject.

Encrypted mail has no fingerprint: nobody can tell two from each other. What could be read by
anybody, or was not seen to its end, is none.
"""

import re
from bisect import bisect_left
from collections.abc import Iterable
from hashlib import blake2b
from struct import Struct
from zlib import crc32

from outgate.message.headers import Headers, decode_text, first_value
from outgate.message.mime_text import CONTENT_HEADERS, Part, read_parts
from outgate.message.words import may_leave_out, may_quote, words_of

_REPLY_HEADERS = ("in-reply-to", "references")
FINGERPRINT_HEADERS = CONTENT_HEADERS | {"subject", *_REPLY_HEADERS}

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

# With fewer of its own, what a message quotes may be what it is sent for.
_OWN_WORDS = 30
# So many other words beside them may be a frame: a signature, or what an answer quotes.
# With more, all that a reader sees is what the message is sent for.
_LEFT_OUT_WORDS = 45
_LEFT_OUT_CHARACTERS = _LEFT_OUT_WORDS * 4

# As much as an MTA shows at once; a body of that size may go on.
_CUT_BYTES = 65_535
_SUBJECT_WORD = re.compile(r"[^\W\d_]+")
# RFC 4880 §6.2: all that such a text may be. Its headers are read by nobody, and could
# hold a text; its lines have one length, but for the last.
_ARMOUR = re.compile(
    rb"\s*+-----BEGIN PGP MESSAGE-----[ \t]*+\r?\n"
    rb"(?:(?:Version|Charset|MessageID|Hash|Comment): [^\r\n]{0,48}\r?\n){0,4}"
    rb"[ \t]*+\r?\n"
    rb"((?:[A-Za-z0-9+/]{60,76}\r?\n)*[A-Za-z0-9+/]{0,76}={0,2})\s*+"
    rb"(?:=[A-Za-z0-9+/]{0,4}\s*+)?(?:-----END PGP MESSAGE-----\s*+)?"
)
_MAX_ARMOUR_HEAD = 320
# RFC 4880 §4.3, §5.1, §5.3, §5.7, §5.13: what encrypted content begins with, in base64.
_ARMOURED = (b"h", b"j", b"p", b"w", b"y", b"0")
# A line of 60 random digits has each kind of them, but one in many thousands.
_DIGIT_KINDS = (re.compile(rb"[A-Z]"), re.compile(rb"[a-z]"), re.compile(rb"[0-9]"))
_FULL_LINE_BYTES = 60
# What stands beside the content of PGP/MIME (RFC 3156 §4).
_CONTROL = "application/pgp-encrypted"

_WHOLE_BYTES = 16
# All of a customer are one content: what is sent may be the part that nobody read.
_TOO_MANY_PARTS = b"more parts than are read"
_ROW = Struct(f">{ROWS}I")


def fingerprint(headers: Headers, body: bytes) -> tuple[bytes, ...]:
    """Give the bands of a message: equal ones, at the same place, join two messages.

    Args:
        headers: lower-case names to values; only `FINGERPRINT_HEADERS` count.
        body: the first 64 KiB at most.

    Returns:
        `BANDS` values of a few bytes, one for what is compared as a whole, none for
        what is encrypted. They are not secret: hash them with a key before they are
        kept.
    """
    parts = read_parts(headers, body)
    is_cut = len(body) >= _CUT_BYTES
    if not parts.is_all:
        return (_digest([_TOO_MANY_PARTS]),)
    # Of what nobody saw, nobody knows whether it can be read.
    is_seen = not (is_cut and "multipart/" in _type(headers))
    if is_seen and _is_encrypted(parts):
        return ()
    words, hosts = _said(headers, parts)
    if len(words) >= _FEW_WORDS:
        return _bands(words | hosts)
    return (_whole(headers, parts, words, hosts, is_cut=is_cut),)


def _said(headers: Headers, parts: list[Part]) -> tuple[set[bytes], set[bytes]]:
    """The words that a message is compared by, and the sites that it links to."""
    words, hosts, left_out = words_of(parts)
    if len(words) >= _OWN_WORDS:
        return words, hosts
    if _passes_on(headers, parts):
        quoted = words_of(parts, quoted=True).words
        if len(quoted) > 2 * len(words):
            return quoted, hosts
    if left_out >= _LEFT_OUT_CHARACTERS or may_leave_out(parts):
        everything = words_of(parts, signed=True).words
        if len(everything - words) > max(_LEFT_OUT_WORDS, len(words)):
            return everything, hosts
    return words, hosts


def _passes_on(headers: Headers, parts: list[Part]) -> bool:
    """Whether it quotes something, but answers nothing."""
    return not any(map(headers.get, _REPLY_HEADERS)) and may_quote(parts)


def _is_encrypted(parts: list[Part]) -> bool:
    """Whether only its recipients can read all that it says."""
    found = False
    for part in parts:
        if part.enveloped or _is_armoured(part):
            found = True
        elif part.kind != _CONTROL and part.content and not part.content.isspace():
            return False
    return found


def _is_armoured(part: Part) -> bool:
    if part.kind == "text/html" or part.encoding in {b"base64", b"quoted-printable"}:
        return False
    if b"BEGIN PGP MESSAGE" not in part.content[:_MAX_ARMOUR_HEAD]:
        return False
    found = _ARMOUR.fullmatch(part.content)
    if found is None or not found[1].startswith(_ARMOURED):
        return False
    lines = found[1].split()
    return len({*map(len, lines[:-1])}) <= 1 and all(
        kind.search(line) is not None
        for line in lines
        if len(line) >= _FULL_LINE_BYTES
        for kind in _DIGIT_KINDS
    )


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
    headers: Headers,
    parts: list[Part],
    words: set[bytes],
    hosts: set[bytes],
    *,
    is_cut: bool,
) -> bytes:
    kinds = [part.kind.encode() for part in parts if not part.kind.startswith("text/")]
    is_html = any(part.kind == "text/html" for part in parts)
    subject = decode_text(first_value(headers, "subject") or b"").lower()
    if not words and (kinds or is_html):
        told = [b"nothing to read"]
        if is_cut and len(parts) == 1 and "multipart/mixed" in _type(headers):
            # What its text says, if it has one, nobody saw.
            told += [*kinds, *_subject_words(subject), *_documents(parts)]
        elif _shows_pictures(parts, hosts):
            # Each copy is another file, its subject greets another reader, and its
            # links may lead anywhere.
            told += kinds or sorted(hosts)
        else:
            told += [*kinds, *_subject_words(subject), *_documents(parts)]
    else:
        said = sorted(words | hosts)
        told = [subject.encode("utf-8", "replace"), *said, *kinds]
    return _digest(told)


def _digest(told: list[bytes]) -> bytes:
    return blake2b(b"\n".join(told), digest_size=_WHOLE_BYTES).digest()


def _type(headers: Headers) -> str:
    value = first_value(headers, "content-type") or b""
    return value[:_MAX_ARMOUR_HEAD].decode("ascii", "replace").lower()


def _shows_pictures(parts: list[Part], hosts: set[bytes]) -> bool:
    """Whether a reader would see some without opening anything."""
    return any(
        part.kind.startswith("image/")
        or (part.kind == "text/html" and (hosts or "<img" in part.text.lower()))
        for part in parts
    )


def _subject_words(subject: str) -> list[bytes]:
    found = sorted(set(_SUBJECT_WORD.findall(subject)))
    return [word.encode("utf-8", "replace") for word in found]


def _documents(parts: list[Part]) -> list[bytes]:
    """What tells one document from the next, as far as it was read."""
    return [
        _digest([part.content])
        for part in parts
        if not part.kind.startswith(("image/", "text/"))
    ]

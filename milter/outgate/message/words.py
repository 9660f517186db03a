"""The words of a message, without what a sender changes from copy to copy.

Folded away: case, accents' spelling (NFKC), letters that only look like others, invisible
characters, digits, markup, what is hidden in it, quoted lines, signatures, the legal
notices of mail programs and companies, and links but for their host. What remains is a
set: the order of words counts for nothing.

Every step is linear in the text.
"""

import re
import unicodedata
from collections.abc import Iterable
from itertools import islice
from string import ascii_lowercase
from typing import NamedTuple

from outgate.message.markup import has_quotes, has_signature, read_html
from outgate.message.mime_text import Part
from outgate.message.own_text import (
    has_marks,
    has_signs,
    own_text,
    without_signature,
)

# Beyond them, a text says nothing new about which mailing it belongs to.
MAX_TEXT_CHARACTERS = 8_192
MAX_LINKS = 200
# With what is quoted before it.
_MAX_READ_CHARACTERS = 32_768
_MAX_PAIRED_CHARACTERS = 4_096
# A shorter word is in every text.
_MIN_WORD_BYTES = 3

# Of ASCII, all that is no letter becomes a space.
_LETTERS = bytes(
    code if chr(code) in ascii_lowercase or code > 0x7F else ord(" ")  # noqa: PLR2004
    for code in range(256)
)
# Letters, and the marks that many scripts write into their words (no `\w` to Python).
_WORD = re.compile(
    r"[\w\u0300-\u036f\u0591-\u05c7\u064b-\u065f\u0900-\u0963\u0970-\u0dff"
    r"\u0e31-\u0e4e\u0eb1-\u0ecd\u102b-\u103e\u17b4-\u17d3]{3,}"
)
_NO_LETTERS = re.compile(r"[\d_]+")
_HAS_PAIRS = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
# Chinese, Japanese and Korean: each pair of neighbours is a word. Two syllables of
# Hiragana are grammar, which is in every text.
_PAIR = re.compile(
    r"(?=((?![\u3040-\u309f]{2})[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]{2}))"
)
_LINK = re.compile(r"https?://(?:[^\s/@\"'<>]{0,100}@)?([a-z0-9.-]{1,255})[^\s\"'<>]*+")

# They take no room; the last two stand for whole sentences.
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b-\u200f"
    "\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0"
    "\U000e0000-\U000e0fff\ufdfa\ufdfb]+"
)
# No letter has so many marks on it; to put them in order (NFKC) takes the square of
# their number.
_NOISE = re.compile(r"[^\w\s]{9,}+")
# Cyrillic and Greek letters that look like Latin ones, large or small (Unicode TR 39);
# whole texts in these scripts are folded alike, so nothing is lost.
_HAS_LOOKALIKES = re.compile("[\u0370-\u052f]")
_LOOKALIKES = str.maketrans(
    "авекмнорстухіјѕԁһԛԝѵґαβεζηικμνορτυχγ", "abekmhopctyxijsdhqwvgabezhikmvoptuxy"
)


def may_quote(parts: Iterable[Part]) -> bool:
    """Whether `words_of` may have left out what a message quotes."""
    return any(
        has_quotes(part.text.lower())
        if part.kind == "text/html"
        else has_marks(part.text.replace("\r\n", "\n"))
        for part in parts
    )


class Words(NamedTuple):
    """What a message says.

    Attributes:
        words: in UTF-8.
        sites: that it links to.
        left_out: characters that were not read for what they look like; what a mail
            program marks in HTML is not counted.
    """

    words: set[bytes]
    sites: set[bytes]
    left_out: int


def may_leave_out(parts: Iterable[Part]) -> bool:
    """Whether a mail program marked something in HTML that `words_of` leaves out."""
    return any(
        has_quotes(text) or has_signature(text)
        for part in parts
        if part.kind == "text/html" and (text := part.text.lower())
    )


def words_of(
    parts: Iterable[Part], *, quoted: bool = False, signed: bool = False
) -> Words:
    """Give the words of a message, and the sites that it links to.

    Read are the first `MAX_TEXT_CHARACTERS` that a reader would see, and `MAX_LINKS`
    links of each part.

    Args:
        parts: of the message.
        quoted: read what it quotes as well.
        signed: read all but legal notices.
    """
    words: set[bytes] = set()
    sites: set[bytes] = set()
    left = MAX_TEXT_CHARACTERS
    left_out = 0
    for part in parts:
        if not part.text or left <= 0:
            continue
        text = part.text.lower()
        if "://" in text:
            found = islice(_LINK.finditer(text), MAX_LINKS)
            sites.update(_site(link[1]) for link in found)
        if part.kind == "text/html":
            text = read_html(text, quoted=quoted, signed=signed)
        if "\r" in text:
            text = text.replace("\r\n", "\n")
        text = text[:_MAX_READ_CHARACTERS]
        if signed:
            own = own_text(text, signed=True)
            said = _words(own[:left])
        else:
            own, said = _own_words(text, left, quoted=quoted)
        words |= said
        left -= len(own)
        left_out += len(text) - len(own)
    return Words(
        {word for word in words if len(word) >= _MIN_WORD_BYTES}, sites, left_out
    )


def _own_words(text: str, left: int, *, quoted: bool) -> tuple[str, set[bytes]]:
    """What a sender has written this time, and its words."""
    if not has_marks(text):
        own = without_signature(text)
        said = _words(own[:left])
        if not has_signs(said):
            return own, said
    own = own_text(text, quoted=quoted)
    return own, _words(own[:left])


def _words(text: str) -> set[bytes]:
    """All words of a text, also short ones."""
    if "://" in text:
        text = _LINK.sub(" ", text)
    said = text.encode("utf-8", "replace").translate(_LETTERS).split()
    words = set(said)
    if not text.isascii():
        # In their order: of the folded ones only the first are read.
        odd = [word for word in dict.fromkeys(said) if not word.isascii()]
        words.difference_update(odd)
        words.update(_folded(b" ".join(odd).decode()))
    return words


def _folded(text: str) -> list[bytes]:
    """The words of a text in one spelling of what looks the same."""
    text = _NOISE.sub(" ", _INVISIBLE.sub("", text))
    text = unicodedata.normalize("NFKC", text)[:MAX_TEXT_CHARACTERS].casefold()
    if _HAS_LOOKALIKES.search(text) is not None:
        text = text.translate(_LOOKALIKES)
    # Signs and digits of any script are still there.
    text = _NO_LETTERS.sub(" ", text)
    found = _WORD.findall(text)
    if _HAS_PAIRS.search(text) is not None:
        found += _PAIR.findall(text, 0, _MAX_PAIRED_CHARACTERS)
    return " ".join(found).encode().split()


def _site(host: str) -> bytes:
    """The last two labels of a host: those before them change from copy to copy."""
    return b".".join(host.encode().rstrip(b".").split(b".")[-2:])

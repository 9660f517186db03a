"""Words that a person meant, and that nobody would read.

`For=1h`, `untill=…`, or `newsletter week for=2h`: an order whose end is not understood
never ends. What looks like a word is looked for in the whole value; in the free text
only what comes close to a real one counts, since a link may stand there.
"""

import re
from collections.abc import Collection, Iterator
from difflib import get_close_matches

from outgate.model.client import parse_client

# What a person sees as a word of its own: not the middle of a link.
_WORD = re.compile(r"(?<![^\s,;(\[])([^\W\d_][\w-]*)\s*=")
_LOOKS_LIKE_A_WORD = re.compile(r"[^\W\d_][\w-]*")
# `untill` and `rule` are meant, `url` and `user` are not.
_CLOSE = 0.75


# Typed where a name belongs, and nobody's: the shell took the quotes away.
_WORD_FOR_A_NAME = re.compile(r"(?:for|until|by|rules)=.*", re.DOTALL)
_SPACE = re.compile(r"\s")
# A quoted local part, and the subject of a certificate.
_WRITTEN_WITH_SPACES = re.compile(r'["=/]')
_LIKE_IPV4 = re.compile(r"\d{1,3}(?:\.\d{1,3}){3}")


def nameless(name: str) -> str:
    """Why no message can ever have this name, "" where one may."""
    name = name.strip()
    if not name:
        return "the name is empty"
    if _WORD_FOR_A_NAME.fullmatch(name):
        return (
            "a word stands where a name belongs: put all words into one pair of quotes"
        )
    if name[0] == "<" and name[-1] == ">":
        return "brackets are no part of a name"
    if "*" in name:
        return "a name is no pattern: name a domain, a network or a customer"
    if name.count("@") > 1 and ("," in name or " " in name):
        return "one name to a field"
    if "@" in name and _SPACE.search(name) and not _WRITTEN_WITH_SPACES.search(name):
        return "an address has no space"
    if _LIKE_IPV4.fullmatch(name) and parse_client(name) is None:
        return "no IP address"
    return ""


def looks_like_a_word(key: str) -> bool:
    """Whether what stands before an equals sign may be meant as a word of ours."""
    return _LOOKS_LIKE_A_WORD.fullmatch(key) is not None


def unknown(key: str, known: Collection[str]) -> str:
    """Say that a word is none, and which was meant."""
    close = _meant(key, known) or next(
        iter(get_close_matches(key.lower(), known, n=1)), ""
    )
    if close:
        return f"{key}=: no such word; did you mean {close}=?"
    return f"{key}=: no such word; expected {', '.join(f'{one}=' for one in known)}"


def misplaced(text: str, known: Collection[str]) -> Iterator[str]:
    """Words in free text that would have had to stand before it."""
    for found in _WORD.finditer(text):
        if meant := _meant(found[1], known):
            yield f"{found[1]}= stands in the text: {meant}= must come before it"


def _meant(key: str, known: Collection[str]) -> str:
    folded = key.lower()
    for word in known:
        # Letters that changed places, as `fro=`.
        if sorted(folded) == sorted(word):
            return word
    return next(iter(get_close_matches(folded, known, n=1, cutoff=_CLOSE)), "")

"""How problems of a configuration are put into words."""

from collections import Counter
from collections.abc import Iterable, Iterator
from difflib import get_close_matches

from outgate.model.errors import Problem


def twice(table: str, key: str, names: Iterable[str]) -> Iterator[Problem]:
    """Names that must be unique and are not."""
    for name, number in Counter(names).items():
        if number > 1:
            yield Problem(table, f"{key} {name!r} stands {number} times")


def one_of(got: str, words: tuple[str, ...]) -> str:
    """What is wrong with a word, and which one may be meant."""
    close = get_close_matches(got, words, n=1)
    hint = f"; did you mean {close[0]!r}?" if close else ""
    return f"got {got!r}: expected one of {', '.join(words)}{hint}"


def no_address(text: str) -> str:
    """What is wrong with an address."""
    return f"got {text!r}: expected an address such as post@example.org"


def no_such(name: str, known: list[str]) -> str:
    """What is wrong with a reference, and what may be meant."""
    close = get_close_matches(name, known, n=1)
    if close:
        hint = f"did you mean {close[0]!r}?"
    elif known:
        hint = f"expected one of {', '.join(map(repr, known))}"
    else:
        hint = "there is none"
    return f"got {name!r}: no such name; {hint}"

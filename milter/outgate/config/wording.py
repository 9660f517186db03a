"""How problems of a configuration are put into words."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from difflib import get_close_matches

from outgate.model.errors import Problem

# Longer values would hide the sentence around them.
_MOST_SHOWN = 60


def twice(table: str, key: str, names: Iterable[str]) -> Iterator[Problem]:
    """Names that must be unique and are not."""
    for name, number in Counter(names).items():
        if number > 1:
            yield Problem(table, f"{key} {name!r} stands {number} times")


def one_of(got: str, words: tuple[str, ...]) -> str:
    """What is wrong with a word, and which one may be meant."""
    return f"got {got!r}: expected one of {', '.join(words)}{did_you_mean(got, words)}"


def did_you_mean(got: str, words: Collection[str]) -> str:
    """A question to append, "" where nothing comes close."""
    # `user` is half of `local-user`, though more letters are those of `customer`.
    parts = [word for word in words if got in word.split("-")]
    close = parts if len(parts) == 1 else get_close_matches(got, words, n=1)
    return f"; did you mean {close[0]!r}?" if close else ""


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


def shown(value: object) -> str:
    """A value as it stands in the file, or what kind of value it is."""
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            long = len(value) > _MOST_SHOWN
            return repr(f"{value[:_MOST_SHOWN]}…" if long else value)
        case dict():
            return "a table"
        case list():
            return "a list"
        case _:
            text = str(value)
            return f"{text[:_MOST_SHOWN]}…" if len(text) > _MOST_SHOWN else text

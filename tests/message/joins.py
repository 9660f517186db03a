"""Which of some messages are joined, and which of those have little in common."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

from message.mailings import Mail
from outgate.message.fingerprint import fingerprint
from outgate.message.mime_text import read_parts

# Who shares more of all words is a copy, or has the same text behind another frame.
DUPLICATE = 0.6


@dataclass(frozen=True, slots=True)
class Joins:
    """What became of the pairs of some messages.

    Attributes:
        pairs: how many there are.
        joined: how many have a band in common.
        false: places of those that are joined, but are no duplicates.
    """

    pairs: int
    joined: int
    false: list[tuple[int, int]]

    def rate(self) -> str:
        """How often a pair is joined in error, in words."""
        if not self.false:
            return f"none of {self.pairs:,}"
        return f"1 in {self.pairs / len(self.false):,.0f}"


def joined(one: Mail, other: Mail) -> bool:
    """Whether two messages have a band in common, at the same place."""
    bands, others = fingerprint(*one), fingerprint(*other)
    return len(bands) == len(others) and any(map(bytes.__eq__, bands, others))


def joins_of(mails: Sequence[Mail]) -> Joins:
    """Compare all with all."""
    places: dict[tuple[int, int, bytes], list[int]] = {}
    for number, one in enumerate(mails):
        bands = fingerprint(*one)
        for place, band in enumerate(bands):
            places.setdefault((len(bands), place, band), []).append(number)
    found = {pair for same in places.values() for pair in combinations(same, 2)}
    words = [_words(mails[number]) for number in range(len(mails))]
    false = [
        (one, other)
        for one, other in sorted(found)
        if _share(words[one], words[other]) <= DUPLICATE
    ]
    return Joins(len(mails) * (len(mails) - 1) // 2, len(found), false)


def _words(one: Mail) -> set[str]:
    """All words that a message has, with its quotes and frames."""
    text = " ".join(part.text for part in read_parts(*one)).lower()
    return set(re.findall(r"[^\W\d_]{3,}", re.sub(r"<[^<>]*>", " ", text)))


def _share(words: set[str], others: set[str]) -> float:
    both = words | others
    return len(words & others) / len(both) if both else 1.0

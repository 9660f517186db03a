"""What can be said of a header: a name, a level, sentences, a clause.

    plain-http   fix   The only web link is http: …   Use https: …   RFC 8058 §3.1

Each module of this room has a table of its own, an enumeration; `notes` joins them. A
note says what is the case, what a mailbox provider does about it, and what to write
instead, to somebody who keeps a mailing list and reads no RFCs.
"""

from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import NamedTuple, Self


class Level(StrEnum):
    """How bad it is, mildest first."""

    OK = "ok"
    FIX = "fix"
    WEAK = "weak"
    BAD = "bad"

    @property
    def meaning(self) -> str:
        """In a sentence."""
        return _MEANING[self]

    @property
    def rank(self) -> int:
        """From 0 for `ok`."""
        return _RANK[self]


_MEANING = {
    Level.OK: "As it should be, or odd but harmless.",
    Level.FIX: "It works, and should be written better.",
    Level.WEAK: (
        "It counts as if it were not there: mail programs ignore it. The message is "
        "bulk mail all the same."
    ),
    Level.BAD: "It breaks a rule that list mail has to keep.",
}
_RANK = {level: rank for rank, level in enumerate(Level)}


def worst(levels: Iterable[Level]) -> Level:
    """The verdict of several: that of the worst, `ok` for none."""
    return max(levels, key=_RANK.__getitem__, default=Level.OK)


class Note(StrEnum):
    """One variant of a header; the base of all tables.

    Attributes:
        level: its verdict.
        sentence: what to tell the maintainer of the list.
        instead: what to write instead; "" where nothing is wrong.
        clause: where it is written.
    """

    level: Level
    sentence: str
    instead: str
    clause: str

    # Enum's own is a call in Python for each look-up.
    __hash__ = str.__hash__

    # The defaults are for look-ups by value, which Enum answers without coming here.
    def __new__(
        cls,
        value: str,
        level: Level = Level.OK,
        sentence: str = "",
        instead: str = "",
        clause: str = "",
    ) -> Self:
        """Make a member from its kebab-case value and what belongs to it."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.level = level
        member.sentence = sentence
        member.instead = instead
        member.clause = clause
        return member


class Remark(NamedTuple):
    """A note on a header of a message.

    Attributes:
        header: lower-case name; of a header that is missing, too.
        note: what is the case.
        level: the note's, or less where the header matters less.
    """

    header: str
    note: Note
    level: Level


def remarks_on(
    header: str, notes: Sequence[Note], most: Level = Level.BAD
) -> list[Remark]:
    """Attach notes to a header, each once; none is worse than `most`."""
    if most is Level.BAD:
        return [Remark(header, note, note.level) for note in dict.fromkeys(notes)]
    return [
        Remark(header, note, min(note.level, most, key=_RANK.__getitem__))
        for note in dict.fromkeys(notes)
    ]

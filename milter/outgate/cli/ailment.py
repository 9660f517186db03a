"""What `outgate doctor` finds."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Ailment:
    """One thing to look at: what it is about, and a sentence.

    Attributes:
        passing: whether it may be over in a moment, as while a reload is under way.
        note: whether it may well be meant so: no reason to say that anything is wrong.
    """

    about: str
    text: str
    passing: bool = False
    note: bool = False

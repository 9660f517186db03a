"""What `outgate doctor` finds."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Ailment:
    """One thing to look at: what it is about, and a sentence.

    Attributes:
        passing: whether it may be over in a moment, as while a reload is under way.
    """

    about: str
    text: str
    passing: bool = False

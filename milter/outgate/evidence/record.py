"""One record of a file, whatever its shape: named texts, and how it is written again."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

# What a file of rejects has more; it is ignored when the file comes back.
REASON = "reject-reason"

# How programs write that there is nothing; `\N` is MySQL's.
ABSENT = frozenset({"", "null", "NULL", "\\N", "None"})


class RowRejected(Exception):
    """One record says nothing that can be registered; the others go on.

    Attributes:
        column: where, "" for the record as a whole.
    """

    def __init__(self, reason: str, column: str = "") -> None:
        super().__init__(f"{column}: {reason}" if column else reason)
        self.column = column


class Record(Protocol):
    """What a format reads.

    Attributes:
        line: of the file, from 1.
        broken: why nothing can be read from it, "" where it can.
    """

    @property
    def line(self) -> int:
        """Line of the file, from 1."""

    @property
    def broken(self) -> str:
        """Why nothing can be read from it; "" where it can."""

    def get(self, *names: str) -> str:
        """Text under the first of these names that has any; "" where none has."""

    def rejected(self, reason: str) -> str:
        """The record in the shape of its file, with the reason added."""


class Records(Protocol):
    """The records of one text."""

    def __iter__(self) -> Iterator[Record]:
        """One after the other."""

    @property
    def head(self) -> str:
        """What stands before records in a file of rejects, "" for nothing."""


@dataclass(frozen=True, slots=True)
class Named:
    """A record whose texts are in a mapping, by lower-case names."""

    line: int
    values: Mapping[str, str]
    broken: str = ""

    def get(self, *names: str) -> str:
        """Text under the first of these names that has any."""
        for name in names:
            if (value := self.values.get(name, "")) not in ABSENT:
                return value
        return ""

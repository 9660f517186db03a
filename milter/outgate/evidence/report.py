"""The numbers of a file: for a person, with what to do; and for programs."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from outgate.evidence.flag import MEANINGS, Effect, Flag
from outgate.evidence.judge import Judged
from outgate.evidence.record import RowRejected
from outgate.model.consent import Grade

_EXAMPLES = 3
# Reasons are made of a few sentences and of what stood in a cell.
_MAX_REASONS = 20
_TOLD_BEFORE = "the reason was told when it was read"


class Rejection(NamedTuple):
    """A row that was not read.

    Attributes:
        line: of the file.
        column: name of the column, "" for the whole row.
        reason: for a person, with the column; it may show what stood in a cell.
    """

    line: int
    column: str
    reason: str

    def __str__(self) -> str:
        """Give `line: reason`."""
        return f"{self.line}: {self.reason}"


@dataclass
class Report:
    """What was found, and what was done.

    Attributes:
        rows: that speak of one subscription, judged or rejected.
        passed_over: records of something else, or of another list.
        grades, flags, zones: rows by each.
        examples: the first lines with each flag.
        rejected: rows that were not read.
        rejections: the first of them.
        registered: consents that the registry took.
        withdrawn: subscriptions that ended, which it took.
        new: how many of both changed what it knew.
        is_earlier: whether all of it was done by an earlier run.
    """

    rows: int = 0
    passed_over: int = 0
    grades: Counter[str] = field(default_factory=Counter)
    flags: Counter[str] = field(default_factory=Counter)
    zones: Counter[str] = field(default_factory=Counter)
    examples: dict[str, list[int]] = field(default_factory=dict)
    rejected: int = 0
    rejections: list[Rejection] = field(default_factory=list)
    registered: int = 0
    withdrawn: int = 0
    new: int = 0
    is_earlier: bool = field(default=False, compare=False)

    def add(self, judged: Judged) -> None:
        """Count a judged row."""
        self.rows += 1
        self.grades[judged.grade.value] += 1
        confirm = judged.row.confirm
        self.zones[confirm.zone.value if confirm else "no-time"] += 1
        for flag in judged.flags:
            self.flags[flag.value] += 1
            lines = self.examples.setdefault(flag.value, [])
            if len(lines) < _EXAMPLES:
                lines.append(judged.row.line)

    def reject(self, line: int, rejected: RowRejected) -> None:
        """Count a rejected row."""
        self.rows += 1
        self.rejected += 1
        if len(self.rejections) < _MAX_REASONS:
            self.rejections.append(Rejection(line, rejected.column, str(rejected)))

    @property
    def reasons(self) -> list[str]:
        """Why the first of them were rejected, as `line: reason`."""
        return list(map(str, self.rejections))

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return {
            "rows": self.rows,
            "passed-over": self.passed_over,
            "grades": dict(sorted(self.grades.items())),
            "flags": dict(sorted(self.flags.items())),
            "zones": dict(sorted(self.zones.items())),
            "examples": self.examples,
            "rejected": self.rejected,
            "reasons": self.reasons,
            "registered": self.registered,
            "withdrawn": self.withdrawn,
            "new": self.new,
        }

    def as_noted(self) -> dict[str, Any]:
        """What an import that was stopped goes on with: nothing of any cell."""
        noted = self.as_json()
        noted["reasons"] = [[one.line, one.column] for one in self.rejections]
        return noted

    @classmethod
    def from_noted(cls, value: dict[str, Any]) -> "Report":
        """Read what `as_noted` gave."""
        return cls(
            rows=value["rows"],
            passed_over=value["passed-over"],
            grades=Counter(value["grades"]),
            flags=Counter(value["flags"]),
            zones=Counter(value["zones"]),
            examples=value["examples"],
            rejected=value["rejected"],
            rejections=[
                Rejection(line, column, _told_before(column))
                for line, column in value["reasons"]
            ],
            registered=value["registered"],
            withdrawn=value["withdrawn"],
            new=value["new"],
        )

    def lines(self) -> Iterator[str]:
        """For a person: grades, zones, each flag with its remedy, rejected rows."""
        yield f"{self.rows} rows" + (
            f", {self.passed_over} records passed over" if self.passed_over else ""
        )
        for grade in Grade:
            if count := self.grades[grade.value]:
                name = "left out" if grade is Grade.NONE else grade.value
                yield f"  {name:<12} {_share(count, self.rows)}"
        if self.rejected:
            yield f"  {'rejected':<12} {_share(self.rejected, self.rows)}"
        yield "times"
        for zone, count in sorted(self.zones.items()):
            yield f"  {zone:<12} {_share(count, self.rows)}"
        if self.flags:
            yield "flags"
        for flag in Flag:
            if count := self.flags[flag.value]:
                yield from self._flag(flag, count)
        if self.rejections:
            yield "rejected, the first of them by line"
        yield from (f"  {reason}" for reason in self.reasons)

    def _flag(self, flag: Flag, count: int) -> Iterator[str]:
        meaning = MEANINGS[flag]
        effect = "" if meaning.effect is Effect.NOTED else f", {meaning.effect}"
        lines = ", ".join(map(str, self.examples.get(flag.value, ())))
        yield f"  {flag.value}: {_share(count, self.rows)}{effect}; line {lines}"
        yield f"    {meaning.sentence}"
        if meaning.effect is not Effect.NOTED:
            yield f"    {meaning.remedy}"


def _told_before(column: str) -> str:
    return f"{column}: {_TOLD_BEFORE}" if column else _TOLD_BEFORE


def _share(count: int, rows: int) -> str:
    return f"{count} ({100 * count / rows:.1f} %)" if rows else str(count)

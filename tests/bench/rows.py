"""What is measured, and how: all filters up together, gone round in turn.

A machine that others use is never the same for two minutes. So a round measures each
row once, and what counts is the ratio within a round; over the rounds, its median.
"""

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench.filters import Filter
from bench.load import Generator, Result

# Enough for imports, caches and the first connections to the store.
_WARM_UP = 500


@dataclass(slots=True, kw_only=True)
class Row:
    """One line of the table.

    Attributes:
        key: for `yardstick` and the JSON file.
        title: for people.
        beside: processes that are watched too, by name.
        served_by: how many processes served; from the first round on.
        yardstick: key of the row that this one is measured against, "" for none.
        messages: how many in one round.
        results: one for each round.
        errors: what the filter counted as going wrong meanwhile.
    """

    key: str
    title: str
    filter: Filter
    message: Path
    connections: int = 10
    messages: int
    yardstick: str = ""
    beside: dict[str, int] = field(default_factory=dict)
    served_by: int = 0
    results: list[Result] = field(default_factory=list)
    errors: dict[str, float] = field(default_factory=dict)

    def measure(self, generator: Generator) -> None:
        """Run one round."""
        processes = self.filter.processes
        before = self.filter.errors()
        self.served_by = len(processes)
        self.results.append(
            generator.run(
                self.filter.target,
                self.message,
                connections=self.connections,
                messages=self.messages,
                watched=[*processes, *self.beside.values()],
            )
        )
        for name, count in self.filter.errors().items():
            if more := count - before.get(name, 0):
                self.errors[name] = self.errors.get(name, 0) + more

    @property
    def cpu_ms(self) -> list[float]:
        """CPU time of the serving processes for each message, by round."""
        return [sum(result.cpu_ms[: self.served_by]) for result in self.results]

    def beside_ms(self, name: str) -> float:
        """CPU time of one of the others for each message: median."""
        at = self.served_by + list(self.beside).index(name)
        return statistics.median(result.cpu_ms[at] for result in self.results)

    def median(self, value: Callable[[Result], float]) -> float:
        """The median of one figure over the rounds."""
        return statistics.median(map(value, self.results))

    def ratios(self, rows: Sequence["Row"]) -> list[float]:
        """CPU time against the yardstick, round by round; empty without one."""
        for row in rows:
            if row.key == self.yardstick:
                pairs = zip(self.cpu_ms, row.cpu_ms, strict=True)
                return [own / other for own, other in pairs]
        return []

    @property
    def trouble(self) -> list[str]:
        """What was not as expected, in any round."""
        return [result.trouble for result in self.results if result.trouble]


def measure(
    rows: Sequence[Row],
    generator: Generator,
    rounds: int,
    progress: Callable[[str], None],
) -> None:
    """Go round the rows."""
    for row in {id(row.filter): row for row in rows}.values():
        generator.run(
            row.filter.target,
            row.message,
            connections=row.connections,
            messages=_WARM_UP,
            watched=(),
        )
    for number in range(1, rounds + 1):
        for row in rows:
            progress(f"round {number} of {rounds}: {row.title}")
            row.measure(generator)

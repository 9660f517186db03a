"""The rows as people read them: the gate beside plain limits, over all seeds."""

import statistics
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence

from scenarios.plain import LIMITS
from scenarios.run import Result, Row
from scenarios.scenario import Scenario

_STORY_WIDTH = 42
_MOST_REASONS = 3


def spread(values: Iterable[int]) -> str:
    """Median, with minimum and maximum where they differ."""
    found = sorted(values)
    if not found:
        return "-"
    middle = round(statistics.median(found))
    if found[0] == found[-1]:
        return str(middle)
    return f"{middle} ({found[0]}..{found[-1]})"


def _head(what: str, target: str) -> str:
    limits = " ".join(f"{f'{limit}/h':>15}" for limit in LIMITS)
    return (
        f"{what:{_STORY_WIDTH + 11}} {'offered':>8} {'first day':>17} "
        f"{'after history':>17} {target:>7} {'':3} {limits}  why"
    )


def _reasons(results: Iterable[Result]) -> str:
    total: Counter[str] = Counter()
    for result in results:
        total += result.reasons
    return ", ".join(word for word, _ in total.most_common(_MOST_REASONS))


def lines(scenario: Scenario, rows: Sequence[Row]) -> str:
    """One line of the table.

    Args:
        scenario: which.
        rows: of all seeds.
    """
    after = [row.after for row in rows if row.after is not None]
    first = [row.first_day for row in rows]
    value: Callable[[Result], int] = _reached if scenario.is_bad else _stopped
    limits = " ".join(
        f"{spread(_plainly(scenario, row, place) for row in rows):>15}"
        for place in range(len(LIMITS))
    )
    target = scenario.target or 0
    return (
        f"{scenario.key:10} {scenario.story:{_STORY_WIDTH}} "
        f"{round(statistics.median(row.offered for row in rows)):8} "
        f"{spread(map(value, first)):>17} {spread(map(value, after)):>17} "
        f"{target:7} {'ok' if not misses(scenario, rows) else 'NO':3} {limits}  "
        f"{_reasons(after or first)}"
    ).rstrip()


def misses(scenario: Scenario, rows: Iterable[Row]) -> bool:
    """Whether any seed is beyond the target.

    What is bad is stopped by an empty gate too. What is good need not pass before the
    gate knows it, where it has a history.
    """
    target = scenario.target or 0
    if scenario.is_bad:
        results = (one for row in rows for one in (row.first_day, row.after) if one)
        return any(_reached(result) > target for result in results)
    return any(_stopped(row.after or row.first_day) > target for row in rows)


def _reached(result: Result) -> int:
    return result.reached + result.later


def _stopped(result: Result) -> int:
    return result.stopped


def _plainly(scenario: Scenario, row: Row, place: int) -> int:
    plain = row.plain[place]
    return plain.reached if scenario.is_bad else plain.stopped


def table(scenarios: Sequence[Scenario], rows: dict[str, list[Row]]) -> Iterator[str]:
    """All lines: what is bad, what is good, what is to be known beside."""
    for bad, what, target in (
        (True, "BAD: recipients reached", "at most"),
        (False, "GOOD: messages stopped", "at most"),
    ):
        chosen = [one for one in scenarios if one.is_bad is bad and rows.get(one.key)]
        if chosen:
            yield _head(what, target)
            yield from (lines(one, rows[one.key]) for one in chosen)
            yield ""
    yield from _notes(scenarios, rows)


def _notes(scenarios: Sequence[Scenario], rows: dict[str, list[Row]]) -> Iterator[str]:
    for scenario in scenarios:
        results = [
            result
            for row in rows.get(scenario.key, ())
            for result in (row.first_day, row.after)
            if result is not None
        ]
        extra = []
        if any(result.remembered["stopped"] for result in results):
            stopped = spread(
                row.after.remembered["stopped"]
                for row in rows[scenario.key]
                if row.after
            )
            extra.append(f"{stopped} of its history would have been stopped")
        if any(result.later for result in results):
            later = spread(result.later for result in results)
            extra.append(f"{later} of them after the gate had shut")
        if scenario.is_bad and any(result.stopped for result in results):
            stopped = spread(result.stopped for result in results)
            extra.append(f"{stopped} wanted messages stopped with it")
        if any(result.tagged for result in results):
            tagged = spread(result.tagged for result in results)
            extra.append(f"{tagged} wanted messages tagged")
        for note in extra:
            yield f"note: {scenario.key}: {note}"

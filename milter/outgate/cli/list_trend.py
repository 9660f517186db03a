"""What a list's mail was like lately: what `outgate list status` says of it."""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import TYPE_CHECKING, Any

from outgate.cli.context import Context

if TYPE_CHECKING:
    from outgate.model.list_day import Compliance
    from outgate.store.listdays import ListDays

Days = Mapping[date, "Compliance"]

_WEEKS = 4
_SHOWN_FAULTS = 5


def open_days(context: Context) -> "ListDays":
    """What the store counted of lists' mail.

    Raises:
        OutgateError: the configuration or the store is not as it must be.
    """
    from outgate.store.client import connect
    from outgate.store.keys import Keys
    from outgate.store.listdays import ListDays

    keys = Keys(context.settings().store.namespace)
    return ListDays(connect(context.running_endpoint()), keys)


def trend_lines(days: Days) -> Iterator[str]:
    """Week by week, the last one first; then what is wrong with the headers."""
    from outgate.model.list_day import Compliance, weeks

    if not days:
        yield "mail            none in 92 days"
        return
    title = "mail"
    for first, last, sums in weeks(days)[:_WEEKS]:
        yield f"{title:<15} {first} to {last}: {_sentence(sums)}"
        title = ""
    everything = Compliance.total(days.values())
    verdicts = everything.headers
    yield "headers         " + ", ".join(
        f"{level} {verdicts[level]}"
        for level in ("ok", "fix", "weak", "bad")
        if level in verdicts
    )
    for name, count in everything.faults[:_SHOWN_FAULTS]:
        yield f"                {name} in {count} of {everything.messages} messages"


def _sentence(week: "Compliance") -> str:
    from outgate.model.list_day import HELD, RECIPIENTS, REFUSED, REMOVED
    from outgate.model.optin import Permission

    text = f"{week.messages} messages, {week.of(RECIPIENTS)} recipients"
    if (percent := week.coverage_percent) is not None:
        text += f", {percent:.1f} % with a consent"
    for number, words in (
        (week.of(Permission.WITHDRAWN.value), "had withdrawn"),
        (week.of(REMOVED), "taken out"),
        (week.of(HELD), "held"),
        (week.of(REFUSED), "refused"),
    ):
        if number:
            text += f", {number} {words}"
    return text


def days_json(days: Days) -> list[dict[str, Any]]:
    """For programs: each day with its counts, as the key in Redis has them."""
    return [
        {"day": day.isoformat(), "coverage-percent": _rounded(one), **one.counts}
        for day, one in sorted(days.items(), reverse=True)
    ]


def _rounded(one: "Compliance") -> float | None:
    percent = one.coverage_percent
    return None if percent is None else round(percent, 1)

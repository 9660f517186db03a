"""When mail is sent: like a clock, or like people."""

from collections.abc import Iterator
from random import Random

from scenarios.mail import DAY_S, HOUR_S

_OPENS_S = 8 * HOUR_S
_CLOSES_S = 18 * HOUR_S
_WORKING_DAYS = 5


def steadily(start_s: float, per_second: float, count: int) -> Iterator[float]:
    """So many times at a constant rate."""
    return (start_s + place / per_second for place in range(count))


def between(rng: Random, start_s: float, end_s: float, count: int) -> list[float]:
    """So many times at random, in order."""
    return sorted(rng.uniform(start_s, end_s) for _ in range(count))


def in_office_hours(rng: Random, day: int, count: int) -> list[float]:
    """So many times in the hours in which people write."""
    midnight_s = day * DAY_S
    return between(rng, midnight_s + _OPENS_S, midnight_s + _CLOSES_S, count)


def is_working_day(day: int) -> bool:
    """Whether offices are open; day 0 is a Monday."""
    return day % 7 < _WORKING_DAYS

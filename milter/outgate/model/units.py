"""Durations, sizes and rates as an operator writes them.

Every value prints in the form it parses: `parse_duration("90m")` is 5,400 s and
`format_duration` gives `90m` back. Units are letters, and a bare number is an
error: what a number means must be visible where it stands.
"""

import re
from dataclasses import dataclass
from datetime import timedelta

SECOND_US = 1_000_000

_DURATION_US = {
    "us": 1,
    "ms": 1_000,
    "s": SECOND_US,
    "m": 60 * SECOND_US,
    "h": 3_600 * SECOND_US,
    "d": 86_400 * SECOND_US,
    "w": 7 * 86_400 * SECOND_US,
}
_SIZE_BYTES = {"B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40}
_QUANTITY = re.compile(r"(\d{1,15})\s*([A-Za-z]+)")
_RATE = re.compile(r"(\d[\d_,]{0,14})\s*/\s*(.+)")

# Ten years: no order is meant to stand longer, and its end can be written as a date.
MAX_DURATION = timedelta(days=3_660)
# A counter's state is a time in microseconds in a double: more than a year of
# burst would not fit into 53 bits beside the epoch.
MAX_PERIOD = timedelta(days=366)
# One emission may not be shorter than a microsecond.
MAX_RATE_COUNT = 1_000_000


def parse_duration(text: str) -> timedelta:
    """Read `15m`, `1h`, `50ms`, `2d`.

    Raises:
        ValueError: the text is no whole number with one of the known units, or it is
            longer than `MAX_DURATION`.
    """
    found = _QUANTITY.fullmatch(text.strip())
    if not found or found[2] not in _DURATION_US:
        raise ValueError(
            f"expected a number with one of {', '.join(_DURATION_US)}, such as 15m"
        )
    duration_us = int(found[1]) * _DURATION_US[found[2]]
    if duration_us > to_us(MAX_DURATION):
        raise ValueError(f"longer than {MAX_DURATION.days}d")
    return timedelta(microseconds=duration_us)


def format_duration(value: timedelta) -> str:
    """Print in the largest unit that divides the duration."""
    return _in_largest_unit(to_us(value), _DURATION_US, "s")


def to_us(value: timedelta) -> int:
    """Whole microseconds of a duration, exactly."""
    return (value.days * 86_400 + value.seconds) * SECOND_US + value.microseconds


def parse_size(text: str) -> int:
    """Read `2MiB`, `512KiB`, `100B` into bytes.

    Raises:
        ValueError: the text is no whole number with one of the known units.
    """
    found = _QUANTITY.fullmatch(text.strip())
    if not found or found[2] not in _SIZE_BYTES:
        raise ValueError(
            f"expected a number with one of {', '.join(_SIZE_BYTES)}, such as 2MiB"
        )
    return int(found[1]) * _SIZE_BYTES[found[2]]


def format_size(size_bytes: int) -> str:
    """Print in the largest unit that divides the size."""
    return _in_largest_unit(size_bytes, _SIZE_BYTES, "B")


def _in_largest_unit(value: int, units: dict[str, int], zero_unit: str) -> str:
    if value == 0:
        return f"0{zero_unit}"
    name, factor = max(
        ((name, factor) for name, factor in units.items() if value % factor == 0),
        key=lambda unit: unit[1],
    )
    return f"{value // factor}{name}"


@dataclass(frozen=True, slots=True)
class Rate:
    """So many in so long a time: `50/1h`.

    Attributes:
        count: how many, at least 1.
        period: in how long a time.
    """

    count: int
    period: timedelta

    @classmethod
    def parse(cls, text: str) -> "Rate":
        """Read `50/1h`, `1,000/1d`, `300/h` (an absent number of periods is one).

        Raises:
            ValueError: with what was expected.
        """
        found = _RATE.fullmatch(text.strip())
        if not found:
            raise ValueError("expected a count and a period, such as 50/1h")
        period_text = found[2].strip()
        if period_text.isalpha():
            period_text = f"1{period_text}"
        try:
            period = parse_duration(period_text)
        except ValueError as error:
            raise ValueError(f"period {found[2]!r}: {error}") from None
        count = int(found[1].replace("_", "").replace(",", ""))
        if not 1 <= count <= MAX_RATE_COUNT:
            raise ValueError(f"the count must be from 1 to {MAX_RATE_COUNT}")
        if not timedelta(0) < period <= MAX_PERIOD:
            raise ValueError(f"the period must be from 1us to {MAX_PERIOD.days}d")
        if to_us(period) < count:
            raise ValueError("faster than one per microsecond")
        return cls(count, period)

    @property
    def interval_us(self) -> int:
        """Microseconds that one unit takes to drain; rounded up, so never too fast."""
        return -(-to_us(self.period) // self.count)

    def __str__(self) -> str:
        """Give the form that `parse` reads."""
        return f"{self.count}/{format_duration(self.period)}"


class ByteSize(int):
    """A number of bytes that was written with a unit."""

    __slots__ = ()

    def __str__(self) -> str:
        """Give the form that `parse_size` reads."""
        return format_size(int(self))

"""Durations, sizes and rates as an operator writes them."""

from contextlib import suppress
from datetime import timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from model.strategies import durations, fast, rates
from outgate.model.units import (
    MAX_DURATION,
    ByteSize,
    Rate,
    format_duration,
    format_size,
    parse_duration,
    parse_size,
    to_us,
)


class TestDuration:
    """`15m`, `1h`, `50ms`."""

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("1us", timedelta(microseconds=1)),
            ("50ms", timedelta(milliseconds=50)),
            ("0s", timedelta(0)),
            ("90m", timedelta(minutes=90)),
            (" 2 h ", timedelta(hours=2)),
            ("7d", timedelta(days=7)),
            ("2w", timedelta(days=14)),
            ("3660d", MAX_DURATION),
        ],
    )
    def test_a_number_with_a_unit_is_read(self, text: str, expected: timedelta) -> None:
        """Each unit is worth what it says."""
        assert parse_duration(text) == expected

    @pytest.mark.parametrize(
        "text",
        ["", "15", "m", "1.5h", "-1h", "1h30m", "1 hour", "1H", "1M", "15 m h"],
    )
    def test_anything_else_is_refused(self, text: str) -> None:
        """A bare number most of all: what it means must be visible."""
        with pytest.raises(ValueError, match=r"expected a number .* such as 15m"):
            parse_duration(text)

    @pytest.mark.parametrize("text", ["3661d", "999999999999999w", "9999999999d"])
    def test_more_than_ten_years_is_refused(self, text: str) -> None:
        """No date could be written for the end, and no computation may overflow."""
        with pytest.raises(ValueError, match="longer than 3660d"):
            parse_duration(text)

    @pytest.mark.parametrize(
        ("value", "text"),
        [
            (timedelta(0), "0s"),
            (timedelta(minutes=90), "90m"),
            (timedelta(hours=24), "1d"),
            (timedelta(days=14), "2w"),
            (timedelta(milliseconds=1500), "1500ms"),
        ],
    )
    def test_it_prints_in_the_largest_unit_that_divides(
        self, value: timedelta, text: str
    ) -> None:
        """`90m`, and not `1.5h`."""
        assert format_duration(value) == text

    @fast
    @given(durations)
    @example(MAX_DURATION - timedelta(microseconds=1))
    def test_what_is_printed_is_read_back(self, value: timedelta) -> None:
        """Parse after print is identity."""
        assert parse_duration(format_duration(value)) == value

    @fast
    @given(durations)
    def test_microseconds_are_exact(self, value: timedelta) -> None:
        """No float stands between a duration and its microseconds."""
        assert timedelta(microseconds=to_us(value)) == value


class TestSize:
    """`2MiB`, `512KiB`, `100B`."""

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("100B", 100),
            ("512KiB", 524_288),
            ("2 MiB", 2_097_152),
            ("1GiB", 1 << 30),
            ("1TiB", 1 << 40),
        ],
    )
    def test_a_number_with_a_unit_is_read(self, text: str, expected: int) -> None:
        """Units are binary and say so."""
        assert parse_size(text) == expected

    @pytest.mark.parametrize("text", ["", "100", "1KB", "1k", "1.5MiB", "-1B", "1mib"])
    def test_anything_else_is_refused(self, text: str) -> None:
        """`1KB` may mean two things, so it means none."""
        with pytest.raises(ValueError, match=r"expected a number .* such as 2MiB"):
            parse_size(text)

    @fast
    @given(st.integers(0, 10**15 - 1))
    def test_what_is_printed_is_read_back(self, size_bytes: int) -> None:
        """Parse after print is identity."""
        assert parse_size(format_size(size_bytes)) == size_bytes

    def test_a_byte_size_is_a_number_that_prints_with_its_unit(self) -> None:
        """In the configuration reference it stands as it may be typed."""
        size = ByteSize(1 << 30)
        assert size + 1 == 1_073_741_825
        assert str(size) == "1GiB"


class TestRate:
    """`50/1h`."""

    @pytest.mark.parametrize(
        ("text", "count", "period"),
        [
            ("50/1h", 50, timedelta(hours=1)),
            ("300/h", 300, timedelta(hours=1)),
            ("1,000/1d", 1000, timedelta(days=1)),
            ("1_000 / 7d", 1000, timedelta(days=7)),
            ("1/366d", 1, timedelta(days=366)),
            ("1000000/1s", 1_000_000, timedelta(seconds=1)),
        ],
    )
    def test_a_count_and_a_period_are_read(
        self, text: str, count: int, period: timedelta
    ) -> None:
        """An absent number of periods is one."""
        assert Rate.parse(text) == Rate(count, period)

    @pytest.mark.parametrize(
        ("text", "complaint"),
        [
            ("", "expected a count and a period"),
            ("50", "expected a count and a period"),
            ("/1h", "expected a count and a period"),
            ("50/", "expected a count and a period"),
            ("-1/h", "expected a count and a period"),
            ("50/our", "period 'our': expected a number"),
            ("50/1", "period '1': expected a number"),
            ("0/1h", "from 1 to 1000000"),
            ("1000001/1h", "from 1 to 1000000"),
            ("1/0s", "from 1us to 366d"),
            ("1/367d", "from 1us to 366d"),
            ("1/9999999999d", "period '9999999999d': longer than"),
            ("1001/1ms", "faster than one per microsecond"),
        ],
    )
    def test_what_is_no_rate_says_what_was_expected(
        self, text: str, complaint: str
    ) -> None:
        """The sentence stands in the error of `config check`."""
        with pytest.raises(ValueError, match=complaint):
            Rate.parse(text)

    @fast
    @given(rates())
    def test_what_is_printed_is_read_back(self, rate: Rate) -> None:
        """Parse after print is identity."""
        assert Rate.parse(str(rate)) == rate

    @pytest.mark.parametrize(
        ("text", "interval_us"),
        [("50/1h", 72_000_000), ("7/1s", 142_858), ("1000000/1s", 1), ("2/3us", 2)],
    )
    def test_the_interval_is_rounded_up(self, text: str, interval_us: int) -> None:
        """A counter may drain too slowly by a microsecond, never too fast."""
        assert Rate.parse(text).interval_us == interval_us


@fast
@given(st.text(max_size=12) | st.from_regex(r"\d{1,16}\s?/?\s?\d{0,15}[a-zA-Z]{1,3}"))
def test_any_text_is_read_or_refused(text: str) -> None:
    """Whatever a person types, it is a value or a `ValueError`."""
    for parse in (parse_duration, parse_size, Rate.parse):
        with suppress(ValueError):
            parse(text)

"""How much of its limits a customer has earned."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.strategies import rates
from outgate.model.standing import (
    WHOLE,
    Conduct,
    Growth,
    Record,
    scaled_burst,
    scaled_interval_us,
    scaled_rate,
)
from outgate.model.units import Rate, to_us

fast = settings(max_examples=200, deadline=None)

DAY_US = 86_400_000_000
NOW_US = 1_795_500_000_123_457
# The longest that a configuration may ask for.
YEAR_US = 366 * DAY_US

GROWTHS = st.builds(
    Growth,
    start=st.integers(1, 100),
    most=st.integers(100, 1000),
    warm_up_us=st.one_of(
        st.integers(60_000_000, YEAR_US), st.sampled_from([DAY_US, 30 * DAY_US])
    ),
)
AGES = st.integers(-DAY_US, 3 * YEAR_US)


@pytest.mark.parametrize(
    ("days", "per_cent"),
    [
        (-1, 20),
        (0, 20),
        (1, 22),
        (15, 60),
        (29, 97),
        (30, 100),
        (31, 106),
        (45, 200),
        (60, 300),
        (9999, 300),
    ],
)
def test_it_grows_along_two_lines(days: int, per_cent: int) -> None:
    """From what a new customer gets to the whole, and as long again to the most."""
    assert Growth(20, 300, 30 * DAY_US).standing(days * DAY_US) == per_cent


def test_by_default_nothing_moves() -> None:
    """The bounds are the operator's, and he has set none."""
    assert not Growth().moves
    assert Growth(start=99).moves
    assert Growth(most=101).moves
    assert Growth().standing(0) == Growth().standing(YEAR_US) == WHOLE


def test_who_starts_with_the_whole_must_behave_before_it_grows() -> None:
    """The first line is flat then."""
    growth = Growth(100, 200, 30 * DAY_US)
    assert [growth.standing(days * DAY_US) for days in (0, 29, 45)] == [100, 100, 150]


@fast
@given(growth=GROWTHS, age_us=AGES, more_us=st.integers(0, YEAR_US))
def test_time_in_good_conduct_takes_nothing_away(
    growth: Growth, age_us: int, more_us: int
) -> None:
    """Monotone, and within what the operator set."""
    before, after = growth.standing(age_us), growth.standing(age_us + more_us)
    assert growth.start <= before <= after <= growth.most


@fast
@given(growth=GROWTHS, age_us=st.integers(0, 3 * YEAR_US))
def test_the_whole_is_reached_when_the_operator_said(
    growth: Growth, age_us: int
) -> None:
    """Not later than after `warm-up`, and what is beyond it not before."""
    if age_us >= growth.warm_up_us:
        assert growth.standing(age_us) >= WHOLE
    else:
        assert growth.standing(age_us) <= WHOLE


class TestRecord:
    """From when good conduct counts."""

    GROWTH = Growth(10, 200, 30 * DAY_US)

    @pytest.mark.parametrize(
        ("first", "stopped", "since", "expected"),
        [
            pytest.param(0, None, None, 10, id="has just come"),
            pytest.param(15, None, None, 55, id="came two weeks ago"),
            pytest.param(90, None, None, 200, id="came long ago"),
            pytest.param(90, 15, None, 55, id="was stopped since"),
            pytest.param(90, 0, None, 10, id="has just been stopped"),
            pytest.param(0, None, 90, 200, id="the operator knows it longer"),
            pytest.param(0, 15, 90, 55, id="that helps nobody who was stopped"),
            pytest.param(90, None, 15, 55, id="somebody else had the name before"),
            pytest.param(0, None, -5, 10, id="known from tomorrow on"),
        ],
    )
    def test_the_later_counts(
        self, first: int, stopped: int | None, since: int | None, expected: int
    ) -> None:
        """Of the first message, or what the operator says, and the last one stopped."""
        record = Record(_ago(first), 0 if stopped is None else _ago(stopped))
        conduct = Conduct(self.GROWTH, 0 if since is None else _ago(since))
        assert record.standing(conduct, NOW_US) == expected

    def test_who_was_here_before_conduct_was_counted_is_not_new(self) -> None:
        """Whoever has contacts has the whole, and begins to grow beyond it."""
        conduct = Conduct(self.GROWTH)
        old = Record.begin(conduct, NOW_US, known=True)
        new = Record.begin(conduct, NOW_US, known=False)
        assert (old.standing(conduct, NOW_US), new.standing(conduct, NOW_US)) == (
            100,
            10,
        )


def _ago(days: int) -> int:
    return NOW_US - days * DAY_US


class TestScaled:
    """What is in force of a limit."""

    @fast
    @given(
        burst=st.integers(1, 1_000_000),
        more=st.integers(0, 1_000),
        standing=st.integers(1, 1000),
        higher=st.integers(0, 1000),
    )
    def test_more_is_never_less(
        self, burst: int, more: int, standing: int, higher: int
    ) -> None:
        """Of a higher limit, and of a better standing."""
        scaled = scaled_burst(burst, standing)
        assert 1 <= scaled <= scaled_burst(burst + more, standing + higher)
        interval = scaled_interval_us(burst, standing)
        assert interval <= scaled_interval_us(burst + more, standing)
        assert interval >= scaled_interval_us(burst, standing + higher) >= 1

    @fast
    @given(rate=rates(), standing=st.integers(1, 1000))
    def test_a_person_reads_no_more_than_there_is(
        self, rate: Rate, standing: int
    ) -> None:
        """Whole units, rounded down; of small limits, one in a longer time."""
        shown = scaled_rate(rate, standing)
        assert shown.count * to_us(rate.period) * WHOLE <= (
            rate.count * standing * to_us(shown.period) + rate.count * standing
        )

    @pytest.mark.parametrize(
        ("rate", "standing", "shown"),
        [
            ("50/7d", 100, "50/1w"),
            ("50/7d", 30, "15/1w"),
            ("15/7d", 50, "7/1w"),
            ("15/7d", 200, "30/1w"),
            ("1/1d", 10, "1/10d"),
            ("3/1d", 20, "1/40h"),
        ],
    )
    def test_it_reads_as_a_rate(self, rate: str, standing: int, shown: str) -> None:
        """In the form in which an operator writes it."""
        assert str(scaled_rate(Rate.parse(rate), standing)) == shown

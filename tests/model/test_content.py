"""What a customer has mailed lately, by the model that judges the server's script."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.strategies import fast
from outgate.model.content import (
    FEW,
    HOUR_US,
    HOURS_KEPT,
    PEOPLE_MAX,
    PLACES,
    Contents,
)

NOW_US = 500_000 * HOUR_US
DAY_US = 24 * HOUR_US
BURST, SHARE = 9, 60


def bands(*numbers: int) -> tuple[bytes, ...]:
    given_ones = numbers if len(numbers) == 12 else numbers * 12
    return tuple(b"%d" % number for number in given_ones)


def people(count: int, first: int = 0) -> list[bytes]:
    return [
        (number * 0x9E3779B1 % 2**32).to_bytes(4, "big")
        for number in range(first + 1, first + count + 1)
    ]


def reached(contents: Contents, *numbers: int, now_us: int = NOW_US) -> int:
    entry = contents.find(bands(*numbers), now_us)
    return entry.reached() if entry is not None else 0


def mail(
    contents: Contents,
    *numbers: int,
    count: int = 1,
    first: int = 0,
    strangers: int = 0,
    now_us: int = NOW_US,
) -> None:
    contents.remember(bands(*numbers), people(count, first), strangers, now_us, DAY_US)


class TestFind:
    """Which messages belong together."""

    @pytest.mark.parametrize("place", range(12))
    def test_one_band_at_its_place_will_do(self, place: int) -> None:
        """And none elsewhere."""
        contents = Contents()
        mail(contents, *range(12))
        other = [99] * 12
        other[place] = place
        assert reached(contents, *other) == 1
        other[place] = (place + 1) % 12
        assert reached(contents, *other) == 0

    def test_the_first_band_wins_where_two_contents_match(self) -> None:
        """Whichever was used last."""
        contents = Contents()
        mail(contents, *[1] * 6, *[2] * 6, count=2)
        mail(contents, *[3] * 12, count=3)
        assert reached(contents, *[1] * 6, *[3] * 6) == 2

    def test_thirty_days_after_its_last_use_it_is_gone(self) -> None:
        """To the hour, however often others are used."""
        contents = Contents()
        mail(contents, 1)
        for day in range(1, 31):
            mail(contents, 2, now_us=NOW_US + day * DAY_US)
        last_us = NOW_US + HOURS_KEPT * HOUR_US
        assert reached(contents, 1, now_us=last_us) == 1
        assert reached(contents, 1, now_us=last_us + HOUR_US) == 0
        assert len(contents.entries) == 1


class TestRoom:
    """64 contents."""

    def test_the_least_recently_used_makes_room(self) -> None:
        """Use keeps a content."""
        contents = Contents()
        for number in range(PLACES):
            mail(contents, number)
        mail(contents, 0, first=1)
        mail(contents, PLACES)
        assert reached(contents, 0) == 2
        assert reached(contents, 1) == 0
        assert len(contents.entries) == PLACES

    @pytest.mark.parametrize(
        ("reached_before", "decoys", "kept"),
        [
            (FEW + 1, 0, True),
            (FEW + 1, FEW, True),
            (FEW + 1, FEW + 1, False),
            (47, 23, True),
            (47, 24, False),
            (1_000, 191, True),
            (1_000, 192, False),
        ],
    )
    def test_few_strangers_make_room_first(
        self, reached_before: int, decoys: int, kept: bool
    ) -> None:
        """By powers of two; how many known people a mailing reached is no matter."""
        contents = Contents()
        mail(contents, 0, count=50, strangers=reached_before)
        for number in range(1, 200):
            mail(contents, number, count=50, strangers=decoys)
        assert (reached(contents, 0) > 0) is kept


class TestFits:
    """How many strangers one content may reach."""

    def fits(self, contents: Contents, count: int, strangers: int) -> bool:
        return contents.fits(
            bands(1), people(count, 900), strangers, BURST, SHARE, NOW_US, DAY_US
        )

    @pytest.mark.parametrize(
        ("before", "count", "strangers", "fits"),
        [
            ((0, 0), 9, 9, True),
            ((0, 0), 10, 10, False),
            ((9, 9), 1, 1, False),
            ((9, 9), 50, 0, True),
            ((8, 8), 1, 1, True),
            ((4, 0), 6, 6, True),
            ((4, 0), 7, 7, True),
            ((8, 0), 12, 12, True),
            ((8, 0), 13, 13, False),
            ((40, 9), 15, 15, True),
        ],
    )
    def test_the_burst_or_less_than_the_share(
        self, before: tuple[int, int], count: int, strangers: int, fits: bool
    ) -> None:
        """60 of 100 that it ever reached; known readers always."""
        contents = Contents()
        if before[0]:
            mail(contents, 1, count=before[0], strangers=before[1])
        assert self.fits(contents, count, strangers) is fits

    def test_strangers_drain(self) -> None:
        """Beyond letters: what five people had is counted until it is forgotten."""
        for count, later in ((FEW, FEW), (FEW + 1, 0)):
            contents = Contents()
            mail(contents, 1, count=count, strangers=count)
            (entry,) = contents.entries
            assert entry.strangers(NOW_US, DAY_US) == count
            assert entry.strangers(NOW_US + 20 * DAY_US, DAY_US) == later

    def test_another_rate_keeps_what_was_counted(self) -> None:
        """Seven of seven a week are seven of seventy."""
        contents = Contents()
        mail(contents, 1, count=7, strangers=7)
        (entry,) = contents.entries
        assert entry.strangers(NOW_US, DAY_US // 10) == 7


class TestReached:
    """How many people had it."""

    def test_each_counts_once(self) -> None:
        """However many copies they got."""
        contents = Contents()
        mail(contents, 1, count=5)
        mail(contents, 1, count=5, first=3)
        assert reached(contents, 1) == 8

    @pytest.mark.parametrize("count", [PEOPLE_MAX, 300, 20_000])
    def test_many_are_sampled(self, count: int) -> None:
        """Within four standard errors of 15 %; few are exact."""
        contents = Contents()
        mail(contents, 1, count=count)
        (entry,) = contents.entries
        assert len(entry.people) <= PEOPLE_MAX
        assert abs(entry.reached() - count) <= 0.6 * count * (count > PEOPLE_MAX)


@fast
@given(
    st.lists(
        st.tuples(st.integers(0, 3), st.integers(1, 12), st.integers(0, 20)),
        max_size=8,
    ),
    st.integers(1, 12),
    st.integers(0, 20),
)
def test_what_was_remembered_can_be_forgotten(
    history: list[tuple[int, int, int]], count: int, first: int
) -> None:
    """All but that it was asked about: the content counts as used."""
    contents, same = Contents(), Contents()
    for number, size, start in history:
        for one in (contents, same):
            mail(one, number, count=size, first=start, strangers=size)
    added = contents.remember(bands(1), people(count, first), 2, NOW_US, DAY_US)
    contents.forget(bands(1), added, 2, NOW_US, DAY_US)

    def told(one: Contents) -> list[tuple[object, ...]]:
        return sorted(
            (entry.bands, entry.people, entry.ever, entry.strangers(NOW_US, DAY_US))
            for entry in one.entries
        )

    assert told(contents) == told(same)

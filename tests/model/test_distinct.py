"""Different ones in a sliding window, by the model that judges the server's script."""

from hashlib import blake2b

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from model.strategies import fast
from outgate.model.distinct import (
    EXACT_MAX,
    NEVER,
    SLICES,
    Window,
    add,
    is_sampled,
    news,
    prune,
    remove,
    rescale,
    retry_after_us,
    slice_of,
)

DAY_US = 86_400_000_000
NOW_US = 1_795_500_000_123_457
windows_us = st.sampled_from([256, 1_000_003, 3_600_000_000, DAY_US, 30 * DAY_US])


def some(count: int, first: int = 0) -> list[bytes]:
    return [
        blake2b(b"%d" % number, digest_size=4).digest()
        for number in range(first, first + count)
    ]


@fast
@given(
    windows_us,
    st.lists(st.tuples(st.integers(0, 999), st.integers(0, 20)), max_size=40),
)
def test_it_counts_what_was_used_within_the_window(
    window_us: int, history: list[tuple[int, int]]
) -> None:
    """All of it, and at most a slice more."""
    window, now_us = Window(), NOW_US
    used: dict[bytes, int] = {}
    for wait, number in history:
        now_us += wait * window_us // 1000
        (item,) = some(1, number)
        prune(window, now_us, window_us)
        add(window, [item], now_us, window_us)
        used[item] = now_us
        ages_us = [now_us - moment for moment in used.values()]
        least = sum(age <= window_us for age in ages_us)
        most = sum(age <= window_us + window_us / SLICES + 1 for age in ages_us)
        assert least <= window.count() <= most


@fast
@given(st.permutations(range(30)))
def test_the_order_of_arrival_does_not_matter(order: list[int]) -> None:
    """They are different ones, whoever comes first."""
    window = Window()
    for number in order:
        add(window, some(1, number), NOW_US, DAY_US)
    assert window.count() == 30
    assert news(window, some(31)) == some(1, 30)


@pytest.mark.parametrize("number", [EXACT_MAX, EXACT_MAX + 1, 5_000, 60_000])
def test_it_is_exact_first_and_then_about_right(number: int) -> None:
    """Within four standard errors."""
    window = Window()
    add(window, some(number), NOW_US, DAY_US)
    if number <= EXACT_MAX:
        assert window.count() == number
    assert abs(window.count() - number) <= 4 * 1.2 / EXACT_MAX**0.5 * number
    assert len(window.slices) <= EXACT_MAX


@pytest.mark.parametrize("depth", range(0, 33, 4))
def test_one_in_two_to_the_depth_is_sampled(depth: int) -> None:
    """By all bits of the hash, so that thinning out always comes to an end."""
    assert is_sampled((1 << depth & 0xFFFFFFFF).to_bytes(4, "big"), depth)
    assert is_sampled(bytes(4), depth)
    if depth:
        assert not is_sampled((1 << depth - 1).to_bytes(4, "big"), depth)


@fast
@given(
    windows_us,
    st.lists(st.tuples(st.integers(0, 300), st.integers(0, 9)), max_size=12),
    st.frozensets(st.integers(0, 12), min_size=1, max_size=6),
    st.integers(1, 8),
)
@example(1_000_003, [(91, 0), (223, 2)], frozenset({12}), 1)
def test_there_is_room_after_retry_after(
    window_us: int,
    history: list[tuple[int, int]],
    message: frozenset[int],
    limit: int,
) -> None:
    """Exactly then, where there ever is; and not before."""
    window, now_us = Window(), NOW_US
    for wait, number in history:
        now_us += wait * window_us // 1000
        prune(window, now_us, window_us)
        add(window, some(1, number), now_us, window_us)
    items = [one for number in sorted(message) for one in some(1, number)]
    retry_us = retry_after_us(window, items, limit, now_us, window_us)

    assert (retry_us == NEVER) is (len(items) > limit)
    if retry_us > 1:
        prune(window, now_us + retry_us - 1, window_us)
        still = retry_after_us(window, items, limit, now_us + retry_us - 1, window_us)
        assert still == 1
    if retry_us > 0:
        prune(window, now_us + retry_us, window_us)
        assert not retry_after_us(window, items, limit, now_us + retry_us, window_us)


def test_what_was_added_can_be_taken_out() -> None:
    """And what was there before stays."""
    window = Window()
    add(window, some(3), NOW_US, DAY_US)
    added = news(window, some(4, 2))
    add(window, some(4, 2), NOW_US, DAY_US)
    remove(window, added)
    assert set(window.slices) == set(some(3))
    remove(window, some(3))
    assert window == Window()


@fast
@given(windows_us, windows_us, st.lists(st.integers(0, 400), max_size=8))
def test_another_window_keeps_what_is_young_enough(
    counted_us: int, window_us: int, waits: list[int]
) -> None:
    """Nothing is forgotten early, and nothing is younger than a slice too much."""
    window, now_us = Window(), NOW_US
    used: dict[bytes, int] = {}
    for number, wait in enumerate(waits):
        now_us += wait * counted_us // 1000
        prune(window, now_us, counted_us)
        add(window, some(1, number), now_us, counted_us)
        used |= dict.fromkeys(some(1, number), now_us)
    before = set(window.slices)
    rescale(window, counted_us, window_us, now_us)
    for item in before:
        age_us = now_us - used[item]
        if age_us <= window_us:
            assert item in window.slices
        if age_us > window_us + (window_us + counted_us) / SLICES + 2:
            assert item not in window.slices
    assert all(moved <= slice_of(now_us, window_us) for moved in window.slices.values())

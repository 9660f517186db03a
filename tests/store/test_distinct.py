"""Different ones in a sliding window, on a real server and as the twin has them."""

import struct
from dataclasses import dataclass
from time import monotonic

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from outgate.model import distinct
from outgate.model.distinct import EXACT_MAX, NEVER, SLICES, Window
from outgate.model.gcra import Level
from outgate.policy.questions import Answers
from outgate.store.counters import Counters
from outgate.store.erasure import Kind
from outgate.store.hashes import Hashes
from outgate.store.keys import Keys
from store.builders import ANNE, DAY_US, START_US, Clock, a_plan, of_different
from store.running import SECRET, Store, fast, new_keys

_HEAD = 9
_HOUR_US = DAY_US // 24
_HASHES = Hashes(SECRET)


@dataclass(frozen=True)
class Step:
    """One message.

    Attributes:
        wait: parts of the window that pass before it, in thousandths.
        items: what it has.
        limit: how many different ones there may be.
        undone: whether it is not let out after all.
        commit: whether it is charged, or only looked at.
        erased: what is erased after it, where it was charged; None for nothing.
    """

    wait: int
    items: frozenset[int]
    limit: int
    undone: bool
    commit: bool
    erased: int | None


_STEPS = st.builds(
    Step,
    wait=st.one_of(st.just(0), st.integers(0, 30), st.integers(0, 1200)),
    items=st.frozensets(st.integers(0, 12), min_size=1, max_size=6),
    limit=st.integers(1, 9),
    undone=st.booleans(),
    commit=st.sampled_from([True, True, True, False]),
    erased=st.one_of(st.none(), st.integers(0, 12)),
)


@fast
@given(
    window_us=st.sampled_from([7_000_003, _HOUR_US, DAY_US, 30 * DAY_US]),
    steps=st.lists(_STEPS, min_size=1, max_size=15),
)
def test_the_scripts_say_what_the_twin_says(
    store: Store, window_us: int, steps: list[Step]
) -> None:
    """Any history: the same numbers, the same records in the same order."""
    keys, clock = new_keys(), Clock()
    counters = store.counters(keys, clock)
    twin = Window()
    started_s = monotonic()
    for number, step in enumerate(steps):
        clock.now_us += step.wait * window_us // 1000
        items = [f"item {item}" for item in sorted(step.items)]
        hashes = [_HASHES.item(item) for item in items]
        plan = a_plan(
            of_different(*items, window_us=window_us, limit=step.limit),
            message=b"%d" % number,
        )
        before = stored(store, keys)
        distinct.prune(twin, clock.now_us, window_us)
        retry_us = distinct.retry_after_us(
            twin, hashes, step.limit, clock.now_us, window_us
        )
        added = distinct.news(twin, hashes)
        used = twin.count() + (0 if retry_us else len(added))

        answers = counters.look_up(plan, commit=step.commit)

        # Redis expires keys in real time; a window of seven seconds may end.
        assume(monotonic() - started_s < 1)
        assert answers.levels == [Level(not retry_us, used, retry_us, b"".join(added))]
        assert answers.allowed is not bool(retry_us)
        if not step.commit or retry_us:
            assert stored(store, keys) == before
            continue
        distinct.add(twin, hashes, clock.now_us, window_us)
        assert stored(store, keys) == records(twin)
        if step.undone:
            counters.settle(plan, answers, held_bytes=0)
            distinct.remove(twin, added)
            assert stored(store, keys) == records(twin)
        if step.erased is not None:
            one = _HASHES.item(f"item {step.erased}")
            store.erase(
                Kind.DISTINCT, keys.distinct(ANNE, "different-daily", ANNE), one
            )
            distinct.remove(twin, [one])
            assert stored(store, keys) == records(twin)


def records(window: Window) -> tuple[int, list[tuple[bytes, int]]]:
    """What the server should keep of a window."""
    return window.depth, [(item, used % 65536) for item, used in window.slices.items()]


def stored(
    store: Store, keys: Keys, name: str = "different-daily"
) -> tuple[int, list[tuple[bytes, int]]]:
    """Depth, and hash and slice of each record; nothing where there is no key."""
    value = store.ask("GET", keys.distinct(ANNE, name, ANNE))
    if not value:
        return 0, []
    return value[0], [
        struct.unpack_from(">4sH", value, at) for at in range(_HEAD, len(value), 6)
    ]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def counters(store: Store, keys: Keys, clock: Clock) -> Counters:
    return store.counters(keys, clock)


def count(
    counters: Counters,
    *items: str,
    limit: int = 1_000_000,
    window_us: int = DAY_US,
    commit: bool = True,
) -> Level:
    """Send one message with these; gives what the counter said."""
    plan = a_plan(of_different(*items, limit=limit, window_us=window_us))
    (level,) = counters.look_up(plan, commit=commit).levels
    return level


def many(number: int, first: int = 0) -> list[str]:
    return [f"item {item}" for item in range(first, first + number)]


def test_it_is_exact_up_to_1024(counters: Counters) -> None:
    """However often each of them comes."""
    for first in range(0, EXACT_MAX, 128):
        items = many(128, first)
        assert count(counters, *items).used == first + 128
        assert count(counters, *items).used == first + 128
    assert count(counters, *many(EXACT_MAX)).used == EXACT_MAX


@pytest.mark.parametrize("number", [1_500, 5_000, 40_000])
def test_beyond_it_is_about_right(counters: Counters, number: int) -> None:
    """Within four standard errors of 3.75 %, in one message or in many."""
    items = many(number)
    for first in range(0, number, 500):
        count(counters, *items[first : first + 500])

    used = count(counters, items[0]).used

    assert abs(used - number) <= 4 * 1.2 / EXACT_MAX**0.5 * number
    assert abs(count(counters, *items).used - used) <= used * 0.01


@fast
@given(order=st.permutations(range(40)), cut=st.integers(1, 39))
def test_the_order_of_arrival_does_not_matter(
    store: Store, order: list[int], cut: int
) -> None:
    """Nor into how many messages they are parted."""
    counters = store.counters(new_keys(), Clock())
    items = [f"item {item}" for item in order]
    count(counters, *items[:cut])
    assert count(counters, *items[cut:]).used == 40


@pytest.mark.parametrize("window_us", [_HOUR_US, 7_000_003, 30 * DAY_US])
@pytest.mark.parametrize("offset", [0, 1, 99, 500, 999])
def test_nothing_ages_out_early_and_at_most_a_slice_late(
    counters: Counters, clock: Clock, window_us: int, offset: int
) -> None:
    """Wherever in its slice something was counted."""
    length = window_us / SLICES
    clock.now_us += int(length * offset / 1000)
    count(counters, "early", window_us=window_us)
    clock.now_us += window_us - 1
    assert count(counters, "late", window_us=window_us, commit=False).used == 2
    clock.now_us += int(length) + 2
    assert count(counters, "late", window_us=window_us, commit=False).used == 1


def test_what_is_used_again_stays(counters: Counters, clock: Clock) -> None:
    """A correspondent of every day counts as one, and never ages out."""
    for _ in range(10):
        assert count(counters, "friend", limit=1).fits
        clock.now_us += DAY_US // 3
    assert count(counters, "friend", "stranger", limit=1).retry_after_us == NEVER


def test_there_is_room_after_retry_after(counters: Counters, clock: Clock) -> None:
    """Exactly then; also where this message uses the oldest one itself."""
    for item in ("oldest", "older", "old"):
        count(counters, item)
        clock.now_us += DAY_US // 10
    level = count(counters, "oldest", "new", limit=3)

    assert not level.fits
    clock.now_us += level.retry_after_us - 1
    assert not count(counters, "oldest", "new", limit=3, commit=False).fits
    clock.now_us += 1
    assert count(counters, "oldest", "new", limit=3).fits


def test_a_clock_that_went_back_frees_nothing(counters: Counters, clock: Clock) -> None:
    """Another server takes over whose clock is behind: what was used stays used."""
    count(counters, "one", "two", window_us=_HOUR_US)
    clock.now_us -= 60_000_000
    assert count(counters, "three", window_us=_HOUR_US).used == 3


class TestAnotherWindow:
    """A limit that gets another time keeps what it counted."""

    def test_what_is_young_enough_stays(self, counters: Counters, clock: Clock) -> None:
        """Each is as old in the new window as it was in the old."""
        count(counters, "in the morning", window_us=DAY_US)
        clock.now_us += DAY_US // 2
        count(counters, "at noon", window_us=DAY_US)

        assert count(counters, "now", window_us=_HOUR_US, commit=False).used == 2
        assert count(counters, "now", window_us=30 * DAY_US).used == 3
        clock.now_us += 2 * DAY_US
        assert count(counters, "later", window_us=30 * DAY_US).used == 4

    @fast
    @given(
        waits=st.lists(st.integers(0, 400), min_size=1, max_size=8),
        other_us=st.sampled_from([_HOUR_US, 7 * DAY_US, 30 * DAY_US]),
    )
    def test_it_is_as_the_twin_says(
        self, store: Store, waits: list[int], other_us: int
    ) -> None:
        """Whatever is how old."""
        keys, clock = new_keys(), Clock()
        counters = store.counters(keys, clock)
        twin = Window()
        for number, wait in enumerate(waits):
            clock.now_us += wait * DAY_US // 1000
            item = f"item {number}"
            count(counters, item)
            distinct.prune(twin, clock.now_us, DAY_US)
            distinct.add(twin, [_HASHES.item(item)], clock.now_us, DAY_US)

        count(counters, "now", window_us=other_us)
        distinct.rescale(twin, DAY_US, other_us, clock.now_us)
        distinct.add(twin, [_HASHES.item("now")], clock.now_us, other_us)

        assert stored(store, keys) == records(twin)


def test_its_key_outlives_the_window_by_little(
    counters: Counters, store: Store, keys: Keys
) -> None:
    """Two slices more: long enough for the latest record to age out by itself."""
    count(counters, "one")
    left_ms = int(store.ask("PTTL", keys.distinct(ANNE, "different-daily", ANNE)))
    assert 0 < left_ms - DAY_US // 1000 * 257 / 256 <= DAY_US // 1000 / 256


def test_giving_back_leaves_what_was_there(
    counters: Counters, store: Store, keys: Keys
) -> None:
    """Only what this message added goes; a key with nothing in it goes, too."""
    charge = of_different("one", "two")
    answers = counters.look_up(a_plan(charge))
    second = a_plan(of_different("two", "three"))
    counters.settle(second, counters.look_up(second), held_bytes=0)
    assert count(counters, "one", commit=False).used == 2

    counters.settle(a_plan(charge), answers, held_bytes=0)
    assert not store.ask("EXISTS", keys.distinct(ANNE, "different-daily", ANNE))


def test_a_full_counter_charges_nothing_else(
    counters: Counters, store: Store, keys: Keys
) -> None:
    """Neither the other counter nor the contacts learn of a refused message."""
    people = ("bart@example.net", "cora@example.net")
    plan = a_plan(
        of_different("one", name="roomy"),
        of_different("one", "two", name="full", limit=1),
        people=people,
    )
    answers = counters.look_up(plan)

    assert not answers.allowed
    assert [level.fits for level in answers.levels] == [True, False]
    assert [level.used for level in answers.levels] == [0, 0]
    assert store.names(keys) == {f"seen:{{{ANNE}}}:{counters.retry_id(plan)}"}


@pytest.mark.parametrize("value", ["", "x", "empty, please", "a much longer sentence"])
def test_somebody_elses_value_is_an_empty_counter(
    counters: Counters, store: Store, keys: Keys, value: str
) -> None:
    """What on-call set to a word counts from nothing, and is mended."""
    store.ask("SET", keys.distinct(ANNE, "different-daily", ANNE), value)

    assert count(counters, "one").used == 1
    assert count(counters, "two").used == 2


def test_two_gates_count_as_one(store: Store, keys: Keys) -> None:
    """What one MTA let out, the other knows."""
    here, there = store.counters(keys, Clock()), store.counters(keys, Clock())
    count(here, *many(6), limit=10)
    answers: Answers = there.look_up(a_plan(of_different(*many(6, 3), limit=9)))

    assert (answers.allowed, answers.levels[0].used) == (True, 9)
    assert not count(here, "one more", limit=9).fits
    assert answers.now_us == START_US

"""What somebody sends on a busy day, by experience."""

import math
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outgate.model.contacts import WEEK_US
from outgate.store.counters import Counters
from outgate.store.keys import Keys
from store.builders import ANNE, DAY_US, START_US, Clock, a_plan, some_people
from store.running import Store, fast, new_keys

_FADING = 0.95
# The first day of a week of contacts: whoever is mailed is new once in it.
_MONDAY_US = START_US // WEEK_US * WEEK_US


@pytest.fixture
def clock() -> Clock:
    return Clock(_MONDAY_US)


@pytest.fixture
def counters(store: Store, keys: Keys, clock: Clock) -> Counters:
    return store.counters(keys, clock)


@fast
@given(
    st.lists(
        st.tuples(st.integers(0, 40), st.integers(1, 40), st.booleans()),
        min_size=1,
        max_size=12,
    )
)
def test_it_is_the_busiest_day_and_it_fades(
    store: Store, history: list[tuple[int, int, bool]]
) -> None:
    """Any days, any numbers; what did not leave does not count."""
    clock = Clock()
    counters = store.counters(new_keys(), clock)
    day, today, peak, first = 0, 0, 0.0, 0
    for wait, number, undone in history:
        clock.now_us += wait * DAY_US
        plan = a_plan(people=some_people(number, first))
        first += number
        if clock.now_us // DAY_US > day:
            peak = max(peak, today) * _FADING ** (clock.now_us // DAY_US - day)
            day, today = clock.now_us // DAY_US, 0

        answers = counters.look_up(plan)

        assert (answers.renewed, answers.today) == (number, today)
        assert abs(answers.peak - math.floor(peak)) <= (peak % 1 > 0.999)
        if undone:
            counters.settle(plan, answers, held_bytes=0)
        else:
            today += number


def test_it_halves_in_a_fortnight(counters: Counters, clock: Clock) -> None:
    """A busy day is remembered for weeks, and not for ever."""
    counters.look_up(a_plan(people=some_people(1_000)))
    clock.now_us += 14 * DAY_US
    assert 480 <= counters.look_up(a_plan(people=some_people(1))).peak <= 500
    clock.now_us += 80 * DAY_US
    assert counters.look_up(a_plan(people=some_people(1))).peak <= 10


def test_only_new_ones_of_a_week_count(counters: Counters, clock: Clock) -> None:
    """A machine that tells its operators something every minute is no campaign."""
    counters.look_up(a_plan(people=some_people(3)))
    for _ in range(100):
        answers = counters.look_up(a_plan(people=some_people(3)))
        assert (answers.renewed, answers.today) == (0, 3)
    clock.now_us += DAY_US
    answers = counters.look_up(a_plan(people=some_people(3)))
    assert (answers.renewed, answers.today, answers.peak) == (0, 0, 2)


def test_everyone_has_an_experience_of_their_own(counters: Counters) -> None:
    """Logins of one customer do not excuse one another."""
    counters.look_up(a_plan(people=some_people(300)))
    plan = a_plan(people=some_people(3, first=500))
    plan.principal = "bart"
    assert counters.look_up(plan).today == 0
    assert counters.look_up(a_plan(people=some_people(1))).today == 300


def test_a_registered_list_is_no_experience(
    counters: Counters, store: Store, keys: Keys
) -> None:
    """Its readers are many, and have asked for it."""
    answers = counters.look_up(a_plan(people=some_people(300), subscribed="choir"))
    assert answers.renewed == 0
    assert not store.ask("EXISTS", keys.usual(ANNE, ANNE))


def test_a_clock_that_went_back_forgets_nothing(
    counters: Counters, clock: Clock
) -> None:
    """Another server takes over, and it is yesterday there."""
    counters.look_up(a_plan(people=some_people(300)))
    clock.now_us += DAY_US
    counters.look_up(a_plan(people=some_people(5, first=500)))
    clock.now_us -= DAY_US
    assert counters.look_up(a_plan(people=some_people(1)), commit=False).peak == 285


@pytest.mark.parametrize("value", ["", "a word", "fourteen bytes"])
def test_somebody_elses_value_does_not_stop_mail(
    counters: Counters, store: Store, keys: Keys, value: str
) -> None:
    """Fourteen bytes are taken for what they say, anything else for nothing."""
    store.ask("SET", keys.usual(ANNE, ANNE), value)
    plan = a_plan(people=some_people(1))
    assert counters.look_up(plan).allowed
    assert counters.look_up(plan).today == 1


def test_its_key_is_small_and_ends(
    counters: Counters, store: Store, keys: Keys
) -> None:
    """Fourteen bytes, ninety days."""
    counters.look_up(a_plan(people=some_people(3)))
    name = keys.usual(ANNE, ANNE)
    day, today, peak = struct.unpack(">HId", _binary(store, name))
    assert (day, today, peak) == (_MONDAY_US // DAY_US, 3, 0.0)
    assert 0 <= 90 * 86_400 - int(store.ask("TTL", name)) <= 5


def _binary(store: Store, name: str) -> bytes:
    value = store.ask("GET", name)
    assert isinstance(value, bytes)
    return value

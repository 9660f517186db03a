"""What is promised of all counts, under any history, on a real server."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outgate.model.contacts import WEEK_US, WEEKS_KEPT
from outgate.model.content import HOUR_US, HOURS_KEPT
from outgate.policy.questions import Plan, PlannedCharge
from outgate.store.keys import Keys
from store.builders import (
    DAY_US,
    Clock,
    a_campaign,
    a_message,
    narrowed,
    some_people,
)
from store.dumps import dump
from store.running import Store, fast, new_keys


@fast
@given(
    history=st.lists(
        st.tuples(st.integers(0, 30), st.integers(1, 6), st.integers(0, 200)),
        min_size=1,
        max_size=12,
    ),
    room=st.integers(1, 9),
    more=st.integers(0, 20),
    factor=st.integers(1, 5),
    shorter=st.integers(1, 4),
)
def test_a_raised_limit_stops_nothing_more(
    store: Store,
    history: list[tuple[int, int, int]],
    room: int,
    more: int,
    factor: int,
    shorter: int,
) -> None:
    """More at once, faster, a shorter time: what went under the old one goes."""
    clock = Clock()
    old = store.counters(new_keys(), clock)
    new = store.counters(new_keys(), clock)
    for number, (first, people, wait) in enumerate(history):
        clock.now_us += wait * DAY_US // 50
        plan = a_message(
            number, people=some_people(people, first), room=room, burst=room
        )
        last = number == len(history) - 1
        # The same history in both, until one of the limits is raised.
        allowed = old.look_up(plan).allowed
        if last:
            plan = _raised(plan, more, factor, shorter)
        assert new.look_up(plan).allowed >= allowed


@fast
@given(
    stream=st.lists(
        st.tuples(st.integers(0, 12), st.integers(0, 60)), min_size=1, max_size=25
    ),
    kind=st.sampled_from(["strangers", "different", "content"]),
    room=st.integers(1, 4),
    more=st.integers(1, 4),
)
def test_a_raised_limit_lets_no_less_out(
    store: Store, stream: list[tuple[int, int]], kind: str, room: int, more: int
) -> None:
    """Of any stream of single messages, also where each lets another history begin."""
    left = []
    for limit in (room, room + more):
        clock = Clock()
        counters = store.counters(new_keys(), clock)
        allowed = 0
        for number, (person, wait) in enumerate(stream):
            clock.now_us += wait * DAY_US // 50
            plan = a_message(number, people=some_people(1, person))
            if kind == "content":
                narrow = a_campaign(burst=limit, interval_us=DAY_US // limit, share=0)
                plan = replace(plan, campaign=narrow)
            else:
                plan = narrowed(plan, 1 if kind == "strangers" else 2, burst=limit)
            allowed += counters.look_up(plan).allowed
        left.append(allowed)
    assert left[0] <= left[1]


@fast
@given(
    messages=st.lists(
        st.tuples(st.integers(0, 9), st.integers(1, 5), st.integers(0, 2)),
        min_size=2,
        max_size=8,
    ),
    data=st.data(),
)
def test_the_order_of_arrival_does_not_matter(
    store: Store, messages: list[tuple[int, int, int]], data: st.DataObject
) -> None:
    """Whoever is mailed first: all exact counts are the same in the end."""
    dumps = []
    for order in (messages, data.draw(st.permutations(messages))):
        keys, clock = new_keys(), Clock()
        counters = store.counters(keys, clock)
        for number, (first, people, content) in enumerate(order):
            # Each content has readers of its own: whoever it greets first is its
            # stranger, and no other's.
            readers = some_people(people, first + 100 * content)
            plan = a_message(number, people=readers, content=content)
            assert counters.look_up(plan).allowed
        dumps.append(dump(store, keys, clock.now_us))
    assert dumps[0] == dumps[1]


@pytest.mark.parametrize("people", [1, 7, 600])
def test_no_key_ends_before_what_it_holds(
    store: Store, keys: Keys, people: int
) -> None:
    """Redis forgets by its own clock: never what would still be counted."""
    # Expiry is real time, so no clock is set here.
    counters = store.counters(keys)
    answers = counters.look_up(a_message(1, people=some_people(people)))
    found = dump(store, keys, answers.now_us)

    least_us = found.counters | dict.fromkeys(found.different, 30 * DAY_US)
    for name in store.names(keys):
        kind = name.partition(":")[0]
        needed_us = {
            "contacts": (WEEKS_KEPT + 1) * WEEK_US,
            "content": HOURS_KEPT * HOUR_US,
            "usual": 60 * DAY_US,
        }.get(kind, least_us.get(name, 0))
        left_us = 1_000 * int(store.ask("PTTL", f"{keys.namespace}:{name}"))
        # What has passed since, on a machine that is busy.
        assert left_us > needed_us - 5_000_000, name
        assert needed_us > 0


def _raised(plan: Plan, more: int, factor: int, shorter: int) -> Plan:
    def raised(charge: PlannedCharge) -> PlannedCharge:
        burst = charge.burst + more
        period = charge.rate.period
        if charge.limit.count.is_distinct:
            rate = replace(charge.rate, count=burst, period=period / shorter)
        else:
            rate = replace(charge.rate, period=period / factor)
        return replace(charge, rate=rate, burst=burst)

    assert plan.campaign is not None
    return replace(
        plan,
        charges=[raised(charge) for charge in plan.charges],
        campaign=raised(plan.campaign),
    )

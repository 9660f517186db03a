"""Everything that one look-up counts: charged together, or not at all."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.redis import Flavour, RedisServer
from lab.skips import or_skip
from outgate.policy.questions import Plan
from outgate.store.client import connect
from outgate.store.counters import Counters
from outgate.store.keys import Keys
from outgate.store.wire import Wire
from store.builders import (
    START_US,
    Clock,
    a_campaign,
    a_message,
    a_plan,
    narrowed,
    some_people,
)
from store.dumps import dump
from store.remembered import send_for_a_year, sizes_of
from store.running import SECRET, Store, endpoint, fast, narrow_wire, new_keys


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def counters(store: Store, keys: Keys, clock: Clock) -> Counters:
    return store.counters(keys, clock)


_MESSAGES = st.lists(
    st.tuples(
        st.integers(0, 30),
        st.one_of(st.integers(1, 4), st.integers(1, 60)),
        st.integers(0, 3),
    ),
    max_size=8,
)


@fast
@given(before=_MESSAGES, last=_MESSAGES.filter(bool), crowd=st.sampled_from([0, 480]))
def test_giving_back_restores_what_was_there(
    store: Store,
    before: list[tuple[int, int, int]],
    last: list[tuple[int, int, int]],
    crowd: int,
) -> None:
    """Whatever was sent before, all of a message is taken out again, in any order."""
    keys, clock = new_keys(), Clock()
    counters = store.counters(keys, clock)
    if crowd:
        # The next ones spread the table of contacts over its pages.
        counters.look_up(a_plan(people=some_people(crowd, first=1_000)))
    for number, (first, people, content) in enumerate(before):
        counters.look_up(
            a_message(number, people=some_people(people, first), content=content)
        )
    kept = dump(store, keys, clock.now_us)

    done = []
    for number, (first, people, content) in enumerate(last):
        plan = a_message(
            100 + number, people=some_people(people, first), content=content
        )
        done.append((plan, counters.look_up(plan)))
        assert done[-1][1].allowed
    for plan, answers in reversed(done):
        counters.settle(plan, answers, held_bytes=0)

    restored = dump(store, keys, clock.now_us)
    if any(depth for _, _, depth, _ in restored.contents.values()):
        # Of a sample, what was thrown away does not come back.
        restored.contents = kept.contents
    assert restored == kept


_NARROW: dict[str, Callable[[Plan], Plan]] = {
    "messages": lambda plan: narrowed(plan, 0, burst=0),
    "strangers": lambda plan: narrowed(plan, 1, burst=1),
    "different": lambda plan: narrowed(plan, 2, burst=1),
    "content": lambda plan: replace(plan, campaign=a_campaign(burst=1, share=0)),
}


@pytest.mark.parametrize("narrow", _NARROW)
def test_one_refusal_charges_nothing_anywhere(
    counters: Counters, store: Store, keys: Keys, clock: Clock, narrow: str
) -> None:
    """Whichever it is: no counter, no contact, no content, no usual amount."""
    counters.look_up(a_message(1, people=some_people(2)))
    kept = dump(store, keys, clock.now_us)

    plan = _NARROW[narrow](a_message(2, people=some_people(5, first=9)))
    answers = counters.look_up(plan)

    assert not answers.allowed
    assert answers.stranger_count == 5
    assert dump(store, keys, clock.now_us) == kept
    # And settling it gives nothing back, since nothing was taken.
    counters.settle(plan, answers, held_bytes=0)
    assert dump(store, keys, clock.now_us) == kept


@pytest.mark.parametrize("narrow", _NARROW)
def test_what_does_not_bind_stops_nothing(
    counters: Counters, store: Store, keys: Keys, clock: Clock, narrow: str
) -> None:
    """It is not charged where it does not fit, and gets nothing back."""
    counters.look_up(a_message(1, people=some_people(2)))
    kept = dump(store, keys, clock.now_us)
    plan = _NARROW[narrow](a_message(2, people=some_people(5, first=9)))
    assert plan.campaign is not None
    plan = replace(
        plan,
        charges=[replace(charge, binding=False) for charge in plan.charges],
        campaign=replace(plan.campaign, binding=False),
    )

    answers = counters.look_up(plan)

    assert answers.allowed
    assert answers.spread is not None
    fits = [*(level.fits for level in answers.levels), answers.spread.fits]
    assert fits == [name != narrow for name in _NARROW]
    counters.settle(plan, answers, held_bytes=0)
    assert dump(store, keys, clock.now_us) == kept


def test_looking_changes_nothing(counters: Counters, store: Store, keys: Keys) -> None:
    """`commit=False` writes nothing at all, and answers as if it had charged."""
    counters.look_up(a_message(1, people=some_people(600)))
    plan = a_message(2, people=some_people(9, first=596))
    before = store.writes()
    looked = counters.look_up(plan, commit=False)
    assert store.writes() == before
    assert counters.look_up(plan) == looked


@pytest.mark.parametrize("people", [1, 600])
def test_every_key_ends(
    counters: Counters, store: Store, keys: Keys, people: int
) -> None:
    """Whatever was charged, given back, introduced or met: nothing piles up."""
    plan = a_message(1, people=some_people(people))
    answers = counters.look_up(plan)
    counters.introduce(replace(plan, greeting=False), answers)
    counters.settle(plan, answers, held_bytes=9)
    counters.meet(plan)
    counters.look_up(a_message(2, people=some_people(5, first=9)))

    names = store.names(keys)
    assert len(names) >= 10
    for name in names:
        assert int(store.ask("TTL", f"{keys.namespace}:{name}")) > 0


def test_two_gates_count_as_one(store: Store, keys: Keys) -> None:
    """Two MTAs on one store: each knows what the other let out."""
    wires = [Wire(endpoint(store.server)) for _ in range(2)]
    here, there = (
        Counters(wire, keys, SECRET, test_now_us=lambda: START_US) for wire in wires
    )
    for number in range(6):
        gate = (here, there)[number % 2]
        plan = a_message(
            number, people=some_people(3, first=3 * number), room=18, burst=18
        )
        assert gate.look_up(plan).allowed
    for gate in (here, there):
        answers = gate.look_up(
            a_message(9, people=some_people(19), room=18), commit=False
        )
        assert answers.spread is not None
        assert (answers.stranger_count, answers.today) == (1, 18)
        assert (answers.spread.reached, answers.spread.strangers) == (18, 18)
        assert [level.used for level in answers.levels] == [6, 18, 18]
    for wire in wires:
        wire.close()


@pytest.fixture(params=["redis", "valkey"])
def lasting_server(request: pytest.FixtureRequest) -> Iterator[RedisServer]:
    """A server that keeps an append-only file, as the manual asks."""
    flavour: Flavour = request.param
    with ExitStack() as stack:
        with or_skip():
            server = stack.enter_context(
                RedisServer(
                    flavour, settings={"appendonly": "yes", "appendfsync": "always"}
                )
            )
        yield server


def test_counts_survive_a_restart(lasting_server: RedisServer) -> None:
    """Also one that gave no time for farewells: scripts replicate what they did."""
    keys, clock = Keys("lasting"), Clock()
    target = endpoint(lasting_server)
    wire, client = narrow_wire(target), connect(target)
    store = Store(lasting_server, client, wire)
    counters = store.counters(keys, clock)
    for number in range(3):
        counters.look_up(a_message(number, people=some_people(300, first=300 * number)))
    undone = a_message(9, people=some_people(5, first=2_000))
    counters.settle(undone, counters.look_up(undone), held_bytes=0)
    kept, names = dump(store, keys, clock.now_us), store.names(keys)
    wire.close()
    client.connection_pool.disconnect()

    lasting_server.kill()
    lasting_server.restart()

    wire, client = narrow_wire(target), connect(target)
    store = Store(lasting_server, client, wire)
    counters = store.counters(keys, clock)
    assert store.names(keys) == names
    assert dump(store, keys, clock.now_us) == kept
    answers = counters.look_up(a_message(10, people=some_people(900)), commit=False)
    # Of 900 contacts in 512 pages, hardly one meets another's two bytes.
    assert answers.stranger_count == 0
    assert answers.levels[0].used == 4
    wire.close()
    client.connection_pool.disconnect()


def test_a_year_of_an_ordinary_sender_is_small(
    counters: Counters, store: Store, keys: Keys, clock: Clock
) -> None:
    """50 recipients a day, 400 contacts, a circular each month: 8 KiB in all."""
    send_for_a_year(counters, clock)

    sizes = sizes_of(store, keys)
    assert set(sizes) == {"contacts", "content", "usual", "count", "distinct"}
    assert sizes.total() <= 8 * 1024, dict(sizes)

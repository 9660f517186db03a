"""Counters of this host alone, for as long as the store is away."""

import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outgate.model.gcra import NEVER, Level
from outgate.model.standing import Conduct, Growth
from outgate.policy.questions import Answers, Source
from outgate.store.local import LocalCounters
from store import crowd
from store.builders import (
    ANNE,
    START_US,
    Clock,
    a_charge,
    a_plan,
    of_different,
    of_strangers,
    some_people,
)
from store.running import Store, fast


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "degraded.sqlite3"


@pytest.fixture
def local(path: Path) -> LocalCounters:
    return LocalCounters(path)


def allowed(local: LocalCounters, times: int, *, hosts: int, burst: int) -> int:
    plan = a_plan(a_charge(interval_us=1_000_000, burst=burst))
    return sum(
        local.look_up(plan, START_US, hosts, commit=True).allowed for _ in range(times)
    )


def test_it_counts_as_the_store_does(store: Store, local: LocalCounters) -> None:
    """One host, the same history: the same levels, refusals and waiting times."""
    clock = Clock()
    counters = store.counters(clock=clock)
    for step, cost in enumerate([1, 3, 2, 9, 0, 5, 1, 1]):
        clock.wait(step / 3)
        charges = [a_charge(cost=cost), a_charge(name="second", binding=False)]
        plan = a_plan(*charges, message=b"%d" % step)
        there = counters.look_up(plan)
        here = local.look_up(plan, clock.now_us, 1, commit=True)

        assert (here.allowed, here.levels) == (there.allowed, there.levels)
        assert here.source is Source.LOCAL


def test_all_or_none_are_charged(local: LocalCounters) -> None:
    """Also here, what is refused costs no budget."""
    full, roomy = a_charge(name="full", burst=1), a_charge(name="roomy")
    local.look_up(a_plan(full), START_US, 1, commit=True)
    answers = local.look_up(a_plan(full, roomy), START_US, 1, commit=True)

    assert not answers.allowed
    assert answers.levels == [Level(False, 1, 1_000_000, 1), Level(True, 0, 0, 1)]


def test_looking_charges_nothing(local: LocalCounters) -> None:
    """`commit=False`, as `outgate check` asks."""
    plan = a_plan(a_charge(burst=1))
    for _ in range(3):
        assert local.look_up(plan, START_US, 1, commit=False).allowed


def test_a_settlement_gives_back_what_was_charged(local: LocalCounters) -> None:
    """All that fitted, and nothing where the message was refused."""
    plan = a_plan(a_charge(burst=2, cost=2), a_charge(name="watched", binding=False))
    answers = local.look_up(plan, START_US, 1, commit=True)
    refusal = local.look_up(plan, START_US, 1, commit=True)
    local.settle(plan, refusal, 1)
    assert not local.look_up(plan, START_US, 1, commit=False).allowed

    local.settle(plan, answers, 1)

    assert local.look_up(plan, START_US, 1, commit=True) == answers


def test_a_counter_that_did_not_fit_gets_nothing_back(local: LocalCounters) -> None:
    """A limit in monitor mode that was full stays as full as it was."""
    watched = a_charge(name="watched", burst=1, binding=False)
    local.look_up(a_plan(watched), START_US, 1, commit=True)
    plan = a_plan(watched)
    local.settle(plan, local.look_up(plan, START_US, 1, commit=True), 1)

    assert not local.look_up(plan, START_US, 1, commit=False).levels[0].fits


@pytest.mark.parametrize(
    ("hosts", "burst", "share"),
    [(1, 7, 7), (2, 7, 3), (7, 7, 1), (8, 7, 1), (0, 7, 7), (3, 1, 1)],
)
def test_a_host_grants_its_share(
    local: LocalCounters, hosts: int, burst: int, share: int
) -> None:
    """The limit divided by the hosts, at least one: else small limits were none."""
    assert allowed(local, 10, hosts=hosts, burst=burst) == share


@fast
@given(hosts=st.integers(1, 40), burst=st.integers(1, 1000), hours=st.integers(1, 9))
def test_hosts_together_grant_no_more_than_the_limit(
    hosts: int, burst: int, hours: int
) -> None:
    """At once and over hours, as long as there is a unit for each host."""
    local = LocalCounters(Path(":memory:"))
    plan = a_plan(a_charge(interval_us=3_600_000_000 // burst, burst=burst))
    granted = 0
    for hour in range(hours + 1):
        now_us = START_US + hour * 3_600_000_000
        while local.look_up(plan, now_us, hosts, commit=True).allowed:
            granted += 1
    database = local._database
    assert database is not None
    database.close()
    # Each hour drains 3,600 s by an interval that was rounded down: a tick too many.
    assert granted <= max(1, burst // hosts) * (hours + 1) + hours
    if hosts <= burst:
        assert granted * hosts <= burst * (hours + 1) + hours * hosts


def test_more_hosts_make_waiting_longer(local: LocalCounters) -> None:
    """A share drains as slowly as it is small; what never fits is told as such."""
    plan = a_plan(a_charge(burst=4, cost=2))
    local.look_up(plan, START_US, 2, commit=True)
    assert local.look_up(plan, START_US, 2, commit=True).levels == [
        Level(False, 2, 4_000_000, 2)
    ]
    too_much = a_plan(a_charge(burst=4, cost=3))
    assert local.look_up(too_much, START_US, 2, commit=True).levels == [
        Level(False, 2, NEVER, 3)
    ]


def test_customers_and_limits_have_counters_of_their_own(local: LocalCounters) -> None:
    """As on the server."""
    for customer in ("choir", "orchestra"):
        for name in ("hourly", "daily"):
            for identity in (ANNE, "bart", ""):
                charge = a_charge(name=name, identity=identity, burst=1)
                plan = a_plan(charge, customer=customer)
                assert local.look_up(plan, START_US, 1, commit=True).allowed


def test_the_workers_of_a_host_share_one_limit(path: Path) -> None:
    """Four processes ask 800 times for one of 300: exactly 300 are let out."""
    granted = crowd.run(crowd.charge_locally, path, 4)

    assert sum(granted) == 300


def test_threads_of_a_worker_share_it_too(path: Path) -> None:
    """libmilter calls from many threads."""
    local = LocalCounters(path)
    plan = a_plan(a_charge(burst=50))
    together = threading.Barrier(8)

    def ask(_: int) -> int:
        together.wait()
        answers: list[Answers] = [
            local.look_up(plan, START_US, 1, commit=True) for _ in range(20)
        ]
        return sum(one.allowed for one in answers)

    with ThreadPoolExecutor(8) as threads:
        assert sum(threads.map(ask, range(8))) == 50


def test_a_worker_that_was_killed_leaves_the_counters(path: Path) -> None:
    """What it counted is counted, and its lock is nobody's."""
    first = LocalCounters(path)
    plan = a_plan(a_charge(burst=2))
    first.look_up(plan, START_US, 1, commit=True)
    database = first._database
    assert database is not None
    database.execute("BEGIN IMMEDIATE")
    database.close()

    answers = LocalCounters(path).look_up(plan, START_US, 1, commit=True)

    assert answers.levels == [Level(True, 2, 0, 1)]


def test_a_damaged_file_is_thrown_away(path: Path) -> None:
    """One look-up fails, the next one counts in a new file."""
    path.write_bytes(b"SQLite format 3\0" + b"\xff" * 4000)
    local = LocalCounters(path)
    plan = a_plan(a_charge(burst=1))
    with pytest.raises(sqlite3.DatabaseError):
        local.look_up(plan, START_US, 1, commit=True)

    assert local.look_up(plan, START_US, 1, commit=True).allowed
    assert not local.look_up(plan, START_US, 1, commit=True).allowed


def test_a_lock_that_is_held_too_long_is_an_sqlite_error(
    path: Path, local: LocalCounters
) -> None:
    """A worker that hangs inside: the others give up after a quarter of a second."""
    plan = a_plan(a_charge())
    local.look_up(plan, START_US, 1, commit=True)
    blocker = sqlite3.connect(path, isolation_level=None)
    blocker.execute("BEGIN IMMEDIATE")
    with pytest.raises(sqlite3.OperationalError, match="locked"):
        local.look_up(plan, START_US, 1, commit=True)
    blocker.rollback()

    assert local.look_up(plan, START_US, 1, commit=True).levels[0].used == 2
    blocker.close()


def test_a_transaction_that_fails_leaves_nothing_behind(local: LocalCounters) -> None:
    """The next look-up does not find itself inside of an old one."""
    plan = a_plan(a_charge(), a_charge(name="second"))
    local.look_up(plan, START_US, 1, commit=True)
    database = local._database
    assert database is not None
    database.execute("ALTER TABLE counter RENAME TO away")
    with pytest.raises(sqlite3.Error):
        local.look_up(plan, START_US, 1, commit=True)
    database.execute("ALTER TABLE away RENAME TO counter")

    assert local.look_up(plan, START_US, 1, commit=True).levels[1].used == 2


def test_all_recipients_are_taken_for_strangers(local: LocalCounters) -> None:
    """Nobody here knows whom the customer has mailed."""
    plan = a_plan(of_strangers(burst=5, most=3), people=some_people(3))
    first = local.look_up(plan, START_US, 1, commit=True)
    second = local.look_up(plan, START_US, 1, commit=True)
    assert (first.allowed, second.allowed) == (True, False)
    assert second.levels[0].used == 3


def test_readers_of_a_registered_list_are_not(local: LocalCounters) -> None:
    """Nor does anybody here know who asked for it: the list goes on."""
    plan = a_plan(
        of_strangers(burst=5, most=900),
        a_charge(),
        people=some_people(900),
        subscribed="members.choir.example",
    )
    answers = local.look_up(plan, START_US, 1, commit=True)
    assert (answers.allowed, [level.used for level in answers.levels]) == (True, [0, 1])


def test_different_ones_are_not_counted(local: LocalCounters) -> None:
    """That is the store's alone; it comes back, and knows them still."""
    plan = a_plan(of_different("one", "two", limit=1))
    for _ in range(3):
        answers = local.look_up(plan, START_US, 1, commit=True)
        assert (answers.allowed, answers.levels[0].used) == (True, 0)


class TestHeld:
    """The cap of `[quarantine]` holds while the store is away."""

    def test_messages_and_bytes_are_counted_for_each_customer(
        self, path: Path, local: LocalCounters
    ) -> None:
        """By all workers of the host; the next look-up knows."""
        for size in (100, 23):
            LocalCounters(path).hold("choir", size, START_US)
        local.hold("orchestra", 7, START_US)
        answers = local.look_up(a_plan(customer="choir"), START_US, 1, commit=True)

        assert (answers.held_messages, answers.held_bytes) == (2, 123)
        assert local.held("orchestra", START_US) == (1, 7)
        assert local.held("nobody", START_US) == (0, 0)

    def test_it_is_forgotten_when_the_store_knows(self, local: LocalCounters) -> None:
        """The limits' counters are not: they go on where they were."""
        plan = a_plan(a_charge(burst=1), customer="choir")
        local.look_up(plan, START_US, 1, commit=True)
        local.hold("choir", 100, START_US)
        local.forget_held()

        assert local.held("choir", START_US) == (0, 0)
        assert not local.look_up(plan, START_US, 1, commit=True).allowed

    def test_a_day_after_the_last_one_nothing_is_held(
        self, local: LocalCounters
    ) -> None:
        """A host whose daemon was away when the store came back starts anew."""
        day_us = 86_400_000_000
        for hours in (0, 23, 46):
            local.hold("choir", 100, START_US + hours * day_us // 24)
        later_us = START_US + 46 * day_us // 24

        assert local.held("choir", later_us + day_us - 1) == (3, 300)
        assert local.held("choir", later_us + day_us) == (0, 0)
        local.hold("choir", 100, later_us + day_us)
        assert local.held("choir", later_us + day_us) == (1, 100)

    def test_where_nothing_was_held_there_is_no_file(
        self, path: Path, local: LocalCounters
    ) -> None:
        """Nobody makes one to find it empty."""
        assert local.held("choir", START_US) == (0, 0)
        local.forget_held()
        assert not path.exists()


class TestConduct:
    """Limits that follow conduct, where nobody knows how a customer behaved."""

    @pytest.mark.parametrize(
        ("growth", "room"), [(Growth(20, 300, 1), 2), (Growth(100, 300, 1), 10)]
    )
    def test_everybody_has_the_start_and_never_more_than_the_limit(
        self, local: LocalCounters, growth: Growth, room: int
    ) -> None:
        """All recipients are taken for strangers."""
        earned = replace(of_strangers(burst=10), earned=True)
        plan = a_plan(earned, people=("bart",), conduct=Conduct(growth))
        answers = [local.look_up(plan, START_US, 1, commit=True) for _ in range(12)]
        assert sum(one.allowed for one in answers) == room
        assert answers[-1].standing == growth.start
        local.settle(plan, answers[0], 1)
        assert local.look_up(plan, START_US, 1, commit=False).allowed

    def test_what_does_not_follow_stays(self, local: LocalCounters) -> None:
        """A rate that an operator ordered, and plain numbers."""
        plan = a_plan(
            of_strangers(burst=3),
            a_charge(burst=3),
            people=("bart",),
            conduct=Conduct(Growth(1, 100, 1)),
        )
        allowed = [local.look_up(plan, START_US, 1, commit=True) for _ in range(4)]
        assert [one.allowed for one in allowed] == [True, True, True, False]

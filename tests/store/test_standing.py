"""Limits that follow conduct, on a real server, judged by their twin in Python."""

from dataclasses import dataclass, replace
from typing import Self

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outgate.model.gcra import Charge, check_all, refund, rescale
from outgate.model.standing import (
    MIN_WARM_UP,
    Conduct,
    Growth,
    Record,
    scaled_burst,
    scaled_interval_us,
)
from outgate.policy.questions import Answers, Plan
from outgate.store.charging import ATTEMPTS_TTL_S
from outgate.store.counters import Counters
from outgate.store.keys import Keys
from store.builders import (
    ANNE,
    DAY_US,
    START_US,
    Clock,
    a_campaign,
    a_charge,
    a_plan,
    of_strangers,
    some_bands,
    some_people,
)
from store.running import Store, fast, new_keys

GROWTH = Growth(20, 300, 30 * DAY_US)
_TTL_S = 407 * 86_400


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def counters(store: Store, keys: Keys, clock: Clock) -> Counters:
    return store.counters(keys, clock)


def a_message(
    number: int,
    *people: int,
    conduct: Conduct | None = Conduct(GROWTH),  # noqa: B008 - frozen
    room: int = 10,
    content_room: int = 1_000,
    messages: int = 1_000,
) -> Plan:
    """To these people, against limits that follow conduct and one that does not."""
    names = tuple(some_people(1, one)[0] for one in people)
    return a_plan(
        a_charge(name="messages", interval_us=DAY_US, burst=messages),
        replace(
            of_strangers(burst=room, interval_us=DAY_US // room, most=len(people)),
            earned=conduct is not None,
        ),
        people=names,
        message=b"%d" % number,
        campaign=replace(
            a_campaign(burst=content_room, share=0), earned=conduct is not None
        ),
        bands=some_bands(number),
        conduct=conduct,
    )


def record(store: Store, keys: Keys) -> list[int]:
    """When first seen and when stopped, as the server keeps it."""
    return [int(part) for part in store.ask("GET", keys.standing(ANNE)).split()]


class TestRemembered:
    """What is kept of a customer."""

    def test_nothing_where_nothing_depends_on_it(
        self, counters: Counters, store: Store, keys: Keys
    ) -> None:
        """As it is shipped: no key more than there was."""
        answers = counters.look_up(a_message(1, 1, 2, conduct=None))
        assert answers.standing == 100
        counters.settle(
            a_message(2, 3, conduct=None), answers, held_bytes=0, stopped=True
        )
        assert not store.ask("EXISTS", keys.standing(ANNE))

    def test_the_first_message(
        self, counters: Counters, store: Store, keys: Keys, clock: Clock
    ) -> None:
        """Each later one only prolongs its life."""
        for day in (0, 1, 5):
            clock.now_us = START_US + day * DAY_US
            counters.look_up(a_message(day, 1))
            assert record(store, keys) == [START_US, 0]
            assert _TTL_S - 9 <= int(store.ask("TTL", keys.standing(ANNE))) <= _TTL_S
            store.ask("EXPIRE", keys.standing(ANNE), 60)

    def test_a_message_that_a_limit_stopped(
        self, counters: Counters, store: Store, keys: Keys, clock: Clock
    ) -> None:
        """Whichever limit: the moment of the refusal."""
        counters.look_up(a_message(1, 1))
        clock.wait(5)
        refused = counters.look_up(a_message(2, 2, messages=1))
        assert not refused.allowed
        assert record(store, keys) == [START_US, START_US + 5_000_000]

    def test_a_retry_was_stopped_once(
        self, counters: Counters, store: Store, keys: Keys, clock: Clock
    ) -> None:
        """A queue that offers it for five days does not keep the sender down."""
        for _ in range(3):
            assert not counters.look_up(a_message(1, *range(9))).allowed
            clock.wait(3600)
        assert record(store, keys) == [START_US, START_US]
        # Another message is another matter.
        counters.look_up(a_message(2, *range(9)))
        assert record(store, keys) == [START_US, clock.now_us]

    @pytest.mark.parametrize("by_limit", [True, False])
    def test_a_daily_retry_earns_nothing(
        self,
        counters: Counters,
        store: Store,
        keys: Keys,
        clock: Clock,
        by_limit: bool,
    ) -> None:
        """Five days after its first attempt it is another message."""
        plan = a_message(1, *range(9 if by_limit else 1))
        seen = keys.seen(ANNE, counters.retry_id(plan))

        def stop() -> None:
            answers = counters.look_up(plan)
            assert answers.allowed is not by_limit
            if answers.allowed:
                counters.settle(plan, answers, held_bytes=0, stopped=True)

        stop()
        assert 5 * 86_400 - int(store.ask("TTL", seen)) <= 5
        for day in range(1, 5):
            store.ask("EXPIRE", seen, (5 - day) * 86_400)
            clock.wait(86_400)
            stop()
            assert store.ask("GET", seen) == b"%d" % (day + 1)
            # No attempt makes it live longer.
            assert int(store.ask("TTL", seen)) <= (5 - day) * 86_400
            assert record(store, keys) == [START_US, START_US]
        store.ask("DEL", seen)
        clock.wait(86_400)
        stop()
        assert record(store, keys) == [START_US, clock.now_us]

    def test_a_limit_that_does_not_bind_stops_nothing(
        self, counters: Counters, store: Store, keys: Keys
    ) -> None:
        """A limit in monitor mode, or one that tags."""
        plan = a_message(1, *range(9))
        watched = [replace(charge, binding=False) for charge in plan.charges]
        answers = counters.look_up(replace(plan, charges=watched))
        assert [level.fits for level in answers.levels] == [True, False]
        assert record(store, keys) == [START_US, 0]

    def test_what_an_operator_lets_out_is_not_counted(
        self, counters: Counters, store: Store, keys: Keys
    ) -> None:
        """He answers for it."""
        plan = a_message(1, *range(9), conduct=Conduct(GROWTH, noted=False))
        assert not counters.look_up(plan).allowed
        assert record(store, keys) == [START_US, 0]

    @pytest.mark.parametrize("stopped", [False, True])
    def test_a_message_that_another_rule_stopped(
        self,
        counters: Counters,
        store: Store,
        keys: Keys,
        clock: Clock,
        stopped: bool,
    ) -> None:
        """The charge is given back; whether it counts is said by who settles."""
        plan = a_message(1, 1)
        answers = counters.look_up(plan)
        clock.wait(1)
        counters.settle(plan, answers, held_bytes=0, stopped=stopped)
        stopped_us = clock.now_us if stopped else 0
        assert record(store, keys) == [START_US, stopped_us]
        # And once only.
        clock.wait(1)
        again = counters.look_up(plan)
        counters.settle(plan, again, held_bytes=0, stopped=stopped)
        assert record(store, keys) == [START_US, stopped_us]

    def test_looking_remembers_nothing(
        self, counters: Counters, store: Store, keys: Keys
    ) -> None:
        """`commit=False`: the standing is told as it would be."""
        before = store.writes()
        assert counters.look_up(a_message(1, *range(9)), commit=False).standing == 20
        assert store.writes() == before
        assert not store.ask("EXISTS", keys.standing(ANNE))

    def test_whom_it_mailed_before_tells_an_old_customer(
        self, counters: Counters, clock: Clock
    ) -> None:
        """The day on which an operator begins to warm up makes nobody new."""
        counters.look_up(a_message(1, 1, conduct=None))
        clock.wait(60)
        assert counters.look_up(a_message(2, 2)).standing == 100

    def test_somebody_elses_value_is_none(
        self, counters: Counters, store: Store, keys: Keys
    ) -> None:
        """It is mended."""
        store.ask("SET", keys.standing(ANNE), "trusted, please")
        assert counters.look_up(a_message(1, 1)).standing == 20
        assert record(store, keys) == [START_US, 0]

    def test_meeting_is_no_message(
        self, counters: Counters, store: Store, keys: Keys
    ) -> None:
        """What monitor mode let out all the same was counted when it was judged."""
        counters.look_up(a_message(1, *range(9)))
        before = record(store, keys)
        counters.meet(a_message(1, *range(9)))
        assert record(store, keys) == before


class TestInForce:
    """What of a limit is in force."""

    def test_a_new_customer_has_the_start(self, counters: Counters) -> None:
        """Two of ten strangers at 20 per cent; the third is told how long to wait."""
        answers = counters.look_up(a_message(1, 1, 2))
        assert (answers.standing, answers.allowed) == (20, True)
        refused = counters.look_up(a_message(2, 3))
        assert not refused.allowed
        assert refused.levels[1].retry_after_us == DAY_US // 10 * 5

    def test_good_conduct_makes_room(self, counters: Counters, clock: Clock) -> None:
        """The whole after a month, three times as much after two."""
        counters.look_up(a_message(0, 0))
        for days, room in ((15, 6), (30, 10), (60, 30), (400, 30)):
            clock.now_us = START_US + days * DAY_US
            first = 100 * days
            fitting = a_message(days, *range(first, first + room))
            larger = a_message(days, *range(first, first + room + 1))
            assert not counters.look_up(larger, commit=False).allowed
            assert counters.look_up(fitting, commit=False).allowed

    def test_a_content_follows_too(self, counters: Counters) -> None:
        """Five strangers at 20 per cent are one."""
        plan = a_message(1, 1, 2, content_room=5)
        answers = counters.look_up(plan)
        assert answers.spread is not None
        assert not answers.spread.fits
        one = counters.look_up(a_message(2, 1, content_room=5))
        assert one.allowed

    def test_plain_limits_stay(self, counters: Counters) -> None:
        """They only bound a machine."""
        for number in range(5):
            assert counters.look_up(a_message(number, 1, messages=5)).allowed
        assert not counters.look_up(a_message(9, 1, messages=5)).allowed

    def test_what_does_not_follow_stays(self, counters: Counters) -> None:
        """An operator's order, or a stream: as it was written."""
        plan = a_message(1, *range(10))
        fixed = [replace(charge, earned=False) for charge in plan.charges]
        assert plan.campaign is not None
        answers = counters.look_up(replace(plan, charges=fixed))
        assert (answers.standing, answers.allowed) == (20, True)

    def test_since_when_the_operator_knows_it(self, counters: Counters) -> None:
        """Who came with a good name has it."""
        conduct = Conduct(GROWTH, since_us=START_US - 90 * DAY_US)
        assert counters.look_up(a_message(1, 1, conduct=conduct)).standing == 300


@dataclass(frozen=True)
class Step:
    """One message.

    Attributes:
        wait_us: since the one before.
        strangers: whom it goes to.
        message: which of three it is.
        commit: whether it is charged.
        settled: whether another rule stops it: as a person behaves, or by order.
        growth: in force for it; None where nothing depends on conduct.
        since: days before the first step since which the customer is known, or None.
        noted: whether a refusal counts.
        binding: whether the limit is enforced.
    """

    wait_us: int
    strangers: int
    message: int
    commit: bool
    settled: str
    growth: Growth | None
    since: int | None
    noted: bool
    binding: bool

    def conduct(self) -> Conduct | None:
        if self.growth is None:
            return None
        since_us = 0 if self.since is None else START_US - self.since * DAY_US
        return Conduct(self.growth, since_us, self.noted)


STEPS = st.builds(
    Step,
    wait_us=st.one_of(
        st.integers(0, 3), st.integers(0, 40 * DAY_US), st.just(DAY_US), st.just(0)
    ),
    strangers=st.integers(0, 6),
    message=st.integers(0, 2),
    commit=st.sampled_from([True, True, True, False]),
    settled=st.sampled_from(["", "", "stopped", "ordered"]),
    growth=st.one_of(
        st.just(GROWTH),
        st.none(),
        st.builds(
            Growth,
            st.integers(1, 100),
            st.integers(100, 1000),
            st.integers(60_000_000, 366 * DAY_US),
        ),
    ),
    since=st.one_of(st.none(), st.integers(-3, 300)),
    noted=st.sampled_from([True, True, False]),
    binding=st.sampled_from([True, True, False]),
)


@dataclass
class Twin:
    """What the scripts should say and remember, of one limit on strangers."""

    interval_us: int
    burst: int
    record: Record | None = None
    tat_us: int = 0
    counted_us: int = 0
    contacts: int = 0

    @classmethod
    def of(cls, interval_us: int, burst: int) -> Self:
        return cls(interval_us, burst)

    def look_up(self, step: Step, attempts: int, now_us: int) -> tuple[int, bool]:
        """Standing, and whether it is let out."""
        conduct, record, standing = step.conduct(), self.record, 100
        if conduct is not None:
            record = record or Record.begin(conduct, now_us, known=self.contacts > 0)
            standing = record.standing(conduct, now_us)
        charge = self._charge(step, standing)
        tat_us = rescale(self.tat_us, self.counted_us, charge.interval_us, now_us)
        allowed, (level,), (after_us,) = check_all([tat_us], [charge], now_us)
        if not step.commit:
            return standing, allowed
        if allowed and after_us != tat_us:
            self.tat_us, self.counted_us = after_us, charge.interval_us
        self.contacts += step.strangers if allowed else 0
        if record is not None and conduct is not None:
            if not allowed and not attempts and conduct.noted:
                record.stopped_us = now_us
            self.record = record
        self._fitted = level.fits
        return standing, allowed

    def settle(self, step: Step, standing: int, attempts: int, now_us: int) -> None:
        self.contacts -= step.strangers
        if self._fitted and step.strangers:
            charge = self._charge(step, standing)
            tat_us = rescale(self.tat_us, self.counted_us, charge.interval_us, now_us)
            self.tat_us, self.counted_us = refund(tat_us, charge), charge.interval_us
        if step.settled == "stopped" and not attempts and step.growth is not None:
            assert self.record is not None
            self.record.stopped_us = now_us

    def _charge(self, step: Step, standing: int) -> Charge:
        return Charge(
            scaled_interval_us(self.interval_us, standing),
            scaled_burst(self.burst, standing),
            step.strangers,
            step.binding,
        )


@fast
@given(
    steps=st.lists(STEPS, min_size=1, max_size=10),
    interval_us=st.sampled_from([1_000_000, DAY_US // 7, DAY_US, 3 * DAY_US + 1]),
    burst=st.integers(1, 30),
)
def test_the_scripts_say_what_the_twin_says(
    store: Store, steps: list[Step], interval_us: int, burst: int
) -> None:
    """Any history of conduct: the same standing, the same answers, the same record."""
    keys, clock = new_keys(), Clock()
    counters = store.counters(keys, clock)
    twin = Twin.of(interval_us, burst)
    attempts = [0, 0, 0]
    met = 0
    for step in steps:
        clock.now_us += step.wait_us
        plan = _plan_of(step, interval_us, burst, met)
        answers = counters.look_up(plan, commit=step.commit)
        standing, allowed = twin.look_up(step, attempts[step.message], clock.now_us)
        assert (answers.standing, answers.allowed) == (standing, allowed)
        assert answers.attempts == attempts[step.message]
        if step.commit:
            before = attempts[step.message]
            attempts[step.message] = 0 if allowed else before + 1
            met += step.strangers
            if step.settled and allowed:
                _settle(counters, plan, answers, step)
                twin.settle(step, standing, before, clock.now_us)
                attempts[step.message] = before + 1
        stored = store.ask("GET", keys.standing(ANNE))
        kept = twin.record
        assert stored == (
            None if kept is None else b"%d %d" % (kept.first_us, kept.stopped_us)
        )


def _plan_of(step: Step, interval_us: int, burst: int, met: int) -> Plan:
    """To strangers whom nobody has met, so that their number is known."""
    people = some_people(step.strangers, first=met)
    limit = of_strangers(
        interval_us=interval_us, burst=burst, binding=step.binding, most=len(people)
    )
    return a_plan(
        replace(limit, earned=step.growth is not None),
        people=people,
        message=b"%d" % step.message,
        conduct=step.conduct(),
    )


def _settle(counters: Counters, plan: Plan, answers: Answers, step: Step) -> None:
    counters.settle(plan, answers, held_bytes=0, stopped=step.settled == "stopped")


@fast
@given(
    history=st.lists(
        st.tuples(st.integers(0, 30), st.integers(1, 6), st.integers(0, 200)),
        min_size=1,
        max_size=12,
    ),
    room=st.integers(1, 9),
    more=st.integers(0, 20),
    start=st.integers(1, 100),
    better=st.integers(0, 99),
    most=st.integers(100, 400),
)
def test_raising_a_limit_or_its_bounds_stops_nothing_more(
    store: Store,
    history: list[tuple[int, int, int]],
    room: int,
    more: int,
    start: int,
    better: int,
    most: int,
) -> None:
    """Whatever the standing is: what went under the old limit goes under the new."""
    clock = Clock()
    old = store.counters(new_keys(), clock)
    new = store.counters(new_keys(), clock)
    conduct = Conduct(Growth(start, most, 10 * DAY_US))
    raised = Conduct(Growth(min(100, start + better), most + better, 10 * DAY_US))
    for number, (first, people, wait) in enumerate(history):
        clock.now_us += wait * DAY_US // 50
        plan = after = a_message(
            number,
            *range(first, first + people),
            room=room,
            content_room=room,
            conduct=conduct,
        )
        if number == len(history) - 1:
            after = _raised(plan, more, raised)
        allowed = old.look_up(plan).allowed
        assert new.look_up(after).allowed >= allowed


def _raised(plan: Plan, more: int, conduct: Conduct) -> Plan:
    assert plan.campaign is not None
    return replace(
        plan,
        charges=[replace(one, burst=one.burst + more) for one in plan.charges],
        campaign=replace(plan.campaign, burst=plan.campaign.burst + more),
        conduct=conduct,
    )


def test_no_warm_up_is_over_while_a_retry_counts_once() -> None:
    """Whoever is refused all the time has no more than the limits as they are written."""
    assert MIN_WARM_UP.total_seconds() >= ATTEMPTS_TTL_S

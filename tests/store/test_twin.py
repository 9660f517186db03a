"""charge.lua and settle.lua on a real server, judged by their twin in Python."""

from dataclasses import dataclass, field
from time import monotonic

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from outgate.model.gcra import NEVER, Charge, Level, check_all, refund, rescale
from outgate.policy.questions import Answers, Plan, PlannedCharge
from outgate.store.charging import ATTEMPTS_TTL_S
from outgate.store.counters import Counters
from outgate.store.keys import Keys
from store.builders import ANNE, START_US, Clock, a_charge, a_plan, plain
from store.running import Store, fast, new_keys

# A year of burst is the most that a configuration can ask for.
_YEAR_US = 366 * 86_400 * 1_000_000


@dataclass(frozen=True)
class Limits:
    """Interval, burst and whether it binds, for each of a customer's counters."""

    intervals_us: tuple[int, ...]
    bursts: tuple[int, ...]
    binding: tuple[bool, ...]

    def charges(self, costs: tuple[int, ...], slower: int = 1) -> list[PlannedCharge]:
        return [
            a_charge(
                name=f"limit-{number}",
                interval_us=interval_us * slower,
                burst=burst,
                cost=cost,
                binding=binding,
            )
            for number, (interval_us, burst, binding, cost) in enumerate(
                zip(self.intervals_us, self.bursts, self.binding, costs, strict=True)
            )
        ]


@dataclass(frozen=True)
class Step:
    """One message, and what becomes of it.

    Attributes:
        wait_us: time since the step before.
        costs: of each counter.
        message: which of three messages it is.
        commit: whether it is charged, or only looked at.
        settled: whether it is not let out after all.
        held_bytes: its size if it is held, else 0.
        forgotten: whether the server has meanwhile expired all keys that may expire.
        slower: by which factor an operator slows all limits down for this message.
    """

    wait_us: int
    costs: tuple[int, ...]
    message: int
    commit: bool
    settled: bool
    held_bytes: int
    forgotten: bool
    slower: int


@dataclass(frozen=True)
class History:
    limits: Limits
    steps: list[Step]


@st.composite
def histories(draw: st.DrawFn) -> History:
    """Messages against limits that they meet: waits are of the size of intervals."""
    count = draw(st.integers(1, 4))
    unit_us = draw(st.sampled_from([1, 1_000, 1_000_000, 86_400_000_000]))
    intervals = st.integers(1, 40).map(lambda factor: factor * unit_us + factor % 3)
    limits = Limits(
        tuple(draw(intervals) for _ in range(count)),
        tuple(draw(st.integers(1, 9)) for _ in range(count)),
        tuple(draw(st.booleans()) for _ in range(count)),
    )
    steps = st.builds(
        Step,
        wait_us=st.one_of(
            st.just(0), st.integers(0, 3), st.integers(0, 90).map(unit_us.__mul__)
        ),
        costs=st.tuples(*(st.integers(0, 6) for _ in range(count))),
        message=st.integers(0, 2),
        commit=st.sampled_from([True, True, True, False]),
        settled=st.booleans(),
        held_bytes=st.sampled_from([0, 0, 700]),
        forgotten=st.booleans(),
        slower=st.sampled_from([1, 1, 1, 2, 7]),
    )
    return History(limits, draw(st.lists(steps, min_size=1, max_size=12)))


@dataclass
class Twin:
    """What the scripts should answer and remember."""

    tats_us: list[int]
    counted_us: list[int]
    attempts: dict[int, int] = field(default_factory=dict)
    held: list[int] = field(default_factory=lambda: [0, 0])

    def look_up(self, step: Step, charges: list[Charge], now_us: int) -> Answers:
        tats = self._rescaled(charges, now_us)
        allowed, levels, after = check_all(tats, charges, now_us)
        attempts = self.attempts.get(step.message, 0)
        if step.commit:
            self._write(charges, tats, after)
            self.attempts[step.message] = 0 if allowed else attempts + 1
        return Answers(
            now_us=now_us,
            allowed=allowed,
            levels=levels,
            attempts=attempts,
            held_messages=self.held[0],
            held_bytes=self.held[1],
        )

    def settle(self, step: Step, charges: list[Charge], answers: Answers) -> None:
        if answers.allowed:
            self.attempts[step.message] = answers.attempts + 1
            tats = self._rescaled(charges, answers.now_us)
            after = [
                refund(tat, charge) if level.fits else tat
                for tat, charge, level in zip(
                    tats, charges, answers.levels, strict=True
                )
            ]
            self._write(charges, tats, after)
        if step.held_bytes:
            self.held = [self.held[0] + 1, self.held[1] + step.held_bytes]

    def _rescaled(self, charges: list[Charge], now_us: int) -> list[int]:
        return [
            rescale(tat, counted, charge.interval_us, now_us)
            for tat, counted, charge in zip(
                self.tats_us, self.counted_us, charges, strict=True
            )
        ]

    def _write(
        self, charges: list[Charge], before: list[int], after: list[int]
    ) -> None:
        for number, charge in enumerate(charges):
            if after[number] != before[number]:
                self.tats_us[number] = after[number]
                self.counted_us[number] = charge.interval_us


def _gcra(charges: list[PlannedCharge]) -> list[Charge]:
    return [
        Charge(charge.rate.interval_us, charge.burst, charge.cost, charge.binding)
        for charge in charges
    ]


def _count_keys(keys: Keys, plan: Plan) -> list[str]:
    return [
        keys.count(plan.customer, charge.limit.name, charge.identity)
        for charge in plan.charges
    ]


@fast
@given(history=histories())
def test_the_scripts_say_what_the_twin_says(store: Store, history: History) -> None:
    """Any history: the same answers, the same moments to the microsecond."""
    keys, clock = new_keys(), Clock()
    counters = store.counters(keys, clock)
    count = len(history.limits.bursts)
    twin = Twin([0] * count, [0] * count)
    started_s = monotonic()
    for step in history.steps:
        clock.now_us += step.wait_us
        planned = history.limits.charges(step.costs, step.slower)
        plan = a_plan(*planned, message=b"%d" % step.message)
        names, charges = _count_keys(keys, plan), _gcra(plan.charges)
        if step.forgotten:
            # Redis keeps a key at least until it has drained: see below.
            for name, tat_us in zip(names, twin.tats_us, strict=True):
                if tat_us <= clock.now_us:
                    store.ask("DEL", name)

        answers = counters.look_up(plan, commit=step.commit)
        expected = twin.look_up(step, charges, clock.now_us)
        _assume_no_stall(started_s)
        assert _said(answers) == _said(expected)

        if step.settled and step.commit:
            counters.settle(plan, answers, held_bytes=step.held_bytes)
            twin.settle(step, charges, expected)
        for name, tat_us in zip(names, twin.tats_us, strict=True):
            stored_us = _tat_us(store.ask("GET", name))
            _assume_no_stall(started_s)
            assert max(stored_us, clock.now_us) == max(tat_us, clock.now_us)


def _tat_us(value: bytes | None) -> int:
    return int(value.partition(b" ")[0]) if value else 0


def _assume_no_stall(started_s: float) -> None:
    """Redis expires keys in real time, a second after they have drained."""
    assume(monotonic() - started_s < 1)


def _said(answers: Answers) -> dict[str, object]:
    return {
        name: getattr(answers, name)
        for name in ("now_us", "allowed", "attempts", "held_messages", "held_bytes")
    } | {"levels": plain(answers)}


@fast
@given(
    interval_us=st.integers(1, _YEAR_US),
    burst=st.integers(1, 1_000_000),
    cost=st.integers(0, 1_000_001),
    wait_us=st.integers(0, 1 << 40),
)
def test_numbers_of_any_size_are_exact(
    store: Store, interval_us: int, burst: int, cost: int, wait_us: int
) -> None:
    """From one in a year to one a microsecond: Lua's doubles lose nothing."""
    burst = min(burst, max(1, _YEAR_US // interval_us))
    keys, clock = new_keys(), Clock()
    counters = store.counters(keys, clock)
    charge = a_charge(interval_us=interval_us, burst=burst, cost=cost)
    plan = a_plan(charge)
    tats = [0]
    started_s = monotonic()
    for _ in range(3):
        answers = counters.look_up(plan)
        allowed, levels, tats = check_all(tats, _gcra(plan.charges), clock.now_us)
        stored = store.ask("GET", _count_keys(keys, plan)[0])
        _assume_no_stall(started_s)
        assert (answers.allowed, answers.levels) == (allowed, levels)
        assert stored == (b"%d %d" % (tats[0], interval_us) if tats[0] else None)
        clock.now_us += wait_us


# now in seconds, volume, remaining, reset after, retry after, limited: the cases of
# brandur/redis-cell, src/cell/mod.rs, for 5 at once and then one a second.
_CELL = [
    (0.0, 6, 5, 0.0, -1.0, True),
    (0.0, 1, 4, 1.0, -1.0, False),
    (0.0, 1, 3, 2.0, -1.0, False),
    (0.0, 1, 2, 3.0, -1.0, False),
    (0.0, 1, 1, 4.0, -1.0, False),
    (0.0, 1, 0, 5.0, -1.0, False),
    (0.0, 1, 0, 5.0, 1.0, True),
    (3.0, 1, 2, 3.0, -1.0, False),
    (3.1, 1, 1, 3.9, -1.0, False),
    (4.0, 1, 1, 4.0, -1.0, False),
    (8.0, 1, 4, 1.0, -1.0, False),
    (9.5, 1, 4, 1.0, -1.0, False),
    (9.5, 0, 4, 1.0, -1.0, False),
    (9.5, 2, 2, 3.0, -1.0, False),
    (9.5, 5, 2, 3.0, 3.0, True),
]


def test_the_cases_of_redis_cell_hold(store: Store, keys: Keys) -> None:
    """The published table of another GCRA, row by row."""
    clock = Clock()
    counters = store.counters(keys, clock)
    for second, volume, remaining, reset_after_s, retry_after_s, limited in _CELL:
        clock.now_us = START_US + round(second * 1_000_000)
        plan = a_plan(a_charge(interval_us=1_000_000, burst=5, cost=volume))
        answers = counters.look_up(plan)

        (level,) = answers.levels
        assert answers.allowed is not limited
        assert 5 - level.used == remaining
        # What redis-cell calls -1, "no need to wait" and "no use", are two here.
        no_wait = 0 if level.fits else NEVER
        retry_after_us = round(retry_after_s * 1_000_000) if retry_after_s > 0 else None
        assert level.retry_after_us == (retry_after_us or no_wait)
        tat_us = _tat_us(store.ask("GET", _count_keys(keys, plan)[0])) or clock.now_us
        assert tat_us - clock.now_us == round(reset_after_s * 1_000_000)


def test_another_rate_keeps_what_was_used(store: Store, keys: Keys) -> None:
    """An operator's override helps on the next message, however full the counter is."""
    clock = Clock()
    counters = store.counters(keys, clock)
    hourly = a_charge(interval_us=360_000_000, burst=10)
    for number in range(10):
        assert counters.look_up(a_plan(hourly, message=b"%d" % number)).allowed
    assert not counters.look_up(a_plan(hourly)).allowed

    raised = a_charge(interval_us=60_000_000, burst=60)
    answers = counters.look_up(a_plan(raised))
    lowered = counters.look_up(a_plan(a_charge(interval_us=720_000_000, burst=5)))

    assert (answers.allowed, answers.levels[0].used) == (True, 11)
    assert (lowered.allowed, lowered.levels[0].used) == (False, 11)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def counters(store: Store, keys: Keys, clock: Clock) -> Counters:
    return store.counters(keys, clock)


def test_one_full_counter_keeps_all_others_uncharged(
    counters: Counters, store: Store, keys: Keys
) -> None:
    """Check all, then charge: what is refused costs no budget anywhere."""
    roomy = a_charge(name="roomy", burst=100)
    full = a_charge(name="full", burst=1)
    counters.look_up(a_plan(full, message=b"first"))

    answers = counters.look_up(a_plan(roomy, full))

    assert not answers.allowed
    assert plain(answers) == [Level(True, 0, 0), Level(False, 1, 1_000_000)]
    assert not store.ask("EXISTS", keys.count(ANNE, "roomy", ANNE))


def test_a_limit_that_does_not_bind_stops_nothing(counters: Counters) -> None:
    """A limit in monitor mode reports; it is charged as far as it goes."""
    watched = a_charge(name="watched", burst=1, binding=False)
    counters.look_up(a_plan(watched, message=b"first"))

    answers = counters.look_up(a_plan(watched, a_charge(name="enforced")))

    assert answers.allowed
    assert [level.fits for level in answers.levels] == [False, True]
    assert [level.used for level in answers.levels] == [1, 1]


def test_a_refusal_writes_the_attempt_and_nothing_else(
    counters: Counters, store: Store, keys: Keys
) -> None:
    """One write for the attempt, one for its life time."""
    plan = a_plan(a_charge(cost=6))
    before = store.writes()

    counters.look_up(plan)

    seen = f"seen:{{{ANNE}}}:{counters.retry_id(plan)}"
    assert store.names(keys) == {seen}
    assert store.ask("GET", f"{keys.namespace}:{seen}") == b"1"
    assert store.writes() - before == 2


@pytest.mark.parametrize("cost", [1, 6])
def test_looking_writes_nothing_at_all(
    counters: Counters, store: Store, cost: int
) -> None:
    """`commit=False`: neither charge nor attempt, also where one was noted before."""
    counters.look_up(a_plan(a_charge(cost=6)))
    counters.look_up(a_plan(a_charge(cost=3), message=b"another"))
    before = store.writes()

    answers = counters.look_up(a_plan(a_charge(cost=cost)), commit=False)

    assert answers.allowed is (cost == 1)
    assert answers.attempts == 1
    assert store.writes() == before


def test_every_counter_expires_but_not_before_it_is_empty(
    store: Store, keys: Keys
) -> None:
    """The life time that Redis gives a counter covers what is in it, and a second."""
    counters = store.counters(keys)
    charges = [
        a_charge(name=f"limit-{number}", interval_us=interval_us, burst=9, cost=7)
        for number, interval_us in enumerate([1, 999, 1_000, 1_234_567, 3_600_000_000])
    ]
    plan = a_plan(*charges)

    def check(cost: int) -> None:
        for name, charge in zip(_count_keys(keys, plan), charges, strict=True):
            expires_ms = int(store.ask("PEXPIRETIME", name))
            tat_us = _tat_us(store.ask("GET", name))
            assert tat_us == answers.now_us + cost * charge.rate.interval_us
            assert 0 < expires_ms * 1_000 - tat_us <= 1_001_000

    answers = counters.look_up(plan)
    check(7)
    # Given back in part: the rest has a life time, too.
    for charge in charges:
        charge.cost = 2
    for name in _count_keys(keys, plan):
        store.ask("PERSIST", name)
    counters.settle(plan, answers, held_bytes=0)
    for name, charge in zip(_count_keys(keys, plan), charges, strict=True):
        if store.ask("EXISTS", name):
            assert (
                0 < int(store.ask("PTTL", name)) <= 5 * charge.rate.interval_us + 1001
            )


def test_the_server_says_what_time_it_is(store: Store, keys: Keys) -> None:
    """Without a test's clock it is Redis TIME: one clock for all hosts."""
    counters = store.counters(keys)
    before_us = _time_us(store)
    answers = counters.look_up(a_plan(a_charge(interval_us=3_600_000_000)))
    after_us = _time_us(store)

    assert before_us <= answers.now_us <= after_us
    tat_us = _tat_us(store.ask("GET", keys.count(ANNE, "messages-hourly", ANNE)))
    assert tat_us == answers.now_us + 3_600_000_000


def _time_us(store: Store) -> int:
    seconds, micros = store.ask("TIME")
    return int(seconds) * 1_000_000 + int(micros)


def test_a_refund_makes_room_again(
    counters: Counters, store: Store, keys: Keys
) -> None:
    """What a message did not deserve is given back, to the last microsecond."""
    plan = a_plan(a_charge(burst=2, cost=2))
    answers = counters.look_up(plan)
    assert not counters.look_up(plan, commit=False).allowed

    counters.settle(plan, answers, held_bytes=0)

    assert not store.ask("EXISTS", _count_keys(keys, plan)[0])
    assert counters.look_up(plan).allowed


def test_a_refund_takes_only_what_was_charged(counters: Counters) -> None:
    """A limit that did not fit was not charged, and gets nothing back."""
    watched = a_charge(name="watched", burst=1, binding=False)
    counters.look_up(a_plan(watched, message=b"first"))
    plan = a_plan(watched)
    answers = counters.look_up(plan)

    counters.settle(plan, answers, held_bytes=0)

    assert counters.look_up(plan, commit=False).levels[0].used == 1


def test_a_refund_that_comes_late_gives_no_credit(
    counters: Counters, clock: Clock, store: Store, keys: Keys
) -> None:
    """What has drained meanwhile cannot be given back a second time."""
    plan = a_plan(a_charge(burst=5, cost=3))
    answers = counters.look_up(plan)
    clock.wait(10)

    counters.settle(plan, answers, held_bytes=0)

    assert not store.ask("EXISTS", _count_keys(keys, plan)[0])
    assert counters.look_up(a_plan(a_charge(burst=5, cost=5))).allowed
    assert not counters.look_up(plan).allowed


def test_each_refused_attempt_is_counted(
    counters: Counters, store: Store, keys: Keys
) -> None:
    """A retry finds how often it was tried; another message finds nothing."""
    plan = a_plan(a_charge(cost=6))
    assert [counters.look_up(plan).attempts for _ in range(3)] == [0, 1, 2]
    assert counters.look_up(a_plan(a_charge(), message=b"another")).attempts == 0
    seen = keys.seen(ANNE, counters.retry_id(plan))
    assert 0 < int(store.ask("TTL", seen)) <= ATTEMPTS_TTL_S


def test_an_accepted_message_is_forgotten(
    counters: Counters, store: Store, keys: Keys
) -> None:
    """Attempts excuse nothing once the message was let out."""
    plan = a_plan(a_charge(burst=1))
    counters.look_up(a_plan(a_charge(burst=1), message=b"first"))
    counters.look_up(plan)

    accepted = counters.look_up(a_plan(a_charge(name="roomy")))

    assert (accepted.allowed, accepted.attempts) == (True, 1)
    assert store.ask("GET", keys.seen(ANNE, counters.retry_id(plan))) == b"0"


def test_a_settled_message_is_remembered(counters: Counters) -> None:
    """Refused for another reason: the next try knows that there was one."""
    plan = a_plan(a_charge())
    for attempts in range(3):
        answers = counters.look_up(plan)
        assert answers.attempts == attempts
        counters.settle(plan, answers, held_bytes=0)


def test_settling_a_refusal_counts_the_attempt_once(counters: Counters) -> None:
    """The refusal noted it already; holding the message adds none."""
    plan = a_plan(a_charge(cost=6))
    answers = counters.look_up(plan)
    counters.settle(plan, answers, held_bytes=900)

    again = counters.look_up(plan)

    assert again.attempts == 1
    assert (again.held_messages, again.held_bytes) == (1, 900)


def test_what_is_held_adds_up(counters: Counters) -> None:
    """Messages and bytes of one customer, whatever the limit or the message."""
    for size in (700, 1 << 40):
        plan = a_plan(a_charge(), message=b"%d" % size)
        counters.settle(plan, counters.look_up(plan), held_bytes=size)

    answers = counters.look_up(a_plan())

    assert (answers.held_messages, answers.held_bytes) == (2, 700 + (1 << 40))
    assert counters.look_up(a_plan(customer="bart")).held_messages == 0


def test_a_thousand_limits_are_one_call(
    counters: Counters, store: Store, keys: Keys
) -> None:
    """4,000 arguments and 1,000 keys: all are checked, and all are charged."""
    charges = [a_charge(name=f"limit-{number}", burst=9) for number in range(1_000)]
    plan = a_plan(*charges)

    answers = counters.look_up(plan)

    assert plain(answers) == [Level(True, 1, 0)] * 1_000
    counters.settle(plan, answers, held_bytes=0)
    assert store.names(keys) == {f"seen:{{{ANNE}}}:{counters.retry_id(plan)}"}


def test_a_limit_that_became_smaller_refuses_at_once(counters: Counters) -> None:
    """What was used stays used, also under a smaller limit."""
    hour_us = 3_600_000_000
    counters.look_up(a_plan(a_charge(interval_us=hour_us // 100, burst=100, cost=50)))

    answers = counters.look_up(a_plan(a_charge(interval_us=hour_us // 10, burst=10)))

    # Fifty are used: 41 must drain before one of ten fits again.
    assert plain(answers) == [Level(False, 50, 41 * hour_us // 10)]


def test_somebody_elses_value_is_an_empty_counter(
    counters: Counters, store: Store, keys: Keys
) -> None:
    """A counter that on-call set to a word counts from nothing, and is mended."""
    name = keys.count(ANNE, "messages-hourly", ANNE)
    store.ask("SET", name, "empty, please")

    assert plain(counters.look_up(a_plan(a_charge()))) == [Level(True, 1, 0)]
    assert _tat_us(store.ask("GET", name)) == START_US + 1_000_000

"""The port that policy sees: who answers while the store does not."""

import sqlite3
from collections.abc import Callable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from lab.redis import RedisServer
from outgate.daemon.refusal import Refusal, RefusingBreaker
from outgate.model.errors import (
    ScriptError,
    StoreError,
    StoreRefused,
    StoreTimeout,
    StoreUnavailable,
)
from outgate.model.gcra import Level
from outgate.policy.questions import Answers, Plan, Source
from outgate.policy.snapshot import Snapshot
from outgate.store.breaker import FAILURES, PAUSE_S, Breaker
from outgate.store.counters import Counters
from outgate.store.front import Front, OnFailure
from outgate.store.keys import Keys
from outgate.store.local import LocalCounters
from outgate.store.wire import Endpoint, Wire
from store.builders import ANNE, START_US, Clock, a_charge, a_plan
from store.running import SECRET, Store, endpoint

DIRECTIONS = list(OnFailure)


@dataclass
class Ear:
    """Notes what a watcher hears."""

    failures: list[str] = field(default_factory=list)
    went: list[str] = field(default_factory=list)
    came: int = 0

    def store_failed(self, kind: str, message: str) -> None:
        assert message
        self.failures.append(kind)

    def store_down(self, message: str) -> None:
        self.went.append(message)

    def store_up(self) -> None:
        self.came += 1


class Moody(Counters):
    """Counters that fail as they are told, and count who asks."""

    def __init__(self) -> None:
        super().__init__(Wire(Endpoint(url="unix:///nowhere")), Keys(), SECRET)
        self.mood: StoreError | None = None
        self.asked = 0
        self.settled = 0
        self.noted: list[str] = []

    def look_up(self, plan: Plan, *, commit: bool = True) -> Answers:
        self.asked += 1
        if self.mood is not None:
            raise self.mood
        return Answers(now_us=1, levels=[Level(True, 1, 0)] * len(plan.charges))

    def has_withdrawn(self, customer: str, list_id: str, mailbox: str) -> bool:
        self.asked += 1
        if self.mood is not None:
            raise self.mood
        return True

    def settle(
        self, plan: Plan, answers: Answers, *, held_bytes: int, stopped: bool = False
    ) -> None:
        self.settled += 1
        if self.mood is not None:
            raise self.mood

    def spare(
        self, plan: Plan, answers: Answers, removed: AbstractSet[str], recipients: int
    ) -> None:
        self.noted.append("spare")
        if self.mood is not None:
            raise self.mood

    def introduce(
        self, plan: Plan, answers: Answers, removed: AbstractSet[str] = frozenset()
    ) -> None:
        self.noted.append("introduce")
        if self.mood is not None:
            raise self.mood

    def register(self, plan: Plan, answers: Answers) -> None:
        self.noted.append("register")
        if self.mood is not None:
            raise self.mood

    def meet(self, plan: Plan) -> None:
        self.noted.append("meet")
        if self.mood is not None:
            raise self.mood


@dataclass
class House:
    """A front, and everything around it."""

    path: Path
    counters: Counters = field(default_factory=Moody)
    on_failure: OnFailure = OnFailure.DEGRADED
    hosts: int = 1
    clock: Clock = field(default_factory=Clock)
    ear: Ear = field(default_factory=Ear)
    breaker: Breaker = field(default_factory=Breaker)

    def __post_init__(self) -> None:
        self.local = LocalCounters(self.path)
        self.front = Front(
            self.counters,
            self.local,
            lambda: Snapshot(hosts=self.hosts),
            self.clock,
            self.clock.monotonic_s,
            self.ear,
            self.breaker,
            on_failure=self.on_failure,
        )

    @property
    def moody(self) -> Moody:
        assert isinstance(self.counters, Moody)
        return self.counters

    def fail(self, error: StoreError, times: int = 1) -> list[Answers]:
        self.moody.mood = error
        return [self.front.look_up(a_plan(a_charge())) for _ in range(times)]


@pytest.fixture
def build(tmp_path: Path) -> Callable[..., House]:
    def build_house(**options: object) -> House:
        return House(tmp_path / "degraded.sqlite3", **options)  # type: ignore[arg-type]

    return build_house


GONE = StoreUnavailable("connection refused")


class TestDirections:
    """`[store] on-failure`."""

    def test_degraded_goes_on_counting_here(self, build: Callable[..., House]) -> None:
        """The limit holds on this host, by this host's clock; the trouble is told."""
        house = build()
        answers = house.fail(GONE, times=7)

        assert [one.allowed for one in answers] == [True] * 5 + [False] * 2
        assert {one.source for one in answers} == {Source.LOCAL}
        assert [one.trouble for one in answers[:4]] == ["unavailable"] * 3 + ["down"]
        assert answers[0].now_us == START_US
        assert answers[-1].levels == [Level(False, 5, 1_000_000, 1)]

    @pytest.mark.parametrize(
        ("on_failure", "source"),
        [(OnFailure.ACCEPT, Source.ACCEPT), (OnFailure.DEFER, Source.DEFER)],
    )
    def test_accept_and_defer_count_nothing(
        self, build: Callable[..., House], on_failure: OnFailure, source: Source
    ) -> None:
        """No limit is asked; what happens to the mail is a rule's matter."""
        house = build(on_failure=on_failure)
        answers = house.fail(GONE, times=10)

        assert {one.source for one in answers} == {source}
        assert all(one.allowed and not one.levels for one in answers)
        assert all(one.trouble for one in answers)
        assert not house.path.exists()

    @pytest.mark.parametrize("on_failure", DIRECTIONS)
    def test_a_store_that_answers_is_asked_in_every_direction(
        self, build: Callable[..., House], on_failure: OnFailure
    ) -> None:
        """The direction matters only while the store is away."""
        house = build(on_failure=on_failure)
        answers = house.front.look_up(a_plan(a_charge()))

        assert (answers.source, answers.trouble) == (Source.STORE, "")
        assert (house.ear.failures, house.ear.went, house.ear.came) == ([], [], 0)
        assert not house.front.degraded

    def test_each_host_grants_its_share(self, build: Callable[..., House]) -> None:
        """Three hosts share five: one each here, and nobody gives more than five."""
        house = build(hosts=3)
        assert [one.allowed for one in house.fail(GONE, times=3)] == [
            True,
            False,
            False,
        ]


class TestAtRcpt:
    """`has_withdrawn`: nobody stands in for the store."""

    @pytest.mark.parametrize("on_failure", DIRECTIONS)
    def test_trouble_is_no_answer(
        self, build: Callable[..., House], on_failure: OnFailure
    ) -> None:
        """It is counted, and opens the breaker as that of a look-up does."""
        house = build(on_failure=on_failure)
        assert house.front.has_withdrawn("choir", "news", ANNE) is True
        house.moody.mood = GONE
        told = [
            house.front.has_withdrawn("choir", "news", ANNE)
            for _ in range(FAILURES + 5)
        ]
        assert told == [None] * (FAILURES + 5)
        assert house.moody.asked == 1 + FAILURES
        assert house.ear.went == ["connection refused"]
        house.moody.mood = None
        house.clock.wait(PAUSE_S)
        assert house.front.has_withdrawn("choir", "news", ANNE) is True
        assert house.ear.came == 1


class TestBreaker:
    """Nobody waits twice for a store that does not answer."""

    def test_three_failures_in_a_row_open_it(self, build: Callable[..., House]) -> None:
        """Said once; then, for a second, nobody asks."""
        house = build()
        house.fail(GONE, times=FAILURES - 1)
        assert (house.front.degraded, house.ear.went) == (False, [])
        house.fail(GONE, times=50)
        house.clock.wait(PAUSE_S - 0.001)
        house.fail(GONE, times=50)

        assert house.front.degraded
        assert house.ear.went == ["connection refused"]
        assert house.moody.asked == FAILURES
        asked = [kind for kind in house.ear.failures if kind != "down"]
        assert asked == ["unavailable"] * FAILURES

    def test_an_answer_between_two_failures_starts_the_count_again(
        self, build: Callable[..., House]
    ) -> None:
        """One slow answer is noise."""
        house = build()
        for _ in range(10):
            house.fail(StoreTimeout("no answer"), times=FAILURES - 1)
            house.moody.mood = None
            house.front.look_up(a_plan())

        assert (house.front.degraded, house.ear.went) == (False, [])
        assert house.ear.failures == ["timeout"] * 10 * (FAILURES - 1)

    def test_one_caller_tries_after_the_pause(
        self, build: Callable[..., House]
    ) -> None:
        """Its failure is counted, not told again; the others do not wait for it."""
        house = build()
        house.fail(GONE, times=FAILURES)
        for trial in range(1, 4):
            house.clock.wait(PAUSE_S)
            house.fail(GONE, times=20)
            assert house.moody.asked == FAILURES + trial

        assert len(house.ear.went) == 1
        assert house.ear.failures.count("unavailable") == FAILURES + 3

    def test_its_success_closes_it(self, build: Callable[..., House]) -> None:
        """Said once; everybody asks the store again, and it may go away again."""
        house = build()
        house.fail(GONE, times=FAILURES)
        house.moody.mood = None
        house.clock.wait(PAUSE_S)
        answers = [house.front.look_up(a_plan()) for _ in range(5)]

        assert {one.source for one in answers} == {Source.STORE}
        assert (house.front.degraded, house.ear.came) == (False, 1)
        house.fail(GONE, times=FAILURES)
        assert (house.front.degraded, len(house.ear.went)) == (True, 2)

    @pytest.mark.parametrize(
        "error",
        [GONE, StoreTimeout("no answer"), StoreRefused("NOPERM")],
        ids=lambda error: error.kind,
    )
    def test_every_kind_of_outage_opens_it(
        self, build: Callable[..., House], error: StoreError
    ) -> None:
        """A wrong password does not become right by asking."""
        house = build()
        house.fail(error, times=FAILURES)
        assert house.front.degraded
        assert house.ear.failures == [error.kind] * FAILURES

    def test_a_script_error_does_not(self, build: Callable[..., House]) -> None:
        """It says something of one customer's key, nothing of the server."""
        house = build()
        answers = house.fail(ScriptError("WRONGTYPE"), times=10 * FAILURES)

        assert not house.front.degraded
        assert house.ear.failures == ["script"] * 10 * FAILURES
        assert {one.source for one in answers} == {Source.LOCAL}
        assert {one.trouble for one in answers} == {"script"}

    def test_failures_of_callers_under_way_keep_it_open(self) -> None:
        """Whoever asked before it opened and fails later is no news."""
        breaker = Breaker()
        assert [breaker.failed(0.0) for _ in range(FAILURES)] == [False, False, True]
        assert not breaker.failed(0.9)
        assert not breaker.may_ask(1.5)
        assert breaker.may_ask(1.9)
        assert not breaker.may_ask(1.9)
        assert breaker.succeeded()
        assert not breaker.succeeded()
        assert breaker.closed


class TestSettle:
    """A charge goes back to where it was made."""

    def test_to_the_store(self, build: Callable[..., House]) -> None:
        """And to nobody else."""
        house = build()
        plan = a_plan(a_charge())
        house.front.settle(plan, house.front.look_up(plan), held_bytes=7)
        assert house.moody.settled == 1
        assert not house.path.exists()

    def test_to_this_host(self, build: Callable[..., House]) -> None:
        """Though the store may be back by then."""
        house = build()
        plan = a_plan(a_charge(cost=5))
        house.moody.mood = GONE
        answers = house.front.look_up(plan)
        assert not house.front.look_up(plan).allowed
        house.moody.mood = None
        house.front.settle(plan, answers, held_bytes=7)
        house.moody.mood = GONE

        assert house.moody.settled == 0
        assert house.front.look_up(plan).allowed

    @pytest.mark.parametrize("on_failure", [OnFailure.ACCEPT, OnFailure.DEFER])
    def test_to_nobody_where_nothing_was_counted(
        self, build: Callable[..., House], on_failure: OnFailure
    ) -> None:
        """There is nothing to give back."""
        house = build(on_failure=on_failure)
        (answers,) = house.fail(GONE)
        house.front.settle(a_plan(a_charge()), answers, held_bytes=7)
        assert house.moody.settled == 0

    def test_a_failure_is_counted_and_raises_nothing(
        self, build: Callable[..., House]
    ) -> None:
        """Nobody waits for it, so nobody may stumble over it."""
        house = build()
        plan = a_plan(a_charge())
        answers = house.front.look_up(plan)
        house.moody.mood = GONE
        house.front.settle(plan, answers, held_bytes=7)
        assert house.ear.failures == ["unavailable"]


class TestAfterwards:
    """What is noted when a message has left."""

    def test_the_store_hears_of_it(self, build: Callable[..., House]) -> None:
        """Once each."""
        house = build()
        plan = a_plan(people=["bart@example.net"])
        answers = house.front.look_up(plan)
        house.front.spare(plan, answers, {"bart@example.net"}, 1)
        house.front.introduce(plan, answers)
        house.front.meet(plan)
        house.front.register(plan, answers)
        assert house.moody.noted == ["spare", "introduce", "meet", "register"]

    def test_a_failure_is_counted_and_raises_nothing(
        self, build: Callable[..., House]
    ) -> None:
        """They stay strangers; the mail has left."""
        house = build()
        plan = a_plan(people=["bart@example.net"])
        answers = house.front.look_up(plan)
        house.moody.mood = GONE
        house.front.introduce(plan, answers)
        house.front.meet(plan)
        house.front.register(plan, answers)
        assert house.ear.failures == ["unavailable"] * 3


class TestHeld:
    """A customer's cap, while the store cannot count."""

    @pytest.mark.parametrize("on_failure", DIRECTIONS)
    def test_what_is_held_meanwhile_is_counted_here(
        self, build: Callable[..., House], on_failure: OnFailure
    ) -> None:
        """In every direction: an operator's quarantine acts in each of them."""
        house = build(on_failure=on_failure)
        for held in range(3):
            (answers,) = house.fail(GONE)
            assert (answers.held_messages, answers.held_bytes) == (held, 7 * held)
            house.front.settle(a_plan(a_charge()), answers, held_bytes=7)

        assert house.moody.settled == 0
        assert house.front.look_up(a_plan(customer="bart")).held_messages == 0

    def test_a_refused_message_that_is_held_counts(
        self, build: Callable[..., House]
    ) -> None:
        """Over the limit, and so held: nothing to give back, but one more is held."""
        house = build()
        answers = house.fail(GONE, times=6)[-1]
        house.front.settle(a_plan(a_charge()), answers, held_bytes=7)

        assert not answers.allowed
        assert house.fail(GONE)[0].held_messages == 1

    def test_the_store_knows_better_when_it_is_back(
        self, build: Callable[..., House]
    ) -> None:
        """The next outage counts anew; what is held was told to the store."""
        house = build()
        answers = house.fail(GONE, times=FAILURES)[-1]
        house.front.settle(a_plan(a_charge()), answers, held_bytes=7)
        house.clock.wait(PAUSE_S)
        house.moody.mood = None
        assert house.front.look_up(a_plan()).source is Source.STORE

        assert house.fail(GONE)[0].held_messages == 0

    def test_a_store_that_was_refused_knows_better_too(
        self, build: Callable[..., House], tmp_path: Path
    ) -> None:
        """It never failed; nobody was allowed to ask."""
        refusal = Refusal(tmp_path / "refused")
        breaker = RefusingBreaker(refusal)
        house = build(breaker=breaker)
        house.front.look_up(a_plan())
        refusal.set("another secret")
        breaker.refresh()
        answers = house.front.look_up(a_plan(a_charge()))
        house.front.settle(a_plan(a_charge()), answers, held_bytes=7)
        assert house.front.look_up(a_plan()).held_messages == 1

        refusal.clear()
        breaker.refresh()
        assert house.front.look_up(a_plan()).source is Source.STORE
        assert house.ear.came == 0
        assert house.fail(GONE)[0].held_messages == 0

    def test_a_new_process_believes_no_count_of_old(
        self, build: Callable[..., House]
    ) -> None:
        """Those who would have forgotten it may have ended before."""
        before = build()
        (answers,) = before.fail(GONE)
        before.front.settle(a_plan(a_charge()), answers, held_bytes=7)
        house = build()
        house.front.look_up(a_plan())

        assert house.fail(GONE)[0].held_messages == 0

    def test_a_file_that_breaks_meanwhile_is_counted(
        self, build: Callable[..., House]
    ) -> None:
        """The store is back all the same."""
        house = build()
        house.fail(GONE, times=FAILURES)
        database = house.local._database
        assert database is not None
        database.close()
        house.clock.wait(PAUSE_S)
        house.moody.mood = None

        assert house.front.look_up(a_plan()).source is Source.STORE
        assert house.ear.failures == ["unavailable"] * FAILURES + ["local"]


class TestLocalTrouble:
    """The stand-in fails, too."""

    @pytest.mark.parametrize("how", ["directory", "garbage", "missing"])
    def test_a_file_that_cannot_be_used_lets_mail_pass(
        self, build: Callable[..., House], how: str
    ) -> None:
        """Counted as `local`; a full disk must not stop what the store would let go."""
        house = build()
        if how == "directory":
            house.path.mkdir()
        elif how == "garbage":
            house.path.write_bytes(b"\xff" * 8192)
        else:
            house.local._path = house.path / "no" / "such" / "place"
        (answers,) = house.fail(GONE)

        assert (answers.source, answers.trouble) == (Source.ACCEPT, "unavailable")
        assert house.ear.failures == ["unavailable", "local"]

    def test_a_settlement_that_fails_is_counted(
        self, build: Callable[..., House]
    ) -> None:
        """The file went away between look-up and settlement."""
        house = build()
        (answers,) = house.fail(GONE)
        database = house.local._database
        assert database is not None
        database.close()
        house.front.settle(a_plan(a_charge()), answers, held_bytes=7)
        assert house.ear.failures == ["unavailable", "local"]
        assert isinstance(database, sqlite3.Connection)


class TestRealStore:
    """With a server, and without."""

    def test_a_broken_counter_is_counted_here_and_others_there(
        self, store: Store, keys: Keys, build: Callable[..., House]
    ) -> None:
        """One customer's key of a wrong type: his limit holds on this host."""
        house = build(counters=store.counters(keys, Clock()))
        store.ask("RPUSH", keys.count(ANNE, "messages-hourly", ANNE), "a list")
        anne = [house.front.look_up(a_plan(a_charge())) for _ in range(6)]
        bart = house.front.look_up(a_plan(a_charge(), customer="bart"))

        assert [one.allowed for one in anne] == [True] * 5 + [False]
        assert {one.source for one in anne} == {Source.LOCAL}
        assert (bart.source, bart.levels[0].used) == (Source.STORE, 1)
        assert house.ear.failures == ["script"] * 6
        assert not house.front.degraded

    def test_it_goes_and_comes_back(
        self, own_server: RedisServer, build: Callable[..., House]
    ) -> None:
        """Killed and restarted: local in between, the store's answers afterwards."""
        wire = Wire(endpoint(own_server))
        house = build(counters=Counters(wire, Keys(), SECRET))
        plan = a_plan(a_charge())
        sources = [house.front.look_up(plan).source]
        own_server.kill()
        sources += [house.front.look_up(plan).source for _ in range(FAILURES + 1)]
        own_server.restart()
        sources.append(house.front.look_up(plan).source)
        house.clock.wait(PAUSE_S)
        sources.append(house.front.look_up(plan).source)

        assert sources == [Source.STORE] + [Source.LOCAL] * 5 + [Source.STORE]
        assert (len(house.ear.went), house.ear.came) == (1, 1)
        wire.close()

    def test_the_time_of_a_look_up_is_told(self, build: Callable[..., House]) -> None:
        """`store-ms` in the log, also where somebody else stood in."""

        class Slow(Moody):
            def look_up(self, plan: Plan, *, commit: bool = True) -> Answers:
                house.clock.wait(0.03)
                return super().look_up(plan, commit=commit)

        house = build(counters=Slow())
        assert house.front.look_up(a_plan()).store_us == pytest.approx(30_000, abs=1)
        assert house.fail(GONE)[0].store_us == pytest.approx(30_000, abs=1)

"""Who asked for which list."""

from collections.abc import Callable

import pytest
import redis

from message.tokens import a_token
from outgate.message.optin_evidence import Method
from outgate.model.consent import Grade, TokenResult
from outgate.model.errors import StoreUnavailable
from outgate.policy.questions import Evidence, Plan
from outgate.store.counters import Counters
from outgate.store.hashes import Hashes
from outgate.store.keys import Keys
from outgate.store.registry import BUCKETS, Registry, bucket_of
from outgate.store.trouble import Client
from store.builders import Clock, a_plan, of_strangers, some_people
from store.running import SECRET, Store

LIST = "members.choir.example"
BART = "bart0@example.net"


@pytest.fixture
def registry(client: Client, keys: Keys) -> Registry:
    return Registry(client, keys, Hashes(SECRET))


@pytest.fixture
def counters(store: Store, keys: Keys) -> Counters:
    return store.counters(keys, Clock())


def test_who_is_loaded_is_there(registry: Registry) -> None:
    """Counted once each, with the grade that came last."""
    people = some_people(2_500)
    assert registry.load(LIST, people, Grade.ASSERTED) == 2_500
    assert registry.load(LIST, [*people[:5], "new@example.net"], Grade.PAPER) == 1
    assert registry.count(LIST) == 2_501
    assert registry.grade(LIST, people[0]) is Grade.PAPER
    assert registry.grade(LIST, people[9]) is Grade.ASSERTED
    assert registry.grade(LIST, "nobody@example.net") is None
    assert registry.grade("another.choir.example", people[0]) is None


def test_who_is_removed_is_gone(registry: Registry, store: Store, keys: Keys) -> None:
    """And leaves nothing behind."""
    people = some_people(1_500)
    registry.load(LIST, people, Grade.WITNESSED)
    assert registry.remove(LIST, [*people[:1_200], "nobody@example.net"]) == 1_200
    assert registry.count(LIST) == 300
    assert registry.remove(LIST, people) == 300
    assert store.names(keys) == set()


def test_nothing_to_load_is_no_trouble(registry: Registry) -> None:
    """An empty file."""
    assert registry.load(LIST, [], Grade.IMPORT) == 0
    assert registry.remove(LIST, []) == 0
    assert registry.count(LIST) == 0


def test_lists_are_spread_over_small_hashes() -> None:
    """A million subscribers are 61 in each of them: Redis keeps such hashes packed."""
    hashes = Hashes(SECRET)
    sizes = [0] * BUCKETS
    for number in range(200_000):
        sizes[bucket_of(hashes.subscriber(LIST, f"bart{number}@example.net"))] += 1
    assert max(sizes) <= 128 * 200_000 // 1_000_000 + 16
    assert min(sizes) >= 1


def test_the_store_knows_no_address(
    registry: Registry, store: Store, keys: Keys
) -> None:
    """Keys and fields are hashes under the secret; the list is named."""
    registry.load(LIST, [BART], Grade.ASSERTED)
    (name,) = store.names(keys)
    assert name.startswith(f"optin:{{{LIST}:")
    (field,) = store.ask("HKEYS", f"{keys.namespace}:{name}")
    assert (len(field), b"bart" in field) == (8, False)
    assert Hashes(b"\x01" * 32).subscriber(LIST, BART) != field


class TestLookUp:
    """Beside the limits, in the same round trip."""

    def test_who_asked_is_no_stranger(
        self, registry: Registry, counters: Counters
    ) -> None:
        """Others are."""
        registry.load(LIST, some_people(3), Grade.ASSERTED)
        plan = a_plan(people=some_people(5), subscribed=LIST)
        answers = counters.look_up(plan)
        hashes = Hashes(SECRET)
        assert answers.strangers == hashes.items(some_people(2, first=3))

    @pytest.mark.parametrize("grade", list(Grade))
    def test_an_import_is_no_consent(
        self, registry: Registry, counters: Counters, grade: Grade
    ) -> None:
        """Everything else is."""
        registry.load(LIST, [BART], grade)
        plan = a_plan(people=[BART], subscribed=LIST)
        assert counters.look_up(plan).stranger_count == (grade is Grade.IMPORT)

    @pytest.mark.parametrize("value", ["", "yes", "\udcff"])
    def test_what_is_no_grade_is_no_consent(
        self, counters: Counters, store: Store, keys: Keys, value: str
    ) -> None:
        """Whoever wrote it there."""
        field = Hashes(SECRET).subscriber(LIST, BART)
        words = [b"HSET", keys.optin(LIST, bucket_of(field)).encode(), field]
        store.client.execute_command(*words, value.encode("utf-8", "surrogateescape"))
        plan = a_plan(people=[BART], subscribed=LIST)
        assert counters.look_up(plan).stranger_count == 1

    def test_a_key_of_another_type_is_no_consent(
        self, counters: Counters, store: Store, keys: Keys
    ) -> None:
        """The limits are answered all the same."""
        field = Hashes(SECRET).subscriber(LIST, BART)
        store.ask("SET", keys.optin(LIST, bucket_of(field)), "a word")
        plan = a_plan(of_strangers(), people=[BART], subscribed=LIST)
        answers = counters.look_up(plan)
        assert (answers.stranger_count, answers.levels[0].fits) == (1, True)

    def test_another_list_is_another_consent(
        self, registry: Registry, counters: Counters
    ) -> None:
        """Who asked for the newsletter has not asked for offers."""
        registry.load(LIST, [BART], Grade.WITNESSED)
        plan = a_plan(people=[BART], subscribed="offers.choir.example")
        assert counters.look_up(plan).stranger_count == 1
        assert counters.look_up(a_plan(people=[BART])).stranger_count == 1


class Gone:
    """A client whose server went away: it takes commands, and fails to send them."""

    def pipeline(self, *, transaction: bool) -> "Gone":
        return self

    def __getattr__(self, name: str) -> Callable[..., None]:
        return lambda *_: None

    def execute(self) -> list[object]:
        raise redis.ConnectionError("connection refused")


def test_an_absent_store_is_a_typed_error(keys: Keys) -> None:
    """For commands: each question says so."""
    registry = Registry(Gone(), keys, Hashes(SECRET))
    for ask in (
        lambda: registry.load(LIST, [BART], Grade.PAPER),
        lambda: registry.remove(LIST, [BART]),
        lambda: registry.grade(LIST, BART),
        lambda: registry.count(LIST),
    ):
        with pytest.raises(StoreUnavailable):
            ask()


class TestTokens:
    """A message's tokens, beside what is registered."""

    def plan_of(self, *grades: Grade, people: int = 1) -> Plan:
        """A token for each of the first recipients."""
        methods = {
            Grade.ASSERTED: Method.COI,
            Grade.PAPER: Method.PAPER,
            Grade.IMPORT: Method.IMPORT,
        }
        plan = a_plan(people=some_people(people), subscribed=LIST)
        tokens = {
            mailbox: a_token(method=methods[grade])
            for mailbox, grade in zip(plan.people, grades, strict=False)
        }
        plan.evidence = Evidence({TokenResult.VALID: len(tokens)}, tokens)
        return plan

    def test_they_are_no_strangers_and_are_registered(
        self, registry: Registry, counters: Counters
    ) -> None:
        """For the next message; who has none stays a stranger."""
        plan = self.plan_of(Grade.ASSERTED, Grade.PAPER, Grade.IMPORT, people=4)
        answers = counters.look_up(plan)
        people = plan.people
        assert answers.strangers == Hashes(SECRET).items(people[2:])
        counters.register(plan, answers)
        assert counters.look_up(a_plan(people=people, subscribed=LIST)).strangers == (
            answers.strangers
        )
        assert [registry.grade(LIST, one) for one in people] == [
            Grade.ASSERTED,
            Grade.PAPER,
            Grade.IMPORT,
            None,
        ]

    @pytest.mark.parametrize("known", list(Grade))
    @pytest.mark.parametrize("grade", [Grade.ASSERTED, Grade.PAPER, Grade.IMPORT])
    def test_a_better_grade_stays(
        self, registry: Registry, counters: Counters, known: Grade, grade: Grade
    ) -> None:
        """A token may only lift one."""
        registry.load(LIST, [BART], known)
        plan = self.plan_of(grade)
        answers = counters.look_up(plan)
        counters.register(plan, answers)
        counters.look_up(plan)
        assert registry.grade(LIST, BART) is min(grade, known, key=lambda one: one.rank)

    def test_what_changed_meanwhile_stays(
        self, registry: Registry, counters: Counters
    ) -> None:
        """Between question and writing somebody loaded better evidence."""
        for before in (None, Grade.IMPORT):
            registry.remove(LIST, [BART])
            if before is not None:
                registry.load(LIST, [BART], before)
            plan = self.plan_of(Grade.ASSERTED)
            answers = counters.look_up(plan)
            assert len(answers.registrations) == 1
            registry.load(LIST, [BART], Grade.WITNESSED)
            counters.register(plan, answers)
            counters.look_up(plan)
            assert registry.grade(LIST, BART) is Grade.WITNESSED

    def test_what_is_no_grade_stays(
        self, counters: Counters, store: Store, keys: Keys
    ) -> None:
        """A newer Outgate may have written it, and no token speaks against it."""
        field = Hashes(SECRET).subscriber(LIST, BART)
        key = keys.optin(LIST, bucket_of(field))
        plan = self.plan_of(Grade.ASSERTED)
        store.client.hset(key, field, "withdrawn 2026")
        answers = counters.look_up(plan)
        assert (answers.registrations, answers.stranger_count) == ([], 1)
        store.client.delete(key)
        store.client.set(key, "a word")
        answers = counters.look_up(plan)
        assert (answers.registrations, answers.stranger_count) == ([], 0)

    def test_nothing_to_learn_sends_nothing(self, counters: Counters) -> None:
        """Nor does it wait."""
        plan = a_plan(people=[BART], subscribed=LIST)
        counters.register(plan, counters.look_up(plan))

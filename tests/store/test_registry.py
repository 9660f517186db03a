"""Who asked for which list."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import pytest
import redis

from message.tokens import a_token
from outgate.message.optin_evidence import Token
from outgate.model.challenge import Witness
from outgate.model.consent import Grade, TokenResult
from outgate.model.errors import EvidenceError, StoreUnavailable, UnreadableRecord
from outgate.model.optin import Method, Permission, Record, State
from outgate.model.optin_order import MAX_AHEAD_US
from outgate.model.units import SECOND_US
from outgate.policy.questions import Answers, Evidence, Plan, PlannedClaims
from outgate.signing.vault import Vault
from outgate.store.challenges import bucket_of as challenge_bucket
from outgate.store.consents import BUCKETS, bucket_of, place_of
from outgate.store.counters import Counters
from outgate.store.erasure import Erasure
from outgate.store.evidence import unseal
from outgate.store.hashes import Hashes
from outgate.store.keys import Keys
from outgate.store.ledger import Ledger
from outgate.store.registry import Count, Found, Registry
from outgate.store.trouble import Client
from store.builders import (
    ANNE,
    START_US,
    Clock,
    a_plan,
    of_strangers,
    some_people,
)
from store.challenged import RETENTION_S, a_challenge
from store.optins import BART, LIST, WITHDRAWN, an_optin
from store.running import SECRET, Store

NED = "ned@example.net"
DAY_US = 86_400 * SECOND_US


@pytest.fixture
def registry(client: Client, keys: Keys) -> Registry:
    return Registry(
        client, keys, Hashes(SECRET), sealer=Vault(SECRET), test_now_us=Clock()
    )


@pytest.fixture
def counters(store: Store, keys: Keys) -> Counters:
    return store.counters(keys, Clock())


def grade(registry: Registry, mailbox: str) -> Grade | None:
    found = registry.find(ANNE, LIST, mailbox)
    return found.record.grade if found is not None else None


def permissions(
    counters: Counters, *people: str, customer: str = ANNE
) -> list[Permission]:
    plan = a_plan(people=people, subscribed=LIST, customer=customer)
    return list(counters.look_up(plan).permissions)


def test_who_is_loaded_is_there(registry: Registry) -> None:
    """Counted once each, with the best grade that was ever given."""
    people = some_people(2_500)
    assert registry.load(ANNE, LIST, people, Grade.PAPER).new == 2_500
    tally = registry.load(ANNE, LIST, [*people[:5], "new@example.net"], Grade.ASSERTED)
    assert (tally.rows, tally.new, tally.changed, tally.kept) == (6, 1, 5, 0)
    assert registry.load(ANNE, LIST, people[:9], Grade.PAPER).kept == 9
    count = registry.count(LIST)
    assert (count.subscribers, count.erased) == (2_501, 0)
    assert count.by_permission == {Permission.PAPER: 2_495, Permission.ASSERTED: 6}
    assert grade(registry, people[0]) is Grade.ASSERTED
    assert grade(registry, people[9]) is Grade.PAPER
    assert grade(registry, "nobody@example.net") is None
    assert registry.find(ANNE, "another.choir.example", people[0]) is None
    assert registry.lists() == {(ANNE, LIST)}


def test_who_is_removed_is_gone(registry: Registry, store: Store, keys: Keys) -> None:
    """And leaves nothing behind."""
    people = some_people(1_500)
    registry.load(ANNE, LIST, people, Grade.WITNESSED)
    some = [*people[:1_200], "nobody@example.net"]
    tally = registry.remove(ANNE, LIST, some)
    assert (tally.changed, tally.kept) == (1_200, 1)
    assert registry.count(LIST).subscribers == 300
    assert registry.remove(ANNE, LIST, people).changed == 300
    assert store.names(keys) == {"optin-lists"}


def test_nothing_to_load_is_no_trouble(registry: Registry) -> None:
    """An empty file."""
    assert registry.load(ANNE, LIST, [], Grade.IMPORT).rows == 0
    assert registry.remove(ANNE, LIST, []).rows == 0
    assert registry.count(LIST).subscribers == 0


def test_a_withdrawal_is_not_removed(registry: Registry) -> None:
    """Nor loaded away: only a newer confirmation ends it."""
    registry.load(ANNE, LIST, [BART], Grade.PAPER)
    registry.withdraw(ANNE, LIST, [BART], WITHDRAWN)
    assert registry.remove(ANNE, LIST, [BART]).kept == 1
    assert registry.load(ANNE, LIST, [BART], Grade.WITNESSED).kept == 1
    assert registry.find(ANNE, LIST, BART) == Found(WITHDRAWN, has_evidence=False)
    assert registry.count(LIST).subscribers == 0

    assert registry.register([an_optin(START_US - 1)]).kept == 1
    assert registry.register([an_optin(START_US + 1)]).changed == 1
    assert registry.count(LIST).by_permission == {Permission.ASSERTED: 1}


def test_what_is_of_the_future_is_refused(registry: Registry) -> None:
    """It would outlive every withdrawal; a clock may be ten minutes ahead."""
    late = an_optin(START_US + MAX_AHEAD_US + 1)
    assert registry.register([late]).future == 1
    assert registry.find(ANNE, LIST, BART) is None
    assert registry.register([an_optin(START_US + MAX_AHEAD_US)]).new == 1


class TestEvidence:
    """Kept apart, sealed, opened with a reason."""

    def test_it_is_shown_as_it_was_given(
        self, registry: Registry, store: Store, keys: Keys
    ) -> None:
        """With the consent it stands behind, and an entry in the audit."""
        optin = an_optin(START_US, evidence=True)
        registry.register([optin])

        found = registry.find(ANNE, LIST, BART)
        shown = registry.evidence(ANNE, LIST, BART, actor="dora", why="ticket 4711")

        assert found == Found(optin.record, has_evidence=True)
        assert shown == (optin.record, optin.evidence)
        ((_, entry),) = store.client.xrange(keys.audit)
        field = place_of(Hashes(SECRET), ANNE, LIST, BART).field
        assert entry[b"event"] == b"evidence-read"
        assert entry[b"name"] == f"{LIST} {field.hex()}".encode()
        assert (entry[b"actor"], entry[b"text"]) == (b"dora", b"ticket 4711")

    def test_it_stays_when_the_consent_is_withdrawn(self, registry: Registry) -> None:
        """Complaints about earlier mail come later; an older one takes no place."""
        optin = an_optin(START_US - 5, evidence=True)
        registry.register([optin])
        registry.withdraw(ANNE, LIST, [BART], WITHDRAWN)
        registry.register([an_optin(START_US - 9, evidence=True)])

        assert registry.find(ANNE, LIST, BART) == Found(WITHDRAWN, has_evidence=True)
        shown = registry.evidence(ANNE, LIST, BART, actor="dora", why="complaint")
        assert shown == (optin.record, optin.evidence)

    def test_the_store_cannot_read_it(
        self, registry: Registry, store: Store, keys: Keys
    ) -> None:
        """Neither address nor browser, and another secret cannot open it."""
        registry.register([an_optin(START_US, evidence=True)])
        place = place_of(Hashes(SECRET), ANNE, LIST, BART)
        key = keys.evidence(LIST, place.bucket)
        value = store.client.hget(key, place.field)
        assert b"192.0.2" not in value
        assert b"Mozilla" not in value
        with pytest.raises(EvidenceError, match="another secret"):
            unseal(Vault(b"\x01" * 32), LIST, place.field, value)

    def test_it_opens_for_no_other_subscription(
        self, registry: Registry, store: Store, keys: Keys
    ) -> None:
        """Whoever can write to the store cannot hand it to somebody else."""
        registry.register([an_optin(START_US, evidence=True)])
        place = place_of(Hashes(SECRET), ANNE, LIST, BART)
        other = place_of(Hashes(SECRET), ANNE, LIST, "bart1@example.net")
        value = store.client.hget(keys.evidence(LIST, place.bucket), place.field)
        store.client.hset(keys.evidence(LIST, other.bucket), other.field, value)
        with pytest.raises(EvidenceError, match="cannot be opened"):
            registry.evidence(ANNE, LIST, "bart1@example.net", actor="dora", why="test")

    def test_a_removal_takes_it_along(self, registry: Registry) -> None:
        """Nothing is left behind."""
        registry.register([an_optin(START_US, evidence=True)])
        registry.remove(ANNE, LIST, [BART])
        assert registry.evidence(ANNE, LIST, BART, actor="d", why="test") is None


class TestTwoCustomers:
    """One List-Id, two customers: what one does is nothing to the other."""

    THEIRS = "choir"

    @pytest.mark.parametrize("how", ["withdraw", "remove", "erase", "token"])
    def test_what_ends_one_leaves_the_other(
        self,
        registry: Registry,
        counters: Counters,
        client: Client,
        keys: Keys,
        how: str,
    ) -> None:
        """Same list, same person."""
        for owner in (ANNE, self.THEIRS):
            registry.load(owner, LIST, [BART], Grade.PAPER)
        match how:
            case "withdraw":
                registry.withdraw(ANNE, LIST, [BART], WITHDRAWN)
            case "remove":
                registry.remove(ANNE, LIST, [BART])
            case "erase":
                Erasure(client, keys, Hashes(SECRET)).erase(BART, [], [ANNE])
            case _:
                plan = a_plan(people=[BART], subscribed=LIST)
                plan.evidence = Evidence({}, {BART: a_token()})
                answers = counters.look_up(plan)
                counters.register(plan, answers)
        assert permissions(counters, BART, customer=self.THEIRS) == [Permission.PAPER]
        assert permissions(counters, BART) != [Permission.PAPER]

    def test_an_erasure_marks_both(
        self, registry: Registry, client: Client, keys: Keys
    ) -> None:
        """So that neither's next import brings the person back."""
        for owner in (ANNE, self.THEIRS):
            registry.load(owner, LIST, [BART], Grade.WITNESSED)
        Erasure(client, keys, Hashes(SECRET)).erase(BART, [])
        for owner in (ANNE, self.THEIRS):
            assert registry.load(owner, LIST, [BART], Grade.WITNESSED).kept == 1
        assert registry.count(LIST).erased == 2


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
    registry.load(ANNE, LIST, [BART], Grade.ASSERTED)
    (name,) = store.names(keys) - {"optin-lists"}
    assert name.startswith(f"optin:{{{LIST}:")
    (field,) = store.ask("HKEYS", f"{keys.namespace}:{name}")
    assert (len(field), b"bart" in field) == (8, False)
    assert place_of(Hashes(SECRET), ANNE, LIST, BART).field == field
    assert place_of(Hashes(b"\x01" * 32), ANNE, LIST, BART).field != field


class TestLookUp:
    """Beside the limits, in the same round trip."""

    def test_who_asked_is_no_stranger(
        self, registry: Registry, counters: Counters
    ) -> None:
        """Others are."""
        registry.load(ANNE, LIST, some_people(3), Grade.ASSERTED)
        plan = a_plan(people=some_people(5), subscribed=LIST)
        answers = counters.look_up(plan)
        hashes = Hashes(SECRET)
        assert answers.strangers == hashes.items(some_people(2, first=3))

    @pytest.mark.parametrize("grade", list(Grade))
    def test_an_import_is_no_consent(
        self, registry: Registry, counters: Counters, grade: Grade
    ) -> None:
        """Everything else is."""
        registry.load(ANNE, LIST, [BART], grade)
        plan = a_plan(people=[BART], subscribed=LIST)
        assert counters.look_up(plan).stranger_count == (not grade.is_consent)

    @pytest.mark.parametrize("value", [b"", b"paper", b"\xff", b"1 of somec5"])
    def test_what_is_no_record_is_no_consent(
        self,
        registry: Registry,
        counters: Counters,
        store: Store,
        keys: Keys,
        value: bytes,
    ) -> None:
        """Whoever wrote it there; a person is told where it stands, an export too."""
        place = place_of(Hashes(SECRET), ANNE, LIST, BART)
        key = keys.optin(LIST, place.bucket)
        store.client.hset(key, place.field, value)
        registry.introduce(ANNE, LIST)
        plan = a_plan(people=[BART], subscribed=LIST)
        assert counters.look_up(plan).stranger_count == 1
        assert registry.count(LIST) == Count(Counter({Permission.UNKNOWN: 1}), 0)
        for ask in (registry.find, registry.verify):
            with pytest.raises(UnreadableRecord) as found:
                ask(ANNE, LIST, BART)
            assert found.value.place == f"{key} {place.field.hex()}"
        # A confirmation, or an operator's word, takes its place.
        assert registry.load(ANNE, LIST, [BART], Grade.PAPER).new == 1
        assert counters.look_up(plan).stranger_count == 0

    def test_a_key_of_another_type_is_no_consent(
        self, counters: Counters, store: Store, keys: Keys
    ) -> None:
        """The limits are answered all the same."""
        place = place_of(Hashes(SECRET), ANNE, LIST, BART)
        store.ask("SET", keys.optin(LIST, place.bucket), "a word")
        plan = a_plan(of_strangers(), people=[BART], subscribed=LIST)
        answers = counters.look_up(plan)
        assert (answers.stranger_count, answers.levels[0].fits) == (1, True)

    def test_each_recipient_has_a_permission(
        self, registry: Registry, counters: Counters
    ) -> None:
        """In the order of the plan; who is on no list of it has none."""
        people = some_people(4)
        registry.load(ANNE, LIST, people[:1], Grade.CORROBORATED)
        registry.load(ANNE, LIST, people[1:2], Grade.IMPORT)
        registry.withdraw(ANNE, LIST, people[2:3], WITHDRAWN)
        assert permissions(counters, *people) == [
            Permission.CORROBORATED,
            Permission.IMPORT,
            Permission.WITHDRAWN,
            Permission.UNKNOWN,
        ]
        assert counters.look_up(a_plan(people=people)).permissions == ()

    def test_another_list_is_another_consent(
        self, registry: Registry, counters: Counters
    ) -> None:
        """Who asked for the newsletter has not asked for offers, nor another customer."""
        registry.load(ANNE, LIST, [BART], Grade.WITNESSED)
        plan = a_plan(people=[BART], subscribed="offers.choir.example")
        assert counters.look_up(plan).stranger_count == 1
        theirs = a_plan(people=[BART], subscribed=LIST, customer="choir")
        assert counters.look_up(theirs).stranger_count == 1
        assert counters.look_up(a_plan(people=[BART])).stranger_count == 1


class Gone:
    """A client whose server went away: it takes commands, and fails to send them."""

    def pipeline(self, *, transaction: bool) -> "Gone":
        return self

    def config_get(self, pattern: str) -> None:
        self.execute()

    def __getattr__(self, name: str) -> Callable[..., None]:
        return lambda *_: None

    def execute(self, *, raise_on_error: bool = True) -> list[object]:
        raise redis.ConnectionError("connection refused")


def test_an_absent_store_is_a_typed_error(keys: Keys) -> None:
    """For commands: each question says so."""
    registry = Registry(Gone(), keys, Hashes(SECRET), sealer=Vault(SECRET))
    for ask in (
        lambda: registry.load(ANNE, LIST, [BART], Grade.PAPER),
        lambda: registry.remove(ANNE, LIST, [BART]),
        lambda: registry.find(ANNE, LIST, BART),
        lambda: registry.count(LIST),
        registry.lists,
        lambda: registry.evidence(ANNE, LIST, BART, actor="dora", why="test"),
        lambda: registry.register([an_optin(START_US)]),
    ):
        with pytest.raises(StoreUnavailable):
            ask()


class TestTokens:
    """A message's tokens, beside what is registered: of two events the later counts."""

    ASSERTED = a_token(time="2026-11-24T06:00:00+01:00")
    PAPER = replace(ASSERTED, method=Method.PAPER)
    IMPORT = replace(ASSERTED, method=Method.IMPORT)
    TIME_US = ASSERTED.confirmed_us

    def plan_of(self, *tokens: Token, people: int = 1) -> Plan:
        """A token for each of the first recipients."""
        plan = a_plan(people=some_people(people), subscribed=LIST)
        by_mailbox = dict(zip(plan.people, tokens, strict=False))
        plan.evidence = Evidence({TokenResult.VALID: len(tokens)}, by_mailbox)
        return plan

    def send(self, counters: Counters, plan: Plan) -> Answers:
        """As the gate does with what it lets out; gives the answers."""
        answers = counters.look_up(plan)
        counters.register(plan, answers)
        # What was posted is read by whoever asks next.
        counters.look_up(a_plan())
        return answers

    def test_they_are_no_strangers_and_are_registered(
        self, registry: Registry, counters: Counters
    ) -> None:
        """With all that they say; who has none stays a stranger."""
        plan = self.plan_of(self.ASSERTED, self.PAPER, self.IMPORT, people=4)
        answers = self.send(counters, plan)
        people = plan.people
        assert answers.strangers == Hashes(SECRET).items(people[2:])
        assert counters.look_up(a_plan(people=people, subscribed=LIST)).strangers == (
            answers.strangers
        )
        found = [registry.find(ANNE, LIST, one) for one in people]
        assert found == [
            *(
                Found(one.record, has_evidence=False)
                for one in (self.ASSERTED, self.PAPER, self.IMPORT)
            ),
            None,
        ]

    def test_they_are_this_customers(
        self, registry: Registry, counters: Counters
    ) -> None:
        """Nobody else's, though the list's id be the same; an erasure finds the list."""
        self.send(counters, self.plan_of(self.ASSERTED))
        assert permissions(counters, BART, customer="ben@example.com") == [
            Permission.UNKNOWN
        ]
        assert registry.lists() == {(ANNE, LIST)}

    @pytest.mark.parametrize("grade", [one for one in Grade if one is not Grade.NONE])
    def test_a_consent_without_a_time_is_older(
        self, registry: Registry, counters: Counters, grade: Grade
    ) -> None:
        """Whatever it was; an import takes nothing back."""
        registry.load(ANNE, LIST, [BART], grade)
        self.send(counters, self.plan_of(self.IMPORT))
        assert permissions(counters, BART) == [Permission(grade.value)]
        self.send(counters, self.plan_of(self.ASSERTED))
        found = registry.find(ANNE, LIST, BART)
        assert found == Found(self.ASSERTED.record, has_evidence=False)

    def test_a_later_withdrawal_counts(
        self, registry: Registry, counters: Counters
    ) -> None:
        """In judging the message, and in the registry; an older one does not."""
        at = replace(WITHDRAWN, time_us=self.TIME_US - 1)
        registry.withdraw(ANNE, LIST, [BART], at)
        answers = self.send(counters, self.plan_of(self.ASSERTED))
        assert (answers.stranger_count, answers.overruled) == (0, frozenset())
        assert grade(registry, BART) is Grade.ASSERTED

        at = replace(WITHDRAWN, time_us=self.TIME_US)
        registry.withdraw(ANNE, LIST, [BART], at)
        answers = self.send(counters, self.plan_of(self.ASSERTED))
        assert answers.permissions == [Permission.WITHDRAWN]
        assert (answers.stranger_count, answers.overruled) == (1, {BART})
        assert registry.find(ANNE, LIST, BART) == Found(at, has_evidence=False)

    def test_who_was_erased_is_not_brought_back(
        self,
        registry: Registry,
        counters: Counters,
        client: Client,
        keys: Keys,
    ) -> None:
        """By an older token; a newer confirmation is another consent."""
        self.send(counters, self.plan_of(self.ASSERTED))
        clock = Clock(self.TIME_US + 1)
        erasure = Erasure(client, keys, Hashes(SECRET), test_now_us=clock)
        erasure.erase(BART, [])
        mark = Record(state=State.ERASED, time_us=self.TIME_US + 1)
        assert registry.find(ANNE, LIST, BART) == Found(mark, has_evidence=False)

        answers = self.send(counters, self.plan_of(self.ASSERTED))
        assert answers.permissions == [Permission.UNKNOWN]
        assert (answers.stranger_count, answers.overruled) == (1, {BART})
        assert registry.find(ANNE, LIST, BART) == Found(mark, has_evidence=False)

        newer = replace(self.ASSERTED, time="2026-11-24T06:00:01+01:00")
        answers = self.send(counters, self.plan_of(newer))
        assert (answers.stranger_count, answers.overruled) == (0, frozenset())
        assert grade(registry, BART) is Grade.ASSERTED

    def test_what_changed_meanwhile_counts(
        self, registry: Registry, counters: Counters
    ) -> None:
        """Between question and writing somebody withdrew."""
        plan = self.plan_of(self.ASSERTED)
        answers = counters.look_up(plan)
        assert len(answers.registrations) == 1
        registry.withdraw(ANNE, LIST, [BART], WITHDRAWN)
        counters.register(plan, answers)
        counters.look_up(a_plan())
        assert permissions(counters, BART) == [Permission.WITHDRAWN]

    def test_trouble_with_the_key_is_no_withdrawal(
        self, counters: Counters, store: Store, keys: Keys
    ) -> None:
        """The token counts, and nothing is written."""
        place = place_of(Hashes(SECRET), ANNE, LIST, BART)
        store.client.set(keys.optin(LIST, place.bucket), "a word")
        answers = counters.look_up(self.plan_of(self.ASSERTED))
        assert (answers.registrations, answers.stranger_count) == ([], 0)

    def claim(self, *people: str) -> Plan:
        plan = self.plan_of(*[self.ASSERTED] * len(people), people=len(people))
        plan.people = people
        plan.evidence = Evidence({}, dict.fromkeys(people, self.ASSERTED))
        claimed_us = dict.fromkeys(people, self.TIME_US)
        plan.claims = PlannedClaims(claimed_us, RETENTION_S, through_us=True)
        return plan

    @staticmethod
    def challenged(
        store: Store, keys: Keys, mailbox: str, at_us: int, list_id: str = LIST
    ) -> None:
        """A request to confirm left for somebody."""
        counters = store.counters(keys, Clock(at_us))
        plan = a_challenge(mailbox=mailbox, list_id=list_id)
        plan.customer = ANNE
        counters.note_challenge(plan, left=True)
        store.ask("PING")

    def test_claims_are_compared_with_the_ledger(
        self, registry: Registry, counters: Counters, store: Store, keys: Keys
    ) -> None:
        """In the look-up; what it says is written with the record."""
        counters = store.counters(keys, Clock(self.TIME_US + DAY_US))
        self.challenged(store, keys, BART, self.TIME_US - DAY_US)
        self.challenged(store, keys, NED, self.TIME_US - DAY_US, "other.example")
        plan = self.claim(BART, NED)
        answers = self.send(counters, plan)

        assert answers.witnesses == {
            Witness.CORROBORATED: 1,
            Witness.CONTRADICTED: 1,
        }
        assert answers.permissions == [Permission.CORROBORATED, Permission.ASSERTED]
        assert grade(registry, BART) is Grade.CORROBORATED
        assert grade(registry, NED) is Grade.ASSERTED
        ledger = Ledger(store.client, keys, Hashes(SECRET), retention_s=RETENTION_S)
        assert ledger.find(ANNE, LIST, NED).contradicted_s == self.TIME_US // SECOND_US
        assert not ledger.find(ANNE, LIST, BART).contradicted_s
        assert self.send(counters, plan).witnesses == {}

    def test_keys_of_another_type_know_nothing(
        self, counters: Counters, store: Store, keys: Keys
    ) -> None:
        """The message is judged all the same."""
        place = place_of(Hashes(SECRET), ANNE, LIST, BART)
        store.client.set(keys.challenges(ANNE, LIST), "a word")
        store.client.set(keys.challenge(LIST, challenge_bucket(place.bucket)), "a word")
        answers = counters.look_up(self.claim(BART))
        assert answers.witnesses == {Witness.UNWITNESSED: 1}
        assert answers.permissions == [Permission.ASSERTED]

    def test_nothing_to_learn_sends_nothing(
        self, registry: Registry, counters: Counters
    ) -> None:
        """The same token again says nothing new."""
        plan = self.plan_of(self.ASSERTED)
        self.send(counters, plan)
        answers = counters.look_up(plan)
        assert (answers.registrations, answers.stranger_count) == ([], 0)
        counters.register(plan, answers)
        assert registry.count(LIST).subscribers == 1

"""A recipient is shown and erased, wherever it is remembered, and nobody else is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outgate.model.consent import Grade
from outgate.model.contacts import WEEK_US, WEEKS_KEPT
from outgate.model.optin import Record, State
from outgate.policy.questions import Answers
from outgate.store.consents import place_of
from outgate.store.counters import Counters
from outgate.store.erasure import Erasure, Finding, Kind
from outgate.store.hashes import Hashes
from outgate.store.keys import Keys
from outgate.store.registry import Found, Registry
from store.builders import (
    ANNE,
    START_US,
    Clock,
    a_campaign,
    a_plan,
    of_different,
    some_bands,
    some_people,
)
from store.running import SECRET, Store, fast, new_keys

BART = "bart@example.net"
CORA = "cora@example.net"
CHOIR = "choir {of} 100 %"
_HASHES = Hashes(SECRET)


@pytest.fixture
def counters(store: Store, keys: Keys) -> Counters:
    """By the server's own clock, as the weeks that are shown."""
    return store.counters(keys)


@pytest.fixture
def erasure(store: Store, keys: Keys) -> Erasure:
    return Erasure(store.client, keys, _HASHES)


@pytest.fixture
def registry(store: Store, keys: Keys) -> Registry:
    return Registry(store.client, keys, _HASHES)


def mail(
    counters: Counters, *people: str, customer: str = ANNE, band: int = 1
) -> Answers:
    """One message, in everything that remembers recipients."""
    return counters.look_up(
        a_plan(
            of_different(*people, limit=100_000),
            customer=customer,
            people=people,
            campaign=a_campaign(burst=100_000),
            bands=some_bands(band),
        )
    )


def strangers(counters: Counters, *people: str, customer: str = ANNE) -> int:
    plan = a_plan(people=people, customer=customer)
    return counters.look_up(plan, commit=False).stranger_count


def is_neighbour(one: str, other: str) -> bool:
    """Whether two cannot be told apart in a page: 25 bits of the hash."""
    return _page_bits(one) == _page_bits(other)


def _page_bits(name: str) -> int:
    return int.from_bytes(_HASHES.item(name), "big") & 0xFFFF01FF


class TestEverywhere:
    """One address, in all that remembers it."""

    def test_who_is_erased_is_a_stranger_again(
        self, counters: Counters, erasure: Erasure, registry: Registry
    ) -> None:
        """To each customer; whoever was mailed with him is not."""
        for customer in (ANNE, CHOIR):
            mail(counters, BART, CORA, customer=customer)
        registry.load(CHOIR, "members.choir.example", [BART, CORA], Grade.PAPER)

        report = erasure.erase(BART, [])

        for customer in (ANNE, CHOIR):
            assert strangers(counters, BART, customer=customer) == 1
            assert strangers(counters, CORA, customer=customer) == 0
        members = (CHOIR, "members.choir.example")
        mark = registry.find(*members, BART)
        assert mark is not None
        assert mark.record == Record(state=State.ERASED, time_us=mark.record.time_us)
        assert registry.find(*members, CORA) == Found(
            Record(grade=Grade.PAPER), has_evidence=False
        )
        assert {kind: report.found(kind) for kind in Kind} == {
            Kind.CONTACTS: 2,
            Kind.DISTINCT: 2,
            Kind.CONTENT: 2,
            Kind.OPTIN: 1,
        }
        assert report.looked == {
            Kind.CONTACTS: 2,
            Kind.DISTINCT: 2,
            Kind.CONTENT: 2,
            Kind.OPTIN: 1,
        }

    def test_no_import_brings_an_erased_subscriber_back(
        self, erasure: Erasure, registry: Registry, store: Store, keys: Keys
    ) -> None:
        """A mark stays, and no evidence; a newer confirmation ends it."""
        members = (CHOIR, "members.choir.example")
        registry.load(*members, [BART, CORA], Grade.WITNESSED)

        erasure.erase(BART, [])
        registry.load(*members, [BART, CORA], Grade.WITNESSED)

        assert registry.count(members[1]).subscribers == 1
        marks = erasure.look(BART, []).findings.values()
        assert [one.record and one.record.state for one in marks] == [State.ERASED]
        before = _dump(store, keys)
        assert not erasure.erase(BART, [members]).findings
        assert _dump(store, keys) == before

    def test_who_was_on_no_list_leaves_no_mark(
        self, erasure: Erasure, store: Store, keys: Keys
    ) -> None:
        """A mark would be more than was known before."""
        erasure.erase(BART, [(CHOIR, "members.choir.example")])
        assert store.names(keys) == set()

    def test_a_record_that_nobody_can_read_is_erased(
        self, erasure: Erasure, registry: Registry, store: Store, keys: Keys
    ) -> None:
        """It is shown with its place; the mark holds for whoever loads it again."""
        list_id = "members.choir.example"
        place = place_of(_HASHES, CHOIR, list_id, BART)
        key = keys.optin(list_id, place.bucket)
        store.client.hset(key, place.field, b"1 by some hand")
        store.client.hset(keys.evidence(list_id, place.bucket), place.field, b"junk")
        registry.introduce(CHOIR, list_id)

        (shown,) = erasure.look(BART, []).findings.values()
        report = erasure.erase(BART, [])

        assert (shown.record, shown.unreadable) == (
            None,
            f"{key} {place.field.hex()}",
        )
        assert report.found(Kind.OPTIN) == 1
        assert registry.load(CHOIR, list_id, [BART], Grade.PAPER).kept == 1
        assert registry.count(list_id).erased == 1
        (mark,) = erasure.look(BART, []).findings.values()
        assert (mark.is_mark, mark.has_evidence) == (True, False)

    def test_no_trace_of_the_hash_is_left(
        self, counters: Counters, store: Store, keys: Keys, erasure: Erasure
    ) -> None:
        """In the bytes of no key, not even of those that are not looked through."""
        mail(counters, BART, CORA)
        mail(counters, BART, *some_people(30), band=2)
        assert _values_with(store, keys, BART)

        erasure.erase(BART, [])

        assert not _values_with(store, keys, BART)
        assert _values_with(store, keys, CORA)

    def test_twice_is_as_good_as_once(
        self, counters: Counters, store: Store, keys: Keys, erasure: Erasure
    ) -> None:
        """The second time nothing is found, and nothing is changed."""
        mail(counters, BART, CORA)
        erasure.erase(BART, [])
        before = _dump(store, keys)

        assert not erasure.erase(BART, []).findings
        assert _dump(store, keys) == before

    def test_whoever_was_never_mailed_costs_nothing(
        self, counters: Counters, store: Store, keys: Keys, erasure: Erasure
    ) -> None:
        """Also where nothing is remembered at all."""
        assert not erasure.erase(BART, [(CHOIR, "news.example")]).findings
        mail(counters, CORA)
        before = _dump(store, keys)

        report = erasure.erase(BART, [])

        assert not report.findings
        assert report.looked[Kind.CONTACTS] == 1
        assert _dump(store, keys) == before

    def test_life_times_stay(
        self, counters: Counters, store: Store, keys: Keys, erasure: Erasure
    ) -> None:
        """Erasing is no use of a key."""
        mail(counters, BART, *some_people(30))
        names = [f"{keys.namespace}:{name}" for name in store.names(keys)]
        for name in names:
            store.ask("PEXPIRE", name, 7_000_000)

        assert len(erasure.erase(BART, []).findings) == 3

        left = [store.ask("PTTL", name) for name in names]
        assert all(6_900_000 < one <= 7_000_000 for one in left)

    def test_counts_go_down_by_one_at_most(
        self, counters: Counters, erasure: Erasure
    ) -> None:
        """Different ones lose one; the strangers of a mailing stay as many."""
        before = mail(counters, BART, *some_people(30))
        erasure.erase(BART, [])
        after = mail(counters, *some_people(30))

        assert (before.levels[0].used, after.levels[0].used) == (31, 30)
        assert before.spread is not None
        assert after.spread is not None
        assert (before.spread.reached, after.spread.reached) == (31, 30)
        assert after.spread.strangers == before.spread.strangers

    def test_what_is_given_back_after_it_harms_nobody(
        self, counters: Counters, erasure: Erasure
    ) -> None:
        """A message was under way, and is not let out after all."""
        mail(counters, CORA)
        plan = a_plan(
            of_different(BART, CORA),
            people=[BART, CORA],
            campaign=a_campaign(),
            bands=some_bands(1),
        )
        answers = counters.look_up(plan)
        erasure.erase(BART, [])
        counters.settle(plan, answers, held_bytes=0)

        assert strangers(counters, BART, CORA) == 1

    def test_only_one_customer(
        self, counters: Counters, erasure: Erasure, registry: Registry
    ) -> None:
        """Others remember on, and so do lists that were not named."""
        for customer in (ANNE, CHOIR, "anne*", "choir"):
            mail(counters, BART, customer=customer)
        registry.load(ANNE, "members.choir.example", [BART], Grade.PAPER)
        registry.load(CHOIR, "news.example", [BART], Grade.PAPER)

        report = erasure.erase(BART, [], [CHOIR, "nobody"])

        assert [one.name for one in report.findings.values()] == [
            *(CHOIR,) * 3,
            "news.example",
        ]
        assert report.looked.total() == 4
        assert strangers(counters, BART, customer=CHOIR) == 1
        for customer in (ANNE, "choir", "anne*"):
            assert strangers(counters, BART, customer=customer) == 0
        assert not erasure.look(BART, [], ["anne?", "ann*"]).looked

    def test_a_thousand_customers(
        self, counters: Counters, erasure: Erasure, store: Store, keys: Keys
    ) -> None:
        """In batches, and the one who waits is told how far it is."""
        for number in range(1_000):
            counters.look_up(a_plan(people=[BART, CORA], customer=f"c{number}"))
        told: list[int] = []

        report = Erasure(store.client, keys, _HASHES, told.append).erase(BART, [])

        assert report.found(Kind.CONTACTS) == 1_000
        assert told == sorted(told)
        assert len(told) >= 5
        assert not erasure.look(BART, []).findings
        assert strangers(counters, CORA, customer="c7") == 0


class TestLooking:
    """What is shown of one address."""

    def test_everything_has_its_line(
        self, counters: Counters, erasure: Erasure, registry: Registry, store: Store
    ) -> None:
        """Names as a person knows them; nothing is changed by looking."""
        for band in (1, 2):
            mail(counters, BART, customer=CHOIR, band=band)
        registry.load(CHOIR, "members.choir.example", [BART], Grade.WITNESSED)

        first = erasure.look(BART, []).findings.values()
        week_us = store.ask("TIME")
        now_us = int(week_us[0]) * 1_000_000

        assert set(first) == {
            Finding(Kind.CONTACTS, CHOIR, week_us=now_us // WEEK_US * WEEK_US),
            Finding(Kind.DISTINCT, CHOIR, limit="different-daily:anne@example.com"),
            Finding(Kind.CONTENT, CHOIR, contents=2),
            Finding(
                Kind.OPTIN,
                "members.choir.example",
                customer=CHOIR,
                record=Record(grade=Grade.WITNESSED),
            ),
        }
        assert list(erasure.look(BART, []).findings.values()) == list(first)
        assert not erasure.look(CORA, []).findings

    @pytest.mark.parametrize("weeks", [0, 1, WEEKS_KEPT, WEEKS_KEPT + 3, 250])
    @pytest.mark.parametrize("crowd", [0, 600])
    def test_the_week_of_the_last_mail(
        self, store: Store, keys: Keys, erasure: Erasure, weeks: int, crowd: int
    ) -> None:
        """Also of those who count as strangers by now: they are in the table still."""
        seconds, _ = store.ask("TIME")
        then_us = (int(seconds) * 1_000_000 // WEEK_US - weeks) * WEEK_US
        counters = store.counters(keys, Clock(then_us + 5))
        counters.look_up(a_plan(people=(BART, *some_people(crowd))))

        (finding,) = erasure.look(BART, []).findings.values()

        assert finding == Finding(Kind.CONTACTS, ANNE, week_us=then_us, exact=not crowd)


@fast
@given(
    people=st.frozensets(st.integers(0, 40), min_size=1, max_size=20),
    crowd=st.sampled_from([0, 30, 520]),
    gone=st.lists(st.integers(0, 40), max_size=4),
)
def test_nobody_else_is_forgotten(
    store: Store, people: frozenset[int], crowd: int, gone: list[int]
) -> None:
    """Whatever is erased: all others are known or not as they were before."""
    keys = new_keys()
    counters = store.counters(keys, Clock(START_US))
    names = some_people(41)
    some = [names[one] for one in sorted(people)]
    mail(counters, *some, *some_people(crowd, first=1_000))
    erasure = Erasure(store.client, keys, _HASHES)

    for one in gone:
        erasure.erase(names[one], [], [ANNE])

    for number, name in enumerate((*names, *some_people(crowd, first=1_000))):
        mailed = number in people or number >= len(names)
        if number in gone:
            assert strangers(counters, name) == 1
        elif mailed and not any(is_neighbour(name, names[one]) for one in gone):
            assert strangers(counters, name) == 0


def test_neighbours_of_a_page_go_together(store: Store, keys: Keys) -> None:
    """Nothing of the erased one may be left, so what cannot be told apart goes, too."""
    counters = store.counters(keys)
    one, other = _neighbours()
    crowd = [name for name in some_people(600) if not is_neighbour(name, one)]
    counters.look_up(a_plan(people=(one, other, *crowd)))
    assert strangers(counters, one, other) == 0

    Erasure(store.client, keys, _HASHES).erase(one, [])

    assert strangers(counters, one, other) == 2
    assert strangers(counters, *crowd) == 0


def _neighbours() -> tuple[str, str]:
    """Two whom a page cannot tell apart, by chance."""
    met: dict[int, str] = {}
    for name in some_people(100_000, first=1_000_000):
        bits = _page_bits(name)
        if bits in met:
            return met[bits], name
        met[bits] = name
    raise AssertionError("there are none")


def test_a_customer_with_100_000_contacts(
    store: Store, keys: Keys, counters: Counters, erasure: Erasure
) -> None:
    """One of them is forgotten; of the others, nobody or a neighbour."""
    people = some_people(100_000)
    for first in range(0, len(people), 1_000):
        counters.look_up(a_plan(people=people[first : first + 1_000]))
    victim = people[77]
    before = _unknown(counters, people)

    report = erasure.erase(victim, [])

    assert report.found(Kind.CONTACTS) == 1
    neighbours = {one for one in people if is_neighbour(one, victim)}
    assert victim in neighbours
    assert _unknown(counters, people) - before == neighbours
    assert not erasure.erase(victim, []).findings


def _unknown(counters: Counters, people: tuple[str, ...]) -> set[str]:
    found: set[str] = set()
    by_hash = {_HASHES.item(one): one for one in people}
    for first in range(0, len(people), 1_000):
        plan = a_plan(people=people[first : first + 1_000])
        hashes = counters.look_up(plan, commit=False).strangers
        found |= {by_hash[hashes[at : at + 4]] for at in range(0, len(hashes), 4)}
    return found


class TestTrouble:
    """What people write by hand, and a server that forgot."""

    def test_a_key_of_another_type_is_told_and_stops_nothing(
        self, store: Store, keys: Keys, counters: Counters, erasure: Erasure
    ) -> None:
        """The others are looked at all the same."""
        mail(counters, BART, customer="choir")
        store.ask("SET", keys.contacts(ANNE), "nonsense")

        report = erasure.erase(BART, [], [ANNE, "choir"])

        assert report.unusable == [keys.contacts(ANNE)]
        assert len(report.findings) == 3
        # All together, only keys of the right type are taken for ours.
        assert erasure.erase(BART, []).unusable == []

    @pytest.mark.parametrize("junk", ["", "x", "nonsense of some length", "\x00" * 61])
    def test_junk_in_a_key_of_ours_is_left_alone(
        self, store: Store, keys: Keys, erasure: Erasure, junk: str
    ) -> None:
        """Nothing is found in it, and it is not written."""
        store.ask("HSET", keys.contacts(ANNE), "recent", junk)
        store.ask("HSET", keys.content(ANNE), "index", junk, "1", junk)
        store.ask("SET", keys.distinct(ANNE, "limit", ANNE), junk or "x")
        store.ask("HSET", f"{keys.namespace}:contacts:{{}}", "recent", junk)
        store.ask("SET", f"{keys.namespace}:distinct:nobody", junk)
        before = _dump(store, keys)

        report = erasure.erase(BART, [])

        assert (report.findings, report.unusable) == ({}, [])
        assert _dump(store, keys) == before
        store.ask("DEL", f"{keys.namespace}:contacts:{{}}")
        store.ask("DEL", f"{keys.namespace}:distinct:nobody")

    def test_a_script_that_the_server_forgot_is_sent_again(
        self, store: Store, keys: Keys, counters: Counters, erasure: Erasure
    ) -> None:
        """After SCRIPT FLUSH or a failover."""
        mail(counters, BART)
        assert len(erasure.look(BART, []).findings) == 3
        store.ask("SCRIPT", "FLUSH")
        assert len(erasure.erase(BART, []).findings) == 3


def test_the_audit_names_nobody(
    store: Store, keys: Keys, counters: Counters, erasure: Erasure
) -> None:
    """Who did it, and how much was found; whose it was only tells who has the secret."""
    mail(counters, BART)
    report = erasure.erase(BART, [])

    name = erasure.note(BART, report, "anne", "choir")

    ((_, fields),) = store.client.xrange(keys.audit)
    assert fields == {
        b"event": b"recipient-erased",
        b"name": name.encode(),
        b"actor": b"anne",
        b"until": b"",
        b"text": b"contacts 1, distinct 1, content 1, optin 0; customer choir",
        b"value": b"",
    }
    assert name == Hashes(SECRET).erased(BART)
    assert _HASHES.item(BART).hex() not in name


def _values_with(store: Store, keys: Keys, name: str) -> bool:
    wanted = _HASHES.item(name)
    return any(wanted in value for value in _dump(store, keys).values())


def _dump(store: Store, keys: Keys) -> dict[str, bytes]:
    """Every value of this test's namespace, as bytes."""
    found: dict[str, bytes] = {}
    for raw in sorted(store.client.scan_iter(match=f"{keys.namespace}:*")):
        kind = store.client.type(raw)
        if kind == b"string":
            found[raw.decode()] = store.client.get(raw)
        elif kind == b"hash":
            for field, value in sorted(store.client.hgetall(raw).items()):
                found[f"{raw.decode()} {field.hex()}"] = value
    return found

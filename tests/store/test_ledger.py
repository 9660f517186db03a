"""Claimed confirmations against the ledger, on a real server."""

from ipaddress import ip_address

import pytest

from outgate.model.challenge import DAY_S, Witness
from outgate.model.consent import Grade
from outgate.model.optin import Method, OptIn, Record, ZoneSource
from outgate.model.optin_order import unpack
from outgate.model.units import SECOND_US
from outgate.signing.vault import Vault
from outgate.store.erasure import Erasure
from outgate.store.hashes import Hashes
from outgate.store.keys import Keys
from outgate.store.ledger import Ledger
from outgate.store.registry import Registry, packed
from store.builders import Clock
from store.challenged import LIST, RETENTION_S, a_challenge
from store.running import SECRET, Store

CHOIR = "choir"
BART, NED = "bart@example.net", "ned@example.net"


def server_s(store: Store) -> int:
    return int(store.ask("TIME")[0])


def a_registry(store: Store, keys: Keys, *, through_us: bool = True) -> Registry:
    hashes = Hashes(SECRET)
    declared = frozenset({(CHOIR, LIST)} if through_us else ())
    ledger = Ledger(
        store.client, keys, hashes, retention_s=RETENTION_S, through_us=declared
    )
    return Registry(store.client, keys, hashes, sealer=Vault(SECRET), ledger=ledger)


def an_optin(
    mailbox: str,
    time_s: int,
    *,
    method: Method = Method.COI_WEB,
    grade: Grade = Grade.ASSERTED,
) -> OptIn:
    record = Record(
        time_us=time_s * SECOND_US,
        zone=ZoneSource.EXPLICIT,
        method=method,
        grade=grade,
    )
    return OptIn(
        customer=CHOIR,
        list_id=LIST,
        mailbox=mailbox,
        record=record,
        client_ip=ip_address("203.0.113.9"),
    )


def asked(store: Store, keys: Keys, mailbox: str, at_s: int) -> None:
    counters = store.counters(keys, Clock(at_s * SECOND_US))
    counters.note_challenge(a_challenge(mailbox=mailbox), left=True)
    store.ask("PING")


def grade_of(registry: Registry, mailbox: str) -> Grade:
    found = registry.find(CHOIR, LIST, mailbox)
    assert found is not None
    return found.record.grade


def test_a_challenge_makes_a_claim_worth_more(store: Store, keys: Keys) -> None:
    """And where none went before, that is noted, once, however often it is imported."""
    now_s = server_s(store)
    asked(store, keys, "first@example.net", now_s - 10 * DAY_S)
    asked(store, keys, BART, now_s - 3 * DAY_S)
    registry = a_registry(store, keys)
    claims = [
        an_optin(BART, now_s - 2 * DAY_S),
        an_optin(NED, now_s - 2 * DAY_S),
        an_optin("old@example.net", now_s - 20 * DAY_S),
        an_optin("paper@example.net", now_s, method=Method.PAPER, grade=Grade.PAPER),
    ]
    tallies = [registry.register(claims) for _ in range(2)]

    assert all(
        one.witnesses
        == {
            Witness.CORROBORATED: 1,
            Witness.CONTRADICTED: 1,
            Witness.UNWITNESSED: 1,
        }
        for one in tallies
    )
    assert grade_of(registry, BART) is Grade.CORROBORATED
    assert grade_of(registry, NED) is Grade.ASSERTED
    assert grade_of(registry, "old@example.net") is Grade.ASSERTED
    assert grade_of(registry, "paper@example.net") is Grade.PAPER
    ledger = registry.ledger
    assert ledger is not None
    assert ledger.contradictions(LIST) == 1
    assert ledger.find(CHOIR, LIST, NED).contradicted_s == now_s - 2 * DAY_S
    assert ledger.find(CHOIR, LIST, BART).entry.first_s == now_s - 3 * DAY_S
    assert ledger.coverage(CHOIR, LIST).count == 2


def test_a_later_assertion_takes_nothing_back(store: Store, keys: Keys) -> None:
    """The same claim, from a host that does not ask the ledger, counts less."""
    now_s = server_s(store)
    asked(store, keys, BART, now_s - 3 * DAY_S)
    registry = a_registry(store, keys)
    registry.register([an_optin(BART, now_s - 2 * DAY_S)])
    registry.ledger = None
    registry.register([an_optin(BART, now_s - 2 * DAY_S)])
    assert grade_of(registry, BART) is Grade.CORROBORATED


def test_nobody_is_contradicted_who_declared_nothing(store: Store, keys: Keys) -> None:
    """Challenges may leave by another way; one that was seen corroborates all the same."""
    now_s = server_s(store)
    asked(store, keys, BART, now_s - 3 * DAY_S)
    registry = a_registry(store, keys, through_us=False)
    tally = registry.register([an_optin(NED, now_s), an_optin(BART, now_s)])
    assert tally.witnesses == {Witness.UNWITNESSED: 1, Witness.CORROBORATED: 1}
    assert registry.ledger is not None
    assert not registry.ledger.contradictions(LIST)


def test_another_customers_challenge_is_none(store: Store, keys: Keys) -> None:
    """Though the list's id be the same."""
    now_s = server_s(store)
    counters = store.counters(keys, Clock((now_s - DAY_S) * SECOND_US))
    plan = a_challenge(mailbox=BART)
    plan.customer = "band"
    counters.note_challenge(plan, left=True)
    store.ask("PING")
    registry = a_registry(store, keys)
    tally = registry.register([an_optin(BART, now_s)])
    assert tally.witnesses == {Witness.UNWITNESSED: 1}


def test_an_erasure_forgets_challenges(store: Store, keys: Keys) -> None:
    """What was asked, what was claimed, and how often within a day."""
    now_s = server_s(store)
    asked(store, keys, BART, now_s - 3 * DAY_S)
    store.counters(keys).look_up(a_challenge(mailbox=NED))
    registry = a_registry(store, keys)
    registry.register([an_optin(one, now_s) for one in (BART, NED)])
    hashes = Hashes(SECRET)
    for mailbox in (BART, NED):
        Erasure(store.client, keys, hashes).erase(mailbox, [(CHOIR, LIST)], [])

    ledger = registry.ledger
    assert ledger is not None
    for mailbox in (BART, NED):
        found = ledger.find(CHOIR, LIST, mailbox)
        assert (found.entry.times, found.contradicted_s) == (0, 0)
    assert not store.ask("EXISTS", keys.challenged(hashes.challenged(NED)))


@pytest.mark.parametrize("rows", [25_000])
def test_batches_are_compared_in_few_questions(
    store: Store, keys: Keys, rows: int
) -> None:
    """More rows than a batch has: each is compared with its own challenges."""
    now_s = server_s(store)
    for number in range(50):
        asked(store, keys, f"bart{number * 500}@example.net", now_s - DAY_S)
    registry = a_registry(store, keys)
    ledger = registry.ledger
    assert ledger is not None
    claims = (
        packed(an_optin(f"bart{number}@example.net", now_s)) for number in range(rows)
    )
    better = [
        mailbox
        for _, _, mailbox, record, _ in ledger.compared(claims)
        if unpack(record).grade is Grade.CORROBORATED
    ]
    assert better == [f"bart{number * 500}@example.net" for number in range(50)]
    assert ledger.contradictions(LIST) == rows - 50

"""Records of held messages: why, since when, until when, for which customer."""

from dataclasses import dataclass

import pytest

from outgate.policy.questions import Plan
from outgate.store.holds import Holds, not_listed
from outgate.store.keys import Keys
from outgate.store.outbox import Record
from outgate.store.trouble import Client
from store.builders import ANNE, START_US, a_charge, a_plan
from store.running import Store

DAY_US = 86_400_000_000


def a_record(queue_id: str = "4XyZ2q1", **fields: str | int) -> Record:
    return {
        "kind": "held",
        "mta": "mx1.example.org",
        "queue-id": queue_id,
        "customer": ANNE,
        "contact": ANNE,
        "login": ANNE,
        "sender": "anne@example.com",
        "recipients": 3,
        "size": 700,
        "reasons": "limit-exceeded",
        "detail": "messages-per-login-hourly:20/20",
        "since-us": START_US,
        "until-us": START_US + 5 * DAY_US,
        **fields,
    }


@dataclass
class Hall:
    """A customer whose mail is held, as settle.lua counts it and the keeper notes it."""

    store: Store
    keys: Keys

    @property
    def holds(self) -> Holds:
        return Holds(self.store.client, self.keys)

    def hold(self, record: Record) -> None:
        counters = self.store.counters(self.keys)
        plan = self.plan(str(record["customer"]))
        counters.settle(plan, counters.look_up(plan), held_bytes=int(record["size"]))
        self.holds.apply(record)

    def plan(self, customer: str) -> Plan:
        return a_plan(a_charge(burst=1_000), customer=customer)

    def counted(self, customer: str = ANNE) -> tuple[int, int]:
        answers = self.store.counters(self.keys).look_up(self.plan(customer))
        return answers.held_messages, answers.held_bytes


@pytest.fixture
def hall(store: Store, keys: Keys) -> Hall:
    return Hall(store, keys)


def test_a_record_says_why_a_message_is_held(hall: Hall) -> None:
    """All fields come back as text, under the MTA's name and the queue id."""
    hall.holds.apply(a_record(sender="Größe@bücher.example"))
    (record,) = hall.holds.all()

    assert record["reasons"] == "limit-exceeded"
    assert record["sender"] == "Größe@bücher.example"
    assert record["until-us"] == str(START_US + 5 * DAY_US)
    assert "kind" not in record
    key = hall.keys.held("mx1.example.org", "4XyZ2q1")
    assert key == f"{hall.keys.namespace}:held:mx1.example.org:4XyZ2q1"
    assert hall.store.ask("HGET", key, "customer") == ANNE.encode()


def test_a_record_outlives_its_message_by_a_month(hall: Hall) -> None:
    """The question "what was that?" has an answer, and the store does not fill up."""
    hall.holds.apply(a_record())
    key = hall.keys.held("mx1.example.org", "4XyZ2q1")
    expires_s = int(hall.store.ask("EXPIRETIME", key))
    assert expires_s == (START_US + 35 * DAY_US) // 1_000_000


def test_records_are_listed_by_the_time_they_were_held(hall: Hall) -> None:
    """Oldest first, whatever the order in which the outbox was emptied."""
    for queue_id, age in (("B", 2), ("A", 3), ("C", 1)):
        hall.holds.apply(a_record(queue_id, **{"since-us": START_US - age * DAY_US}))
    assert [record["queue-id"] for record in hall.holds.all()] == ["A", "B", "C"]


def test_twice_is_as_good_as_once(hall: Hall) -> None:
    """The outbox may repeat itself after a crash."""
    hall.hold(a_record())
    before = hall.holds.all()
    hall.holds.apply(a_record())
    assert hall.holds.all() == before
    assert hall.counted() == (1, 700)


def test_what_is_gone_is_not_counted_any_more(hall: Hall) -> None:
    """Released or deleted: the room in the hold queue is free, the record stays."""
    for queue_id in ("A", "B"):
        hall.hold(a_record(queue_id))
    assert hall.counted() == (2, 1_400)
    first, second = hall.holds.all()

    for _ in range(2):
        hall.holds.gone(first)
        assert hall.counted() == (1, 700)
    assert [record["queue-id"] for record in hall.holds.all()] == ["B"]
    assert hall.store.ask("EXISTS", hall.keys.held("mx1.example.org", "A"))

    hall.holds.gone(second)
    assert hall.counted() == (0, 0)
    assert not hall.store.ask("EXISTS", hall.keys.holding(ANNE))


@pytest.mark.parametrize("customer", ["two words", "{choir}", "100 %", "Größe"])
def test_odd_customers_are_counted_like_others(hall: Hall, customer: str) -> None:
    """The keeper finds the count that the script made, however it is escaped."""
    hall.hold(a_record(customer=customer))
    assert hall.counted(customer) == (1, 700)
    (record,) = hall.holds.all()
    hall.holds.gone(record)
    assert hall.counted(customer) == (0, 0)


def test_a_count_never_falls_below_nothing(hall: Hall, client: Client) -> None:
    """A settlement that got lost: gone without ever having been counted."""
    hall.holds.apply(a_record())
    (record,) = hall.holds.all()
    hall.holds.gone(record)
    assert hall.counted() == (0, 0)
    assert client.exists(hall.keys.holding(ANNE)) == 0


def test_a_record_that_has_expired_leaves_the_index(hall: Hall) -> None:
    """Nothing stands in the index for ever."""
    hall.holds.apply(a_record("old", **{"until-us": START_US - 40 * DAY_US}))
    hall.holds.apply(a_record("new"))
    assert [record["queue-id"] for record in hall.holds.all()] == ["new"]
    assert hall.store.ask("ZCARD", hall.keys.held_index) == 1


def test_odd_queue_ids_are_found_again(hall: Hall) -> None:
    """Sendmail's and Postfix's long ids, and what a person might make of them."""
    for queue_id in ("5AOBcDef012345", "4XyZ:2q1", "a b c", "{x}", "100%"):
        hall.holds.apply(a_record(queue_id))
        hall.holds.apply(a_record(queue_id, mta="mx2 {b}"[:3]))
    found = {(record["mta"], record["queue-id"]) for record in hall.holds.all()}
    assert len(found) == 10


def test_only_messages_of_that_mta_can_be_missing() -> None:
    """Another MTA's hold queue says nothing of ours."""
    records = [
        {"mta": "mx1", "queue-id": "A"},
        {"mta": "mx1", "queue-id": "B"},
        {"mta": "mx2", "queue-id": "C"},
    ]
    assert not_listed(records, "mx1", frozenset({"B"})) == [records[0]]
    assert not_listed(records, "mx1", frozenset()) == records[:2]
    assert not_listed(records, "mx3", frozenset()) == []


class TestRecount:
    """Counts that do not say what the records say."""

    def rounds(self, holds: Holds, records: list[Record]) -> None:
        """So many that each key was met, and believed."""
        texts = [{name: str(value) for name, value in one.items()} for one in records]
        holds.recount(texts)
        while holds._cursor:
            holds.recount(texts)
        holds.recount(texts)

    def test_a_settlement_that_was_lost_is_made_up_for(self, hall: Hall) -> None:
        """Three were counted where one has a record."""
        record = a_record()
        hall.hold(record)
        hall.store.ask("HSET", hall.keys.holding(ANNE), "messages", 3, "bytes", 2100)
        self.rounds(hall.holds, [record])

        assert hall.counted() == (1, 700)

    def test_a_customer_without_records_has_none_held(self, hall: Hall) -> None:
        """Nobody leads to that count but itself."""
        hall.store.ask("HSET", hall.keys.holding(ANNE), "messages", 3, "bytes", 2100)
        self.rounds(hall.holds, [])

        assert hall.counted() == (0, 0)
        assert not hall.store.ask("EXISTS", hall.keys.holding(ANNE))

    def test_a_count_is_not_changed_at_first_sight(self, hall: Hall) -> None:
        """A message that was held a moment ago has no record yet."""
        hall.store.ask("HSET", hall.keys.holding(ANNE), "messages", 1, "bytes", 700)
        hall.holds.recount([])

        assert hall.counted() == (1, 700)

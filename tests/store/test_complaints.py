"""Complaints on a real server: kept once, counted by person, taken back."""

from dataclasses import replace

from outgate.model.complaint import (
    Attribution,
    Complaint,
    Outcome,
    Proof,
    Standing,
)
from outgate.store.complaints import COUNTED_DAYS, DAY_S, KEPT_DAYS, Complaints
from outgate.store.keys import Keys
from store.running import Store

NOW_US = 1_795_000_000_000_000
NEWS = ("customer", "list:news.choir.example")
ONE = Complaint(
    id="0f3c5a1e9b7d2468ace013579bdf0246",
    time_us=NOW_US,
    feed="yahoo",
    standing=Standing.ENROLLED,
    feedback_type="abuse",
    format="arf",
    attribution=Attribution.OURS,
    proof=Proof.TRACE,
    is_certain=True,
    outcome=Outcome.UNDECLARED_BULK,
    customer="a {b}",
    complainant="5f0c",
)


def test_one_is_read_as_it_was_written(store: Store, keys: Keys) -> None:
    complaints = Complaints(store.client, keys)

    assert complaints.find(ONE.id) is None
    assert complaints.write(ONE, NEWS)
    assert complaints.find(ONE.id) == ONE
    assert complaints.latest(5) == [ONE]
    assert store.client.ttl(keys.complaint(ONE.id)) > (KEPT_DAYS - 1) * DAY_S


def test_twice_changes_nothing(store: Store, keys: Keys) -> None:
    """A command that died before the end is run again by the MTA."""
    complaints = Complaints(store.client, keys)

    assert [complaints.write(ONE, NEWS) for _ in range(2)] == [True, False]
    assert complaints.complainants(ONE.customer, NEWS, NOW_US) == [1, 1]
    assert complaints.totals() == {("ours", "yahoo"): 1}
    assert store.client.zcard(keys.strikes(ONE.customer)) == 1


def test_people_are_counted_for_ninety_days(store: Store, keys: Keys) -> None:
    complaints = Complaints(store.client, keys)
    for number in range(3):
        one = replace(ONE, id=f"{number:032x}", complainant=f"{number:04x}")
        complaints.write(one, NEWS)
    later_us = NOW_US + (COUNTED_DAYS + 1) * DAY_S * 1_000_000

    assert complaints.complainants(ONE.customer, NEWS, NOW_US) == [3, 3]
    assert complaints.complainants(ONE.customer, NEWS, later_us) == [0, 0]


def test_what_a_person_takes_back_is_held_no_more(store: Store, keys: Keys) -> None:
    """And nobody else's."""
    complaints = Complaints(store.client, keys)
    complaints.write(ONE, NEWS)
    complaints.write(replace(ONE, id="1" * 32, complainant="other"), NEWS)
    back = replace(ONE, id="2" * 32, outcome=Outcome.NOT_SPAM)

    assert complaints.cancel(back, NEWS)
    assert complaints.complainants(ONE.customer, NEWS, NOW_US) == [1, 1]
    assert store.client.zrange(keys.strikes(ONE.customer), 0, -1) == [b"other"]


def test_what_is_not_certain_is_no_strike(store: Store, keys: Keys) -> None:
    Complaints(store.client, keys).write(replace(ONE, is_certain=False))

    assert not store.client.exists(keys.strikes(ONE.customer))


def test_copies_are_people(store: Store, keys: Keys) -> None:
    complaints = Complaints(store.client, keys)
    found = [complaints.copies("5f0c", who, NOW_US) for who in ("a", "a", "b")]

    assert found == [1, 1, 2]


def test_what_a_person_wrote_there_is_left_out(store: Store, keys: Keys) -> None:
    complaints = Complaints(store.client, keys)
    complaints.write(ONE)
    store.client.hset(keys.complaint(ONE.id), "outcome", "guilty")

    assert complaints.find(ONE.id) is None
    assert complaints.latest(5) == []

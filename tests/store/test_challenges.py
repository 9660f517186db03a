"""Challenges on a real server: the scripts do what their twins say."""

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from outgate.model.challenge import (
    DAY_S,
    Coverage,
    Entry,
    Recent,
    challenge,
    read_entry,
)
from outgate.model.units import SECOND_US
from outgate.store.challenges import bucket_of
from outgate.store.consents import place_of
from outgate.store.counters import Counters
from outgate.store.hashes import Hashes
from outgate.store.keys import Keys
from outgate.store.scripts import Script
from store.builders import Clock, a_charge, a_plan
from store.challenged import LIST, RETENTION_S, a_challenge
from store.running import SECRET, Store, fast, new_keys
from store.test_scripts import Call, Contract, Recorder

_HASHES = Hashes(SECRET)


@dataclass(frozen=True)
class Step:
    """One challenge.

    Attributes:
        fate: whether it leaves, is given back, or is only looked at.
    """

    wait_s: int
    customer: str
    sender: str
    per_list: int
    per_recipient: int
    binding: bool
    fate: str


STEPS = st.builds(
    Step,
    wait_s=st.sampled_from([0, 0, 1, 60, DAY_S // 2, DAY_S - 1, DAY_S, DAY_S + 1, -5]),
    customer=st.sampled_from(["choir", "band", "shop", "club"]),
    sender=st.sampled_from(["news", "members", "announce"]),
    per_list=st.integers(1, 3),
    per_recipient=st.integers(1, 5),
    binding=st.booleans(),
    fate=st.sampled_from(["leaves", "leaves", "given back", "looked at"]),
)


@fast
@given(steps=st.lists(STEPS, min_size=1, max_size=25))
def test_the_script_says_what_the_twin_says(store: Store, steps: list[Step]) -> None:
    """Any history: the same answers, and the same is kept."""
    keys, clock = new_keys(), Clock()
    counters = store.counters(keys, clock)
    kept: list[Recent] = []
    key = keys.challenged(_HASHES.challenged("bart@example.net"))
    for step in steps:
        clock.wait(step.wait_s)
        plan = a_challenge(
            customer=step.customer,
            sender=step.sender,
            per_list=step.per_list,
            per_recipient=step.per_recipient,
            binding=step.binding,
        )
        commit = step.fate != "looked at"
        expected, after = challenge(
            kept,
            _sender(step.sender, step.customer),
            clock.now_us // SECOND_US,
            step.per_list,
            step.per_recipient,
            binding=step.binding,
            commit=commit,
        )
        answers = counters.look_up(plan, commit=commit)
        assert answers.bombing == expected
        if step.fate == "given back":
            counters.settle(plan, answers, held_bytes=0)
            if expected.charged:
                after.remove(Recent(expected.charged[:4], clock.now_us // SECOND_US))
        kept = after
        if commit:
            packed = b"".join(one.sender + one.at_s.to_bytes(4, "big") for one in kept)
            assert (store.ask("GET", key) or b"") in {
                packed,
                # What has aged out stays until somebody writes.
                b"".join(
                    one.sender + one.at_s.to_bytes(4, "big")
                    for one in kept
                    if clock.now_us // SECOND_US - one.at_s < DAY_S
                ),
            }


NOTES = st.tuples(
    st.sampled_from([0, 1, DAY_S, 7 * DAY_S, 40 * DAY_S]),
    st.sampled_from(["bart@example.net", "ned@example.net"]),
    st.booleans(),
    st.sampled_from([7 * DAY_S, 30 * DAY_S]),
)


@fast
@given(notes=st.lists(NOTES, min_size=1, max_size=12))
def test_the_ledger_is_its_twin(
    store: Store, notes: list[tuple[int, str, bool, int]]
) -> None:
    """First, last, held, and how often; what is older than the retention is gone."""
    keys, clock = new_keys(), Clock()
    counters = store.counters(keys, clock)
    entries: dict[str, Entry] = {}
    coverage = Coverage()
    for wait_s, mailbox, left, retention_s in notes:
        clock.wait(wait_s)
        now_s = clock.now_us // SECOND_US
        counters.note_challenge(
            a_challenge(mailbox=mailbox, retention_s=retention_s), left=left
        )
        entries[mailbox] = entries.get(mailbox, Entry()).noted(now_s, left=left)
        if left:
            coverage = coverage.noted(now_s, retention_s)
    _, mailbox, _, retention_s = notes[-1]
    place = place_of(_HASHES, "choir", LIST, mailbox)
    key = keys.challenge(LIST, bucket_of(place.bucket))
    # A field is no text.
    kept = store.client.hget(key, place.field)
    assert read_entry(kept) == entries[mailbox]
    assert 0 < store.ask("TTL", key) <= retention_s
    words = store.ask("HGETALL", keys.challenges("choir", LIST))
    told = dict(zip(words[::2], map(int, words[1::2]), strict=True))
    assert told == (
        {
            b"first": coverage.first_s,
            b"last": coverage.last_s,
            b"since": coverage.since_s,
            b"count": coverage.count,
        }
        if coverage.count
        else {}
    )


def test_what_is_past_its_time_goes(store: Store, keys: Keys) -> None:
    """When the next one is noted in the same hash."""
    clock = Clock()
    counters = store.counters(keys, clock)
    places: dict[int, list[str]] = {}
    for number in range(10_000):
        mailbox = f"bart{number}@example.net"
        place = place_of(_HASHES, "choir", LIST, mailbox)
        places.setdefault(bucket_of(place.bucket), []).append(mailbox)
    bucket, (one, other, *_) = next(
        (bucket, those) for bucket, those in places.items() if len(those) > 1
    )
    counters.note_challenge(a_challenge(mailbox=one), left=True)
    clock.wait(RETENTION_S + 1)
    counters.note_challenge(a_challenge(mailbox=other), left=True)

    assert store.ask("HLEN", keys.challenge(LIST, bucket)) == 1


def test_ordinary_mail_asks_and_writes_nothing(store: Store, keys: Keys) -> None:
    """No key, and no more commands than before."""
    wire = Recorder()
    counters = Counters(wire, Keys(), SECRET)
    counters.look_up(a_plan(a_charge()))
    plain = len(wire.commands)
    plan = a_plan(a_charge())
    counters.note_challenge(plan, left=True)
    counters.note_challenge(a_challenge(list_id=""), left=True)
    assert (plain, len(wire.commands)) == (4, 4)


def test_the_scripts_are_called_as_their_headers_say() -> None:
    """Keys and arguments by name."""
    wire = Recorder()
    counters = Counters(wire, Keys(), SECRET)
    plan = a_challenge()
    place = place_of(_HASHES, "choir", LIST, "bart@example.net")
    counters.look_up(plan)
    counters.note_challenge(plan, left=False)
    counters.note_challenge(plan, left=True)
    calls = [Call.of(one) for one in wire.commands if one[0] == b"EVAL"]
    asked, held, left, covered = calls

    assert named("challenge", asked) == {
        "now_us": b"",
        "mode": b"charge",
        "sender": _sender("choir"),
        "per_list": b"1",
        "per_recipient": b"3",
        "binding": b"1",
    }
    for call, flag in ((held, b"0"), (left, b"1")):
        assert named("ledger", call) == {
            "now_us": b"",
            "field": place.field,
            "left": flag,
            "retention_s": b"2592000",
        }
    assert named("coverage", covered) == {"now_us": b"", "retention_s": b"2592000"}
    assert [key for call in calls for key in call.keys] == [
        f"outgate:challenged:{{{_HASHES.challenged('bart@example.net')}}}",
        *[f"outgate:challenge:{{{LIST}:{bucket_of(place.bucket)}}}"] * 2,
        f"outgate:challenges:{{{LIST}}}:choir",
    ]


def _sender(sender: str, customer: str = "choir") -> bytes:
    return _HASHES.item(customer)[:2] + _HASHES.item(sender)[:2]


def named(script: str, call: Call) -> dict[str, bytes]:
    contract = Contract.read(script)
    assert call.script == Script.load(script).text
    assert len(call.keys) == contract.keys
    return dict(zip(contract.arguments, call.arguments, strict=True))


def test_by_its_own_clock_a_person_is_asked_once(store: Store, keys: Keys) -> None:
    """As workers call it, without a time."""
    counters = store.counters(keys)
    first = counters.look_up(a_challenge()).bombing
    again = counters.look_up(a_challenge()).bombing
    assert first is not None
    assert again is not None
    assert (first.fits, again.fits) == (True, False)
    assert DAY_S - 60 < again.retry_after_s <= DAY_S

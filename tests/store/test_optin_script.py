"""`optin.lua` beside its twin: whatever happens, both keep the same."""

from dataclasses import dataclass, field
from typing import TypeGuard

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.optins import almost_records, records
from outgate.model.consent import Grade
from outgate.model.errors import ScriptError
from outgate.model.optin import Record, State
from outgate.model.optin_order import (
    MAX_AHEAD_US,
    PRECEDENCE_BYTES,
    erasure,
    is_record,
    later,
    pack,
    read_record,
    unpack,
)
from outgate.store.durability import Flushing
from outgate.store.keys import Keys
from outgate.store.steps import Mode, Step
from outgate.store.subscriptions import Done, Subscriptions
from store.builders import START_US, Clock
from store.running import Store, fast, new_keys

LIST = "members.choir.example"
FIELD = b"keyed by"
# Few moments that meet, some around the present, and some that no clock tells.
_MOMENTS = st.one_of(
    st.integers(1, 4),
    st.integers(-3, 3).map(lambda one: START_US + one),
    st.integers(-2, 2).map(lambda one: START_US + MAX_AHEAD_US + one),
    st.integers(1, 2**53 - 1),
)
_EVENTS = st.tuples(
    st.sampled_from([*[Mode.APPLY] * 6, Mode.ERASE, Mode.REMOVE]),
    records(_MOMENTS),
    st.booleans(),
)
_BEFORE = st.one_of(
    st.none(),
    records(_MOMENTS).map(pack),
    almost_records(),
    st.sampled_from([b"", b"yes", b"1", b"witnessed", b"1234567890"]),
)


@dataclass
class Twin:
    """One subscription, by the rules alone.

    Attributes:
        value: of the field.
        evidence: sealed.
    """

    value: bytes | None = None
    evidence: bytes | None = None
    done: list[Done] = field(default_factory=list)

    def apply(self, mode: Mode, record: Record, evidence: bytes, now_us: int) -> None:
        there = read_record(self.value)
        if mode is Mode.APPLY and (record.time_us or 0) > now_us + MAX_AHEAD_US:
            self._say(-1, there)
            return
        if mode is Mode.REMOVE:
            if there is None or there.state is not State.CONSENT:
                self._say(0, there)
                return
            self.value = self.evidence = None
            self._say(1, there)
            return
        if mode is Mode.ERASE:
            if self.value is None and self.evidence is None:
                self._say(0, None)
                return
            record = erasure(now_us, there)
            if there is not None and there.state is State.ERASED:
                record = there
        left = later(record, there)
        assert left is not None
        if left != there:
            self.value = pack(left)
        if left.state is State.ERASED:
            self.evidence = None
        elif evidence and (
            not _is_of_a_consent(self.evidence)
            or evidence[:PRECEDENCE_BYTES] > self.evidence[:PRECEDENCE_BYTES]
        ):
            self.evidence = evidence
        self._say(int(left != there), there)

    def _say(self, outcome: int, there: Record | None) -> None:
        self.done.append(Done(outcome, pack(there) if there is not None else b""))


def _is_of_a_consent(evidence: bytes | None) -> TypeGuard[bytes]:
    """Whether it begins with a precedence; the rest is sealed."""
    rest = pack(Record())[PRECEDENCE_BYTES:]
    record = read_record((evidence or b"")[:PRECEDENCE_BYTES] + rest)
    return record is not None and record.state is State.CONSENT


@fast
@given(_BEFORE, _BEFORE, st.lists(_EVENTS, max_size=6))
def test_both_keep_the_same(
    store: Store,
    value: bytes | None,
    sealed: bytes | None,
    events: list[tuple[Mode, Record, bool]],
) -> None:
    """Records, nonsense, what is nearly one; all three states; ahead of time."""
    keys, clock = new_keys(), Clock()
    client = store.client
    optin, vault = keys.optin(LIST, 5), keys.evidence(LIST, 5)
    writer = Subscriptions(client, keys, Flushing(client, keys), test_now_us=clock)
    for key, there in ((optin, value), (vault, sealed)):
        if there is not None:
            client.hset(key, FIELD, there)
    twin = Twin(value, sealed)
    done = []
    for number, (mode, record, has_evidence) in enumerate(events):
        clock.now_us += 1
        packed = pack(record)
        evidence = packed[:PRECEDENCE_BYTES] + b"%d" % number if has_evidence else b""
        step = Step(LIST, 5, FIELD, packed, evidence)
        done += writer.run_batch([step], mode)
        twin.apply(mode, record, evidence, clock.now_us)
        assert done == twin.done
        found = (client.hget(optin, FIELD), client.hget(vault, FIELD))
        assert found == (twin.value, twin.evidence)


@fast
@given(almost_records())
def test_the_script_takes_for_a_record_what_its_twin_does(
    store: Store, value: bytes
) -> None:
    """Both ways: a withdrawal that is not read is one that does not count."""
    keys = new_keys()
    store.client.hset(keys.optin(LIST, 5), FIELD, value)
    writer = Subscriptions(store.client, keys, Flushing(store.client, keys))
    (done,) = writer.run_batch([Step(LIST, 5, FIELD)], Mode.ERASE)
    assert done.former == (value if is_record(value) else b"")


def test_the_servers_time_is_the_present(store: Store, keys: Keys) -> None:
    """Where no test says another one."""
    seconds, _ = store.client.time()
    writer = Subscriptions(store.client, keys, Flushing(store.client, keys))
    for ahead_s, outcome in ((500, 1), (700, -1)):
        time_us = (int(seconds) + ahead_s) * 1_000_000
        packed = pack(Record(state=State.WITHDRAWN, time_us=time_us))
        (done,) = writer.run_batch([Step(LIST, 5, FIELD, packed)], Mode.APPLY)
        assert done.outcome == outcome
    (done,) = writer.run_batch([Step(LIST, 5, FIELD)], Mode.ERASE)
    assert unpack(done.former).state is State.WITHDRAWN
    mark = unpack(store.client.hget(keys.optin(LIST, 5), FIELD))
    # The withdrawal's clock was ahead: the mark is not older.
    assert mark.time_us == (int(seconds) + 500) * 1_000_000


def test_a_key_of_another_type_stops_it_before_anything_is_written(
    store: Store, keys: Keys
) -> None:
    """Also where only the evidence's is."""
    store.client.set(keys.evidence(LIST, 5), "a word")
    writer = Subscriptions(store.client, keys, Flushing(store.client, keys))
    packed = pack(Record(grade=Grade.PAPER))
    with pytest.raises(ScriptError):
        writer.run_batch([Step(LIST, 5, FIELD, packed)], Mode.APPLY)
    assert not store.client.exists(keys.optin(LIST, 5))


@pytest.mark.parametrize("what", ["record", "evidence"])
def test_an_erasure_takes_what_nobody_can_read(
    store: Store, keys: Keys, what: str
) -> None:
    """And leaves its mark: somebody was there."""
    optin, vault = keys.optin(LIST, 5), keys.evidence(LIST, 5)
    store.client.hset(vault, FIELD, b"\xff junk of any length")
    if what == "record":
        store.client.hset(optin, FIELD, b"witnessed by nobody")
    writer = Subscriptions(
        store.client, keys, Flushing(store.client, keys), test_now_us=Clock()
    )
    assert writer.run_batch([Step(LIST, 5, FIELD)], Mode.ERASE) == [Done(1, b"")]
    mark = Record(state=State.ERASED, time_us=START_US)
    assert store.client.hget(optin, FIELD) == pack(mark)
    assert not store.client.exists(vault)

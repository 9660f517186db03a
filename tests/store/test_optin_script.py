"""`optin.lua` beside its twin: whatever happens, both keep the same."""

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.optins import records
from outgate.model.consent import Grade
from outgate.model.errors import ScriptError
from outgate.model.optin import Record, State
from outgate.model.optin_order import (
    MAX_AHEAD_US,
    PRECEDENCE_BYTES,
    erasure,
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
FIELD, OLD = b"new 8 by", b"old 8 by"
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
    st.sampled_from([grade.value.encode() for grade in Grade]),
    records(_MOMENTS).map(pack),
    st.sampled_from([b"", b"yes", b"1", b"witnesse"]),
)


@dataclass
class Twin:
    """One subscription, by the rules alone.

    Attributes:
        new, old: values of both fields.
        evidence: sealed.
    """

    new: bytes | None = None
    old: bytes | None = None
    evidence: bytes | None = None
    done: list[Done] = field(default_factory=list)

    def apply(self, mode: Mode, record: Record, evidence: bytes, now_us: int) -> None:
        there = read_record(self.new)
        if mode is Mode.APPLY and (record.time_us or 0) > now_us + MAX_AHEAD_US:
            self._say(-1, there)
            return
        former = read_record(self.old)
        there = later(former, there)
        if mode is Mode.REMOVE:
            if there is None or there.state is not State.CONSENT:
                self._say(0, there)
                return
            self.new = self.old = self.evidence = None
            self._say(1, there)
            return
        if mode is Mode.ERASE:
            if there is None:
                self._say(0, None)
                return
            erased = there.state is State.ERASED
            record = there if erased else erasure(now_us, there)
        left = later(record, there)
        assert left is not None
        if left != there or former is not None:
            self.new = pack(left)
        if former is not None:
            self.old = None
        if left.state is State.ERASED:
            self.evidence = None
        elif evidence and (
            self.evidence is None or _precedence(evidence) > _precedence(self.evidence)
        ):
            self.evidence = evidence
        self._say(int(left != there), there)

    def _say(self, outcome: int, there: Record | None) -> None:
        self.done.append(Done(outcome, pack(there) if there is not None else b""))


def _precedence(evidence: bytes) -> bytes:
    return evidence[:PRECEDENCE_BYTES]


@fast
@given(_BEFORE, _BEFORE, st.lists(_EVENTS, max_size=6))
def test_both_keep_the_same(
    store: Store,
    new: bytes | None,
    old: bytes | None,
    events: list[tuple[Mode, Record, bool]],
) -> None:
    """Records, layout 1, nonsense; consents, withdrawals, erasures; ahead of time."""
    keys, clock = new_keys(), Clock()
    client = store.client
    optin, vault = keys.optin(LIST, 5), keys.evidence(LIST, 5)
    writer = Subscriptions(client, keys, Flushing(client, keys), test_now_us=clock)
    for name, value in ((FIELD, new), (OLD, old)):
        if value is not None:
            client.hset(optin, name, value)
    twin = Twin(new, old)
    done = []
    for number, (mode, record, has_evidence) in enumerate(events):
        clock.now_us += 1
        packed = pack(record)
        evidence = packed[:PRECEDENCE_BYTES] + b"%d" % number if has_evidence else b""
        step = Step(LIST, 5, FIELD, OLD, packed, evidence)
        done += writer.run_batch([step], mode)
        twin.apply(mode, record, evidence, clock.now_us)
        assert done == twin.done
        found = (*client.hmget(optin, FIELD, OLD), client.hget(vault, FIELD))
        assert found == (twin.new, twin.old, twin.evidence)


def test_the_servers_time_is_the_present(store: Store, keys: Keys) -> None:
    """Where no test says another one."""
    seconds, _ = store.client.time()
    writer = Subscriptions(store.client, keys, Flushing(store.client, keys))
    for ahead_s, outcome in ((500, 1), (700, -1)):
        time_us = (int(seconds) + ahead_s) * 1_000_000
        packed = pack(Record(state=State.WITHDRAWN, time_us=time_us))
        (done,) = writer.run_batch([Step(LIST, 5, FIELD, b"", packed)], Mode.APPLY)
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
        writer.run_batch([Step(LIST, 5, FIELD, b"", packed)], Mode.APPLY)
    assert not store.client.exists(keys.optin(LIST, 5))

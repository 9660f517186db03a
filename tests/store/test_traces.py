"""Traces: what is kept of a message, what it costs, and what is dropped first."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.report import say
from outgate.model.consent import Grade
from outgate.model.trace import TraceRecord, make_trace_id
from outgate.model.verdict import Action
from outgate.policy.decision import Decision
from outgate.policy.trace_settings import TraceSettings
from outgate.signing.trace import TraceSigner
from outgate.signing.tracer import MessageTracer
from outgate.store.hashes import Hashes
from outgate.store.keys import Keys
from outgate.store.trace_format import pack, unpack, without
from outgate.store.traces import (
    BUCKET_S,
    TraceRoom,
    Traces,
    TraceWriter,
    bucket_name,
    bucket_of,
)
from policy.builders import Outpost, a_policy, a_transaction
from store.running import SECRET, Store

KEEP_S = 30 * 86_400
MOST_BYTES = 300
MOST_BYTES_A_RECIPIENT = 10

texts = st.text(max_size=60)
records = st.builds(
    TraceRecord,
    customer=texts,
    principal=texts.filter(bool),
    script=texts,
    client=texts,
    queue_id=texts,
    mta_name=texts,
    time_us=st.integers(0, 2**63),
    sender=texts,
    list_id=texts,
    grade=st.sampled_from(Grade),
    campaign=st.binary(max_size=12),
    recipients=st.lists(st.binary(min_size=4, max_size=4), max_size=9).map(tuple),
    recipient_count=st.integers(0, 2**31),
    held=st.booleans(),
)


@given(records)
def test_what_was_packed_is_unpacked(record: TraceRecord) -> None:
    """Every field."""
    assert unpack(pack(record)) == record


@given(records, st.binary(min_size=4, max_size=4))
def test_a_recipient_is_taken_out(record: TraceRecord, one: bytes) -> None:
    """All else stays, and what looks like the hash elsewhere, too."""
    left = without(pack(record), one)
    if one in record.recipients:
        assert left is not None
        rest = tuple(each for each in record.recipients if each != one)
        assert unpack(left).recipients == rest
        assert unpack(left).customer == record.customer
    else:
        assert left is None


@given(st.binary(max_size=200))
def test_what_is_no_record_is_refused(packed: bytes) -> None:
    """With one kind of error."""
    try:
        unpack(packed)
    except ValueError:
        return


@given(records, st.integers(0, 300))
def test_a_record_that_is_cut_off_is_refused(record: TraceRecord, at: int) -> None:
    """Wherever."""
    packed = pack(record)
    if at < len(packed):
        with pytest.raises(ValueError, match=r"is |grade"):
            unpack(packed[:at])


def a_record(now_us: int, recipients: int) -> TraceRecord:
    """As long as most are."""
    hashes = Hashes(SECRET)
    return TraceRecord(
        customer="choir.example",
        principal="anne.lindqvist@choir.example",
        client="2001:db8:cafe:17::2:19",
        queue_id="4XyZ2q1TbCz9vXf",
        mta_name="mx1.hosting.example",
        time_us=now_us,
        sender="anne.lindqvist@choir.example",
        list_id="members.choir.example",
        campaign=b"x" * 12,
        recipients=tuple(
            hashes.item(f"b{one}@example.net") for one in range(recipients)
        ),
        recipient_count=recipients,
    )


def test_what_a_message_costs(store: Store, keys: Keys) -> None:
    """300 bytes, and 10 a recipient, with all that the server adds."""
    now_s = bucket_of(1_800_000_000)
    sizes = {}
    for recipients in (1, 50):
        key = keys.trace(bucket_name(now_s + BUCKET_S * recipients))
        for number in range(2_000):
            field = bytes.fromhex(make_trace_id(now_s * 10**6, b"%10d" % number))
            store.client.hset(key, field, pack(a_record(now_s * 10**6, recipients)))
        sizes[recipients] = store.client.memory_usage(key, samples=0) / 2_000
        store.client.delete(key)
    each = (sizes[50] - sizes[1]) / 49
    say(
        f"a trace: {sizes[1]:.0f} bytes with 1 recipient, {sizes[50]:.0f} with 50: "
        f"{each:.1f} for each"
    )
    assert sizes[1] <= MOST_BYTES + MOST_BYTES_A_RECIPIENT
    assert each <= MOST_BYTES_A_RECIPIENT


def _raise(error: Exception) -> None:
    raise error


def decided(now_us: int, policy_settings: TraceSettings | None = None) -> Decision:
    """A message that leaves, with its trace."""
    policy = a_policy(trace=policy_settings or TraceSettings())
    post = Outpost(policy)
    decision = post.judge(a_transaction("anne@example.com", recipients=3))
    decision.now_us = now_us
    MessageTracer(TraceSigner(SECRET), policy, _raise).trace(decision, None)
    return decision


def test_what_was_written_is_found(store: Store, keys: Keys) -> None:
    """By its id alone; it expires; recipients are known by their hashes."""
    now_us = store.client.time()[0] * 1_000_000
    decision = decided(now_us)
    assert decision.trace is not None
    policy = a_policy()
    writer = TraceWriter(keys, Hashes(SECRET))
    found = writer.commands(decision, policy)
    assert found is not None
    assert store.wire.call(*found) == [1, 1]
    again = writer.commands(decided(now_us), policy)
    assert again is not None
    assert store.wire.call(*again) == [1]

    traces = Traces(store.client, keys, Hashes(SECRET))
    record = traces.find(decision.trace.id)
    assert record is not None
    assert record.customer == record.principal == "anne@example.com"
    assert record.time_us == now_us
    assert record.recipient_count == len(record.recipients) == 3
    assert not record.held
    mailboxes = [
        policy.recipient(path).mailbox for path in decision.transaction.recipients
    ]
    assert all(traces.is_recipient(record, one) for one in mailboxes)
    assert not traces.is_recipient(record, "mallory@example.com")
    assert traces.find(f"{decision.trace.id[:-1]}x".replace("x", "0")) in {None, record}
    key = keys.trace(bucket_name(bucket_of(now_us // 1_000_000)))
    assert KEEP_S <= store.client.ttl(key) <= KEEP_S + BUCKET_S
    assert dict(traces.of_queue_id(record.queue_id))[decision.trace.id] == record
    assert list(traces.of_queue_id("nobody's")) == []


def test_what_is_no_record_is_not_found(store: Store, keys: Keys) -> None:
    """Neither what a person wrote, nor a key of another type."""
    now_us = store.client.time()[0] * 1_000_000
    made = make_trace_id(now_us, b"x" * 10)
    key = keys.trace(bucket_name(bucket_of(now_us // 1_000_000)))
    traces = Traces(store.client, keys, Hashes(SECRET))
    assert traces.find(made) is None
    store.client.hset(key, bytes.fromhex(made), b"1nonsense")
    assert traces.find(made) is None
    store.client.delete(key)
    store.client.set(key, "x")
    assert traces.find(made) is None
    store.client.delete(key)
    with pytest.raises(ValueError, match=r"."):
        traces.find("no id")


def fill(store: Store, keys: Keys, buckets: list[int], each: int = 300) -> None:
    """So many traces into each of these."""
    for bucket in buckets:
        key = keys.trace(bucket_name(bucket))
        values = {
            bytes.fromhex(make_trace_id(bucket * 10**6, b"%10d" % number)): pack(
                a_record(bucket * 10**6, 1)
            )
            for number in range(each)
        }
        store.client.hset(key, mapping=values)


def test_the_oldest_go_first(store: Store, keys: Keys) -> None:
    """As many as bring all of them below the cap; nobody waits for it."""
    now = bucket_of(store.client.time()[0])
    buckets = [now - back * BUCKET_S for back in (4_000, 9, 2, 1, 0)]
    fill(store, keys, buckets)
    a_bucket = store.client.memory_usage(keys.trace(bucket_name(now)))
    room = TraceRoom(store.client, keys, KEEP_S, int(2.5 * a_bucket))
    assert room.tend() == 900
    assert room.used_bytes <= 2.5 * a_bucket
    left = [store.client.exists(keys.trace(bucket_name(one))) for one in buckets]
    assert left == [0, 0, 0, 1, 1]
    assert room.tend() == 0
    assert KEEP_S <= store.client.ttl(keys.trace(bucket_name(now))) <= KEEP_S + BUCKET_S

    fill(store, keys, [now], each=2_000)
    assert room.tend() == 2_300
    assert room.used_bytes == 0
    fill(store, keys, [now])
    assert TraceRoom(store.client, keys, KEEP_S, 10**9).tend() == 0
    store.client.delete(keys.trace(bucket_name(now)))


def test_of_two_keepers_one_counts(store: Store, keys: Keys) -> None:
    """What one has dropped, the other does not count again."""
    now = bucket_of(store.client.time()[0])
    fill(store, keys, [now - 5 * BUCKET_S, now])
    rooms = [TraceRoom(store.client, keys, KEEP_S, 10**9) for _ in range(2)]
    assert [one.tend() for one in rooms] == [0, 0]
    for one in rooms:
        one._most_bytes = 1
    assert [one.tend() for one in rooms] == [600, 0]


def test_nothing_is_kept_without_a_trace() -> None:
    """Of inbound mail, and of what was refused."""
    decision = decided(1_800_000_000 * 10**6)
    decision.trace = None
    assert TraceWriter(Keys(), Hashes(SECRET)).commands(decision, a_policy()) is None
    assert decision.disposition.action is Action.ACCEPT


def test_how_long_it_is_kept_is_configured() -> None:
    """The whole ten minutes end together."""
    decision = decided(1_800_000_000 * 10**6)
    policy = a_policy(trace=TraceSettings(keep=timedelta(days=90)))
    found = TraceWriter(Keys(), Hashes(SECRET)).commands(decision, policy)
    assert found is not None
    assert b"%d" % (1_800_000_000 + BUCKET_S + 90 * 86_400) in found[0]

"""Traces in the store: what was sent by whom, for some weeks.

A hash for every ten minutes, of id to record. The time is the id's own, so a record is
found by its id with one command; a whole hash expires, or is dropped where all of them
take more memory than they may. Nothing grows with a script: writing is one command that
nobody waits for.
"""

from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from functools import lru_cache

import redis

from outgate.model.trace import TraceRecord, time_of_trace_id
from outgate.policy.compiled import Policy
from outgate.policy.decision import Decision
from outgate.policy.tracing import recipients_of, record_of
from outgate.store.hashes import Hashes
from outgate.store.keys import Keys
from outgate.store.resp import command, known, word
from outgate.store.trace_format import pack, unpack
from outgate.store.trouble import Client, as_store_error

BUCKET_S = 600
_CAMPAIGN_BANDS = 2
_SAMPLES = 100
_A_ROUND = 500


def bucket_of(time_s: int) -> int:
    """When the ten minutes of a moment began, seconds since the epoch."""
    return time_s - time_s % BUCKET_S


def bucket_name(bucket_s: int) -> str:
    """As it stands in a key: `2026-11-24T1710`."""
    return datetime.fromtimestamp(bucket_s, UTC).strftime("%Y-%m-%dT%H%M")


class TraceWriter:
    """Packs what is written of one message, on the hot path."""

    def __init__(self, keys: Keys, hashes: Hashes) -> None:
        self._keys = keys
        self._hashes = hashes
        self._bucket = lru_cache(maxsize=64)(self._make_bucket)
        self._newest = b""

    def commands(self, decision: Decision, policy: Policy) -> tuple[bytes, int] | None:
        """Packed commands and their number; None where there is no trace."""
        trace = decision.trace
        if trace is None:
            return None
        hashes = self._hashes
        bands = decision.plan.bands[:_CAMPAIGN_BANDS] if decision.plan else ()
        campaign = b"".join(
            hashes.shared_band(place, band) for place, band in enumerate(bands)
        )
        kept = map(hashes.item, recipients_of(decision, policy))
        packed = pack(record_of(decision, campaign, kept))
        keep_s = int(policy.settings.trace.keep.total_seconds())
        bucket = bucket_of(time_of_trace_id(trace.id))
        write, expire = self._bucket(bucket, keep_s)
        field = word(bytes.fromhex(trace.id))
        written = command(4, write, field, word(packed))
        if write == self._newest:
            return written, 1
        # Once for each process and bucket; the keeper sees to what it drops meanwhile.
        self._newest = write
        return written + expire, 2

    def _make_bucket(self, bucket_s: int, keep_s: int) -> tuple[bytes, bytes]:
        key = known(self._keys.trace(bucket_name(bucket_s)))
        until = known(str(bucket_s + BUCKET_S + keep_s))
        return known("HSET") + key, command(3, known("EXPIREAT"), key, until)


class Traces:
    """Reads what was written."""

    def __init__(self, client: Client, keys: Keys, hashes: Hashes) -> None:
        self._client = client
        self._keys = keys
        self._hashes = hashes

    def find(self, trace_id: str) -> TraceRecord | None:
        """The record of a message; None where there is none, or none any more.

        Raises:
            ValueError: this is no id.
            StoreError: the store did not answer.
        """
        bucket = bucket_name(bucket_of(time_of_trace_id(trace_id)))
        try:
            packed = self._client.hget(
                self._keys.trace(bucket), bytes.fromhex(trace_id)
            )
        except redis.ResponseError as error:
            if "WRONGTYPE" in str(error):
                return None
            raise as_store_error(error) from error
        except redis.RedisError as error:
            raise as_store_error(error) from error
        with suppress(ValueError):
            return unpack(packed) if packed is not None else None
        return None

    def of_queue_id(self, queue_id: str) -> Iterator[tuple[str, TraceRecord]]:
        """Ids and records of messages with a queue id; all that is kept is read.

        Raises:
            StoreError: the store did not answer.
        """
        wanted = queue_id.encode("utf-8", "surrogateescape")
        try:
            for key in self._client.scan_iter(
                match=self._keys.trace("*"), count=_A_ROUND, _type="hash"
            ):
                for field, packed in self._client.hscan_iter(key, count=_A_ROUND):
                    if wanted in packed:
                        with suppress(ValueError):
                            record = unpack(packed)
                            if record.queue_id == queue_id:
                                yield field.hex(), record
        except redis.RedisError as error:
            raise as_store_error(error) from error

    def is_recipient(self, record: TraceRecord, mailbox: str) -> bool:
        """Whether somebody got this message.

        Four bytes of a keyed hash: of a billion others, one in four looks the same.

        Args:
            record: of the message.
            mailbox: canonical, as `Policy.recipient` reads it.
        """
        return self._hashes.item(mailbox) in record.recipients


class TraceRoom:
    """Keeps traces within their memory: the oldest go first."""

    def __init__(
        self, client: Client, keys: Keys, keep_s: int, most_bytes: int
    ) -> None:
        self._client = client
        self._keys = keys
        self._keep_s = keep_s
        self._most_bytes = most_bytes
        # By bucket; those that are written now are measured each time.
        self._sizes: dict[int, int] = {}
        self._measured_s = 0

    @property
    def used_bytes(self) -> int:
        """Memory of all traces when it was last looked at."""
        return sum(self._sizes.values())

    def tend(self) -> int:
        """Measure, and drop what is too much; gives the number of traces dropped.

        Raises:
            StoreError: the store did not answer.
        """
        try:
            now = bucket_of(self._client.time()[0])
            oldest = now - self._keep_s - BUCKET_S
            self._sizes = {one: of for one, of in self._sizes.items() if one >= oldest}
            # What was written while no keeper lived, once; then what may still grow.
            first = oldest if not self._measured_s else self._measured_s - BUCKET_S
            self._measure(range(max(first, oldest), now + 2 * BUCKET_S, BUCKET_S))
            self._measured_s = now
            return self._drop()
        except redis.RedisError as error:
            raise as_store_error(error) from error

    def _measure(self, buckets: range) -> None:
        for begin in range(0, len(buckets), _A_ROUND):
            some = buckets[begin : begin + _A_ROUND]
            pipeline = self._client.pipeline(transaction=False)
            for bucket in some:
                key = self._keys.trace(bucket_name(bucket))
                pipeline.memory_usage(key, samples=_SAMPLES)
                # One that was dropped and written again has no end.
                pipeline.expireat(key, bucket + BUCKET_S + self._keep_s)
            for bucket, size in zip(some, pipeline.execute()[::2], strict=True):
                self._sizes.pop(bucket, None)
                if size:
                    self._sizes[bucket] = size

    def _drop(self) -> int:
        dropped, used = 0, self.used_bytes
        for bucket in sorted(self._sizes):
            if used <= self._most_bytes:
                break
            key = self._keys.trace(bucket_name(bucket))
            count = self._client.hlen(key)
            # Of several keepers, one drops it and counts it.
            dropped += count if self._client.unlink(key) else 0
            used -= self._sizes.pop(bucket)
        return dropped

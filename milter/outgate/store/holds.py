"""Records of held messages: why, since when, until when, for which customer.

Postfix loses the reason of a hold; here it is kept by queue id. The counts per customer
bound the hold queue: they grow with each hold (`settle.lua`) and shrink when a message
is seen to be gone.
"""

from collections.abc import Iterable, Mapping

import redis

from outgate.store.keys import Keys, safe
from outgate.store.outbox import Record
from outgate.store.trouble import Client, as_store_error

_DAY_S = 86_400
# A record outlives its message, so that the question "what was that?" has an answer.
_KEEP_RECORD_S = 30 * _DAY_S

# As many keys are looked at in one round; few of them are counts.
_KEYS_A_ROUND = 500


class Holds:
    """Reads and writes the records."""

    def __init__(self, client: Client, keys: Keys) -> None:
        self._client = client
        self._keys = keys
        # By key, what the records of the round before said.
        self._counted: dict[str, tuple[int, int]] = {}
        self._cursor = 0

    def apply(self, record: Record) -> None:
        """Write one record from the outbox; twice is as good as once.

        Raises:
            StoreError: the store did not answer.
        """
        mta, queue_id = str(record["mta"]), str(record["queue-id"])
        key = self._keys.held(mta, queue_id)
        fields = {name: value for name, value in record.items() if name != "kind"}
        gone_s = int(record["until-us"]) // 1_000_000 + _KEEP_RECORD_S
        try:
            self._client.hset(key, mapping=dict(fields))
            self._client.expireat(key, gone_s)
            self._client.zadd(
                self._keys.held_index, {f"{mta} {queue_id}": int(record["since-us"])}
            )
        except redis.RedisError as error:
            raise as_store_error(error) from error

    def all(self) -> list[Mapping[str, str]]:
        """All records that the index names, oldest first.

        A person may have written into them: `flaw` tells which can be used.

        Raises:
            StoreError: the store did not answer.
        """
        records: list[Mapping[str, str]] = []
        try:
            for member in self._client.zrange(self._keys.held_index, 0, -1):
                mta, _, queue_id = member.decode("utf-8", "replace").partition(" ")
                raw = self._fields(mta, queue_id)
                if not raw:
                    self._client.zrem(self._keys.held_index, member)
                    continue
                records.append(
                    {
                        name.decode("utf-8", "replace"): value.decode(
                            "utf-8", "replace"
                        )
                        for name, value in raw.items()
                    }
                )
        except redis.RedisError as error:
            raise as_store_error(error) from error
        return records

    def gone(self, record: Mapping[str, str]) -> None:
        """Note that a message is not held any more; its record stays for a while.

        Raises:
            StoreError: the store did not answer.
        """
        member = f"{record['mta']} {record['queue-id']}"
        holding = self._keys.holding(safe(record["customer"]))
        try:
            if self._client.zrem(self._keys.held_index, member):
                self._client.hincrby(holding, "messages", -1)
                self._client.hincrby(holding, "bytes", -int(record["size"]))
                self._drop_if_empty(holding)
        except redis.RedisError as error:
            raise as_store_error(error) from error

    def recount(self, records: Iterable[Mapping[str, str]]) -> None:
        """Correct what is held for each customer, where counts and records differ.

        A settlement that was lost would shift a customer's share for good. What was
        held a moment ago has no record yet, so a count is believed to be wrong only
        when its records were the same in two rounds.

        Raises:
            StoreError: the store did not answer.
        """
        before = self._counted
        counted: dict[str, tuple[int, int]] = dict.fromkeys(before, (0, 0))
        try:
            # Also those that no record leads to.
            counted |= dict.fromkeys(self._some_counts(), (0, 0))
            for record in records:
                key = self._keys.holding(safe(record["customer"]))
                messages, size = counted.get(key, (0, 0))
                counted[key] = (messages + 1, size + int(record["size"]))
            for key, held in counted.items():
                if before.get(key) == held:
                    self._correct(key, held)
        except redis.RedisError as error:
            raise as_store_error(error) from error
        # A customer without records is remembered until that was believed.
        self._counted = {
            key: held
            for key, held in counted.items()
            if held[0] or before.get(key) != held
        }

    def _fields(self, mta: str, queue_id: str) -> dict[bytes, bytes]:
        names = {b"mta": mta.encode(), b"queue-id": queue_id.encode()}
        try:
            raw = self._client.hgetall(self._keys.held(mta, queue_id))
        except redis.ResponseError as error:
            if not str(error).startswith("WRONGTYPE"):
                raise
            return names
        # The index names it, whatever became of its fields.
        return {**raw, **names} if raw else {}

    def _some_counts(self) -> list[str]:
        """Keys of counts, a few in each round: a large store is not searched at once."""
        self._cursor, keys = self._client.scan(
            self._cursor,
            match=self._keys.holding("*"),
            count=_KEYS_A_ROUND,
            _type="hash",
        )
        return [key.decode("utf-8", "backslashreplace") for key in keys]

    def _correct(self, holding: str, held: tuple[int, int]) -> None:
        stored = self._client.hmget(holding, "messages", "bytes")
        if tuple(map(_number, stored)) != held:
            self._client.hset(holding, mapping={"messages": held[0], "bytes": held[1]})
            self._drop_if_empty(holding)

    def _drop_if_empty(self, holding: str) -> None:
        left = self._client.hget(holding, "messages")
        if left is not None and _number(left) <= 0:
            self._client.delete(holding)


def flaw(record: Mapping[str, str]) -> str:
    """What is wrong with a record; "" if it can be used."""
    for name in ("customer", "since-us", "until-us", "size"):
        if name not in record:
            return f"has no field {name}"
    for name in ("since-us", "until-us", "size", "recipients"):
        try:
            int(record.get(name, 0))
        except ValueError:
            return f"{name} is no number"
    return ""


def _number(value: bytes | None) -> int:
    """A count as it stands in the store; what is none counts as nothing."""
    try:
        return int(value or 0)
    except ValueError:
        return 0


def not_listed(
    records: Iterable[Mapping[str, str]], mta: str, listed: frozenset[str]
) -> list[Mapping[str, str]]:
    """Records of one MTA whose messages its hold queue does not list any more."""
    return [
        record
        for record in records
        if record["mta"] == mta and record["queue-id"] not in listed
    ]

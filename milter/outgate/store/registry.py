"""Who asked for which list: the registry of consent, in its smallest form.

Many small hashes over all slots of a Cluster, read by plain HGET beside the limits.
"""

from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any

import redis

from outgate.model.consent import Grade
from outgate.store.hashes import Hashes
from outgate.store.keys import Keys
from outgate.store.resp import command, known, word
from outgate.store.trouble import Client, as_store_error
from outgate.store.wire import Reply

# With a million subscribers of a list, 61 in each: small enough for Redis to keep them
# packed (hash-max-listpack-entries is 128).
BUCKETS = 16_384
_BATCH = 1_000
_HGET = known("HGET")


class Consents:
    """The question about recipients of a registered list, for the hot path."""

    def __init__(self, keys: Keys, hashes: Hashes) -> None:
        self._keys = keys
        self._hashes = hashes

    def ask(self, list_id: str, people: Sequence[str]) -> list[bytes]:
        """One command for each recipient."""
        commands = []
        for mailbox in people:
            field = self._hashes.subscriber(list_id, mailbox)
            key = self._keys.optin(list_id, bucket_of(field))
            commands.append(command(3, _HGET, word(key.encode()), word(field)))
        return commands

    def without(
        self, strangers: bytes, people: Sequence[str], replies: Sequence[Reply]
    ) -> bytes:
        """Those of the strangers who have not asked for the list.

        Args:
            strangers: keyed hashes, as `charge` gives them.
            people: in the order of the question.
            replies: a grade, or nothing, or trouble: then nobody has asked.
        """
        consented = {
            self._hashes.item(mailbox)
            for mailbox, reply in zip(people, replies, strict=True)
            if _is_consent(reply)
        }
        each = (strangers[at : at + 4] for at in range(0, len(strangers), 4))
        return b"".join(one for one in each if one not in consented)


def _is_consent(reply: Reply) -> bool:
    if not isinstance(reply, bytes):
        return False
    try:
        return Grade(reply.decode()).is_consent
    except ValueError:
        return False


def bucket_of(field: bytes) -> int:
    """Which of a list's hashes a subscriber is in."""
    return int.from_bytes(field[:2], "big") % BUCKETS


class Registry:
    """Loads, shows and removes subscribers, for commands."""

    def __init__(self, client: Client, keys: Keys, hashes: Hashes) -> None:
        self._client = client
        self._keys = keys
        self._hashes = hashes

    def load(self, list_id: str, mailboxes: Iterable[str], grade: Grade) -> int:
        """Register subscribers; gives how many were new.

        Raises:
            StoreError: the store did not answer; what was written stays, and loading
                again does no harm.
        """
        new = 0
        left = iter(mailboxes)
        while batch := list(islice(left, _BATCH)):
            pipeline = self._client.pipeline(transaction=False)
            for mailbox in batch:
                key, field = self._place(list_id, mailbox)
                pipeline.hset(key, field, grade.value)
            new += sum(self._run(pipeline))
        return new

    def grade(self, list_id: str, mailbox: str) -> Grade | None:
        """What stands behind one subscription, None where there is none.

        Raises:
            ValueError: no grade: somebody wrote it by hand.
            StoreError: the store did not answer.
        """
        pipeline = self._client.pipeline(transaction=False)
        pipeline.hget(*self._place(list_id, mailbox))
        (value,) = self._run(pipeline)
        return Grade(value.decode()) if value is not None else None

    def remove(self, list_id: str, mailboxes: Iterable[str]) -> int:
        """Take subscribers out; gives how many were there.

        Raises:
            StoreError: the store did not answer.
        """
        gone = 0
        left = iter(mailboxes)
        while batch := list(islice(left, _BATCH)):
            pipeline = self._client.pipeline(transaction=False)
            for mailbox in batch:
                pipeline.hdel(*self._place(list_id, mailbox))
            gone += sum(self._run(pipeline))
        return gone

    def count(self, list_id: str) -> int:
        """How many subscribers a list has.

        Raises:
            StoreError: the store did not answer.
        """
        total = 0
        for first in range(0, BUCKETS, _BATCH):
            pipeline = self._client.pipeline(transaction=False)
            for bucket in range(first, min(BUCKETS, first + _BATCH)):
                pipeline.hlen(self._keys.optin(list_id, bucket))
            total += sum(self._run(pipeline))
        return total

    def _place(self, list_id: str, mailbox: str) -> tuple[str, bytes]:
        field = self._hashes.subscriber(list_id, mailbox)
        return self._keys.optin(list_id, bucket_of(field)), field

    def _run(self, pipeline: Client) -> list[Any]:
        try:
            return list(pipeline.execute())
        except redis.RedisError as error:
            raise as_store_error(error) from error

"""What the store remembers of registered lists: since when, until when, how many.

The keeper asks once a second, and writes what is new with HSETNX: of several hosts the
first one counts, and none moves it again. Times are the server's.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

import redis

from outgate.policy.grace import Deadline, ListKey
from outgate.policy.operator import format_moment, parse_moment_us
from outgate.store.keys import Keys
from outgate.store.trouble import Client, as_store_error

ENFORCED = b"enforced"
_MOST_BYTES = 512


@dataclass(slots=True)
class History:
    """Of all lists that ever were registered.

    Attributes:
        enforced_us: since when the rule is enforced, 0: never.
        first_us: when each was first seen.
        ordered: deadlines that operators set.
        now_us: the store's time.
    """

    enforced_us: int = 0
    first_us: dict[ListKey, int] = field(default_factory=dict)
    ordered: dict[ListKey, Deadline] = field(default_factory=dict)
    now_us: int = 0


class Told(NamedTuple):
    """One report to a list's maintainer.

    Attributes:
        uncovered: recipients without a consent; one counts as often as it was mailed.
        people: all recipients outside.
        at_us: when it was sent.
    """

    uncovered: int
    people: int
    at_us: int


class Lists:
    """The hashes about lists."""

    def __init__(self, client: Client, keys: Keys) -> None:
        self._client = client
        self._keys = keys

    def note(self, registered: Iterable[ListKey], *, enforced: bool) -> History:
        """Read everything, after noting what was not known yet.

        Args:
            registered: lists of the configuration.
            enforced: whether the rule acts now.

        Raises:
            StoreError: the store did not answer.
        """
        history = self.read()
        place, now = self._keys.list_seen, str(history.now_us)
        fresh: list[str | bytes] = [
            self._keys.list_member(*key)
            for key in registered
            if key not in history.first_us
        ]
        if enforced and not history.enforced_us:
            fresh.append(ENFORCED)
        if not fresh:
            return history
        try:
            for name in fresh:
                self._client.hsetnx(place, name, now)
        except redis.RedisError as error:
            raise as_store_error(error) from error
        return self.read()

    def read(self) -> History:
        """Read everything; what nobody can read is passed over.

        Raises:
            StoreError: the store did not answer.
        """
        history = History()
        try:
            seconds, micros = self._client.time()
            seen = self._client.hgetall(self._keys.list_seen)
            ordered = self._client.hgetall(self._keys.list_grace)
        except redis.RedisError as error:
            raise as_store_error(error) from error
        history.now_us = seconds * 1_000_000 + micros
        for name, value in seen.items():
            if not value.isdigit():
                continue
            if name == ENFORCED:
                history.enforced_us = int(value)
            elif (key := self._key(name)) is not None:
                history.first_us[key] = int(value)
        for name, value in ordered.items():
            key, deadline = self._key(name), _deadline(value)
            if key is not None and deadline is not None:
                history.ordered[key] = deadline
        return history

    def order(self, key: ListKey, until_us: int, by: str) -> None:
        """Set a list's deadline; audited.

        Raises:
            StoreError: the store did not answer.
        """
        until = format_moment(until_us)
        self._write(key, f"{until} {by}", "set", by, until)

    def forget(self, key: ListKey, by: str) -> None:
        """Let a list's own grace count again; audited.

        Raises:
            StoreError: the store did not answer.
        """
        self._write(key, "", "removed", by, "")

    def tell(self, key: ListKey, told: Told) -> None:
        """Note a report; the one before stays beside it.

        Raises:
            StoreError: the store did not answer.
        """
        before = self.told(key)[:1]
        text = " ".join("/".join(map(str, one)) for one in (told, *before))
        try:
            self._client.hset(
                self._keys.list_report, self._keys.list_member(*key), text
            )
        except redis.RedisError as error:
            raise as_store_error(error) from error

    def told(self, key: ListKey) -> list[Told]:
        """The last report and the one before, newest first.

        Raises:
            StoreError: the store did not answer.
        """
        try:
            raw = self._client.hget(
                self._keys.list_report, self._keys.list_member(*key)
            )
        except redis.RedisError as error:
            raise as_store_error(error) from error
        found = []
        for word in (raw or b"")[:_MOST_BYTES].split():
            numbers = word.split(b"/")
            if len(numbers) == len(Told._fields) and all(map(bytes.isdigit, numbers)):
                found.append(Told(*map(int, numbers)))
        return found

    def _write(self, key: ListKey, value: str, step: str, by: str, until: str) -> None:
        member = self._keys.list_member(*key)
        customer, list_id = key
        fields = {
            "event": f"list-grace-{step}",
            "name": list_id,
            "actor": by,
            "until": until,
            "text": f"customer {customer}",
            "value": value,
        }
        try:
            pipeline = self._client.pipeline(transaction=False)
            if value:
                pipeline.hset(self._keys.list_grace, member, value)
            else:
                pipeline.hdel(self._keys.list_grace, member)
            pipeline.xadd(self._keys.audit, fields)
            pipeline.execute()
        except redis.RedisError as error:
            raise as_store_error(error) from error

    def _key(self, name: bytes) -> ListKey | None:
        return self._keys.list_of(name.decode("utf-8", "replace"))


def _deadline(value: bytes) -> Deadline | None:
    words = value[:_MOST_BYTES].decode("utf-8", "replace").split()
    try:
        return Deadline(parse_moment_us(words[0]), " ".join(words[1:]) or "redis-cli")
    except (IndexError, ValueError):
        return None

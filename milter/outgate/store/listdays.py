"""The days of registered lists: what their mail was like.

Workers add to a day with commands that nobody waits for; `outgate list status` and the
dossier read. What is lost with a connection is a message in a statistic.
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta

import redis

from outgate.model.list_day import KEPT_DAYS, Compliance
from outgate.policy.grace import ListKey
from outgate.store.keys import Keys
from outgate.store.resp import pack
from outgate.store.trouble import Client, as_store_error

_TTL_S = KEPT_DAYS * 86_400


def add_to_day(
    keys: Keys, key: ListKey, now_us: int, counts: Mapping[str, int]
) -> list[bytes]:
    """Commands that add counts to a list's day, in UTC."""
    place = keys.list_day(*key, _day_of(now_us).isoformat()).encode()
    commands = [
        pack((b"HINCRBY", place, word.encode(), b"%d" % count))
        for word, count in counts.items()
    ]
    return [*commands, pack((b"EXPIRE", place, b"%d" % _TTL_S))]


class ListDays:
    """Reads them."""

    def __init__(self, client: Client, keys: Keys) -> None:
        self._client = client
        self._keys = keys

    def read(self, key: ListKey, days: int = KEPT_DAYS) -> dict[date, Compliance]:
        """The last days on which there was mail, the newest first.

        Args:
            key: customer and list.
            days: how far back; today is one of them.

        Raises:
            StoreError: the store did not answer.
        """
        try:
            today = _day_of(self._client.time()[0] * 1_000_000)
            wanted = [today - timedelta(days=back) for back in range(days)]
            pipeline = self._client.pipeline(transaction=False)
            for day in wanted:
                pipeline.hgetall(self._keys.list_day(*key, day.isoformat()))
            found = pipeline.execute()
        except redis.RedisError as error:
            raise as_store_error(error) from error
        return {
            day: Compliance(
                {
                    word.decode("utf-8", "replace"): int(count)
                    for word, count in counts.items()
                    if count.isdigit()
                }
            )
            for day, counts in zip(wanted, found, strict=True)
            if counts
        }


def _day_of(moment_us: int) -> date:
    return datetime.fromtimestamp(moment_us // 1_000_000, UTC).date()

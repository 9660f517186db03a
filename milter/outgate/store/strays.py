"""Keys in our namespace that nobody reads: slips of a person at redis-cli.

`HSET outgate:quarentine alice …` succeeds, and holds nobody. A few keys are looked at in
each round, so that a large store is not searched at once; what was found is looked at
again until it is gone. Only hashes count: everything that a person types is one.
"""

import re
from difflib import get_close_matches

import redis

from outgate.policy.operator import Order
from outgate.store.keys import KEYS, Keys
from outgate.store.orders import Trouble
from outgate.store.trouble import Client, as_store_error

_KEYS_A_ROUND = 500
# More slips than anybody makes; beyond it, the namespace is shared with something else.
_MOST = 20


class Strays:
    """Searches the keyspace, a little at a time."""

    def __init__(self, client: Client, keys: Keys) -> None:
        self._client = client
        self._prefix = f"{keys.namespace}:"
        self._cursor = 0
        self._found: set[str] = set()

    def look(self) -> list[Trouble]:
        """Look at some keys; gives all slips found so far that are still there.

        Raises:
            StoreError: the store did not answer.
        """
        try:
            self._cursor, names = self._client.scan(
                self._cursor,
                match=f"{self._prefix}*",
                count=_KEYS_A_ROUND,
                _type="hash",
            )
            gone = {name for name in self._found if not self._client.exists(name)}
        except redis.RedisError as error:
            raise as_store_error(error) from error
        self._found -= gone
        for raw in names:
            name = raw.decode("utf-8", "backslashreplace")
            if len(self._found) < _MOST and not is_known(name, self._prefix):
                self._found.add(name)
        return [self._trouble(name) for name in sorted(self._found)]

    def look_everywhere(self) -> list[Trouble]:
        """Look at all keys, however many there are; for a person who waits for it.

        Raises:
            StoreError: the store did not answer.
        """
        troubles = self.look()
        while self._cursor:
            troubles = self.look()
        return troubles

    def _trouble(self, name: str) -> Trouble:
        orders = [f"{self._prefix}{order}" for order in Order]
        close = get_close_matches(name, orders, n=1)
        hint = f"; did you mean {close[0]}?" if close else ""
        return Trouble("", name, f"is a key that nobody reads{hint}")


_KNOWN = tuple(
    re.compile("".join(".+" if part[0] == "<" else re.escape(part) for part in parts))
    for parts in (
        [part for part in re.split(r"(<[^>]+>)", key.pattern) if part] for key in KEYS
    )
)


def is_known(name: str, prefix: str) -> bool:
    """Whether a key is one of the table in `keys`."""
    rest = name.removeprefix(prefix)
    return any(pattern.fullmatch(rest) for pattern in _KNOWN)

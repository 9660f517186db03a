"""Keys in our namespace that nobody can use: slips of a person at redis-cli.

`HSET outgate:quarentine alice …` succeeds, and holds nobody; `SET` on the key of
somebody's contacts leaves him to local counters for ever. A few keys are looked at in each
round, so that a large store is not searched at once; what was found is looked at again
until it is gone. Of unknown names only hashes count: an order that a person types is one.
"""

import re
from collections.abc import Iterator
from difflib import get_close_matches

import redis

from outgate.policy.operator import Order
from outgate.store.key_table import KEYS
from outgate.store.keys import Keys
from outgate.store.orders import OPTIN_KEY, Trouble
from outgate.store.trouble import Client, as_store_error

_KEYS_A_ROUND = 500
# More slips than anybody makes; beyond it, the namespace is shared with something else.
_MOST = 20
_TYPES = {
    "string": "string",
    "list": "list",
    "set": "set",
    "zset": "sorted set",
    "hash": "hash",
    "stream": "stream",
}
# Whoever reads orders tells their types, with what to type instead.
_ORDERS = frozenset({*(order.value for order in Order), OPTIN_KEY})


class _Sweep:
    """Goes through all keys of some types, again and again, one type after the other."""

    def __init__(self, *types: str) -> None:
        self._types = types
        self._at = 0
        self._cursor = 0

    @property
    def is_over(self) -> bool:
        """Whether all have been looked at, and the next step begins anew."""
        return not self._at and not self._cursor

    def step(self, client: Client, prefix: str) -> Iterator[tuple[bytes, str]]:
        """Some keys, each with its type.

        Raises:
            redis.RedisError: the store did not answer.
        """
        kind = self._types[self._at]
        self._cursor, names = client.scan(
            self._cursor, match=f"{prefix}*", count=_KEYS_A_ROUND, _type=kind
        )
        if not self._cursor:
            self._at = (self._at + 1) % len(self._types)
        return ((name, kind) for name in names)


class Strays:
    """Searches the keyspace, a little at a time."""

    def __init__(self, client: Client, keys: Keys) -> None:
        self._client = client
        self._prefix = f"{keys.namespace}:"
        # Most keys are strings: a slip among the hashes must not wait for them.
        others = [kind for kind in _TYPES if kind != "hash"]
        self._sweeps = (_Sweep("hash"), _Sweep(*others))
        self._found: dict[bytes, str] = {}

    def look(self) -> list[Trouble]:
        """Look at some keys; gives all slips found so far that are still there.

        Raises:
            StoreError: the store did not answer.
        """
        try:
            for sweep in self._sweeps:
                self._step(sweep)
            return self._still_there()
        except redis.RedisError as error:
            raise as_store_error(error) from error

    def look_everywhere(self) -> list[Trouble]:
        """Look at all keys, however many there are; for a person who waits for it.

        Raises:
            StoreError: the store did not answer.
        """
        try:
            for sweep in self._sweeps:
                self._step(sweep)
                while not sweep.is_over:
                    self._step(sweep)
            return self._still_there()
        except redis.RedisError as error:
            raise as_store_error(error) from error

    def _step(self, sweep: _Sweep) -> None:
        for raw, kind in sweep.step(self._client, self._prefix):
            if len(self._found) < _MOST and (message := self._flaw(raw, kind)):
                self._found[raw] = message

    def _still_there(self) -> list[Trouble]:
        """Ask again for what was found, which may be gone, or right by now."""
        kinds = {raw: self._client.type(raw).decode() for raw in self._found}
        self._found = {
            raw: message
            for raw, kind in kinds.items()
            if (message := self._flaw(raw, kind))
        }
        return [
            Trouble("", _text(raw), message)
            for raw, message in sorted(self._found.items())
        ]

    def _flaw(self, raw: bytes, kind: str) -> str:
        """What is wrong with a key of this type, "" for nothing."""
        name = _text(raw)
        rest = name.removeprefix(self._prefix)
        expected = _expected(rest)
        if not expected:
            return self._unread(name) if kind == "hash" else ""
        found = _TYPES.get(kind)
        if found in {None, expected} or rest in _ORDERS:
            return ""
        return f"is a {found}, expected a {expected}: nobody can use it, so delete it"

    def _unread(self, name: str) -> str:
        orders = [f"{self._prefix}{order}" for order in Order]
        close = get_close_matches(name, orders, n=1)
        hint = f"; did you mean {close[0]}?" if close else ""
        return f"is a key that nobody reads{hint}"


_KNOWN = tuple(
    (
        re.compile(
            "".join(".+" if part[0] == "<" else re.escape(part) for part in parts)
        ),
        kind,
    )
    for parts, kind in (
        ([part for part in re.split(r"(<[^>]+>)", key.pattern) if part], key.kind)
        for key in KEYS
    )
)


def is_known(name: str, prefix: str) -> bool:
    """Whether a key is one of the table in `keys`."""
    return bool(_expected(name.removeprefix(prefix)))


def _expected(rest: str) -> str:
    """The type of a key of the table, "" for one that is not there."""
    for pattern, kind in _KNOWN:
        if pattern.fullmatch(rest):
            return kind
    return ""


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "backslashreplace")

"""Operators' state, read whole: what the keeper does once a second.

- reads the four hashes, and says which names, types and values it cannot use;
- turns `for=1h` into `until=…`, unless somebody changed the field meanwhile;
- removes orders that have ended;
- writes each new, changed or removed order into the audit stream, once, whichever of
  several hosts sees it first.

It speaks through redis-py: nobody waits for it.
"""

import re
from collections.abc import Collection, Iterable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import NamedTuple

import redis

from outgate.policy.compiled import Policy
from outgate.policy.operator import (
    MAX_VALUE_BYTES,
    Entry,
    Order,
    format_moment,
    parse_entry,
)
from outgate.policy.optin_keys import parse_key
from outgate.policy.order_flaws import flaws
from outgate.store.keys import Keys
from outgate.store.scripts import Script
from outgate.store.trouble import Client, as_store_error

OPTIN_KEY = "optin-key"
# What is audited: whatever a person may set by hand.
_KINDS = frozenset({*(order.value for order in Order), OPTIN_KEY})
# The first such word: behind it, free text may say anything.
_FOR = re.compile(rb"(?<!\S)for=\S*")
# A host that was not seen for so long does not share the limits any more.
HOST_SILENCE_US = 60_000_000


@dataclass(frozen=True, slots=True)
class Trouble:
    """One thing in operator state that cannot be used.

    Attributes:
        order: which hash, "" for a key that is none of them.
        name: which field or key, "" for the hash itself.
        message: what is wrong with it.
    """

    order: str
    name: str
    message: str


@dataclass(slots=True)
class State:
    """All hashes of operator state as they were read.

    Attributes:
        hashes: by order: field to raw value.
        entries: all of them, read.
        troubles: what cannot be used.
        in_force: by order: how many of them act now.
        hosts: how many hosts share the store.
        now_us: the store's time.
        optin_keys: keys that sign opt-in tokens: name to raw value.
        stamped: entries whose `for=` became `until=` in this round.
    """

    hashes: dict[Order, dict[str, bytes]] = field(default_factory=dict)
    entries: list[Entry] = field(default_factory=list)
    troubles: list[Trouble] = field(default_factory=list)
    in_force: dict[Order, int] = field(default_factory=lambda: dict.fromkeys(Order, 0))
    hosts: int = 1
    optin_keys: dict[str, bytes] = field(default_factory=dict)
    now_us: int = 0
    stamped: dict[tuple[Order, str], Entry] = field(default_factory=dict)


class Orders:
    """Reads and tends the operators' hashes."""

    def __init__(self, client: Client, keys: Keys) -> None:
        self._client = client
        self._keys = keys
        self._replace = Script.load("replace_order")

    def read(
        self,
        limit_names: frozenset[str],
        profile_names: Collection[str] = (),
        policy: Policy | None = None,
    ) -> State:
        """Read everything once; changes nothing.

        Args:
            limit_names: that an order may name.
            profile_names: that an order may name.
            policy: by which it is told whose limits an order reaches; None: it is not.

        Raises:
            StoreError: the store did not answer.
        """
        state = State()
        try:
            seconds, micros = self._client.time()
            state.now_us = seconds * 1_000_000 + micros
            for order in Order:
                self._read_orders(order, state)
            self._read_optin_keys(state)
        except redis.RedisError as error:
            raise as_store_error(error) from error
        for entry in state.entries:
            found = flaws(entry, limit_names, profile_names, policy)
            state.troubles += [
                Trouble(entry.order, entry.name, problem) for problem in found.problems
            ]
            state.in_force[entry.order] += found.acts and entry.in_force(state.now_us)
        return state

    def tend(self, state: State) -> None:
        """Stamp, expire and audit what was read.

        Raises:
            StoreError: the store did not answer.
        """
        try:
            noted = self._noted()
            for entry in state.entries:
                self._tend_entry(entry, state, noted)
            self._audit_changes(state, noted)
        except redis.RedisError as error:
            raise as_store_error(error) from error

    def announce(self, host: str, now_us: int) -> int:
        """Say that this host is alive; gives the number of hosts that are.

        Raises:
            StoreError: the store did not answer.
        """
        hosts = self._keys.hosts
        try:
            self._client.zadd(hosts, {host: now_us})
            self._client.zremrangebyscore(hosts, 0, now_us - HOST_SILENCE_US)
            return max(1, int(self._client.zcard(hosts)))
        except redis.RedisError as error:
            raise as_store_error(error) from error

    def _read_orders(self, order: Order, state: State) -> None:
        fields = self._read_hash(self._keys.order(order), order.value, state)
        state.hashes[order] = fields
        state.entries += [
            parse_entry(order, name, value) for name, value in fields.items()
        ]

    def _read_optin_keys(self, state: State) -> None:
        state.optin_keys = self._read_hash(self._keys.optin_keys, OPTIN_KEY, state)
        for name, value in state.optin_keys.items():
            state.troubles += [
                Trouble(OPTIN_KEY, name, problem)
                for problem in parse_key(name, value).problems
            ]

    def _read_hash(self, key: str, kind: str, state: State) -> dict[str, bytes]:
        try:
            raw = self._client.hgetall(key)
        except redis.ResponseError as error:
            if not str(error).startswith("WRONGTYPE"):
                raise
            state.troubles.append(
                Trouble(kind, "", f"{key} is no hash: use HSET {key} <name> <words>")
            )
            raw = {}
        fields: dict[str, bytes] = {}
        for name, value in raw.items():
            try:
                fields[name.decode()] = value
            except UnicodeDecodeError:
                shown = name.decode("utf-8", "backslashreplace")
                state.troubles.append(
                    Trouble(kind, shown, "is no UTF-8, and so nobody's name")
                )
        return fields

    def _noted(self) -> set[str]:
        """Marks of the orders that are in the audit already."""
        marks = {
            raw.decode("utf-8", "replace")
            for raw in self._client.hkeys(self._keys.audited)
        }
        # A newer Outgate may have more kinds.
        return {mark for mark in marks if mark.partition(" ")[0] in _KINDS}

    def _tend_entry(self, entry: Entry, state: State, noted: set[str]) -> None:
        old = state.hashes[entry.order][entry.name]
        if entry.until_us and entry.until_us <= state.now_us:
            if self._swap(entry, old, b""):
                del state.hashes[entry.order][entry.name]
                # It was not removed by anybody, with whatever value it was noted.
                for mark in noted:
                    if _order_and_name(mark) == f"{entry.order} {entry.name}":
                        self._client.hdel(self._keys.audited, mark)
                self._audit(_change_of(entry), "expired")
        elif entry.for_us:
            until = format_moment(state.now_us + entry.for_us)
            new = _FOR.sub(f"until={until}".encode(), old, count=1)
            if self._swap(entry, old, new):
                state.hashes[entry.order][entry.name] = new
                state.stamped[entry.order, entry.name] = parse_entry(
                    entry.order, entry.name, new
                )

    def _swap(self, entry: Entry, old: bytes, new: bytes) -> bool:
        key = self._keys.order(entry.order)
        text = self._replace.text.decode()
        return bool(self._client.eval(text, 1, key, entry.name, old, new))

    def _audit_changes(self, state: State, noted: set[str]) -> None:
        """Write what is new; the first host to note an order writes it down.

        What was read may be outdated: each change is looked at again before it is
        written, or two keepers would take turns in noting and forgetting it.
        """
        hashes = {order.value: fields for order, fields in state.hashes.items()}
        hashes[OPTIN_KEY] = state.optin_keys
        wanted = {
            _mark(kind, name, value): (kind, name)
            for kind, fields in hashes.items()
            for name, value in fields.items()
        }
        by_name = {
            (change.kind, change.name): change
            for change in (
                *map(_change_of, state.entries),
                *map(_change_of, state.stamped.values()),
                *(_key_change(name, value) for name, value in state.optin_keys.items()),
            )
        }
        for mark in wanted.keys() - noted:
            if self._stands(mark) and self._client.hsetnx(
                self._keys.audited, mark, state.now_us
            ):
                self._audit(by_name[wanted[mark]], "set")
        living = {
            f"{kind} {name}" for kind, fields in hashes.items() for name in fields
        }
        self._forget(noted - wanted.keys(), living)

    def _forget(self, gone: Iterable[str], living: AbstractSet[str]) -> None:
        for mark in gone:
            if self._stands(mark):
                continue
            removed = self._client.hdel(self._keys.audited, mark)
            if removed and _order_and_name(mark) not in living:
                kind, _, name = _order_and_name(mark).partition(" ")
                self._audit(_Change(kind, name), "removed")

    def _stands(self, mark: str) -> bool:
        """Whether the order that a mark names is there, with that very value."""
        kind, _, name = _order_and_name(mark).partition(" ")
        keys = self._keys
        place = keys.optin_keys if kind == OPTIN_KEY else keys.order(Order(kind))
        try:
            value = self._client.hget(place, name)
        except redis.ResponseError:
            # It is no hash any more.
            return False
        return value is not None and _mark(kind, name, value) == mark

    def _audit(self, change: "_Change", step: str) -> None:
        self._client.xadd(
            self._keys.audit,
            {
                "event": f"{change.kind}-{step}",
                "name": change.name,
                "actor": change.by or "redis-cli",
                "until": format_moment(change.until_us) if change.until_us else "",
                "text": change.text,
                "value": change.value,
            },
        )


class _Change(NamedTuple):
    """What the audit stream says of one field."""

    kind: str
    name: str
    by: str = ""
    until_us: int = 0
    text: str = ""
    value: str = ""


def _change_of(entry: Entry) -> _Change:
    return _Change(
        entry.order.value, entry.name, entry.by, entry.until_us, entry.text, entry.value
    )


def _key_change(name: str, value: bytes) -> _Change:
    key = parse_key(name, value)
    shown = value[:MAX_VALUE_BYTES].decode("utf-8", "replace").strip()
    return _Change(OPTIN_KEY, name, key.by, key.not_after_us, key.text, shown)


def _mark(kind: str, name: str, value: bytes) -> str:
    """The field of `audited` that stands for one order."""
    digest = blake2b(value, digest_size=6).hexdigest()
    return f"{kind} {name} {digest}"


def _order_and_name(mark: str) -> str:
    return mark.rpartition(" ")[0]

"""Keys that a person mistyped are told, not ignored in silence."""

import re

import pytest

from outgate.policy.operator import Order
from outgate.store.key_table import KEYS, Key
from outgate.store.keys import Keys
from outgate.store.orders import OPTIN_KEY
from outgate.store.strays import Strays, is_known
from store.running import Store


def test_a_mistyped_hash_is_told_with_the_right_name(store: Store, keys: Keys) -> None:
    """`HSET outgate:quarentine` holds nobody: somebody must say so."""
    wrong = f"{keys.namespace}:quarentine"
    store.ask("HSET", wrong, "alice", "by=anne phished")
    strays = Strays(store.client, keys)
    # The server has the keys of other tests, too.
    found = [trouble for _ in range(300) for trouble in strays.look()]
    store.ask("DEL", wrong)

    assert {trouble.name for trouble in found} == {wrong}
    assert f"did you mean {keys.namespace}:quarantine?" in found[0].message
    assert strays.look() == []


def test_our_own_keys_are_known() -> None:
    """Also those with customers and identities in them."""
    keys = Keys("ns")

    assert is_known(keys.holding("choir"), "ns:")
    assert is_known(keys.count("choir", "daily", "anne@example.org"), "ns:")
    assert is_known(keys.audited, "ns:")
    assert not is_known("ns:quarantines", "ns:")


def test_a_person_gets_all_of_them_at_once(store: Store, keys: Keys) -> None:
    """However many keys stand before the slip."""
    pipe = store.client.pipeline()
    for number in range(3000):
        pipe.set(keys.count(f"c{number}", "messages", "x"), number)
    pipe.hset(f"{keys.namespace}:quarentine", "anne", "for=1h")
    pipe.execute()
    (trouble,) = Strays(store.client, keys).look_everywhere()
    store.client.delete(f"{keys.namespace}:quarentine")
    assert trouble.name == f"{keys.namespace}:quarentine"


# Orders and keys of list hosts: whoever reads them tells, with what to type instead.
_TOLD = {*(order.value for order in Order), OPTIN_KEY}


@pytest.mark.parametrize("key", [key for key in KEYS if key.pattern not in _TOLD])
def test_a_key_of_a_wrong_type_is_told(store: Store, keys: Keys, key: Key) -> None:
    """Its customer is judged by local counters, or its readers are strangers, for ever."""
    name = f"{keys.namespace}:{re.sub('<[^>]+>', 'x', key.pattern)}"
    wrong = "hash" if key.kind == "string" else "string"
    words = ("HSET", name, "a", "b") if wrong == "hash" else ("SET", name, "a word")
    strays = Strays(store.client, keys)
    store.ask(*words)
    (found,) = strays.look_everywhere()

    assert (found.order, found.name) == ("", name)
    assert found.message.startswith(f"is a {wrong}, expected a {key.kind}: ")
    assert strays.look() == [found]
    store.ask("DEL", name)
    assert strays.look() == []
    assert Strays(store.client, keys).look_everywhere() == []


def test_a_wrong_type_is_told_by_rounds_too(store: Store, keys: Keys) -> None:
    """Each looks at a few keys; one that is right again is forgotten."""
    name = keys.contacts("choir")
    store.ask("LPUSH", name, "a")
    strays = Strays(store.client, keys)
    # As many rounds as the keys of all tests before need.
    found = next(filter(None, (strays.look() for _ in range(5_000))), [])
    assert {trouble.name for trouble in found} == {name}
    store.ask("DEL", name)
    store.ask("HSET", name, "recent", "")
    assert strays.look() == []


def test_what_is_as_it_must_be_is_no_trouble(store: Store, keys: Keys) -> None:
    """Whatever we write."""
    store.ask("SET", keys.count("choir", "daily", "anne"), 1)
    store.ask("HSET", keys.contacts("choir"), "recent", "")
    store.ask("ZADD", keys.hosts, 1, "mx1")
    store.ask("XADD", keys.audit, "*", "event", "x")
    # An order that somebody types is a hash.
    store.ask("SET", f"{keys.namespace}:note", "x")
    found = Strays(store.client, keys).look_everywhere()
    store.ask("DEL", f"{keys.namespace}:note")
    assert found == []


def test_an_order_of_a_wrong_type_is_told_elsewhere(store: Store, keys: Keys) -> None:
    """By who reads orders, with what to type instead; not twice."""
    store.ask("SET", f"{keys.namespace}:quarantine", "anne")
    assert Strays(store.client, keys).look_everywhere() == []
    store.ask("DEL", f"{keys.namespace}:quarantine")


def test_a_name_that_is_no_utf8_is_told(store: Store, keys: Keys) -> None:
    """As often as the others."""
    name = f"{keys.namespace}:quarant".encode() + b"\xff"
    store.client.hset(name, "anne", "for=1h")
    strays = Strays(store.client, keys)
    assert [one.name for one in strays.look_everywhere()] == [
        f"{keys.namespace}:quarant\\xff"
    ]
    assert len(strays.look()) == 1
    store.client.delete(name)

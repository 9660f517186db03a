"""Keys of list hosts on the real server, by commands and by hand."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from lab.ports import free_port
from message.tokens import PUBLIC
from outgate.message.optin_evidence import from_base64url
from outgate.model.errors import StoreUnavailable
from outgate.policy.optin_keys import OptinKey
from outgate.store.keys import Keys
from outgate.store.localcopy import LocalCopy
from outgate.store.optin_keys import OptinKeys
from outgate.store.orders import Orders
from outgate.store.trouble import Client
from store.builders import START_US

NAME = "lists.example.org:2026a"
KEY = OptinKey(
    name=NAME,
    public=from_base64url(PUBLIC),
    customer="choir",
    lists=frozenset({"news.example.org"}),
    by="anne",
)


@pytest.fixture
def optin_keys(client: Client, keys: Keys) -> OptinKeys:
    return OptinKeys(client, keys)


def audited(client: Client, keys: Keys) -> list[tuple[bytes, bytes]]:
    """What a round of the keeper has written by now."""
    orders = Orders(client, keys)
    orders.tend(orders.read(frozenset()))
    return [
        (fields[b"event"], fields[b"actor"]) for _, fields in client.xrange(keys.audit)
    ]


def test_a_key_is_registered_once(
    optin_keys: OptinKeys, client: Client, keys: Keys
) -> None:
    """Its name is its own for ever; who did it is in the audit, once."""
    assert optin_keys.add(KEY)
    assert not optin_keys.add(KEY)
    assert optin_keys.all() == [KEY]
    for _ in range(2):
        assert audited(client, keys) == [(b"optin-key-set", b"anne")]


def test_a_key_is_revoked_once(
    optin_keys: OptinKeys, client: Client, keys: Keys
) -> None:
    """The first moment stays."""
    assert optin_keys.revoke(NAME, START_US, "bob") is None
    optin_keys.add(KEY)
    audited(client, keys)
    revoked = optin_keys.revoke(NAME, START_US, "bob")
    assert revoked is not None
    assert revoked.revoked_us == START_US // 1_000_000 * 1_000_000
    later = optin_keys.revoke(NAME, START_US + 10_000_000, "carol")
    assert later is not None
    # To the second, as it stands there.
    assert later.revoked_us == START_US // 1_000_000 * 1_000_000
    assert audited(client, keys) == [
        (b"optin-key-set", b"anne"),
        (b"optin-key-set", b"bob"),
    ]


def test_one_that_was_to_end_later_ends_now(
    optin_keys: OptinKeys, client: Client, keys: Keys
) -> None:
    """Whoever revokes a key does not want to wait."""
    optin_keys.add(replace(KEY, revoked_us=START_US + 3_600_000_000))
    found = optin_keys.revoke(NAME, START_US, "bob")
    assert found is not None
    assert found.revoked_us == START_US // 1_000_000 * 1_000_000
    assert optin_keys.all() == [found]


@pytest.mark.parametrize(
    "value",
    [
        b"ed25519=short customer=choir",
        b"customer=choir revoked=tomorrow by=anne",
        b"by=anne stolen, revoked=2036-01-01T00:00:00Z",
        b"\xff",
        b"",
        b"x" * 5000,
    ],
)
def test_a_broken_one_is_revoked_for_good(
    optin_keys: OptinKeys, client: Client, keys: Keys, value: bytes
) -> None:
    """It counts for nothing; whoever mends it later makes no good key of it."""
    client.hset(keys.optin_keys, NAME, value)
    assert optin_keys.all()[0].problems
    found = optin_keys.revoke(NAME, START_US, "bob")
    assert found is not None
    assert found.problems
    assert (found.revoked_us, found.by) == (START_US // 1_000_000 * 1_000_000, "bob")
    assert optin_keys.all() == [found]
    assert optin_keys.revoke(NAME, START_US + 9_000_000, "carol") == found
    assert audited(client, keys) == [(b"optin-key-set", b"bob")]
    client.hdel(keys.optin_keys, NAME)
    assert audited(client, keys)[1:] == [(b"optin-key-removed", b"redis-cli")]


class TestKeeper:
    """What the keeper reads, and hands to the workers of its host."""

    def test_keys_reach_the_local_copy(
        self, optin_keys: OptinKeys, client: Client, keys: Keys, tmp_path: Path
    ) -> None:
        """Beside the orders; a broken one is reported, and is none."""
        optin_keys.add(KEY)
        client.hset(keys.optin_keys, "lists.example.org:old", "customer=choir")
        state = Orders(client, keys).read(frozenset())
        copy = LocalCopy(tmp_path / "operator.json")
        copy.write(state.hashes, 1, state.optin_keys)
        copy.refresh()
        assert copy.snapshot().optin_keys == {NAME: KEY}
        assert {(one.order, one.name) for one in state.troubles} == {
            ("optin-key", "lists.example.org:old")
        }

    def test_a_key_of_another_type_is_reported(
        self, client: Client, keys: Keys
    ) -> None:
        """With what to type instead; the orders are read all the same."""
        client.set(keys.optin_keys, "a word")
        state = Orders(client, keys).read(frozenset())
        assert state.optin_keys == {}
        (trouble,) = state.troubles
        assert f"use HSET {keys.optin_keys}" in trouble.message

    def test_a_copy_of_an_older_outgate_has_none(self, tmp_path: Path) -> None:
        """And is good for the rest."""
        path = tmp_path / "operator.json"
        path.write_text(json.dumps({"hosts": 2, "orders": {}}))
        copy = LocalCopy(path)
        assert copy.refresh()
        assert (copy.snapshot().hosts, copy.snapshot().optin_keys) == (2, {})


def test_an_absent_store_is_a_typed_error(keys: Keys) -> None:
    """For commands: each question says so."""
    from outgate.store.client import connect
    from outgate.store.wire import Endpoint

    # redis-py 4.3 leaves the socket of an absent unix path open.
    url = f"redis://127.0.0.1:{free_port()}/0"
    gone = OptinKeys(connect(Endpoint(url=url)), keys)
    for ask in (
        gone.all,
        lambda: gone.add(KEY),
        lambda: gone.revoke(NAME, START_US, ""),
    ):
        with pytest.raises(StoreUnavailable):
            ask()

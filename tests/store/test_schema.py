"""What a store must be like before anything is written to it."""

import re

import pytest

from lab.redis import RedisServer
from outgate.model.errors import EX_CONFIG, StartError, StoreRefused, StoreUnavailable
from outgate.store.client import connect
from outgate.store.keys import SCHEMA_VERSION, Keys
from outgate.store.schema import inspect, read_store_id
from outgate.store.wire import Endpoint
from store.running import PATIENCE_S, Store, endpoint

OURS, THEIRS = "0123456789ab", "ba9876543210"


def test_an_empty_store_becomes_ours(store: Store, keys: Keys) -> None:
    """Version and secret are claimed, and found again."""
    servers = [inspect(store.client, keys, OURS) for _ in range(2)]
    assert store.ask("HGET", keys.schema, "version") == b"%d" % SCHEMA_VERSION
    assert store.ask("HGET", keys.schema, "secret-id") == OURS.encode()
    assert [server.evicts for server in servers] == ["", ""]


def test_a_store_has_an_id_of_its_own_as_long_as_its_data(
    store: Store, keys: Keys
) -> None:
    """Made once; who only looks makes none; lost with the data."""
    assert inspect(store.client, keys, OURS, claim=False).store_id == ""
    first = inspect(store.client, keys, OURS).store_id
    assert re.fullmatch("[0-9a-f]{32}", first)
    assert inspect(store.client, keys, OURS).store_id == first
    assert read_store_id(store.client, keys) == first

    store.ask("DEL", keys.schema)

    assert read_store_id(store.client, keys) == ""
    assert inspect(store.client, keys, OURS).store_id not in {"", first}


def test_whoever_only_looks_claims_nothing(store: Store, keys: Keys) -> None:
    """`outgate doctor`, run with a wrong secret, must not shut the right one out."""
    inspect(store.client, keys, THEIRS, claim=False)
    assert not store.ask("EXISTS", keys.schema)
    inspect(store.client, keys, OURS)
    with pytest.raises(StartError, match=f"{THEIRS}.*{OURS}"):
        inspect(store.client, keys, THEIRS, claim=False)


def test_the_server_is_named(store: Store, keys: Keys) -> None:
    """As it calls itself: Valkey says a version of Redis, too."""
    name, version = inspect(store.client, keys, OURS).version.split()
    told = store.server.cli("INFO", "server")
    assert f"{name}_version:{version}" in told
    assert name == ("valkey" if "valkey_version" in told else "redis")


def test_another_secret_is_refused(store: Store, keys: Keys) -> None:
    """Both ids are told; nothing of the other host's is overwritten."""
    inspect(store.client, keys, THEIRS)
    with pytest.raises(StartError, match=f"{OURS}.*{THEIRS}") as refusal:
        inspect(store.client, keys, OURS)
    assert refusal.value.exit_code == EX_CONFIG
    assert store.ask("HGET", keys.schema, "secret-id") == THEIRS.encode()


def test_another_layout_is_refused(store: Store, keys: Keys) -> None:
    """An old Outgate would misread a newer one; the first was of trials alone."""
    store.ask("HSET", keys.schema, "version", SCHEMA_VERSION + 1)
    with pytest.raises(StartError, match=f"version {SCHEMA_VERSION + 1}.*upgrade"):
        inspect(store.client, keys, OURS)
    store.ask("HSET", keys.schema, "version", 1)
    with pytest.raises(StartError, match=r"version 1, of trials.*store\.namespace"):
        inspect(store.client, keys, OURS)
    assert store.ask("HGET", keys.schema, "version") == b"1"


@pytest.mark.parametrize("field", ["version", "secret-id"])
@pytest.mark.parametrize("value", [b"", b"many", b"\xff"])
def test_a_garbled_schema_is_refused_in_words(
    store: Store, keys: Keys, field: str, value: bytes
) -> None:
    """Somebody typed into it: one line, no traceback."""
    store.client.hset(keys.schema, field, value)
    with pytest.raises(StartError) as refusal:
        inspect(store.client, keys, OURS)
    assert refusal.value.exit_code == EX_CONFIG


def test_a_server_that_forgets_is_reported(own_server: RedisServer) -> None:
    """Eviction would forget limits: it is told where there is a limit of memory."""
    with connect(endpoint(own_server)) as client:
        client.config_set("maxmemory-policy", "allkeys-lru")
        assert inspect(client, Keys(), OURS).evicts == ""
        client.config_set("maxmemory", "100mb")
        assert inspect(client, Keys(), OURS).evicts == "allkeys-lru"
        client.config_set("maxmemory-policy", "noeviction")
        assert inspect(client, Keys(), OURS).evicts == ""


def test_a_server_that_hides_its_configuration_is_trusted() -> None:
    """Hosted servers have no CONFIG; one without INFO refuses us."""
    acl = [
        "hosted on >pw ~outgate:* +@all -config",
        "blind on >pw ~outgate:* +@all -info",
    ]
    with RedisServer(acl=acl) as server:
        for user in ("hosted", "blind"):
            target = Endpoint(
                url=f"unix://{user}:pw@{server.socket}", timeout_s=PATIENCE_S
            )
            with connect(target) as client:
                if user == "hosted":
                    assert inspect(client, Keys(), OURS).evicts == ""
                else:
                    with pytest.raises(StoreRefused):
                        inspect(client, Keys(), OURS)


def test_a_server_that_is_read_only_is_unavailable(own_server: RedisServer) -> None:
    """A replica cannot be claimed; the daemon starts degraded."""
    with connect(endpoint(own_server)) as client:
        client.execute_command("REPLICAOF", "127.0.0.1", "1")
        with pytest.raises(StoreUnavailable):
            inspect(client, Keys(), OURS)

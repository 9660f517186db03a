"""What a store must be like before anything is written to it.

`outgate:schema` names the layout's version and the id of the secret: a host with
another secret would hash recipients differently and count apart, so it is refused. Its
`store-id` is random, and made once: it lives and dies with the data, so who remembers
what is in the store knows by it whether that can be there yet. A server that evicts keys
would forget limits and evidence; it is reported.
"""

import secrets
from dataclasses import dataclass

import redis

from outgate.model.errors import EX_CONFIG, StartError, StoreUnavailable
from outgate.store.durability import Way, find_way
from outgate.store.keys import SCHEMA_VERSION, Keys
from outgate.store.trouble import Client, as_store_error

# It did not tell customers of one list apart, so nobody can say whose a record is.
_TRIAL_VERSION = "1"
STORE_ID = "store-id"
_STORE_ID_BYTES = 16


@dataclass(frozen=True, slots=True)
class Server:
    """What a server says of itself.

    Attributes:
        version: name and version.
        evicts: its maxmemory-policy, where that would drop keys; else "".
        way: how it says that something is on disk.
        store_id: 32 hexadecimal digits; "" where nobody has claimed the store.
    """

    version: str
    evicts: str
    way: Way = Way.NONE
    store_id: str = ""


def inspect(
    client: Client,
    keys: Keys,
    key_id: str,
    *,
    claim: bool = True,
    is_embedded: bool = False,
) -> Server:
    """Claim an empty store, or check that it is ours.

    Args:
        client: of the store.
        keys: of our namespace.
        key_id: of this host's secret.
        claim: False leaves an empty store to whoever starts on it.
        is_embedded: whether it is the daemon's own server.

    Raises:
        StartError: another secret or another layout.
        StoreError: the server did not answer, or not as one that we could use.
    """
    ours = (str(SCHEMA_VERSION), key_id, "")
    try:
        if claim:
            client.hsetnx(keys.schema, "version", SCHEMA_VERSION)
            client.hsetnx(keys.schema, "secret-id", key_id)
            # Atomic: of several that begin at once, all see the first one's.
            client.hsetnx(keys.schema, STORE_ID, secrets.token_hex(_STORE_ID_BYTES))
        found = client.hmget(keys.schema, "version", "secret-id", STORE_ID)
        version, secret_id, store_id = (
            own if value is None else value.decode("utf-8", "backslashreplace")
            for value, own in zip(found, ours, strict=True)
        )
        server = Server(
            _name(client.info("server")),
            _eviction(client),
            find_way(client, is_embedded=is_embedded),
            store_id,
        )
    except redis.RedisError as error:
        raise as_store_error(error) from error
    except Exception as error:
        # A port where something else listens: redis-py stumbles in ways of its own.
        raise StoreUnavailable(f"does not answer as Redis does: {error}") from error
    if version == _TRIAL_VERSION:
        raise StartError(
            f"store.url: its layout is version {version}, of trials before the first "
            "release, which no Outgate reads: empty it, or take another store.namespace",
            EX_CONFIG,
        )
    if version != str(SCHEMA_VERSION):
        raise StartError(
            f"store.url: its layout is version {version}, this Outgate knows "
            f"{SCHEMA_VERSION}: upgrade it",
            EX_CONFIG,
        )
    if secret_id != key_id:
        raise StartError(
            f"secrets.file: its id is {key_id}, the store was filled with another "
            f"secret ({secret_id}): copy that one to this host",
            EX_CONFIG,
        )
    return server


def read_store_id(client: Client, keys: Keys) -> str:
    """The store's id now; "" where it was emptied, and nobody has claimed it since.

    Raises:
        StoreError: the server did not answer.
    """
    try:
        value = client.hget(keys.schema, STORE_ID)
    except redis.RedisError as error:
        raise as_store_error(error) from error
    return value.decode("utf-8", "backslashreplace") if value else ""


def _eviction(client: Client) -> str:
    try:
        found = client.config_get("maxmemory-policy")
        limited = client.config_get("maxmemory")
    except redis.ResponseError:
        # Hosted servers and tight ACLs hide their configuration.
        return ""
    policy = str(found.get("maxmemory-policy", ""))
    if policy in {"", "noeviction"} or str(limited.get("maxmemory", "0")) == "0":
        return ""
    return policy


def _name(info: dict[str, object]) -> str:
    if "valkey_version" in info:
        return f"valkey {info['valkey_version']}"
    return f"redis {info.get('redis_version', 'unknown')}"

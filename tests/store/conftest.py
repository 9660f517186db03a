"""One server of each flavour for the whole run; every test has keys of its own."""

import re
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from lab.redis import Flavour, RedisServer
from lab.skips import or_skip
from outgate.store.client import connect
from outgate.store.key_table import KEYS
from outgate.store.keys import Keys
from outgate.store.trouble import Client
from store.running import Store, endpoint, narrow_wire, new_keys
from store.talker import Talker

FLAVOURS: tuple[Flavour, ...] = ("redis", "valkey")


@pytest.fixture(scope="session", params=FLAVOURS)
def store(request: pytest.FixtureRequest) -> Iterator[Store]:
    """A server that lives as long as the run; what a test breaks, it mends."""
    with ExitStack() as stack:
        with or_skip():
            server = stack.enter_context(RedisServer(request.param, tcp=True))
        client = connect(endpoint(server))
        wire = narrow_wire(endpoint(server))
        yield Store(server, client, wire)
        unlisted = [name for name in client.scan_iter() if not is_listed(name.decode())]
        wire.close()
        client.connection_pool.disconnect()
        assert not unlisted, "keys that the table KEYS does not know"


@pytest.fixture
def keys() -> Keys:
    """A namespace of this test's own."""
    return new_keys()


@pytest.fixture
def client(store: Store) -> Client:
    """Redis-py, connected to the shared server."""
    return store.client


@pytest.fixture(params=FLAVOURS)
def own_server(request: pytest.FixtureRequest) -> Iterator[RedisServer]:
    """A server for one test, which may stop, starve or kill it."""
    with ExitStack() as stack:
        with or_skip():
            server = stack.enter_context(RedisServer(request.param, tcp=True))
        yield server


@pytest.fixture
def talker(tmp_path: Path) -> Iterator[Talker]:
    """Something that listens on a socket and is no Redis server."""
    with Talker(tmp_path / "talker.sock") as talking:
        yield talking


def is_listed(name: str) -> bool:
    """Whether the table of keys has a pattern for this key."""
    return any(pattern.fullmatch(name) for pattern in _PATTERNS)


def _pattern(text: str) -> re.Pattern[str]:
    # The braces of a tag are literal, what stands in angle brackets is not.
    escaped = re.sub(r"<[a-z\\-]+>", "[^{}\\\\s]+", re.escape(text))
    return re.compile(f"[a-z0-9-]+:{escaped}")


_PATTERNS = [_pattern(key.pattern) for key in KEYS]

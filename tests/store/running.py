"""A running server with everything that speaks to it."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from unittest.mock import patch

from hypothesis import HealthCheck, settings

from lab.redis import RedisServer
from outgate.store.counters import Counters
from outgate.store.erasure import Kind, arguments
from outgate.store.keys import Keys
from outgate.store.resp import pack
from outgate.store.scripts import Script
from outgate.store.trouble import Client
from outgate.store.wire import Endpoint, Reply, Wire

SECRET = b"\x5e" * 32
# Long enough for a machine that has other things to do; an answer comes at once.
PATIENCE_S = 5.0

# Real servers answer in a tenth of a millisecond: enough examples, quick enough.
fast = settings(
    max_examples=100,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)

_namespaces = (f"t{number}" for number in itertools.count(1))


@dataclass(frozen=True)
class Store:
    """One running server.

    Attributes:
        client: redis-py, for looking from outside.
        wire: packed commands, one connection: what is sent later is done later.
    """

    server: RedisServer
    client: Client
    wire: Wire

    def counters(
        self, keys: Keys | None = None, clock: Callable[[], int] | None = None
    ) -> Counters:
        return Counters(self.wire, keys or new_keys(), SECRET, test_now_us=clock)

    def ask(self, *words: str | int) -> Reply:
        """One command by the wire, and so after everything that was posted."""
        (reply,) = self.wire.call(pack(str(word).encode() for word in words), 1)
        return reply

    def erase(self, kind: Kind, key: str, one: bytes, *, commit: bool = True) -> int:
        """Take a keyed hash out of one key, by the wire; gives in how many records it was."""
        name, _, wanted = arguments(kind, one, commit=commit)
        text = Script.load("erase").text
        command = (
            b"EVAL",
            text,
            b"1",
            key.encode(),
            name.encode(),
            one,
            wanted.encode(),
        )
        (reply,) = self.wire.call(pack(command), 1)
        assert isinstance(reply, list)
        return int(reply[0])

    def names(self, keys: Keys) -> set[str]:
        """Keys on the server, without the namespace."""
        prefix = f"{keys.namespace}:"
        found = self.ask("KEYS", f"{prefix}*")
        return {name.decode().removeprefix(prefix) for name in found}

    def writes(self) -> int:
        """How many changes the server has made so far."""
        persistence = self.ask("INFO", "persistence").decode()
        fields = dict(line.split(":") for line in persistence.split() if ":" in line)
        return int(fields["rdb_changes_since_last_save"])


def new_keys() -> Keys:
    """A namespace of its own."""
    return Keys(next(_namespaces))


def endpoint(server: RedisServer, *, timeout_s: float = PATIENCE_S) -> Endpoint:
    """The server by its unix socket, without credentials."""
    return Endpoint(url=f"unix://{server.socket}", timeout_s=timeout_s)


def narrow_wire(target: Endpoint) -> Wire:
    """A wire of one connection, so that nothing overtakes what was posted."""
    with patch("outgate.store.wire.CONNECTIONS", 1):
        return Wire(target)

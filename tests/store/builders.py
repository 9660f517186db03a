"""Plans, clocks, and one server with everything that speaks to it."""

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from unittest.mock import patch

from hypothesis import HealthCheck, settings

from lab.redis import RedisServer
from outgate.model.limit import Count, Limit, Per
from outgate.model.units import Rate
from outgate.policy.ports import Plan, PlannedCharge
from outgate.store.counters import Counters
from outgate.store.keys import Keys
from outgate.store.trouble import Client
from outgate.store.wire import Endpoint, Reply, Wire, pack

ANNE = "anne@example.com"
SECRET = b"\x5e" * 32
# Tuesday, 24 November 2026, and an odd number of microseconds.
START_US = 1_795_500_000_123_457
# Long enough for a machine that has other things to do; an answer comes at once.
PATIENCE_S = 5.0

# Real servers answer in a tenth of a millisecond: enough examples, quick enough.
fast = settings(
    max_examples=4000,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)

_namespaces = (f"t{number}" for number in itertools.count(1))


class Clock:
    """Time that goes on when it is told to."""

    def __init__(self, now_us: int = START_US) -> None:
        self.now_us = now_us

    def __call__(self) -> int:
        return self.now_us

    def monotonic_s(self) -> float:
        return self.now_us / 1_000_000

    def wait(self, seconds: float) -> None:
        self.now_us += round(seconds * 1_000_000)


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


def a_charge(
    *,
    name: str = "messages-hourly",
    identity: str = ANNE,
    interval_us: int = 1_000_000,
    burst: int = 5,
    cost: int = 1,
    binding: bool = True,
) -> PlannedCharge:
    rate = Rate(1, timedelta(microseconds=interval_us))
    limit = Limit(
        name=name, per=Per.LOGIN, count=Count.MESSAGES, rate=rate, burst=burst
    )
    return PlannedCharge(limit, identity, rate, burst, cost, binding)


def a_plan(
    *charges: PlannedCharge,
    customer: str = ANNE,
    names: Sequence[str] = (),
    own_names: Sequence[str] = (),
    message: bytes = b"dinner on Friday",
) -> Plan:
    return Plan(
        customer=customer,
        names=(customer, *names),
        own_names=(customer, *own_names),
        charges=list(charges),
        retry_material=message,
        external=1,
        internal=0,
    )

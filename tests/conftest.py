"""Servers that many tests share: one of each for the whole run.

A test takes a customer of its own (`someone`), so that counters and orders of one test
never meet those of another.
"""

import itertools
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from lab.miltermta import MilterMta
from lab.milters import Milter
from lab.outgate import Outgate
from lab.postfix import Postfix
from lab.redis import RedisServer
from lab.sendmail import Sendmail
from lab.sink import Sink
from lab.skips import or_skip

# Small numbers, so that a test meets them quickly.
LIMITS = """
[network]
internal = ["127.0.0.0/8", "::1/128", "192.0.2.0/24", "2001:db8:a::/48"]
forwarders = ["192.0.2.25"]
[domains]
local = ["internal.example"]
aliases = { "everyone@example.net" = 40 }
[[limit]]
name = "messages-per-login-hourly"
per = "login"
count = "messages"
rate = "20/1h"
[[limit]]
name = "recipients-per-login-hourly"
per = "login"
count = "recipients"
rate = "50/1h"
[[limit]]
name = "messages-per-client-hourly"
per = "client"
count = "messages"
rate = "5/1h"
action = "defer"
[[limit]]
name = "messages-per-local-user-hourly"
per = "local-user"
count = "messages"
rate = "5/1h"
action = "defer"
"""

LISTEN = """
[[listen]]
address = "unix:{directory}/outgate.sock"
group = "list"
[[listen]]
address = "unix:{directory}/local.sock"
group = "list"
path = "local-submission"
[[listen]]
address = "unix:{directory}/www.sock"
group = "list"
path = "local-submission"
local-user = "www-data"
"""

_numbers = itertools.count(1)


@pytest.fixture
def someone() -> str:
    """A login that no other test uses."""
    return f"someone{next(_numbers)}@example.org"


@pytest.fixture(scope="session")
def redis() -> Iterator[RedisServer]:
    """Redis, for the shared daemon and for looking inside."""
    with ExitStack() as stack:
        with or_skip():
            server = stack.enter_context(RedisServer(tcp=True))
        yield server


@pytest.fixture(scope="session")
def outgate(redis: RedisServer) -> Iterator[Outgate]:
    """The daemon in enforce mode, with small limits and a local-submission socket."""
    with Outgate(
        mode="enforce", settings=LIMITS, listen=LISTEN, store=redis.url
    ) as daemon:
        yield daemon


@pytest.fixture
def mta(outgate: Outgate) -> Callable[..., MilterMta]:
    """Milter connections to the shared daemon, as Postfix makes them."""

    def connect(**options: object) -> MilterMta:
        return MilterMta(outgate.address, **options)  # type: ignore[arg-type]

    return connect


@pytest.fixture
def unlimited_local_user(outgate: Outgate) -> Iterator[None]:
    """All local submissions to Postfix are of one user: lift its limit for a test."""
    outgate.redis("HSET", "outgate:allow", "unknown", "by=tests")
    yield
    outgate.redis("HDEL", "outgate:allow", "unknown")


@pytest.fixture
def unlimited_loopback(outgate: Outgate) -> Iterator[None]:
    """Whoever does not log in comes from one address: lift its limit for a test."""
    outgate.redis("HSET", "outgate:allow", "127.0.0.1", "by=tests")
    yield
    outgate.redis("HDEL", "outgate:allow", "127.0.0.1")


@pytest.fixture(scope="session")
def sink() -> Iterator[Sink]:
    """Where the MTAs deliver."""
    with Sink() as server:
        yield server


@pytest.fixture(scope="session")
def postfix(outgate: Outgate, sink: Sink) -> Iterator[Postfix]:
    """A private Postfix that asks the shared daemon."""
    with ExitStack() as stack:
        with or_skip():
            server = stack.enter_context(
                Postfix(
                    milters=[Milter(outgate.socket)],
                    local_milters=[Milter(outgate.local_socket)],
                    sink=sink.port,
                )
            )
        yield server


@pytest.fixture(scope="session")
def sendmail(outgate: Outgate, sink: Sink) -> Iterator[Sendmail]:
    """A private Sendmail that asks the shared daemon."""
    with ExitStack() as stack:
        with or_skip():
            server = stack.enter_context(
                Sendmail(
                    milters=[Milter(outgate.socket)],
                    local_milters=[Milter(outgate.local_socket)],
                    sink=sink.port,
                    users={"anne": "secret", "bart": "secret"},
                )
            )
        yield server

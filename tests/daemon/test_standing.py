"""Whose store it is: asked at the start, at a reload, and when the store comes back."""

import itertools
import time
from collections.abc import Iterator

import pytest

from daemon.test_keeper import metric, readiness
from lab.miltermta import MilterMta
from lab.outgate import Outgate
from lab.redis import RedisServer
from lab.skips import or_skip
from lab.waiting import wait_until
from outgate.store.keys import SCHEMA_VERSION

ROUNDS_S = 2.5
OTHER_SECRET = "6f" * 32

_NUMBERS = itertools.count()


@pytest.fixture
def redis() -> Iterator[RedisServer]:
    """A server of the test's own, to be stopped."""
    with or_skip(), RedisServer(tcp=True) as server:
        yield server


def source_of(daemon: Outgate) -> str:
    """Who answers for a message."""
    queue_id = f"source{next(_NUMBERS)}"
    with MilterMta(daemon.address, login="anne") as client:
        client.send(
            sender=b"<anne@example.org>",
            recipients=[b"<bob@example.net>"],
            queue_id=queue_id,
        )
    return daemon.message(queue_id).get("source", "store")


def give_away(redis: RedisServer) -> None:
    """Make it somebody else's, all at once."""
    script = (
        "redis.call('FLUSHALL') "
        f"redis.call('HSET', 'outgate:schema', 'version', '{SCHEMA_VERSION}', "
        "'secret-id', 'another')"
    )
    redis.cli("EVAL", script, "0")


def secret_ids(redis: RedisServer) -> str:
    """Whose the store is."""
    return redis.cli("HGET", "outgate:schema", "secret-id")


def test_a_reload_with_another_secret_changes_nothing(redis: RedisServer) -> None:
    """The old configuration stays in force, and the log says why."""
    with or_skip(), Outgate(store=redis.url) as daemon:
        workers = daemon.workers()
        daemon.secret = OTHER_SECRET
        daemon.write_config()
        daemon.reload()
        wait_until(lambda: daemon.events("reload-failed"), "the refusal")

        assert "secrets.file" in daemon.events("reload-failed")[0]["problem"]
        assert daemon.workers() == workers
        assert source_of(daemon) == "store"


def test_a_store_that_comes_late_is_claimed(redis: RedisServer) -> None:
    """The first who finds it empty marks it."""
    redis.kill()
    with or_skip(), Outgate(store=redis.url) as daemon:
        assert daemon.events("store-unreachable")
        redis.restart()
        wait_until(lambda: secret_ids(redis) != "", "the claim")
        wait_until(lambda: readiness(daemon) == (200, "ready\n"), "ready")


def test_a_store_of_another_secret_is_not_touched(redis: RedisServer) -> None:
    """It came when the daemon ran already: refused loudly, until it is ours again."""
    redis.kill()
    with or_skip(), Outgate(store=redis.url) as daemon:
        redis.restart()
        give_away(redis)
        wait_until(lambda: daemon.events("store-refused"), "refusal", seconds=30)
        wait_until(lambda: metric(daemon, "outgate_store_refused") == 1, "the metric")
        wait_until(lambda: source_of(daemon) == "local", "degraded mode")
        give_away(redis)
        redis.cli("HSET", "outgate:quarantine", "anne", "for=1h by=bea")
        since_s = time.monotonic()
        wait_until(lambda: time.monotonic() - since_s > ROUNDS_S, "some rounds")
        code, text = readiness(daemon)
        keys = set(redis.cli("KEYS", "*").split())

        assert code == 503
        assert "secret" in text
        assert keys == {"outgate:schema", "outgate:quarantine"}
        assert redis.cli("HGET", "outgate:quarantine", "anne") == "for=1h by=bea"

        redis.cli("DEL", "outgate:schema")
        wait_until(lambda: daemon.events("store-accepted"), "peace", seconds=30)
        wait_until(lambda: readiness(daemon) == (200, "ready\n"), "ready")

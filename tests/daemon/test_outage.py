"""The store goes away under load; mail does not wait for it."""

import threading
import time
from collections.abc import Iterator
from typing import Self

import pytest

from lab.limits import shipped_limits
from lab.miltermta import MilterMta, Outcome
from lab.outgate import Outgate
from lab.redis import RedisServer
from lab.skips import or_skip
from lab.waiting import wait_until

LIMIT = shipped_limits("off", messages_per_login_hourly="1000/1h")
OUTAGE_S = 10.0


@pytest.fixture
def redis() -> Iterator[RedisServer]:
    """A server of the test's own, to be stopped."""
    with or_skip(), RedisServer(tcp=True) as server:
        yield server


class Sessions:
    """Sessions that send one message after the other, until stopped."""

    def __init__(self, daemon: Outgate, count: int) -> None:
        self.outcomes: list[Outcome] = []
        self._daemon = daemon
        self._done = threading.Event()
        self._threads = [
            threading.Thread(target=self._send, args=(number,))
            for number in range(count)
        ]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        for thread in self._threads:
            thread.join(30)

    def wait_for(self, more: int) -> None:
        """Wait until so many more messages were answered."""
        wanted = len(self.outcomes) + more
        wait_until(lambda: len(self.outcomes) >= wanted, f"{more} more messages")

    def _send(self, number: int) -> None:
        while not self._done.is_set():
            with MilterMta(
                self._daemon.address, login=f"out{number}", transcript=False
            ) as client:
                for _ in range(5):
                    self.outcomes.append(
                        client.send(
                            sender=b"<anne@example.org>",
                            recipients=[b"<bob@example.net>"],
                        )
                    )
                    self._done.wait(0.02)


@pytest.mark.parametrize(
    ("direction", "expected"),
    [("degraded", "accept"), ("accept", "accept"), ("defer", "tempfail")],
)
def test_a_store_that_hangs_stops_no_session(
    redis: RedisServer, direction: str, expected: str
) -> None:
    """SIGSTOP for ten seconds: nobody waits a second, mail goes as configured."""
    settings = f"{LIMIT}\n"
    with or_skip(), Outgate(settings=settings, store=redis.url) as daemon:
        _set_direction(daemon, direction)
        with Sessions(daemon, 8) as sessions:
            sessions.wait_for(40)
            redis.pause()
            stopped_s = time.monotonic()
            before = len(sessions.outcomes)
            wait_until(lambda: bool(daemon.events("store-down")), "the breaker")
            during = len(sessions.outcomes)
            seconds = OUTAGE_S if direction == "degraded" else 2.0
            wait_until(
                lambda: time.monotonic() - stopped_s > seconds, "the outage", seconds=20
            )
            after = len(sessions.outcomes)
            redis.resume()
            # Each worker finds out for itself, within a second.
            wait_until(
                lambda: {one.action for one in sessions.outcomes[-40:]} == {"accept"},
                "recovery",
            )

        slowest_s = max(outcome.elapsed_s for outcome in sessions.outcomes)
        degraded = sessions.outcomes[during:after]
        assert slowest_s < 1.0
        assert after - before > 50
        assert {outcome.action for outcome in degraded} == {expected}
        assert daemon.metrics()['outgate_store_errors_total{kind="timeout"}'] > 0


def test_degraded_counters_go_on_protecting(redis: RedisServer) -> None:
    """While the store is away, one login still has one limit over all workers."""
    limit = LIMIT.replace("1000/1h", "30/1h") + "[workers]\ncount = 2\n"
    with or_skip(), Outgate(settings=limit, store=redis.url) as daemon:
        redis.kill()
        actions = []
        for _ in range(10):
            with MilterMta(daemon.address, login="flood", transcript=False) as client:
                actions += [
                    client.send(
                        sender=b"<a@example.org>", recipients=[b"<b@example.net>"]
                    ).action
                    for _ in range(5)
                ]

    assert actions.count("accept") == 30
    assert actions.count("quarantine") == 20


def test_the_last_known_orders_act_without_the_store(redis: RedisServer) -> None:
    """Who was quarantined stays quarantined, also after a restart without the store."""
    with or_skip(), Outgate(settings=LIMIT, store=redis.url) as daemon:
        redis.cli("HSET", "outgate:quarantine", "evil", "by=anne phished")
        wait_until(
            lambda: "evil" in (daemon.directory / "state/operator.json").read_text(),
            "the local copy",
        )
        redis.kill()
        daemon.terminate()
        daemon.launch()
        wait_until(lambda: len(daemon.events("ready")) == 2, "ready again")
        with MilterMta(daemon.address, login="evil") as client:
            outcome = client.send(
                sender=b"<a@example.org>", recipients=[b"<b@example.net>"]
            )

        assert outcome.action == "quarantine"


def test_records_of_held_mail_wait_for_the_store(redis: RedisServer) -> None:
    """Nothing is lost: they are on disk, and in the store when it is back."""
    limit = LIMIT.replace("1000/1h", "1/1h")
    with or_skip(), Outgate(settings=limit, store=redis.url) as daemon:
        redis.kill()
        with MilterMta(daemon.address, login="held") as client:
            for number in range(3):
                client.send(
                    sender=b"<a@example.org>",
                    recipients=[b"<b@example.net>"],
                    queue_id=f"outbox{number}",
                )
        wait_until(
            lambda: daemon.metrics().get("outgate_outbox_records") == 2, "the outbox"
        )
        redis.restart()
        wait_until(
            lambda: daemon.metrics().get("outgate_outbox_records") == 0, "an empty one"
        )

        assert [one["queue-id"] for one in daemon.held()] == ["outbox1", "outbox2"]


def _set_direction(daemon: Outgate, direction: str) -> None:
    text = daemon.config.read_text()
    daemon.config.write_text(
        text.replace("[store]\n", f'[store]\non-failure = "{direction}"\n')
    )
    daemon.reload()
    wait_until(lambda: bool(daemon.events("reloaded")), "reload")

"""Two hosts share a store: neither takes the other's held mail for its own."""

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.miltermta import MilterMta
from lab.outgate import Outgate
from lab.redis import RedisServer
from lab.skips import or_skip
from lab.waiting import wait_until

LONG_AGO_US = 1_000_000


@pytest.fixture
def redis() -> Iterator[RedisServer]:
    """A server of the test's own."""
    with or_skip(), RedisServer(tcp=True) as server:
        server.cli("HSET", "outgate:quarantine", "anne", "by=bea")
        yield server


@pytest.fixture
def place() -> Iterator[Path]:
    """A directory that every account may read."""
    with tempfile.TemporaryDirectory(prefix="outgate-lab-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


class Host:
    """One MTA with its gate, and the listing of its hold queue."""

    def __init__(self, name: str, place: Path, redis: RedisServer) -> None:
        self.name = name
        self._listing = place / name
        self._redis = redis
        self.list_held()
        self.gate = Outgate(
            settings=f'[quarantine]\nqueue-command = ["cat", "{self._listing}"]\n',
            store=redis.url,
        )

    def list_held(self, *queue_ids: str) -> None:
        """Say what the queue holds from now on."""
        lines = [
            json.dumps({"queue_name": "hold", "queue_id": one, "message_size": 10})
            for one in queue_ids
        ]
        fresh = self._listing.with_suffix(".new")
        fresh.write_text("".join(f"{line}\n" for line in lines))
        fresh.replace(self._listing)

    def hold(self, queue_id: str) -> None:
        """Hold one message, long ago."""
        with MilterMta(
            self.gate.address, login="anne", macros={"j": self.name}
        ) as client:
            outcome = client.send(
                sender=b"<anne@example.org>",
                recipients=[b"<bob@example.net>"],
                queue_id=queue_id,
            )
        assert outcome.action == "quarantine"
        self.gate.wait_for_records()
        # A fresh record is spared, since a listing may be older than it.
        key = f"outgate:held:{self.name}:{queue_id}"
        self._redis.cli("HSET", key, "since-us", str(LONG_AGO_US))

    def knows(self, name: str) -> bool:
        """Whether it takes an MTA for its own."""
        try:
            text = (self.gate.directory / "state/mta-names.json").read_text()
        except OSError:
            return False
        return name in json.loads(text)["listed"]

    def has_looked(self) -> bool:
        """Whether it has compared the records with its queue, at least once."""
        try:
            return "outgate_held_messages" in self.gate.metrics()
        except OSError:
            return False


def test_an_empty_queue_says_nothing_of_another_hosts_messages(
    redis: RedisServer, place: Path
) -> None:
    """By default, without any name in the configuration, short or long."""
    first, second = Host("mx1", place, redis), Host("mx2.example.org", place, redis)
    with or_skip(), first.gate:
        first.list_held("QA1")
        first.hold("QA1")
        with or_skip(), second.gate:
            wait_until(second.has_looked, "the second host looks")
            assert held_by(first) == ["QA1"]

            second.list_held("QB1")
            second.hold("QB1")
            wait_until(lambda: second.knows("mx2.example.org"), "its own name")
            second.list_held("QB2")
            # What is newly held makes it look at once.
            second.hold("QB2")
            wait_until(
                lambda: held_by(first) == ["QA1", "QB2"],
                "the second host sees that its own message is gone",
                seconds=40,
            )

        wait_until(lambda: first.knows("mx1"), "its own name")
        first.list_held("QA2")
        first.hold("QA2")
        wait_until(
            lambda: held_by(first) == ["QA2", "QB2"], "its message is gone", seconds=40
        )


def held_by(host: Host) -> list[str]:
    """Queue ids of all hosts, as one of them sees them."""
    return sorted(one["queue-id"] for one in host.gate.held())


def test_a_name_is_remembered_over_a_restart(redis: RedisServer, place: Path) -> None:
    """The message that taught it may be gone by then."""
    host = Host("mx1", place, redis)
    try:
        host.gate.start()
        host.list_held("QA1")
        host.hold("QA1")
        wait_until(lambda: host.knows("mx1"), "its own name")
        host.gate.terminate()
        host.list_held()
        host.gate.launch()
        wait_until(lambda: len(host.gate.events("ready")) == 2, "ready again")
        wait_until(lambda: host.gate.held() == [], "it is gone", seconds=40)
    finally:
        host.gate.stop()

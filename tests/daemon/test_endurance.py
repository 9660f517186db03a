"""Long runs: `make verify`. Memory, reloads and signals under a real load."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.load import build
from lab.limits import shipped_limits
from lab.miltermta import Message, MilterMta, Outcome
from lab.outgate import Outgate
from lab.redis import RedisServer
from lab.skips import or_skip
from lab.waiting import wait_until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

GENEROUS = "[workers]\ncount = 2\n" + shipped_limits("1000000/1h")


@pytest.fixture
def daemon() -> Iterator[Outgate]:
    """A daemon with an external Redis and limits that nobody meets."""
    with (
        or_skip(),
        RedisServer(tcp=True) as redis,
        Outgate(settings=GENEROUS, store=redis.url) as running,
    ):
        yield running


def load(
    daemon: Outgate, tmp_path: Path, messages: int, senders: int
) -> dict[str, int]:
    """Verdicts of so many messages over fifty connections."""
    message = tmp_path / "message.eml"
    message.write_text("From: @@SENDER@@\nSubject: @@N@@\n\n" + "Hello\n" * 500)
    command = [str(build()), "-s", daemon.address, "-f", str(message), "-e", "any"]
    command += ["-c", "50", "-n", str(messages), "-S", str(senders), "-t", "600"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    verdicts: dict[str, int] = json.loads(done.stdout)["verdicts"]
    return verdicts


def resident_kib(pid: int) -> int:
    """Memory of one process."""
    found = re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())
    assert found is not None
    return int(found[1])


def test_memory_does_not_grow_with_the_messages(
    daemon: Outgate, tmp_path: Path
) -> None:
    """120,000 messages of 20,000 senders: what is kept for each is bounded."""
    load(daemon, tmp_path, 60_000, 20_000)
    before = {pid: resident_kib(pid) for pid in daemon.workers()}
    verdicts = load(daemon, tmp_path, 60_000, 20_000)
    after = {pid: resident_kib(pid) for pid in daemon.workers()}

    sys.stdout.write(f"resident KiB before {before}, after {after}\n")
    assert verdicts == {"accept": 60_000}
    assert before.keys() == after.keys()
    assert all(after[pid] < before[pid] * 1.25 for pid in before)
    assert daemon.metrics()['outgate_store_errors_total{kind="timeout"}'] == 0


def test_ten_reloads_under_load_lose_nothing(daemon: Outgate, tmp_path: Path) -> None:
    """Every message is answered, whoever leaves and comes."""
    results: list[dict[str, int]] = []
    loading = threading.Thread(
        target=lambda: results.append(load(daemon, tmp_path, 40_000, 100))
    )
    loading.start()
    for number in range(1, 11):
        daemon.reload()
        wait_until(
            lambda: len(daemon.events("reloaded")) == number,  # noqa: B023
            f"reload {number}",
            seconds=60,
        )
    loading.join()

    assert results == [{"accept": 40_000}]
    wait_until(lambda: len(daemon.workers()) == 2, "old workers end", seconds=60)


def test_sigterm_under_load_answers_whoever_was_connected(daemon: Outgate) -> None:
    """Messages of sessions that were open are judged; new sessions find nobody."""
    outcomes: list[Outcome] = []
    message = Message(
        sender=b"<anne@example.org>",
        recipients=[b"<bob@example.net>"],
        headers=[(b"Subject", b"x")],
        body=b"Hello\r\n",
    )
    stop = threading.Event()

    def send() -> None:
        while not stop.is_set():
            client = MilterMta(daemon.address, login="anne", transcript=False)
            with client:
                client.open()
                outcomes.extend(client.deliver(message) for _ in range(3))

    def guarded() -> None:
        try:
            send()
        except Exception:  # noqa: BLE001 - nobody listens any more
            stop.set()

    threads = [threading.Thread(target=guarded) for _ in range(20)]
    for thread in threads:
        thread.start()
    wait_until(lambda: len(outcomes) > 500, "load")
    os.kill(daemon.pid, signal.SIGTERM)
    code = daemon.wait_exit()
    stop.set()
    for thread in threads:
        thread.join()

    assert code == 0
    assert {outcome.action for outcome in outcomes} == {"accept"}

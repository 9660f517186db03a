"""The keeper: what goes wrong in one of its tasks keeps no other from being done."""

import os
import signal
import socket
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import suppress

import pytest

from lab.miltermta import MilterMta
from lab.outgate import Outgate
from lab.processes import children
from lab.skips import or_skip
from lab.waiting import wait_until

HELD = ("HSET", "outgate:quarantine", "anne", "by=bea")


@pytest.fixture
def daemon() -> Iterator[Outgate]:
    """A daemon of the test's own, that holds Anne's mail."""
    with or_skip(), Outgate() as running:
        running.redis(*HELD)
        yield running


def hold(daemon: Outgate, queue_id: str, login: str = "anne") -> None:
    """One message; the keeper looks at what is held at once."""
    with MilterMta(daemon.address, login=login) as client:
        outcome = client.send(
            sender=b"<anne@example.org>",
            recipients=[b"<bob@example.net>"],
            queue_id=queue_id,
        )
    assert outcome.action == "quarantine"


def metric(daemon: Outgate, name: str) -> float | None:
    """One sample, None while nobody serves it."""
    with suppress(OSError):
        return daemon.metrics().get(name)
    return None


def failures(daemon: Outgate, step: str) -> float:
    """How often one step failed."""
    return metric(daemon, f'outgate_keeper_errors_total{{step="{step}"}}') or 0.0


def readiness(daemon: Outgate) -> tuple[int, str]:
    """Code and text of /readyz."""
    url = f"http://127.0.0.1:{daemon.metrics_port}/readyz"
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()
    except OSError:
        return 0, ""


def wait_for_deaths(daemon: Outgate, count: int) -> None:
    """Wait until so many processes have died."""
    wait_until(lambda: len(daemon.events("process-died")) == count, f"death {count}")


def test_a_refused_reload_is_told_by_readyz(daemon: Outgate) -> None:
    """It serves all the same: no load balancer has to know."""
    wait_until(lambda: readiness(daemon) == (200, "ready\n"), "the endpoint")
    daemon.settings += "[log]\nlevel = 5\n"
    daemon.write_config()
    daemon.reload()
    wait_until(lambda: readiness(daemon) != (200, "ready\n"), "what it says")

    assert readiness(daemon) == (
        200,
        "ready; the last reload was refused, the configuration before it serves\n",
    )


def test_metrics_are_served_again_after_a_reload() -> None:
    """Also when the queue's listing takes its time meanwhile."""
    settings = '[quarantine]\nqueue-command = ["sleep", "5"]\n'
    with or_skip(), Outgate(settings=settings) as daemon:
        (old,) = daemon.processes("outgate-keeper")
        wait_until(lambda: children(old), "a listing")
        daemon.reload()
        wait_until(lambda: bool(daemon.events("reloaded")), "reload")
        wait_until(lambda: readiness(daemon) == (200, "ready\n"), "the endpoint")

        assert metric(daemon, 'outgate_config_reloads_total{result="ok"}') == 1
        assert daemon.processes("outgate-keeper") != [old]
        assert daemon.events("metrics-not-served") == []


def test_a_record_that_a_person_wrote_is_reported_and_skipped(daemon: Outgate) -> None:
    """The others are measured."""
    daemon.redis("HSET", "outgate:held:mx1:ABC", "note", "looked at by anne")
    daemon.redis("ZADD", "outgate:held", "1", "mx1 ABC")
    daemon.redis("SET", "outgate:held:mx1:DEF", "seen")
    daemon.redis("ZADD", "outgate:held", "2", "mx1 DEF")
    hold(daemon, "good")
    wait_until(lambda: metric(daemon, "outgate_held_messages") == 1, "the good one")
    wait_until(lambda: metric(daemon, "outgate_held_unusable") == 2, "the bad ones")

    told = daemon.events("hold-record-unusable")
    assert [one["queue-id"] for one in told] == ["ABC", "DEF"]
    assert [one["queue-id"] for one in daemon.held()] == ["good"]
    listing = daemon.command("queue", "list")
    assert listing.stderr.splitlines()[0] == (
        "left out: the record of mx1 ABC has no field customer"
    )
    assert daemon.events("process-died") == []


def test_a_count_that_is_no_number_is_corrected(daemon: Outgate) -> None:
    """The records know better."""
    hold(daemon, "one")
    wait_until(lambda: metric(daemon, "outgate_held_messages") == 1, "the record")
    daemon.redis("HSET", "outgate:holding:{anne}", "messages", "many")
    daemon.redis("HSET", "outgate:quarantine", "eve", "by=bea")
    hold(daemon, "two", "eve")
    wait_until(
        lambda: daemon.redis("HGET", "outgate:holding:{anne}", "messages") == ["1"],
        "the right count",
        seconds=60,
    )

    assert failures(daemon, "recount") == 0


def test_a_disk_that_takes_no_local_copy_stops_nothing_else(daemon: Outgate) -> None:
    """It is counted, told once, and over when the disk is well again."""
    copy = daemon.directory / "state/operator.json"
    obstacle = copy.with_suffix(".new")
    wait_until(lambda: "anne" in copy.read_text(), "the local copy")
    obstacle.mkdir()
    daemon.redis("HSET", "outgate:suspend", "eve", "by=bea")
    wait_until(lambda: failures(daemon, "local-copy") > 1, "failures")
    hold(daemon, "meanwhile")
    wait_until(lambda: len(daemon.held()) == 1, "the record")
    obstacle.rmdir()
    wait_until(lambda: "eve" in copy.read_text(), "the local copy")

    (told,) = daemon.events("keeper-step-failed")
    assert told["step"] == "local-copy"
    assert "IsADirectoryError" in told["traceback"]
    assert daemon.events("process-died") == []


def test_a_silent_mail_server_delays_neither_orders_nor_the_end() -> None:
    """A digest waits for it in a thread of its own."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        settings = (
            f'[notify]\nsmtp = "127.0.0.1:{port}"\nsender = "outgate@example.org"\n'
            'postmaster = "postmaster@example.org"\ndigest-after = "1s"\n'
        )
        with or_skip(), Outgate(settings=settings) as daemon:
            daemon.redis(*HELD)
            hold(daemon, "first")
            with accept(daemon, silent):
                daemon.redis("HSET", "outgate:suspend", "eve", "by=bea")
                copy = daemon.directory / "state/operator.json"
                wait_until(lambda: "eve" in copy.read_text(), "the order")
                hold(daemon, "late")
                wait_until(lambda: daemon.held()[-1]["queue-id"] == "late", "record")
                started_s = time.monotonic()
                code = daemon.terminate()
                seconds = time.monotonic() - started_s

    assert code == 0
    assert seconds < 10


def accept(daemon: Outgate, silent: socket.socket) -> socket.socket:
    """The connection of a digest: it is due a second after the first message."""
    silent.settimeout(1.5)
    for number in range(10):
        with suppress(TimeoutError):
            return silent.accept()[0]
        hold(daemon, f"more{number}")
    raise TimeoutError("no digest")


def test_a_keeper_that_dies_and_dies_delays_no_worker(daemon: Outgate) -> None:
    """Each kind of process has a patience of its own."""
    for deaths in (1, 2):
        wait_until(lambda: daemon.processes("outgate-keeper"), "a keeper")
        os.kill(daemon.processes("outgate-keeper")[0], signal.SIGKILL)
        wait_for_deaths(daemon, deaths)
    before = daemon.workers()
    os.kill(before[0], signal.SIGKILL)
    wait_until(
        lambda: (
            before[0] not in daemon.workers() and len(daemon.workers()) == len(before)
        ),
        "a new worker",
    )

    assert daemon.processes("outgate-keeper") == []
    wait_until(lambda: daemon.processes("outgate-keeper"), "a keeper")

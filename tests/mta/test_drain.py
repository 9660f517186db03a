"""A worker leaves: nobody can stop it, and nobody who was let in is turned away."""

import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from unittest.mock import patch

import pytest

from lab.miltermta import MilterMta
from lab.milterwire import dial
from lab.outgate import Outgate
from lab.skips import or_skip
from lab.waiting import wait_until

_ONE_WORKER = '[workers]\ncount = 1\ndrain-timeout = "30s"\n'


@pytest.fixture
def daemon() -> Iterator[Outgate]:
    with or_skip(), Outgate(settings=_ONE_WORKER) as running:
        yield running


def _reload(daemon: Outgate) -> int:
    """Order a reload; gives the worker that is to leave, when another one serves."""
    (leaving,) = daemon.workers()
    daemon.reload()
    wait_until(lambda: set(daemon.workers()) - {leaving}, "a new worker")
    wait_until(lambda: daemon.events("reloaded"), "the reload")
    return leaving


def _gone(daemon: Outgate, pid: int) -> None:
    wait_until(lambda: pid not in daemon.workers(), "the old worker leaves")


def test_a_name_that_somebody_took_keeps_nobody_from_leaving(daemon: Outgate) -> None:
    """Abstract names belong to whoever is first, in the whole network namespace."""
    with ExitStack() as stack:
        for pid in daemon.workers():
            taken = stack.enter_context(socket.socket(socket.AF_UNIX))
            taken.bind(f"\0outgate-dead-{pid}")
        _gone(daemon, _reload(daemon))

    assert daemon.events("callback-error") == []


def test_who_was_connected_and_had_said_nothing_is_served(daemon: Outgate) -> None:
    """Its first packet comes after the order to leave, and it is answered."""
    (worker,) = daemon.workers()
    silent = dial(daemon.address, 10)
    wait_until(lambda: _connections(worker), "it is accepted")
    before = _reload(daemon)
    # Nothing shows that the worker has its order; idle ones leave within milliseconds.
    time.sleep(0.3)

    with (
        patch("lab.miltersession.dial", return_value=silent),
        MilterMta(daemon.address, login="late") as client,
    ):
        outcome = client.send(
            sender=b"<anne@example.org>", recipients=[b"<bob@example.net>"]
        )

    assert (outcome.action, before) == ("accept", worker)
    _gone(daemon, before)
    assert daemon.events("drain-timeout") == []


def test_who_says_nothing_at_all_is_not_waited_for(daemon: Outgate) -> None:
    """An MTA speaks at once; a probe that stays must not hold the old settings."""
    with socket.socket(socket.AF_UNIX) as mute:
        mute.connect(str(daemon.socket))
        _gone(daemon, _reload(daemon))


def _connections(pid: int) -> int:
    """How many connections of the daemon's socket there are."""
    links = [entry.readlink() for entry in Path(f"/proc/{pid}/fd").iterdir()]
    held = {str(link)[8:-1] for link in links if str(link).startswith("socket:[")}
    lines = Path("/proc/net/unix").read_text().splitlines()
    connected = {
        line.split()[6]
        for line in lines
        if line.endswith("/outgate.sock") and line.split()[5] == "03"
    }
    return len(held & connected)

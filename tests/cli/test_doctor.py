"""`outgate doctor` on a running daemon."""

from collections.abc import Iterator

import pytest

from lab.outgate import Outgate
from lab.skips import or_skip

HEALTHY = '[domains]\nlocal = ["example.org"]\n[quarantine]\nmin-free = "1KiB"\n'


@pytest.fixture(scope="module")
def daemon() -> Iterator[Outgate]:
    """A daemon with its embedded store."""
    with or_skip(), Outgate(settings=HEALTHY) as running:
        yield running


def test_a_healthy_daemon_is_called_well(daemon: Outgate) -> None:
    """Nothing to say, exit 0."""
    done = daemon.command("doctor")

    assert done.returncode == 0, done.stdout
    assert "all is well" in done.stdout


def test_orders_that_cannot_be_used_are_named(daemon: Outgate) -> None:
    """Which hash, which name, what was expected; exit 1."""
    daemon.redis("HSET", "outgate:limit", "anne", "recipient=50/1h")
    daemon.redis("HSET", "outgate:quarantine", "bart", "for=soon phished")
    done = daemon.command("doctor")
    daemon.redis("DEL", "outgate:limit", "outgate:quarantine")

    assert done.returncode == 1
    assert "limit anne no such limit or count: recipient" in done.stdout
    assert "quarantine bart for=soon" in done.stdout


def test_a_hold_queue_that_cannot_be_listed_is_named(daemon: Outgate) -> None:
    """With the command's own words."""
    healthy = daemon.settings
    daemon.settings = (
        healthy + 'queue-command = ["sh", "-c", "echo down >&2; exit 9"]\n'
    )
    daemon.write_config()
    done = daemon.command("doctor")
    daemon.settings = healthy
    daemon.write_config()

    assert done.returncode == 1
    assert "exits 9: down" in done.stdout


def test_no_daemon_is_one_clear_line() -> None:
    """What to start, and exit 1."""
    with or_skip(), Outgate() as stopped:
        stopped.terminate()
        done = stopped.command("doctor")

    assert done.returncode == 1
    assert "outgate run" in done.stdout

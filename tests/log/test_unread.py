"""The daemon, and nobody who reads its standard error."""

import fcntl
import os
import pwd
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.miltermta import MilterMta
from lab.outgate import Outgate
from lab.skips import or_skip
from lab.waiting import wait_until

_LOST = "outgate_log_lines_lost_total"
_SETTINGS = '[workers]\ncount = 1\ndrain-timeout = "3s"\n'


class Fifo:
    """Stands where the daemon's log would be; small, and drained on command."""

    def __init__(self, path: Path) -> None:
        path.unlink(missing_ok=True)
        os.mkfifo(path, 0o600)
        self.descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        fcntl.fcntl(self.descriptor, fcntl.F_SETPIPE_SZ, 4096)
        self.said = ""

    def drain(self) -> str:
        """Everything that it was ever given."""
        try:
            while more := os.read(self.descriptor, 1 << 16):
                self.said += more.decode()
        except BlockingIOError:
            pass
        return self.said


@pytest.fixture(params=["its own pipe", "somebody else's pipe"])
def unread(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Outgate, Fifo]]:
    """A daemon whose pipe is full from its first lines on."""
    directory = tmp_path_factory.mktemp("unread")
    for parent in (directory, *directory.parents[:2]):
        parent.chmod(0o755)
    with or_skip():
        daemon = Outgate(settings=_SETTINGS, directory=directory)
    if daemon._account:
        shutil.chown(directory, daemon._account)
    fifo = Fifo(directory / "log")
    if daemon._account and request.param == "its own pipe":
        os.chown(directory / "log", pwd.getpwnam(daemon._account).pw_uid, -1)
    daemon._directory = directory
    try:
        daemon.launch()
        wait_until(lambda: _serves(daemon), "the daemon serves")
        yield daemon, fifo
    finally:
        daemon.stop()
        os.close(fifo.descriptor)


def _serves(daemon: Outgate) -> bool:
    try:
        return bool(daemon.status()["serving"])
    except FileNotFoundError:
        return False


def test_mail_passes_and_a_reload_goes_through(unread: tuple[Outgate, Fifo]) -> None:
    """Lines are lost, mail is not; the supervisor hears its orders, and ends."""
    daemon, fifo = unread
    for number in range(4):
        with MilterMta(daemon.address, login=f"a{number}@example.org") as client:
            for _ in range(15):
                outcome = client.send(
                    sender=b"<anne@example.org>", recipients=[b"<bob@example.net>"]
                )
                assert outcome.action == "accept"
    (worker,) = daemon.workers()
    daemon.reload()
    wait_until(lambda: worker not in daemon.workers(), "the old worker leaves")
    wait_until(daemon.workers, "a new worker")

    first = fifo.drain()
    with MilterMta(daemon.address, login="anne@example.org") as client:
        client.send(sender=b"<anne@example.org>", recipients=[b"<bob@example.net>"])
    wait_until(lambda: len(fifo.drain()) > len(first), "the log flows again")
    assert daemon.terminate() == 0
    said = fifo.drain()
    assert "event=stopped" in said
    assert all(line.startswith("time=") for line in said.splitlines())


def test_lost_lines_are_counted(unread: tuple[Outgate, Fifo]) -> None:
    """Where nobody may open the pipe again, a thousand lines wait in memory first."""
    daemon, fifo = unread
    with MilterMta(daemon.address, login="anne@example.org") as client:
        for _ in range(50):
            client.send(sender=b"<anne@example.org>", recipients=[b"<bob@example.net>"])
        if _is_own(daemon):
            wait_until(lambda: daemon.metrics()[_LOST] > 0, "lost lines in the metrics")
            fifo.drain()
            client.send(sender=b"<anne@example.org>", recipients=[b"<bob@example.net>"])
            wait_until(lambda: "log-lines-lost" in fifo.drain(), "a line about them")
        else:
            assert daemon.metrics()[_LOST] == 0


def _is_own(daemon: Outgate) -> bool:
    owner = (daemon.directory / "log").stat().st_uid
    return owner == Path(f"/proc/{daemon.pid}").stat().st_uid

"""The embedded server: watched whoever started it, waited for by nobody."""

import os
import shutil
import signal
import socket
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from lab.miltermta import MilterMta
from lab.outgate import Outgate, read_logfmt
from lab.skips import or_skip
from lab.waiting import wait_until
from outgate.daemon import storeserver
from outgate.daemon.storeserver import StoreServer
from outgate.log.lines import Log
from outgate.store.embedded import EmbeddedStore, find_server

# What a server says while it reads a long file, in as much of Redis as a probe needs.
LOADER = """\
import os, re, socket, sys
text = open(sys.argv[1]).read()
directory = re.search('^dir "(.*)"', text, re.M)[1]
listener = socket.socket(socket.AF_UNIX)
path = directory + "/store.sock"
if os.path.exists(path):
    os.unlink(path)
listener.bind(path)
listener.listen()
while True:
    client, _ = listener.accept()
    with client:
        client.recv(4096)
        client.sendall(b"-LOADING Redis is loading the dataset in memory\\r\\n")
"""


@pytest.fixture
def daemon() -> Iterator[Outgate]:
    """A daemon that is not started, with an embedded store."""
    found = Outgate()
    try:
        yield found
    finally:
        found.stop()


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The server program that a daemon finds first; write a script into it."""
    script = tmp_path / "redis-server"
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    return script


def store_pid(daemon: Outgate) -> int:
    """Process id of the server."""
    return int((daemon.directory / "state/store/store.pid").read_text())


def is_gone(pid: int) -> bool:
    """Whether a process is none any more."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return True
    return state == "Z"


def adopt(daemon: Outgate) -> int:
    """Start a daemon that finds a living server; gives that one's process id."""
    with or_skip():
        daemon.start()
    pid = store_pid(daemon)
    children = [*daemon.workers(), *daemon.processes("outgate-keeper")]
    os.kill(daemon.pid, signal.SIGKILL)
    daemon.wait_exit()
    wait_until(lambda: all(is_gone(child) for child in children), "children end")
    daemon.launch()
    wait_until(lambda: len(daemon.events("ready")) == 2, "ready again")
    assert [one["pid"] for one in daemon.events("store-adopted")] == [str(pid)]
    return pid


def test_an_adopted_server_that_dies_is_replaced(daemon: Outgate) -> None:
    """Nobody is its parent, but somebody watches."""
    pid = adopt(daemon)
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: len(daemon.events("store-started")) == 2, "another server")

    assert [one["role"] for one in daemon.events("process-died")] == ["store"]
    assert daemon.redis("PING") == ["PONG"]


def test_an_adopted_server_ends_with_its_daemon(daemon: Outgate) -> None:
    """Nothing is left behind."""
    pid = adopt(daemon)

    assert daemon.terminate() == 0
    assert is_gone(pid)


def test_a_server_that_hangs_is_adopted_not_doubled(daemon: Outgate) -> None:
    """Two servers would write into one file."""
    with or_skip():
        daemon.start()
    pid = store_pid(daemon)
    os.kill(daemon.pid, signal.SIGKILL)
    daemon.wait_exit()
    os.kill(pid, signal.SIGSTOP)
    try:
        daemon.launch()
        wait_until(lambda: daemon.events("store-adopted"), "adoption")
    finally:
        os.kill(pid, signal.SIGCONT)
    wait_until(lambda: len(daemon.events("ready")) == 2, "ready again")

    assert store_pid(daemon) == pid


@dataclass
class House:
    """One embedded store, and as many who would start its server as a test wants."""

    embedded: EmbeddedStore
    log: Path

    def begin(self) -> StoreServer:
        """Start a server or adopt it."""
        with self.log.open("ab") as file:
            descriptor = os.dup(file.fileno())
        server = StoreServer(
            self.embedded, Log(lambda: time.time_ns() // 1_000, descriptor=descriptor)
        )
        server.start()
        return server

    def events(self) -> list[str]:
        """What was logged."""
        return [
            read_logfmt(line)["event"] for line in self.log.read_text().splitlines()
        ]

    def fill_queue(self) -> None:
        """Let so many wait for the server that nobody else is let in."""
        while True:
            with socket.socket(socket.AF_UNIX) as dial:
                dial.setblocking(False)
                try:
                    dial.connect(str(self.embedded.socket))
                except BlockingIOError:
                    return


@pytest.fixture
def house(monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    """A store with a server that hangs; nobody has patience with it."""
    if find_server() is None:
        pytest.skip("no server on this machine")
    monkeypatch.setattr(storeserver, "_SILENCE_S", 1.0)
    # The path of a socket is short; that of a test need not be.
    with tempfile.TemporaryDirectory(prefix="outgate-") as name:
        found = House(EmbeddedStore(Path(name) / "store"), Path(name) / "log")
        first = found.begin()
        pid = found.embedded.pid()
        os.kill(pid, signal.SIGSTOP)
        try:
            yield found
        finally:
            os.kill(pid, signal.SIGCONT)
            first.stop()


def test_a_server_whose_queue_is_full_is_adopted(house: House) -> None:
    """The kernel does not say who listens then; its pid file does."""
    house.fill_queue()
    house.begin()

    assert house.events() == ["store-started", "store-adopted"]


def test_a_server_that_cannot_be_told_is_not_doubled(house: House) -> None:
    """The daemon does without a store until it can."""
    house.fill_queue()
    house.embedded.pid_file.write_text(f"{os.getpid()}\n")
    house.begin()

    assert house.events() == ["store-started", "store-not-started"]


def test_a_server_without_its_socket_is_not_doubled(house: House) -> None:
    """It has the files, whether it listens or not."""
    house.embedded.socket.unlink()
    house.begin()

    assert house.events() == ["store-started", "store-not-started"]


def test_looks_at_a_server_that_hangs_are_few(house: House) -> None:
    """The supervisor has one loop, and each of them takes its time-out."""
    server = house.begin()
    waited_s, until_s = 0.0, time.monotonic() + 6.0
    while (began_s := time.monotonic()) < until_s:
        server.watch()
        waited_s += time.monotonic() - began_s
        time.sleep(0.05)

    assert waited_s < 1.3


def test_a_server_that_loads_a_long_file_is_not_waited_for(program: Path) -> None:
    """The daemon starts degraded and leaves it alive."""
    loader = program.with_name("loader.py")
    loader.write_text(LOADER)
    program.write_text(
        '#!/bin/sh\nif [ "$1" = --version ]; then echo fake; exit; fi\n'
        f'exec "$(command -v python3)" {loader} "$@"\n'
    )
    program.chmod(0o755)
    with or_skip(), Outgate(account=None) as daemon:
        (told,) = daemon.events("store-loading")
        with MilterMta(daemon.address, login="early") as client:
            outcome = client.send(
                sender=b"<anne@example.org>",
                recipients=[b"<bob@example.net>"],
                queue_id="early",
            )

        assert outcome.action == "accept"
        assert daemon.message("early")["source"] == "local"
        assert not is_gone(int(told["pid"]))
        assert daemon.events("process-died") == []


def test_a_server_that_does_not_come_back_blinds_nobody(
    program: Path, tmp_path: Path
) -> None:
    """Workers are replaced and the daemon ends at once, though it says nothing."""
    with or_skip():
        real = find_server_beside(program)
    once = tmp_path / "once"
    program.write_text(
        f'#!/bin/sh\nif [ "$1" = --version ]; then exec {real} --version; fi\n'
        f"if [ -e {once} ]; then exec sleep 60; fi\n"
        f'touch {once}\nexec {real} "$@"\n'
    )
    program.chmod(0o755)
    with or_skip(), Outgate(account=None) as daemon:
        os.kill(store_pid(daemon), signal.SIGKILL)
        wait_until(lambda: daemon.events("process-died"), "its end")
        before = daemon.workers()
        os.kill(before[0], signal.SIGKILL)
        wait_until(
            lambda: (
                before[0] not in daemon.workers()
                and len(daemon.workers()) == len(before)
            ),
            "a new worker",
        )

        assert daemon.terminate() == 0


def find_server_beside(program: Path) -> Path:
    """The machine's own server, which the script is to stand in for."""
    elsewhere = os.environ["PATH"].replace(f"{program.parent}:", "", 1)
    for name in ("redis-server", "valkey-server"):
        if found := shutil.which(name, path=elsewhere):
            return Path(found)
    found_by_package = find_server()
    if found_by_package is None:
        pytest.skip("no server on this machine")
    return found_by_package

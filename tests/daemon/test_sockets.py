"""Listening sockets: families, permissions, and systemd's."""

import grp
import os
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.miltermta import MilterMta
from lab.outgate import SOCKET_GROUP, Outgate
from lab.ports import free_port
from lab.skips import or_skip
from lab.waiting import wait_until
from outgate.config.settings import ListenSettings
from outgate.daemon.compose import socket_of


@pytest.mark.parametrize("bodies", [True, False])
def test_a_session_knows_whether_its_socket_asks_for_bodies(bodies: bool) -> None:
    """Without them no content is compared."""
    listen = ListenSettings(address="unix:/run/outgate.sock", bodies=bodies)
    assert socket_of(listen).bodies is bodies


def answer_of(address: str) -> str:
    """What becomes of one message."""
    with MilterMta(address, login="anne") as client:
        return client.send(
            sender=b"<anne@example.org>", recipients=[b"<bob@example.net>"]
        ).action


def test_ipv4_ipv6_and_unix_are_served_at_once() -> None:
    """Any number of sockets; each has workers of its own."""
    four, six = free_port(), free_port()
    listen = (
        f'[[listen]]\naddress = "inet:127.0.0.1:{four}"\nworkers = 1\n'
        f'[[listen]]\naddress = "inet6:[::1]:{six}"\nworkers = 1\n'
        '[[listen]]\naddress = "unix:{directory}/outgate.sock"\nworkers = 1\n'
    )
    with or_skip(), Outgate(listen=listen) as daemon:
        answers = [
            answer_of(address)
            for address in (f"inet:127.0.0.1:{four}", f"inet:::1:{six}", daemon.address)
        ]

    assert answers == ["accept"] * 3


def test_mode_and_group_are_as_configured() -> None:
    """Postfix reaches it by its group; nobody else does."""
    listen = (
        '[[listen]]\naddress = "unix:{directory}/outgate.sock"\nmode = "0620"\n'
        f'group = "{SOCKET_GROUP}"\n'
    )
    with or_skip(), Outgate(listen=listen) as daemon:
        status = daemon.socket.stat()

    assert stat.S_IMODE(status.st_mode) == 0o620


def test_a_reload_changes_mode_and_group_of_a_socket_that_stays() -> None:
    """Nobody has to restart for that."""
    listen = '[[listen]]\naddress = "unix:{directory}/outgate.sock"\n'
    with or_skip(), Outgate(listen=listen) as daemon:
        before = daemon.socket.stat()
        daemon._listen = f'{listen}mode = "0620"\ngroup = "{SOCKET_GROUP}"\n'
        daemon.write_config()
        daemon.reload()
        wait_until(lambda: bool(daemon.events("reloaded")), "reload")
        after = daemon.socket.stat()
        answer = answer_of(daemon.address)

    assert stat.S_IMODE(before.st_mode) == 0o660
    assert stat.S_IMODE(after.st_mode) == 0o620
    assert after.st_ino == before.st_ino
    assert answer == "accept"
    if os.geteuid() == 0:
        assert after.st_gid == grp.getgrnam(SOCKET_GROUP).gr_gid


@pytest.fixture
def place() -> Iterator[Path]:
    """A directory with a short path."""
    with tempfile.TemporaryDirectory(prefix="og-") as directory:
        yield Path(directory)


def test_a_socket_of_systemd_stays_open_over_a_restart(place: Path) -> None:
    """Who connects between two daemons waits, and is answered by the second."""
    path = place / "outgate.sock"
    config = place / "outgate.toml"
    config.write_text(
        f'[[listen]]\naddress = "unix:{path}"\nworkers = 1\n[metrics]\nlisten = ""\n'
        f'[paths]\nstate = "{place}/state"\nruntime = "{place}/run"\n'
    )
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path))
        listening.listen(64)
        first = _activated(listening, config)
        assert answer_of(f"unix:{path}") == "accept"
        first.send_signal(signal.SIGTERM)
        first.wait(30)
        assert path.exists()
        answers: list[str] = []
        waiting = threading.Thread(
            target=lambda: answers.append(answer_of(f"unix:{path}"))
        )
        waiting.start()
        second = _activated(listening, config)
        waiting.join(30)
        second.send_signal(signal.SIGTERM)
        second.wait(30)

    assert answers == ["accept"]


def test_a_reload_leaves_a_socket_of_systemd_alone_and_says_so(place: Path) -> None:
    """Its mode is the socket unit's."""
    path = place / "outgate.sock"
    config = place / "outgate.toml"
    text = (
        f'[metrics]\nlisten = ""\n[paths]\nstate = "{place}/state"\n'
        f'runtime = "{place}/run"\n[[listen]]\naddress = "unix:{path}"\nworkers = 1\n'
    )
    config.write_text(text)
    log = place / "log"
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path))
        listening.listen(64)
        before = path.stat().st_mode
        daemon = _activated(listening, config)
        config.write_text(f'{text}mode = "0600"\n')
        daemon.send_signal(signal.SIGHUP)
        wait_until(lambda: "event=reloaded" in log.read_text(), "reload")
        daemon.send_signal(signal.SIGTERM)
        daemon.wait(30)

    assert path.stat().st_mode == before
    assert "event=socket-unchanged" in log.read_text()


def _activated(listening: socket.socket, config: Path) -> "subprocess.Popen[bytes]":
    """A daemon as systemd starts it: the socket is descriptor 3."""
    log = config.with_name("log")
    before = log.read_text().count("event=ready") if log.exists() else 0
    # What systemd does between fork and exec.
    script = (
        f"import os; os.dup2({listening.fileno()}, 3); os.set_inheritable(3, True); "
        "os.environ |= {'LISTEN_FDS': '1', 'LISTEN_PID': str(os.getpid())}; "
        f"os.execv({sys.executable!r}, [{sys.executable!r}, '-m', 'outgate', "
        f"'--config', {str(config)!r}, 'run'])"
    )
    with log.open("ab") as file:
        process = subprocess.Popen(
            [sys.executable, "-c", script],
            pass_fds=[listening.fileno()],
            stderr=file,
            env={"PATH": os.environ["PATH"], "HOME": str(config.parent)},
        )
    wait_until(lambda: log.read_text().count("event=ready") > before, "ready")
    return process

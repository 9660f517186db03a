"""What an operator can get wrong: one clear line each, and the right exit code."""

import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.miltermta import MilterMta
from lab.outgate import Outgate
from lab.redis import RedisServer
from lab.skips import or_skip
from lab.waiting import wait_until

NOBODY_THERE = "redis://127.0.0.1:1"


@pytest.fixture
def redis_with_password() -> Iterator[RedisServer]:
    """A server that wants a password."""
    with or_skip(), RedisServer(tcp=True, password="right") as server:
        yield server


def last_words(daemon: Outgate) -> list[str]:
    """What a daemon that did not start said, without its normal log."""
    return [line for line in daemon.log.splitlines() if line.startswith("outgate: ")]


def fails(daemon: Outgate) -> tuple[int, list[str]]:
    """Start a daemon that must not start; gives exit code and last words."""
    try:
        daemon.launch()
        return daemon.wait_exit(), last_words(daemon)
    finally:
        daemon.stop()


def test_broken_toml() -> None:
    """File, line, and what TOML expected; exit 78."""
    code, lines = fails(Outgate(settings="[oops\n"))

    assert code == 78
    assert len(lines) == 1
    assert "outgate.toml: is not TOML" in lines[0]


def test_all_problems_of_a_configuration_at_once() -> None:
    """One line each, with key, got, expected; exit 78."""
    code, lines = fails(
        Outgate(settings='[workers]\ncount = "many"\npin = "yes"\n[tag]\nhead = "X"\n')
    )

    assert code == 78
    assert len(lines) == 3
    assert any("workers.count: got 'many'" in line for line in lines)
    assert any("tag.head: is unknown; did you mean `header`?" in line for line in lines)


def test_an_occupied_port() -> None:
    """Who has it cannot be told, which it is can; exit 73."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        listen = f'[[listen]]\naddress = "inet:127.0.0.1:{port}"\n'
        code, lines = fails(Outgate(listen=listen))

    assert code == 73
    assert lines == [
        f"outgate: listen[0].address: inet:127.0.0.1:{port} is in use by another process"
    ]


def test_a_socket_path_that_is_a_file(tmp_path: Path) -> None:
    """It is not removed."""
    place = tmp_path / "precious"
    place.write_text("data")
    listen = f'[[listen]]\naddress = "unix:{place}"\n'
    code, lines = fails(Outgate(listen=listen, account=None))

    assert code == 73
    assert "is no socket" in lines[0]
    assert place.read_text() == "data"


def test_an_unwritable_state_directory() -> None:
    """Found at the start, not with the first held message; exit 73."""
    if os.geteuid() != 0:
        pytest.skip("everything is writable for one user alone")
    daemon = Outgate()
    try:
        daemon.start()
        daemon.terminate()
        state = daemon.directory / "state"
        os.chown(state, 0, 0)
        state.chmod(0o755)
        daemon.launch()
        code = daemon.wait_exit()
        lines = last_words(daemon)
    finally:
        daemon.stop()

    assert code == 73
    assert lines == [
        f"outgate: paths.state: {state} cannot be written: Permission denied"
    ]


def test_a_second_daemon_on_the_same_state() -> None:
    """It names the first one's pid and exits 75."""
    with or_skip(), Outgate() as first:
        second = first.command("run")

        assert second.returncode == 75
        assert f"belongs to a running daemon, pid {first.pid}" in second.stderr


def test_a_wrong_password(redis_with_password: RedisServer) -> None:
    """It is the configuration's fault: exit 78, and the password is not repeated."""
    url = redis_with_password.url.replace("right", "wrong")
    code, lines = fails(Outgate(store=url))

    assert code == 78
    assert len(lines) == 1
    assert "store.url" in lines[0]
    assert "wrong" not in lines[0].replace("WRONGPASS", "")


def test_a_password_file_in_another_encoding(tmp_path: Path) -> None:
    """One line, as for every problem of the configuration; exit 78."""
    file = tmp_path / "password"
    file.write_bytes(b"p\xe4ss\n")
    file.chmod(0o644)
    daemon = Outgate(settings=f'[store]\npassword-file = "{file}"\n', account=None)
    code, lines = fails(daemon)

    assert code == 78
    assert lines == [
        f"outgate: store.password-file: {file}: cannot be read: is not UTF-8"
    ]


def test_another_secret(redis: RedisServer) -> None:
    """A host with another secret would count apart: it is refused, exit 78."""
    with or_skip(), Outgate(store=redis.url) as first:
        assert first.redis("HGET", "outgate:schema", "secret-id") != [""]
    daemon = Outgate(store=redis.url)
    daemon.secret = "6f" * 32
    code, lines = fails(daemon)

    assert code == 78
    assert "secrets.file" in lines[0]
    assert "5e5e" not in lines[0]


def test_no_secret_for_a_shared_store(redis: RedisServer) -> None:
    """It says how to make one."""
    daemon = Outgate(store=redis.url)
    daemon.secret = ""
    code, lines = fails(daemon)

    assert code == 78
    assert "outgate secret new" in lines[0]


def test_a_store_that_is_away_starts_degraded() -> None:
    """A machine that boots before its store must not refuse mail."""
    with or_skip(), Outgate(store=NOBODY_THERE) as daemon:
        with MilterMta(daemon.address, login="early") as client:
            outcome = client.send(
                sender=b"<anne@example.org>",
                recipients=[b"<bob@example.net>"],
                queue_id="early",
            )
        (told,) = daemon.events("store-unreachable")

        assert outcome.action == "accept"
        assert told["on-failure"] == "degraded"
        assert daemon.message("early")["source"] == "local"


def test_a_taken_metrics_port_costs_metrics_not_mail() -> None:
    """The log says so."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        daemon = Outgate()
        daemon.metrics_port = other.getsockname()[1]
        with or_skip(), daemon:
            wait_until(lambda: bool(daemon.events("metrics-not-served")), "the line")
            with MilterMta(daemon.address, login="x") as client:
                action = client.send(
                    sender=b"<a@b.example>", recipients=[b"<c@d.example>"]
                )

            assert action.action == "accept"


def test_a_stale_socket_is_replaced() -> None:
    """What a killed daemon left behind is in nobody's way."""
    daemon = Outgate()
    try:
        daemon.start()
        os.kill(daemon.pid, signal.SIGKILL)
        daemon.wait_exit()
        wait_until(lambda: not _is_served(daemon.socket), "the workers end")
        assert daemon.socket.exists()
        daemon.launch()
        wait_until(lambda: len(daemon.events("ready")) == 2, "ready again")

        assert _is_served(daemon.socket)
    finally:
        daemon.stop()


def _is_served(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(path))
        except OSError:
            return False
    return True

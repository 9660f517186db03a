"""`outgate doctor` asks the daemon: is it there, ready, and as the file has it?"""

import json
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from cli.commands import Done, outgate
from lab.outgate import SOCKET_GROUP, Outgate
from lab.redis import RedisServer
from lab.skips import or_skip
from lab.waiting import wait_until
from outgate.cli import serving

HEALTHY = '[domains]\nlocal = ["example.org"]\n[quarantine]\nmin-free = "1KiB"\n'
# Long gone, and of a form that `outgate queue list` would show.
_OVERDUE = ("customer", "anne", "size", "9", "since-us", "1", "until-us", "2")


@pytest.fixture(scope="module")
def daemon() -> Iterator[Outgate]:
    """A daemon with its embedded store; each test leaves it as it was."""
    with or_skip(), Outgate(settings=HEALTHY) as running:
        assert findings(running) == []
        yield running


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing passes by itself."""
    monkeypatch.setattr(serving, "_PATIENCE_S", 0.0)


class _Another(BaseHTTPRequestHandler):
    """Some other program's port."""

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""


def doctor(daemon: Outgate) -> Done:
    """What it says, in this process."""
    return outgate("doctor", environment=daemon.environment)


def findings(daemon: Outgate) -> list[str]:
    """Its findings, with what they are about."""
    done = doctor(daemon)
    assert done.stderr == ""
    lines = done.stdout.splitlines()[1:]
    assert (done.code == 0) == lines[0].startswith("all is well")
    return [] if done.code == 0 else [" ".join(line.split()) for line in lines]


@contextmanager
def configured(daemon: Outgate, settings: str) -> Iterator[None]:
    """More settings in the file, and at the end what was there, in force."""
    daemon.settings = HEALTHY + settings
    daemon.write_config()
    try:
        yield
    finally:
        daemon.settings = HEALTHY
        daemon.write_config()
        generation = daemon.status()["generation"]
        daemon.reload()
        # The signal returns at once, and until it is heard all may look well.
        wait_until(
            lambda: daemon.status()["generation"] != generation, "the reload's begin"
        )
        wait_until(lambda: findings(daemon) == [], "a daemon that is well")


@pytest.mark.usefixtures("hasty")
def test_a_file_that_was_not_reloaded_is_told_with_the_tables_that_differ(
    daemon: Outgate,
) -> None:
    """A comment changes nothing, and a limit does."""
    with configured(daemon, "# a comment\n"):
        assert findings(daemon) == []
    with configured(daemon, '[campaign]\ncustomers = 7\n[log]\nlevel = "debug"\n'):
        (line,) = findings(daemon)

    assert line == (
        "configuration what is in force is not what the file says (campaign, log): "
        f"`kill -HUP {daemon.pid}`"
    )


def test_a_reload_that_is_under_way_is_waited_for(daemon: Outgate) -> None:
    """`systemctl reload outgate && outgate doctor`: the signal returns at once."""
    with configured(daemon, "[campaign]\ncustomers = 8\n"):
        daemon.reload()

        assert findings(daemon) == []


@pytest.mark.usefixtures("hasty")
def test_a_refused_reload_is_told_with_its_problems(daemon: Outgate) -> None:
    """The log said so once; here it stands until a reload is not refused."""
    with configured(daemon, '[secrets]\nfile = "/nowhere/secret"\n'):
        daemon.reload()
        wait_until(lambda: bool(daemon.status()["refused"]), "the refusal")
        told = findings(daemon)

    assert told[0].startswith("configuration the last reload was refused")
    assert "/nowhere/secret" in told[0]
    assert "(secrets)" in told[1]
    assert daemon.status()["refused"] == []


@pytest.mark.usefixtures("hasty")
def test_what_only_a_restart_changes_is_told_so(
    daemon: Outgate, redis: RedisServer
) -> None:
    """Another store than the daemon's own, before and after a reload is refused."""
    with configured(daemon, f'[store]\nurl = "{redis.url}"\n'):
        before = findings(daemon)[0]
        daemon.reload()
        wait_until(lambda: bool(daemon.status()["refused"]), "the refusal")
        refused, after, *_ = findings(daemon)

    assert "needs a restart" in refused
    for line in (before, after):
        assert line == (
            "configuration what is in force is not what the file says (store): "
            f"`kill {daemon.pid}`, then `outgate --config {daemon.config} run`, since a "
            "reload cannot change that"
        )


def test_a_broken_file_does_not_hide_that_the_daemon_runs_on(daemon: Outgate) -> None:
    """Exit 78, as ever; whoever reads it at night knows that mail is judged."""
    with configured(daemon, '[log]\nlevel = "all"\n'):
        done = doctor(daemon)

    assert done.code == 78
    assert "log.level: got 'all'" in done.stderr
    assert done.stdout == (
        "daemon         runs on with the configuration that it read before (process "
        f"{daemon.pid}); it would not start again with this file\n"
    )


def test_a_directory_that_keeps_the_mta_out_is_told(daemon: Outgate) -> None:
    """`chmod 700`, and Postfix says "Permission denied"; root finds all well."""
    directory = daemon.socket.parent
    mode = directory.stat().st_mode & 0o7777
    group = directory.stat().st_gid
    directory.chmod(0o700)
    told = findings(daemon)
    directory.chmod(mode)

    (line,) = told
    assert line.startswith(f"socket unix:{daemon.socket}: group ")
    assert f"may not pass {directory} (0700): `" in line
    assert "x " in line
    assert directory.stat().st_gid == group
    assert findings(daemon) == []


def test_a_socket_outside_of_postfix_chroot_is_told(
    daemon: Outgate, tmp_path: Path
) -> None:
    """Postfix looks for it below its queue directory, and mail waits."""
    postconf = tmp_path / "postconf"
    postconf.write_text(
        "#!/bin/sh\ncase $* in\n"
        f"'-h queue_directory') echo {tmp_path};;\n"
        "-M) echo 'smtp inet n - y - - smtpd';;\n"
        f"*) echo 'inet:localhost:1, unix:{daemon.socket}';;\nesac\n"
    )
    postconf.chmod(0o755)
    environment = {**daemon.environment, "PATH": f"{tmp_path}:/usr/bin:/bin"}
    done = outgate("doctor", environment=environment)

    assert done.code == 1
    assert "Postfix's smtpd runs in a chroot, where smtpd_milters means " in done.stdout
    assert f"{tmp_path}{daemon.socket}: " in done.stdout
    postconf.write_text(postconf.read_text().replace("- y -", "- n -"))
    assert outgate("doctor", environment=environment).code == 0


def test_a_socket_that_the_mta_may_not_use_is_told_with_what_mends_it(
    daemon: Outgate,
) -> None:
    """Mode and group, as they are and as they should be."""
    group = daemon.socket.stat().st_gid
    daemon.socket.chmod(0o600)
    if os.geteuid() == 0:
        os.chown(daemon.socket, -1, 0)
    told = findings(daemon)
    daemon.socket.chmod(0o660)
    os.chown(daemon.socket, -1, group)

    assert (
        f"its mode is 0600, configured is 0660: `chmod 0660 {daemon.socket}`" in told[0]
    )
    if os.geteuid() == 0:
        assert f"its group is root, configured is {SOCKET_GROUP}: `chgrp " in told[1]
    assert findings(daemon) == []


def test_a_socket_that_somebody_removed_is_told(daemon: Outgate) -> None:
    """The daemon listens, and nobody can find it."""
    away = daemon.socket.with_suffix(".away")
    daemon.socket.rename(away)
    told = findings(daemon)
    away.rename(daemon.socket)

    assert told == [
        (
            f"socket unix:{daemon.socket}: is gone, though the daemon listens: restart the "
            "daemon"
        )
    ]


@pytest.mark.usefixtures("hasty")
def test_workers_that_hang_are_told(
    daemon: Outgate, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The kernel connects; only an answer shows that somebody serves."""
    monkeypatch.setattr(serving, "_ANSWER_S", 0.3)
    workers = daemon.workers()
    for pid in workers:
        os.kill(pid, signal.SIGSTOP)
    told = findings(daemon)
    for pid in workers:
        os.kill(pid, signal.SIGCONT)

    assert told == [f"socket unix:{daemon.socket}: nobody answers in 0.3 s"]


@pytest.mark.usefixtures("hasty")
def test_workers_that_are_not_ready_are_counted(daemon: Outgate) -> None:
    """With how many died so far; the file is written again at the next change only."""
    file = daemon.directory / "run/supervisor.json"
    before = file.read_text()
    told = json.loads(before)
    told["sockets"][0].update(ready=1, wanted=3)
    told["restarts"]["worker"] = 4
    file.write_text(json.dumps(told))
    lines = findings(daemon)
    file.write_text(json.dumps({"workers": {}}))
    other = findings(daemon)
    file.unlink()
    starting = findings(daemon)
    file.write_text(before)

    assert lines == [
        (
            f"socket unix:{daemon.socket}: 1 of 3 workers are ready; 4 died so far, see the "
            "log"
        )
    ]
    assert other == ["daemon another version runs than this command is of: restart it"]
    assert starting == [f"daemon is starting (process {daemon.pid})"]


def test_the_look_at_a_socket_leaves_no_trace(daemon: Outgate) -> None:
    """No session stays, and nothing is logged."""
    before = daemon.log
    assert findings(daemon) == []

    wait_until(lambda: daemon.metrics()["outgate_sessions"] == 0, "no session")
    assert daemon.log == before


def test_held_mail_past_its_time_is_counted(daemon: Outgate) -> None:
    """Nobody looks at the hold queue; a record that cannot be read is not counted."""
    for queue_id, words in (("4Old", _OVERDUE), ("4Odd", ("size", "9"))):
        daemon.redis("HSET", f"outgate:held:mx.example:{queue_id}", *words)
        daemon.redis("ZADD", "outgate:held", "1", f"mx.example {queue_id}")
    told = findings(daemon)
    daemon.redis("DEL", "outgate:held")
    for queue_id in ("4Old", "4Odd"):
        daemon.redis("DEL", f"outgate:held:mx.example:{queue_id}")

    assert told == [
        (
            "hold queue 1 of 1 held messages are past their time: `outgate queue list`, "
            "then release or delete them"
        )
    ]


@pytest.mark.usefixtures("hasty")
def test_another_program_on_the_port_of_the_metrics_is_told() -> None:
    """Its answer is not taken for the daemon's."""
    daemon = Outgate(settings=HEALTHY)
    taken = daemon.metrics_port
    server = ThreadingHTTPServer(("127.0.0.1", taken), _Another)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        with or_skip(), daemon:
            told = findings(daemon)
    finally:
        server.shutdown()
        server.server_close()

    assert told == [
        (
            f"metrics http://127.0.0.1:{taken}/readyz: another program answers: choose "
            "another `listen`"
        )
    ]


@pytest.mark.usefixtures("hasty")
def test_a_store_that_the_daemon_lost_is_told() -> None:
    """By the daemon, and by the look of one's own."""
    with (
        or_skip(),
        RedisServer() as redis,
        Outgate(settings=HEALTHY, store=redis.url, account=None) as daemon,
    ):
        wait_until(lambda: findings(daemon) == [], "a daemon that is well")
        redis.stop()
        wait_until(
            lambda: any(one.startswith("daemon") for one in findings(daemon)),
            "the keeper's round",
        )
        told = findings(daemon)

    assert told[0].startswith("daemon is not ready: degraded: ")
    assert told[1].startswith("store ")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else")
def test_who_may_not_look_is_told_what_was_not_seen(daemon: Outgate) -> None:
    """And how to see it; it is not called well, and not called stopped."""
    assert findings(daemon) == []  # imports what the other account may not read
    daemon.config.chmod(0o644)
    os.seteuid(65_533)
    try:
        told = findings(daemon)
    finally:
        os.seteuid(0)

    assert told[0] == (
        f"daemon {daemon.directory}/state belongs to another account: not seen; run this "
        "as root or as the daemon's account"
    )
    assert not any(one.startswith("store") for one in told)


def test_a_stopped_daemon_is_told_however_it_ended(tmp_path: Path) -> None:
    """What a killed one left behind is not believed."""
    with or_skip(), Outgate(settings=HEALTHY) as daemon:
        os.kill(daemon.pid, signal.SIGKILL)
        daemon.wait_exit()
        assert (daemon.directory / "run/supervisor.json").exists()
        told = findings(daemon)

    assert told[0].startswith("daemon does not run: ")
    assert tmp_path.exists()

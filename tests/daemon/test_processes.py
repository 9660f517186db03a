"""Processes come and go; mail does not notice.

Everything here runs the daemon as a user who is not root, on a unix socket that an MTA
of another account shares.
"""

import json
import os
import signal
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Self

import pytest

from bench.load import build
from lab.limits import shipped_limits
from lab.miltermta import Message, MilterMta, Outcome, run_parallel
from lab.outgate import Outgate
from lab.ports import free_port
from lab.redis import RedisServer
from lab.skips import or_skip
from lab.waiting import wait_until
from mta.marks import marks
from outgate.config.settings import Settings
from outgate.daemon.plan import Plan
from outgate.daemon.supervisor import Supervisor
from outgate.log.lines import Log
from outgate.policy.compiled import Policy
from outgate.store.wire import Endpoint

TWO_WORKERS = '[workers]\ncount = 2\ndrain-timeout = "20s"\n'
GENEROUS = shipped_limits("off")


@pytest.fixture
def daemon() -> Iterator[Outgate]:
    """A daemon of the test's own: two workers, embedded store, no limits."""
    with or_skip(), Outgate(settings=TWO_WORKERS + GENEROUS) as running:
        yield running


class Load:
    """Messages, one after the other, over several connections, until stopped."""

    def __init__(self, address: str, connections: int = 6) -> None:
        self.outcomes: list[Outcome] = []
        self._stop = threading.Event()
        self._address = address
        self._threads = [
            threading.Thread(target=self._send, args=(number,))
            for number in range(connections)
        ]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(30)

    def wait_for(self, more: int) -> None:
        """Wait until so many more messages were answered."""
        wanted = len(self.outcomes) + more
        wait_until(lambda: len(self.outcomes) >= wanted, f"{more} more messages")

    @property
    def failed(self) -> list[Outcome]:
        """Messages that were not accepted."""
        return [one for one in self.outcomes if one.action != "accept"]

    def _send(self, number: int) -> None:
        while not self._stop.is_set():
            with MilterMta(
                self._address, login=f"load{number}", transcript=False
            ) as client:
                for _ in range(2):
                    outcome = client.deliver(make_message(number))
                    self.outcomes.append(outcome)
                    if outcome.action == "error":
                        # The session is gone: one failure, not one for each message.
                        break


def make_message(number: int) -> Message:
    """A small personal message."""
    return Message(
        sender=b"<anne@example.org>",
        recipients=[b"<bob@example.net>"],
        headers=[(b"From", b" anne@example.org"), (b"Subject", b" %d" % number)],
        body=b"Hello\r\n" * 20,
    )


def send(
    address: str, connections: int, messages: int, message: Message | None = None
) -> list[Outcome]:
    """Messages of somebody who logged in."""
    return run_parallel(
        address,
        connections,
        messages,
        lambda number: message or make_message(number),
        make_mta=lambda _: MilterMta(address, login="load", transcript=False),
    )


def wait_for_reloads(daemon: Outgate, count: int) -> None:
    """Wait until so many reloads are done."""
    wait_until(lambda: len(daemon.events("reloaded")) == count, f"reload {count}")


def can_connect(path: Path) -> bool:
    """Whether somebody accepts connections there."""
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(path))
        except OSError:
            return False
    return True


class TestWorkers:
    """What becomes of them, and of their messages."""

    def test_a_killed_worker_is_replaced_and_the_others_go_on(
        self, daemon: Outgate
    ) -> None:
        """At most the sessions of the killed one fail; the log and a metric say so."""
        connections = 6
        with Load(daemon.address, connections) as load:
            load.wait_for(100)
            victim = daemon.workers()[0]
            os.kill(victim, signal.SIGKILL)
            load.wait_for(200)
            wait_until(
                lambda: len(daemon.workers()) == 2 and victim not in daemon.workers(),
                "a new worker",
            )
            load.wait_for(100)

        assert len(load.failed) <= connections
        assert [one["role"] for one in daemon.events("process-died")] == ["worker"]
        wait_until(
            lambda: (
                daemon.metrics().get('outgate_worker_restarts_total{role="worker"}')
                == 1
            ),
            "the metric",
        )

    def test_counters_survive_the_death_of_a_worker(self, daemon: Outgate) -> None:
        """A new worker goes on in the files of its predecessor."""
        send(daemon.address, 4, 40)
        before = _total(daemon)
        for pid in daemon.workers():
            os.kill(pid, signal.SIGKILL)
        wait_until(
            lambda: (
                len(daemon.workers()) == 2 and len(daemon.events("process-died")) == 2
            ),
            "new workers",
        )
        wait_until(lambda: can_connect(daemon.socket), "connections")
        send(daemon.address, 4, 40)

        assert before == 40
        assert _total(daemon) == 80

    def test_orderly_ends_in_turn_leave_the_socket_in_place(
        self, daemon: Outgate
    ) -> None:
        """libmilter unlinks its socket when it ends: it must never be the shared one."""
        for generation in (1, 2):
            daemon.reload()
            wait_for_reloads(daemon, generation)
            wait_until(lambda: len(daemon.workers()) == 2, "old workers end")
            assert send(daemon.address, 4, 20)[0].action == "accept"

    def test_a_thousand_connections_are_served(self, daemon: Outgate) -> None:
        """They are open at once, and each sends a message."""
        clients = [
            MilterMta(daemon.address, login="many", transcript=False, timeout=30.0)
            for _ in range(1000)
        ]
        try:
            for client in clients:
                client.open()
            outcomes = [client.deliver(make_message(1)).action for client in clients]
        finally:
            for client in clients:
                client.close()

        assert outcomes == ["accept"] * 1000


class TestReload:
    """SIGHUP is a new generation of workers on the same sockets."""

    def test_under_load_no_message_is_lost(self, daemon: Outgate) -> None:
        """Every message is answered, by the old workers or by the new ones."""
        old = set(daemon.workers())
        with Load(daemon.address) as load:
            load.wait_for(50)
            daemon.reload()
            wait_for_reloads(daemon, 1)
            wait_until(lambda: not old & set(daemon.workers()), "old workers end")
            load.wait_for(50)

        assert load.failed == []

    def test_a_new_mode_is_in_force_afterwards(self, daemon: Outgate) -> None:
        """The same message is tagged before and passes after."""
        bulk = Message(
            sender=b"<anne@example.org>",
            recipients=[b"<bob@example.net>"],
            headers=[(b"Precedence", b" bulk")],
            body=b"",
        )
        before = send(daemon.address, 1, 1, bulk)[0]
        daemon.mode = "monitor"
        daemon.write_config()
        daemon.reload()
        wait_for_reloads(daemon, 1)
        after = send(daemon.address, 1, 1, bulk)[0]

        assert (len(marks(before)), len(marks(after))) == (1, 0)

    def test_what_nobody_foresaw_leaves_the_old_one_running(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """No reload is worth the daemon; the log has the traceback."""
        logged: list[tuple[str, str]] = []

        def fail() -> Plan:
            raise AttributeError("of somebody else's library")

        class Ear(Log):
            def error(self, event: str, **fields: object) -> None:
                logged.append((event, str(fields["traceback"])))

        # Those of the tests' own process stay as they are.
        monkeypatch.setattr("outgate.daemon.supervisor.Signals", lambda _: None)
        settings = Settings()
        plan = Plan(
            settings=settings,
            policy=Policy.build(settings.for_policy()),
            endpoint=Endpoint(url="redis://127.0.0.1"),
            secret=b"",
        )
        supervisor = Supervisor(plan, [], fail, Ear(lambda: 0), None)
        supervisor._begin_reload()

        ((event, traceback),) = logged
        assert event == "reload-failed"
        assert "somebody else's library" in traceback
        assert supervisor._tally.reloads == {"ok": 0, "failed": 1}

    def test_a_bad_file_leaves_the_old_one_running_and_says_so(
        self, daemon: Outgate
    ) -> None:
        """Every problem is a line of the log; a metric counts the failure."""
        workers = daemon.workers()
        daemon.config.write_text('mode = "enforced"\n[stor]\nurl = ""\n')
        daemon.reload()
        wait_until(lambda: len(daemon.events("reload-failed")) == 2, "problems")

        assert daemon.workers() == workers
        assert send(daemon.address, 1, 1)[0].action == "accept"
        problems = [event["problem"] for event in daemon.events("reload-failed")]
        assert any("did you mean 'enforce'" in problem for problem in problems)
        assert any("did you mean `store`" in problem for problem in problems)
        wait_until(
            lambda: (
                daemon.metrics().get('outgate_config_reloads_total{result="failed"}')
                == 1
            ),
            "the metric",
        )

    def test_sockets_come_and_go(self, daemon: Outgate) -> None:
        """A reload opens what is new and closes what is gone."""
        port = free_port()
        daemon._listen = f'[[listen]]\naddress = "inet:127.0.0.1:{port}"\n'
        daemon.write_config()
        daemon.reload()
        wait_for_reloads(daemon, 1)
        outcome = send(f"inet:127.0.0.1:{port}", 1, 1)[0]

        assert outcome.action == "accept"
        assert not daemon.socket.exists()


class TestStop:
    """SIGTERM drains."""

    def test_running_transactions_are_answered(self, daemon: Outgate) -> None:
        """Messages under way when the signal comes are judged, then the daemon ends."""
        clients = [MilterMta(daemon.address, login="late") for _ in range(8)]
        for client in clients:
            client.connect()
            client.mail(b"<anne@example.org>")
            client.rcpt(b"<bob@example.net>")
        os.kill(daemon.pid, signal.SIGTERM)
        wait_until(lambda: bool(daemon.events("stopping")), "stopping")
        outcomes = []
        for client in clients:
            client.header(b"Subject", b" late")
            client.eoh()
            client.eom()
            outcomes.append(client.outcome.action)
            client.quit()
            client.close()

        assert outcomes == ["accept"] * 8
        assert daemon.wait_exit() == 0
        assert daemon.events("drain-timeout") == []

    def test_nothing_is_left_behind(self, daemon: Outgate) -> None:
        """No process, no socket; the embedded store ended too."""
        pids = [*daemon.workers(), *daemon.processes("outgate-keeper")]
        code = daemon.terminate()

        assert code == 0
        assert not daemon.socket.exists()
        assert [pid for pid in pids if Path(f"/proc/{pid}").exists()] == []
        store = daemon.directory / "state/store/store.pid"
        assert not store.exists()

    def test_children_end_when_the_supervisor_is_killed(self, daemon: Outgate) -> None:
        """They see the end of their channel; nobody is orphaned."""
        pids = [*daemon.workers(), *daemon.processes("outgate-keeper")]
        os.kill(daemon.pid, signal.SIGKILL)

        wait_until(lambda: not any(_alive(pid) for pid in pids), "children end")


class TestKeeperAndStore:
    """What no message waits for."""

    def test_a_killed_keeper_stops_no_mail(self, daemon: Outgate) -> None:
        """Mail flows without it, and a new one serves metrics again."""
        (keeper,) = daemon.processes("outgate-keeper")
        os.kill(keeper, signal.SIGKILL)
        assert send(daemon.address, 2, 10)[9].action == "accept"

        wait_until(
            lambda: daemon.processes("outgate-keeper") not in ([], [keeper]), "a keeper"
        )
        wait_until(lambda: _metrics_up(daemon), "metrics")

    def test_a_dead_embedded_store_is_started_again(self, daemon: Outgate) -> None:
        """Its append-only file keeps what was counted."""
        daemon.redis("HSET", "outgate:quarantine", "late", "by=anne")
        pid = int((daemon.directory / "state/store/store.pid").read_text())
        wait_until(lambda: _synced(daemon), "the store's file on disk")
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: len(daemon.events("store-started")) == 2, "the store again")

        assert daemon.redis("HGET", "outgate:quarantine", "late") == ["by=anne"]

    def test_a_store_that_outlived_its_daemon_is_adopted(self, daemon: Outgate) -> None:
        """A second start finds it alive and uses it."""
        daemon.redis("HSET", "outgate:quarantine", "late", "by=anne")
        os.kill(daemon.pid, signal.SIGKILL)
        daemon.wait_exit()
        wait_until(lambda: not can_connect(daemon.socket), "workers end")
        daemon.launch()
        wait_until(lambda: len(daemon.events("ready")) == 2, "ready again")

        assert len(daemon.events("store-adopted")) == 1
        assert daemon.redis("HGET", "outgate:quarantine", "late") == ["by=anne"]


@pytest.mark.parametrize("workers", [1, 2, 3])
def test_exactly_the_limit_is_accepted(workers: int, tmp_path: Path) -> None:
    """2,000 messages over 200 connections against one limit of 500.

    The connections are one thread of C: two hundred threads of Python would starve the
    store of the CPU that it needs to answer in time.
    """
    limit = (
        '[[limit]]\nname = "exact"\nper = "login"\ncount = "messages"\nrate = "500/1d"\n'
        f'action = "defer"\n[workers]\ncount = {workers}\n'
    )
    message = tmp_path / "message.eml"
    message.write_text("From: anne@example.org\nSubject: x\n\nHello\n")
    daemon = Outgate(settings=GENEROUS + limit)
    # What the store does not answer in time is counted by the host: on a machine that
    # is busy otherwise, that would be one more.
    daemon.store_timeout = "500ms"
    with ExitStack() as stack:
        with or_skip():
            daemon.store = stack.enter_context(RedisServer(tcp=True)).url
            stack.enter_context(daemon)
        command = [str(build()), "-s", daemon.address, "-f", str(message), "-S", "1"]
        command += ["-c", "200", "-n", "2000", "-e", "any"]
        done = subprocess.run(command, capture_output=True, text=True, check=True)

    verdicts = json.loads(done.stdout)["verdicts"]
    assert verdicts == {"accept": 500, "defer": 1500}


def _total(daemon: Outgate) -> float:
    return sum(
        value
        for name, value in daemon.metrics().items()
        if name.startswith("outgate_messages_total")
    )


def _alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def _metrics_up(daemon: Outgate) -> bool:
    try:
        return bool(daemon.metrics())
    except OSError:
        return False


def _synced(daemon: Outgate) -> bool:
    """Whether everything written is on disk: the server syncs once a second."""
    (line,) = [
        line
        for line in daemon.redis("INFO", "persistence")
        if "aof_pending_bio_fsync" in line
    ] or [""]
    return line.rstrip().endswith(":0")

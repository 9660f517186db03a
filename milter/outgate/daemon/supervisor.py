"""The supervisor: one thread, one loop, no Redis and no HTTP.

It owns the listening sockets, starts the embedded store, the keeper and the workers,
starts again who died, and hands sockets from one generation of workers to the next.
SIGHUP reloads, SIGTERM and SIGINT stop; both drain, and no message is lost.
"""

import contextlib
import os
import selectors
import signal
import socket
import time
import traceback
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator

from outgate.config.settings import ListenSettings
from outgate.daemon import children, systemd
from outgate.daemon.backoff import Backoff
from outgate.daemon.children import Child, State
from outgate.daemon.compose import Places, default_listen
from outgate.daemon.keeper import keep
from outgate.daemon.plan import Plan
from outgate.daemon.running import ServedSocket, digests
from outgate.daemon.signals import Signals
from outgate.daemon.sockets import Listener, replace_all
from outgate.daemon.storeserver import StoreServer
from outgate.daemon.tally import Tally
from outgate.daemon.worker import Assignment, work
from outgate.log.lines import Log
from outgate.metrics.recorder import forget_gauges
from outgate.model.errors import ConfigError, StartError
from outgate.model.identity import Path as SubmissionPath

_TICK_S = 0.5
# Beyond the drain time-out, for a child to end by itself.
_GRACE_S = 5.0


class Supervisor:
    """Runs one daemon until it is told to stop."""

    def __init__(
        self,
        plan: Plan,
        listeners: list[Listener],
        reload: Callable[[], Plan],
        log: Log,
        store: StoreServer | None,
    ) -> None:
        """Take over what `start` prepared.

        Args:
            plan: the configuration to run.
            listeners: open sockets, one or more.
            log: of the supervisor itself.
            reload: reads the configuration again; raises `ConfigError`/`StartError`.
            store: the embedded server, None where a URL is configured.
        """
        self._plan = plan
        self._listeners = listeners
        self._reload = reload
        self._log = log
        self._store = store
        self._places = Places.of(plan.settings)
        self._children: dict[int, Child] = {}
        self._generation = 0
        self._tally = Tally(self._places.supervisor, digests(plan.settings))
        # By role and socket: trouble of one delays no other.
        self._backoffs: defaultdict[tuple[str, int], Backoff] = defaultdict(Backoff)
        self._stopping_since_s: float | None = None
        self._announced = False
        self._selector = selectors.DefaultSelector()
        self._signals = Signals(children.SUPERVISOR_SIGNALS)

    def run(self) -> None:
        """Serve until stopped."""
        children.set_name("outgate")
        self._selector.register(self._signals, selectors.EVENT_READ)
        self._fill()
        while self._children or self._stopping_since_s is None:
            self._wait()
            self._reap()
            for number in self._signals.take():
                self._handle(number)
            if self._stopping_since_s is None:
                self._fill()
                if self._store is not None and self._store.watch():
                    self._tally.restarts["store"] += 1
                self._advance_generation()
            else:
                self._press_on()
            self._write_status()
        for listener in self._listeners:
            listener.close()
        if self._store is not None:
            self._store.stop()
        self._places.supervisor.unlink(missing_ok=True)
        self._log.info("stopped")

    def _wait(self) -> None:
        for key, _ in self._selector.select(_TICK_S):
            if isinstance(key.data, Child):
                self._hear(key.data)

    def _hear(self, child: Child) -> None:
        try:
            word = child.control.recv(16)
        except OSError:
            word = b""
        if word.startswith(children.READY) and child.state is State.STARTING:
            child.state = State.READY
        elif not word:
            # It ended, or will: `_reap` does the rest.
            self._selector.unregister(child.control)
            child.control.close()

    def _reap(self) -> None:
        for pid, child in list(self._children.items()):
            ended, status = os.waitpid(pid, os.WNOHANG)
            if not ended:
                continue
            del self._children[pid]
            with contextlib.suppress(KeyError, ValueError):
                self._selector.unregister(child.control)
            child.control.close()
            forget_gauges(self._places.metrics, child.slot)
            if child.state is not State.DRAINING:
                self._note_death(child, os.waitstatus_to_exitcode(status))

    def _note_death(self, child: Child, code: int) -> None:
        self._tally.restarts[child.role] += 1
        self._log.error(
            "process-died",
            role=child.role,
            worker=child.slot if child.role == "worker" else "",
            pid=child.pid,
            exit_code=code,
        )
        self._backoffs[child.role, child.listener].ended(
            child.started_s, time.monotonic()
        )

    def _handle(self, number: int) -> None:
        match number:
            case signal.SIGHUP if self._stopping_since_s is None:
                self._begin_reload()
            case signal.SIGTERM | signal.SIGINT if self._stopping_since_s is None:
                self._begin_stop()
            case signal.SIGTERM | signal.SIGINT:
                # Asked twice: somebody is in a hurry.
                for child in self._children.values():
                    child.kill()
            case _:
                pass

    def _fill(self) -> None:
        """Start whoever is missing, workers first: messages wait for them alone."""
        now_s = time.monotonic()
        for index, listener in enumerate(self._listeners):
            if not self._backoffs["worker", index].may_start(now_s):
                continue
            serving = sum(
                child.listener == index and child.generation == self._generation
                for child in self._children.values()
            )
            for _ in range(serving, self._wanted(listener.settings)):
                self._start_worker(index)
        kept = any(
            child.role == "keeper" and child.state is not State.DRAINING
            for child in self._children.values()
        )
        if not kept and self._backoffs["keeper", -1].may_start(now_s):
            self._start_keeper()

    def _wanted(self, listen: ListenSettings) -> int:
        if listen.workers is not None:
            return listen.workers
        if listen.path is SubmissionPath.LOCAL_SUBMISSION:
            return 1
        return self._plan.settings.workers.count or len(os.sched_getaffinity(0))

    def _start_worker(self, index: int) -> None:
        slot = self._free_slot()
        cpu = self._free_cpu() if self._plan.settings.workers.pin == "auto" else -1
        assignment = Assignment(
            settings=self._plan.settings,
            policy=self._plan.policy,
            endpoint=self._plan.endpoint,
            secret=self._plan.secret,
            trace_secrets=self._plan.trace_secrets,
            book=self._plan.book,
            listener=self._listeners[index],
            slot=slot,
            cpu=cpu,
        )
        child = self._start(
            "worker", slot, index, lambda control: work(assignment, control)
        )
        child.cpu = cpu

    def _start_keeper(self) -> None:
        plan = self._plan
        self._start(
            "keeper",
            self._free_slot(),
            -1,
            lambda control: keep(plan, control),
        )

    def _start(
        self, role: str, slot: int, index: int, run: Callable[[socket.socket], None]
    ) -> Child:
        pid, control = children.start(
            f"outgate-{role}",
            run,
            self._close_in_child,
            lambda text: self._log.error("start-failed", role=role, traceback=text),
        )
        child = Child(
            role, pid, slot, index, self._generation, control, time.monotonic()
        )
        self._children[pid] = child
        self._selector.register(control, selectors.EVENT_READ, child)
        return child

    def _close_in_child(self) -> None:
        self._selector.close()
        for child in self._children.values():
            child.control.close()
        self._signals.close()

    def _free_slot(self) -> int:
        taken = {child.slot for child in self._children.values()}
        return next(slot for slot in range(len(taken) + 1) if slot not in taken)

    def _free_cpu(self) -> int:
        """The CPU to which the fewest workers of this generation are bound."""
        bound = Counter(
            child.cpu
            for child in self._children.values()
            if child.generation == self._generation
        )
        return min(sorted(os.sched_getaffinity(0)), key=lambda cpu: bound[cpu])

    def _begin_reload(self) -> None:
        systemd.notify("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}")
        try:
            plan = self._reload()
            self._listeners = replace_all(
                self._listeners, default_listen(plan.settings), self._log
            )
        except (ConfigError, StartError) as error:
            problems = str(error).splitlines()
            for line in problems:
                self._log.error("reload-failed", problem=line)
            self._keep_old(problems)
            return
        except Exception:  # noqa: BLE001 - told, and no reload is worth the daemon
            self._log.error("reload-failed", traceback=traceback.format_exc())
            self._keep_old(["an error of Outgate's own; the log has its traceback"])
            return
        self._plan = plan
        self._tally.in_force = digests(plan.settings)
        self._tally.refused = []
        # What killed children may be what the reload repairs.
        self._backoffs.clear()
        self._generation += 1
        self._announced = False
        self._log.info("reloading", generation=self._generation)
        for child in self._children.values():
            if child.role == "keeper":
                child.drain()

    def _keep_old(self, problems: list[str]) -> None:
        self._tally.reloads["failed"] += 1
        self._tally.refused = problems
        systemd.notify("READY=1", "STATUS=reload failed; old configuration in force")

    def _advance_generation(self) -> None:
        """When every worker of this generation is ready, the old ones may go."""
        workers = [one for one in self._children.values() if one.role == "worker"]
        current = [one for one in workers if one.generation == self._generation]
        wanted = sum(self._wanted(one.settings) for one in self._listeners)
        ready = sum(one.state is State.READY for one in current)
        if self._announced or ready < wanted:
            return
        self._announced = True
        for child in workers:
            old = child.generation != self._generation
            if old and child.state is not State.DRAINING:
                child.drain()
        if self._generation:
            self._tally.reloads["ok"] += 1
            self._log.info("reloaded", generation=self._generation)
        else:
            self._log.info(
                "ready",
                mode=self._plan.settings.mode.value,
                workers=wanted,
                listen=",".join(listener.address for listener in self._listeners),
                store=str(self._plan.endpoint),
                metrics=self._plan.settings.metrics.listen,
            )
        systemd.notify("READY=1", f"STATUS=serving, {wanted} workers")

    def _begin_stop(self) -> None:
        self._stopping_since_s = time.monotonic()
        systemd.notify("STOPPING=1")
        self._log.info("stopping")
        for child in self._children.values():
            if child.role == "worker":
                child.drain()
        self._press_on()

    def _press_on(self) -> None:
        """Let the keeper go after the workers; end whoever does not end."""
        if not any(child.role == "worker" for child in self._children.values()):
            for child in self._children.values():
                if child.state is not State.DRAINING:
                    child.drain()
        patience_s = (
            self._plan.settings.workers.drain_timeout.total_seconds() + _GRACE_S
        )
        since_s = self._stopping_since_s or 0.0
        if time.monotonic() - since_s > patience_s:
            for child in self._children.values():
                child.kill()

    def _write_status(self) -> None:
        try:
            self._tally.write(
                self._children.values(),
                self._served(),
                self._generation,
                serving=self._announced,
            )
        except OSError as error:
            self._log.warning("status-not-written", message=str(error))

    def _served(self) -> Iterator[ServedSocket]:
        for index, listener in enumerate(self._listeners):
            ready = sum(
                child.listener == index
                and child.generation == self._generation
                and child.state is State.READY
                for child in self._children.values()
            )
            yield ServedSocket(
                listener.settings.address,
                listener.address,
                listener.passed,
                ready,
                self._wanted(listener.settings),
            )

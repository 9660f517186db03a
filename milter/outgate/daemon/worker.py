"""A worker: serves one socket through libmilter, until it is told to drain.

libmilter's threads run the callbacks. One more thread, started with all signals blocked
like everyone here, listens to the control channel, reads the local copy, and publishes
gauges. A drain takes no new sessions, waits for the running ones, and ends the process
without libmilter's own five seconds.
"""

import gc
import os
import select
import socket
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from outgate.config.settings import Settings
from outgate.daemon.children import DRAIN, READY
from outgate.daemon.compose import (
    Places,
    StoreWatcher,
    log_exception,
    make_front,
    make_gate,
    make_host,
    make_log,
    make_signer,
    make_tracer,
    socket_of,
)
from outgate.daemon.refusal import Refusal, RefusingBreaker
from outgate.daemon.sockets import Listener
from outgate.log.lines import Log
from outgate.metrics.recorder import Recorder
from outgate.mta.libmilter import Engine
from outgate.mta.session import MilterSession, wanted_headers
from outgate.policy.compiled import Policy
from outgate.policy.gate import Gate
from outgate.signing.dkim_book import Book
from outgate.store.wire import Endpoint

_TICK_S = 0.25
# A message leaves a few hundred objects for as long as it is judged.
_ALLOCATIONS_BEFORE_COLLECTING = 20_000
_DRAIN_TICK_S = 0.02
# An MTA speaks as soon as it is connected: whoever is silent for so long is none.
_SILENT_S = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """What one worker is to do.

    Attributes:
        slot: unique among living workers.
        cpu: the CPU to be bound to, -1 for none.
        trace_secrets: of the trace header alone.
        book: keys of DKIM; None where nothing is signed.
    """

    settings: Settings
    policy: Policy
    endpoint: Endpoint
    secret: bytes
    trace_secrets: tuple[bytes, ...]
    book: Book | None
    listener: Listener
    slot: int
    cpu: int


def work(assignment: Assignment, control: socket.socket) -> None:
    """Live as a worker; does not return."""
    settings = assignment.settings
    log = make_log(settings)
    pin(assignment.cpu, log)
    places = Places.of(settings)
    recorder = Recorder(places.metrics, assignment.slot)
    host = make_host(settings)
    host.refresh(time.monotonic())
    breaker = RefusingBreaker(Refusal(places.refusal))
    breaker.refresh()
    front = make_front(
        settings,
        assignment.endpoint,
        assignment.secret,
        host.snapshot,
        StoreWatcher(log, recorder),
        breaker,
    )
    signer = make_signer(settings, assignment.policy, assignment.book, log)
    tracer = make_tracer(
        assignment.policy, assignment.secret, assignment.trace_secrets, log
    )
    gate = make_gate(
        settings,
        assignment.policy,
        front,
        host,
        recorder,
        log,
        assignment.slot,
        assignment.secret,
        signer,
        tracer,
    )
    signed = signer.headers if signer is not None else frozenset[str]()
    hooks = _Sessions(gate, recorder, log, assignment, signed)
    listen = socket_of(assignment.listener.settings)
    engine = Engine(
        hooks,
        needs_body=assignment.listener.settings.bodies or signer is not None,
        replies=listen.replies,
    )
    engine.adopt(
        assignment.listener.sock,
        assignment.listener.dummy(places.runtime, assignment.slot),
    )

    def obey() -> None:
        """Wait for the order to leave."""
        while True:
            readable, _, _ = select.select([control], [], [], _TICK_S)
            if readable and control.recv(16)[:1] in {DRAIN, b""}:
                break
            host.refresh(time.monotonic())
            breaker.refresh()
            hooks.publish()

    def drain() -> None:
        """Serve who is here, and nobody else."""
        engine.stop_accepting()
        began_s = time.monotonic()
        waits_s = settings.workers.drain_timeout.total_seconds()
        silent_s = min(waits_s, _SILENT_S)
        # Never at once: a connection may be on its way from `accept` to its descriptor.
        time.sleep(_DRAIN_TICK_S)
        while (waited_s := time.monotonic() - began_s) < waits_s and (
            not hooks.idle() or (waited_s < silent_s and engine.connected())
        ):
            time.sleep(_DRAIN_TICK_S)
        hooks.publish()
        if not hooks.idle():
            log.warning("drain-timeout", worker=assignment.slot, **hooks.counts())

    threading.Thread(
        target=live_and_end, args=((obey, drain), log), name="control", daemon=True
    ).start()
    spare_the_collector()
    control.send(READY)
    engine.run()


def spare_the_collector() -> None:
    """Look for cycles of garbage rarely: a message makes none, and what stands stays."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_ALLOCATIONS_BEFORE_COLLECTING, 20, 20)


def live_and_end(
    steps: Iterable[Callable[[], None]],
    log: Log,
    end: Callable[[int], object] = os._exit,
) -> None:
    """Take the steps of the control thread, then end the process, whatever happens.

    A worker without this thread would serve old settings for ever: one step's failure
    is told, and the next one, which is the way out, is taken all the same.
    """
    code = 0
    try:
        for step in steps:
            try:
                step()
            except Exception:  # noqa: BLE001 - logged, and the process ends
                code = 1
                log_exception(log, "control")
        log.flush()
    finally:
        end(code)


class _Sessions:
    """The engine's hooks: who is connected, whose message is under way."""

    def __init__(
        self,
        gate: Gate,
        recorder: Recorder,
        log: Log,
        assignment: Assignment,
        signed: frozenset[str],
    ) -> None:
        self._gate = gate
        self._recorder = recorder
        self._log = log
        self._published_lost = 0
        self._socket = socket_of(assignment.listener.settings)
        self._own_header = assignment.settings.tag.header
        self._wanted = wanted_headers(self._own_header, signed)
        # Sets of identities: adding and discarding are atomic under the interpreter's
        # lock, `+= 1` from several threads is not.
        self._open: set[int] = set()
        self._running: set[int] = set()

    def open_session(self) -> MilterSession:
        session = MilterSession(
            self._socket, self._gate, self._wanted, self._own_header
        )
        self._open.add(id(session))
        return session

    def close_session(self, session: MilterSession) -> None:
        self._running.discard(id(session))
        self._open.discard(id(session))

    def begin(self, session: MilterSession) -> None:
        self._running.add(id(session))

    def end(self, session: MilterSession) -> None:
        self._running.discard(id(session))

    def failed(self, stage: str) -> None:
        log_exception(self._log, stage)
        self._recorder.callback_errors.labels(stage).inc()

    def idle(self) -> bool:
        """Whether nobody is connected."""
        return not self._open

    def counts(self) -> dict[str, int]:
        """Open sessions and running transactions."""
        return {"sessions": len(self._open), "transactions": len(self._running)}

    def publish(self) -> None:
        """Put numbers of the moment where the endpoint reads them."""
        lost = self._log.lost_total
        self._recorder.log_lines_lost.inc(lost - self._published_lost)
        self._published_lost = lost
        self._recorder.sessions.set(len(self._open))
        self._recorder.transactions.set(len(self._running))


def pin(cpu: int, log: Log) -> None:
    """Bind this process to one CPU; -1 for none. What fails is a warning."""
    if cpu < 0:
        return
    try:
        os.sched_setaffinity(0, {cpu})
    except OSError as error:
        log.warning("pin-failed", cpu=cpu, message=error.strerror or str(error))

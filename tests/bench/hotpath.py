"""Where a worker's time for one message goes: its own code, without libmilter.

The objects are those of a worker (`daemon.compose`), with a real Redis, metrics in
files and a log that goes nowhere; the events are what an MTA would send. First the
whole without any instrument, then a stopwatch at each stage, then cProfile.
"""

import cProfile
import io
import os
import pstats
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from bench.filters import configuration
from bench.messages import NEWSLETTER, write_message
from bench.report import say
from bench.stopwatch import Stopwatch
from lab.redis import RedisServer
from outgate.config.reader import load
from outgate.config.settings import Settings
from outgate.daemon.compose import (
    Places,
    StoreWatcher,
    endpoint_of,
    make_front,
    make_gate,
    make_host,
    make_tracer,
    now_us,
)
from outgate.log.lines import Log
from outgate.message.split import split_message
from outgate.metrics.recorder import Recorder, fresh_directory
from outgate.mta import session as session_module
from outgate.mta.session import MilterSession, Socket, wanted_headers
from outgate.policy import gate as gate_module
from outgate.policy.compiled import Policy
from outgate.policy.gate import Gate
from outgate.signing.secret import make_secret
from outgate.store import counters as counters_module
from outgate.store import wire as wire_module
from outgate.store.front import Front

_WARM_UP = 300
_FUNCTIONS = 30
_SENDERS = 100
# An answer that comes late is measured too.
_PATIENCE_S = 5.0
_ADDRESS = b"anne@choir.example.org"

Handle = Callable[[int], None]


def show_profile(messages: int) -> None:
    """Measure and print."""
    tables = configuration(workers=1, level="info", plain=True)
    with open_hot_path(tables) as path:
        handle = _handler(path.gates[0], path.own_header)
        for number in range(_WARM_UP):
            handle(number)
        _show_whole(handle, messages)
        _show_functions(handle, messages)
        # Last: the stopwatch stays where it was put.
        _show_stages(path, messages)


@dataclass(frozen=True, slots=True)
class HotPath:
    """What serves a message in a worker.

    Attributes:
        gates: judge it, one for each configuration.
        front: asks the store, from behind a circuit breaker.
        own_header: name of the header that is added.
        redis: the store.
        troubles: what the store did not answer.
    """

    gates: Sequence[Gate]
    front: Front
    own_header: str
    redis: RedisServer
    troubles: list[str]


class Watcher(StoreWatcher):
    """Keeps what the store did not answer: such a message was judged by other means."""

    def __init__(self, log: Log, recorder: Recorder) -> None:
        super().__init__(log, recorder)
        self.troubles: list[str] = []

    def store_failed(self, kind: str, message: str) -> None:
        """Count it, and keep its text."""
        super().store_failed(kind, message)
        self.troubles.append(f"{kind}: {message}")


@contextmanager
def open_hot_path(*configurations: str) -> Iterator[HotPath]:
    """Build the objects of a worker, with a store of their own.

    Args:
        configurations: tables in TOML; a gate for each, all with the same store.
    """
    with ExitStack() as stack:
        redis = stack.enter_context(RedisServer())
        _part(redis.pid)
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        every = [_load(folder, redis.url, tables) for tables in configurations]
        settings = every[0]
        places = Places.of(settings)
        fresh_directory(places.metrics)
        secret = make_secret(places.secret(settings))
        nowhere = os.open(os.devnull, os.O_WRONLY)
        stack.callback(os.close, nowhere)
        log = Log(now_us, descriptor=nowhere)
        recorder = Recorder(places.metrics, 0)
        host = make_host(settings)
        watcher = Watcher(log, recorder)
        front = make_front(
            settings,
            replace(endpoint_of(settings), timeout_s=_PATIENCE_S),
            secret,
            host.snapshot,
            watcher,
        )
        gates = [
            make_gate(
                one,
                policy := Policy.build(one.for_policy()),
                front,
                host,
                recorder,
                log,
                0,
                secret,
                tracer=make_tracer(policy, secret, (), log),
            )
            for one in every
        ]
        yield HotPath(gates, front, settings.tag.header, redis, watcher.troubles)


def _load(folder: Path, url: str, tables: str) -> Settings:
    config = folder / "outgate.toml"
    config.write_text(
        f'mode = "enforce"\n[store]\nurl = "{url}"\n'
        f'[paths]\nstate = "{folder}"\nruntime = "{folder}"\n'
        f"{tables}"
    )
    return load(config)


def _part(store: int) -> None:
    """Give this process one CPU and the store the others, as a worker has it."""
    cpus = os.sched_getaffinity(0)
    own = {max(cpus)}
    os.sched_setaffinity(0, own)
    os.sched_setaffinity(store, cpus - own or cpus)


def _handler(
    gate: Gate, own_header: str, events: Callable[..., MilterSession] | None = None
) -> Handle:
    """Give a function that sends one message in a session of its own."""
    wanted = wanted_headers(own_header)
    socket = Socket()
    headers, body = _message()
    fill = events or _fill

    def handle(number: int) -> None:
        session = MilterSession(socket, gate, wanted, own_header)
        fill(session, number, headers, body)
        session.end_of_message(f"{number:08X}")

    return handle


def _fill(
    session: MilterSession, number: int, headers: list[tuple[str, bytes]], body: bytes
) -> None:
    """Send everything before end-of-message."""
    sender = number % _SENDERS
    login = f"user{sender}@customer{sender % 20}.example"
    session.connect(
        f"198.51.100.{number % 50 + 1}", "Postfix 3.7.11", "mx.relay.example"
    )
    session.mail((b"<%b>" % login.encode(), b"SIZE=4096"), login, "")
    session.recipient((b"<rcpt%d@dest.example>" % number,))
    for name, value in headers:
        session.header(name, value)
    session.body(body)


def _message() -> tuple[list[tuple[str, bytes]], bytes]:
    with tempfile.TemporaryDirectory() as folder:
        path = write_message(Path(folder) / "message.eml", NEWSLETTER, 4)
        raw = path.read_bytes()
    headers, body = split_message(raw.replace(b"@@SENDER@@", _ADDRESS))
    return [(name.decode(), value) for name, value in headers], body


def _show_whole(handle: Handle, messages: int) -> None:
    began, cpu = time.perf_counter(), time.process_time()
    for number in range(messages):
        handle(number)
    wall_us = (time.perf_counter() - began) / messages * 1e6
    cpu_us = (time.process_time() - cpu) / messages * 1e6
    say(f"one message, no instrument: {wall_us:.1f} us, of these {cpu_us:.1f} us CPU")


def _show_functions(handle: Handle, messages: int) -> None:
    profile = cProfile.Profile()
    profile.enable()
    for number in range(messages):
        handle(number)
    profile.disable()
    text = io.StringIO()
    statistics = pstats.Stats(profile, stream=text).strip_dirs().sort_stats("tottime")
    statistics.print_stats(_FUNCTIONS)
    say(f"\ncProfile of {messages} messages (it makes small functions look slow):")
    for line in text.getvalue().splitlines():
        if line.strip():
            say(f"  {line.strip()}")


def _show_stages(path: HotPath, messages: int) -> None:
    gate, front, own_header = path.gates[0], path.front, path.own_header
    watch = Stopwatch()
    fill = watch.timed("session: MAIL to body", _fill)
    watch.wrap("session: effects", session_module, "effects_of")
    watch.wrap("gate", gate, "judge")
    watch.wrap("read facts", gate_module, "read_facts")
    watch.wrap("who is accountable", gate, "_resolve")
    watch.wrap("plan", gate_module, "make_plan")
    watch.wrap("look up: breaker and clocks", front, "look_up")
    watch.wrap("look up: pack", front._counters, "look_up")
    watch.wrap("look up: connection, replies", front._counters._wire, "call")
    watch.wrap("look up: send", wire_module, "_send")
    watch.wrap("look up: wait", wire_module, "_receive")
    watch.wrap("look up: read the answers", counters_module, "read_charge")
    watch.wrap("decide", gate_module, "decide")
    watch.wrap("enforce", gate, "_enforce")
    for observer in gate._observers:
        watch.wrap(f"observe: {type(observer).__name__}", observer, "observe")
    handle = watch.timed("session: rest", _handler(gate, own_header, fill))
    for number in range(messages):
        handle(number)
    say(f"\nby stage; a wrapped call costs {watch.overhead_us():.2f} us of its own:")
    for stage, spent_ns in watch.spent_ns.items():
        say(f"  {stage:32} {spent_ns / messages / 1_000:7.2f} us")
    total_us = sum(watch.spent_ns.values()) / messages / 1_000
    say(f"  {'all':32} {total_us:7.2f} us")

"""Asks the store, before it is used, whether it may be: a process that is ended in time.

Six commands with a time-out each, after a resolver that knows none, may take much longer
than anybody should wait for a daemon's start, or for a reload in the supervisor's one
loop. A thread could not be ended, and the supervisor forks: so a process asks.
"""

import contextlib
import json
import os
import select
import signal
import socket
import time
from dataclasses import replace

from outgate.daemon import children
from outgate.daemon.compose import Places
from outgate.daemon.plan import Plan
from outgate.daemon.refusal import Refusal
from outgate.log.lines import Log
from outgate.model.errors import (
    EX_CONFIG,
    StartError,
    StoreError,
    StoreRefused,
    StoreTimeout,
    StoreUnavailable,
)
from outgate.signing.secret import key_id
from outgate.store.client import connect
from outgate.store.keys import Keys
from outgate.store.schema import Server, inspect

# Everything together: docs/decisions.md promises it.
_PATIENCE_S = 2.0
# Whoever is left alone ends by itself.
_ALARM_S = 5


def check_store(plan: Plan, log: Log) -> None:
    """Claim or check the store. One that is away does not stop the daemon.

    A machine that boots before its store must not refuse mail: it starts degraded, and
    the keeper checks the store when it comes.

    Raises:
        StartError: wrong credentials, another secret, a newer layout.
    """
    try:
        server = _ask(plan, log)
    except StoreRefused as error:
        raise StartError(f"store.url: {plan.endpoint}: {error}", EX_CONFIG) from error
    except StoreError as error:
        log.error(  # noqa: TRY400 - our log, and no traceback for an outage
            "store-unreachable",
            store=str(plan.endpoint),
            message=str(error),
            on_failure=plan.settings.store.on_failure,
        )
        return
    if server.evicts:
        log.error(
            "store-evicts",
            store=str(plan.endpoint),
            policy=server.evicts,
            message="set maxmemory-policy noeviction: a full store must say so",
        )
    Refusal(Places.of(plan.settings).refusal).clear()
    log.debug("store-checked", store=str(plan.endpoint), server=server.version)


def _ask(plan: Plan, log: Log) -> Server:
    """What the process found out, by the same exceptions as if it were this one."""
    deadline_s = time.monotonic() + _PATIENCE_S
    try:
        pid, control = children.start(
            "outgate-check",
            lambda theirs: _answer(plan, theirs),
            # It ends before anybody could miss what it still has open.
            lambda: None,
            lambda text: log.error("start-failed", role="check", traceback=text),
        )
    except OSError as error:
        raise StoreUnavailable(f"nobody can ask it: {error.strerror}") from error
    try:
        answer = _read(control, deadline_s)
    finally:
        control.close()
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    return _understood(answer)


def _read(control: socket.socket, deadline_s: float) -> bytes:
    """Everything up to the end of the process, or up to the deadline."""
    answer = b""
    while (left_s := deadline_s - time.monotonic()) > 0:
        if not select.select([control], [], [], left_s)[0]:
            break
        part = control.recv(65_536)
        if not part:
            return answer
        answer += part
    raise StoreTimeout(f"no answer within {_PATIENCE_S:g} s")


def _answer(plan: Plan, control: socket.socket) -> None:
    """Live as the process that asks."""
    signal.alarm(_ALARM_S)
    keys = Keys(plan.settings.store.namespace)
    patient = replace(
        plan.endpoint, timeout_s=max(plan.endpoint.timeout_s, _PATIENCE_S)
    )
    try:
        server = inspect(connect(patient), keys, key_id(plan.secret))
        found = {"version": server.version, "evicts": server.evicts}
    except StartError as error:
        found = {"start": str(error)}
    except StoreRefused as error:
        found = {"refused": str(error)}
    except StoreError as error:
        found = {"away": str(error)}
    control.sendall(json.dumps(found).encode())


def _understood(answer: bytes) -> Server:
    match json.loads(answer or b"{}"):
        case {"version": version, "evicts": evicts}:
            return Server(version, evicts)
        case {"start": why}:
            raise StartError(why, EX_CONFIG)
        case {"refused": why}:
            raise StoreRefused(why)
        case {"away": why}:
            raise StoreUnavailable(why)
        case _:
            raise StoreUnavailable("whoever asked it ended without an answer")

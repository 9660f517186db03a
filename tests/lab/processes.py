"""Servers as child processes that can be ended without a trace.

Each server leads a session of its own. Whatever it forks stays in that session, even
when the leader is gone, so `end` finds every survivor in /proc and nothing outlives
its test. Zombies count as gone: they wait for a parent, and hold nothing.

When the test run is killed, nobody calls `end`. So every server has a guard: a shell
that waits for the end of a pipe that the test run holds, and then ends the server.
(PR_SET_PDEATHSIG would be simpler; Postfix's master loses it by changing its user.)

Limits: a descendant that calls setsid() itself escapes, as Sendmail's deliveries do;
`lab.sendmail` therefore runs inside a PID namespace, which the kernel ends as a whole.
"""

import os
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from lab.waiting import wait_until

Server = subprocess.Popen[bytes]

# What an orderly end may take before it becomes SIGKILL.
_GRACE = 5.0

# SIGCONT, since a process that is stopped does not hear SIGTERM.
_GUARD = 'read -r _; kill -s TERM -- "-$1"; kill -s CONT -- "-$1"'

# By the server's pid.
_guards: dict[int, Server] = {}


def spawn(
    command: Sequence[str | Path],
    *,
    env: Mapping[str, str] | None = None,
    cwd: Path,
    output: Path,
) -> Server:
    """Start a server that stays in the foreground; `output` takes what it prints."""
    with output.open("ab") as sink:
        server = subprocess.Popen(
            command,
            env=env,
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=sink,
            start_new_session=True,
        )
    guard(server)
    return server


def guard(leader: Server) -> None:
    """Have the session of `leader` ended when this process ends, however it does."""
    _guards[leader.pid] = subprocess.Popen(
        ["sh", "-c", _GUARD, "guard", str(leader.pid)],
        stdin=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def end(leader: Server) -> None:
    """End a server and everything that it forked; harmless when it is gone."""
    if (watching := _guards.pop(leader.pid, None)) is not None:
        watching.kill()
        watching.communicate()
    if leader.poll() is None:
        os.killpg(leader.pid, signal.SIGTERM)
        os.killpg(leader.pid, signal.SIGCONT)
    with suppress(TimeoutError):
        wait_until(lambda: _ended(leader), "an orderly end", seconds=_GRACE)
    for pid in members(leader.pid):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    wait_until(lambda: _ended(leader), f"process {leader.pid} and its children end")


class _Process(NamedTuple):
    pid: int
    parent: int
    session: int
    alive: bool


def members(session: int) -> list[int]:
    """List the living processes of a session."""
    return [p.pid for p in _processes() if p.session == session and p.alive]


def children(parent: int) -> list[int]:
    """List the living children of a process."""
    return [p.pid for p in _processes() if p.parent == parent and p.alive]


def _ended(leader: Server) -> bool:
    return leader.poll() is not None and not members(leader.pid)


def _processes() -> Iterator[_Process]:
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        # proc(5): the name in parentheses may hold anything, also ")" and blanks.
        with suppress(FileNotFoundError, ProcessLookupError):
            fields = (entry / "stat").read_text(errors="replace").rpartition(")")[2]
            state, parent, _group, session = fields.split()[:4]
            yield _Process(int(entry.name), int(parent), int(session), state != "Z")

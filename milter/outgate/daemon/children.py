"""A child process and its control channel.

The supervisor writes `drain`, the child writes `ready`. Either side sees the other's
death as the end of the channel: a child whose supervisor is gone drains and ends.
"""

import contextlib
import os
import signal
import socket
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from outgate.log.outlet import flush_all

DRAIN = b"D"
READY = b"R"

# What the supervisor alone handles; children get their orders by the channel.
SUPERVISOR_SIGNALS = frozenset(
    {signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD, signal.SIGUSR1}
)


class State(StrEnum):
    """Where a child is in its life."""

    STARTING = "starting"
    READY = "ready"
    DRAINING = "draining"


@dataclass(slots=True, eq=False)
class Child:
    """One process.

    Attributes:
        role: `worker` or `keeper`.
        pid: its process id.
        slot: unique among living workers; names its metrics files.
        listener: index of the socket it serves, -1 for none.
        generation: of which configuration.
        control: the supervisor's end of the channel.
        started_s: monotonic.
        cpu: the CPU it is bound to, -1 for none.
    """

    role: str
    pid: int
    slot: int
    listener: int
    generation: int
    control: socket.socket
    started_s: float
    cpu: int = -1
    state: State = State.STARTING

    def drain(self) -> None:
        """Order the child to finish and end."""
        self.state = State.DRAINING
        try:
            self.control.send(DRAIN)
        except OSError:
            # It is dead already; the supervisor will see.
            return

    def kill(self) -> None:
        """End it now."""
        try:
            os.kill(self.pid, signal.SIGKILL)
        except ProcessLookupError:
            return


def set_name(name: str) -> None:
    """What `ps` and `top` call this process; at most 15 characters (prctl(2))."""
    with contextlib.suppress(OSError):
        Path("/proc/self/comm").write_text(name)


def start(
    name: str,
    run: Callable[[socket.socket], None],
    close_in_child: Callable[[], None],
    failed: Callable[[str], None],
) -> tuple[int, socket.socket]:
    """Fork a child.

    Args:
        name: of the process, for `ps`.
        run: the child's life; gets its end of the channel, and need not return.
        close_in_child: closes what belongs to the supervisor alone.
        failed: told the traceback if `run` raises.

    Returns:
        Process id and the supervisor's end of the channel.
    """
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    pid = os.fork()
    if pid:
        theirs.close()
        ours.setblocking(False)
        return pid, ours
    code = 1
    try:
        ours.close()
        set_name(name)
        signal.set_wakeup_fd(-1)
        for number in SUPERVISOR_SIGNALS:
            signal.signal(number, signal.SIG_DFL)
        # A group of its own: Ctrl-C in a terminal reaches the supervisor alone.
        os.setpgid(0, 0)
        close_in_child()
        # Every thread that is started from here on inherits the mask.
        signal.pthread_sigmask(
            signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT, signal.SIGHUP}
        )
        run(theirs)
        code = 0
    except BaseException:  # noqa: BLE001 - the end of a process: say why, and end
        failed(traceback.format_exc())
    finally:
        try:
            # Its last words may be a thread's to write.
            flush_all()
        finally:
            os._exit(code)

"""A process that another daemon started, held by a descriptor of it (pidfd).

A pid file can be stale, and a process id can be given to somebody else. The kernel knows
who listens on the socket, and a descriptor never means another process: what is watched
and ended here is that very server.
"""

import os
import select
import signal
import socket
import struct
import subprocess
from pathlib import Path

_CONNECT_TIMEOUT_S = 0.5
# unix(7): struct ucred is pid, uid, gid.
_CREDENTIALS = struct.Struct("3i")


class Adopted:
    """As much of `Popen` as one needs who is not the parent."""

    def __init__(self, pid: int) -> None:
        """Hold the process.

        Raises:
            OSError: there is none of that id.
        """
        self.pid = pid
        self._descriptor = os.pidfd_open(pid)

    def poll(self) -> int | None:
        """Give None while it lives, then -1: how it ended is not ours to know."""
        return None if not self._ended(0.0) else -1

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end.

        Raises:
            subprocess.TimeoutExpired: it still lives.
        """
        if not self._ended(timeout):
            raise subprocess.TimeoutExpired(f"process {self.pid}", timeout or 0.0)
        return -1

    def terminate(self) -> None:
        """Ask it to end."""
        try:
            signal.pidfd_send_signal(self._descriptor, signal.SIGTERM)
        except ProcessLookupError:
            return

    def _ended(self, timeout_s: float | None) -> bool:
        # A descriptor of a process is readable once that has ended, reaped or not.
        return bool(select.select([self._descriptor], [], [], timeout_s)[0])


def adopt(path: Path) -> Adopted | None:
    """Hold the process that listens on a unix socket; None where nobody does.

    One that is too busy to answer listens all the same.
    """
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(_CONNECT_TIMEOUT_S)
        try:
            probe.connect(str(path))
            raw = probe.getsockopt(
                socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size
            )
            return Adopted(_CREDENTIALS.unpack(raw)[0])
        except OSError:
            return None

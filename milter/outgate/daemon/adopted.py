"""A process that another daemon started, held by a descriptor of it (pidfd).

A pid file can be stale, and a process id can be given to somebody else. The kernel knows
who listens on the socket, and a descriptor never means another process: what is watched
and ended here is that very server. The pid file is asked only where the kernel does not
say, and only believed of a process that lives in the server's directory.
"""

import errno
import os
import select
import signal
import socket
import struct
import subprocess
from pathlib import Path

_CONNECT_TIMEOUT_S = 0.5
# Nobody listens: no socket, or one that a dead process left behind.
_NOBODY = frozenset({errno.ENOENT, errno.ECONNREFUSED})
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

    def lives_in(self, directory: Path) -> bool:
        """Whether that is its working directory; a server goes into its own.

        Raises:
            OSError: it is another account's, or none any more.
        """
        return Path(f"/proc/{self.pid}/cwd").samefile(directory)

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

    def release(self) -> None:
        """Close the descriptor: the process is not watched any more."""
        os.close(self._descriptor)

    def _ended(self, timeout_s: float | None) -> bool:
        # A descriptor of a process is readable once that has ended, reaped or not.
        return bool(select.select([self._descriptor], [], [], timeout_s)[0])


def adopt(path: Path, pid_file: Path) -> Adopted | None:
    """Hold the process that listens on a unix socket; None where nobody does.

    One that is too busy to answer listens all the same, even if so many wait for it
    already that the kernel does not let this one in.

    Args:
        path: the socket.
        pid_file: in the server's directory, written by itself.

    Raises:
        OSError: somebody listens, and cannot be held.
    """
    try:
        return Adopted(_listener(path))
    except OSError as error:
        if error.errno in _NOBODY:
            return None
        found = _named(pid_file)
        if found is None:
            raise
        return found


def _listener(path: Path) -> int:
    """The process id of whoever listens."""
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(_CONNECT_TIMEOUT_S)
        probe.connect(str(path))
        raw = probe.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
        pid: int = _CREDENTIALS.unpack(raw)[0]
        return pid


def _named(pid_file: Path) -> Adopted | None:
    """The process of a pid file, if it is that server still."""
    try:
        found = Adopted(int(pid_file.read_text()))
    except (OSError, ValueError, OverflowError):
        return None
    try:
        if found.lives_in(pid_file.parent):
            return found
    except OSError:
        # Its end, or another account's process: not that server in either case.
        pass
    found.release()
    return None

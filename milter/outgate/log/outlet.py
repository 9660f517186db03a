"""Writes lines to a descriptor without ever waiting for whoever reads them.

The descriptor is shared with other processes, so it is never made non-blocking: they
would lose lines, too. Instead

    a socket (journald)    each line is sent as one that must not wait
    a regular file         is written as it is: a disk has no reader
    a pipe, a terminal     is opened once more, non-blocking, for ourselves alone
    what cannot be opened  (a pipe of another user) gets a thread that may wait

A line is at most PIPE_BUF bytes, so a pipe takes it whole or not at all.
"""

import atexit
import os
import queue
import socket
import stat
import threading
import time
import weakref
from collections.abc import Callable

# Lines that wait for a reader in memory, where a thread writes: half a megabyte or so.
_MOST_QUEUED = 1024
_FLUSH_TICK_S = 0.005
_LAST_FLUSH_S = 0.5


def flush_all(wait_s: float = _LAST_FLUSH_S) -> None:
    """Give the lines of this process a moment, before it ends by `os._exit`."""
    deadline_s = time.monotonic() + wait_s
    for relay in _RELAYS:
        relay.flush(deadline_s - time.monotonic())


class Outlet:
    """One descriptor."""

    def __init__(self, descriptor: int) -> None:
        self._relay: _Relay | None = None
        self._torn = False
        self._put = self._way(descriptor)

    def write(self, line: bytes) -> bool:
        """Write one line now; False if it is lost."""
        try:
            taken = self._put(b"\n" + line if self._torn else line)
        except OSError:
            # Nobody reads now (EAGAIN) or ever (EPIPE), or the disk is full.
            return False
        # Only a terminal or a full disk takes a part; the next line begins anew.
        self._torn = taken < len(line)
        return not self._torn

    def flush(self, wait_s: float) -> None:
        """Wait for what is queued, but no longer than this."""
        if self._relay is not None:
            self._relay.flush(wait_s)

    def _way(self, descriptor: int) -> Callable[[bytes], int]:
        try:
            mode = os.fstat(descriptor).st_mode
        except OSError:
            # Closed: each write says so.
            mode = stat.S_IFREG
        if stat.S_ISREG(mode):
            return lambda line: os.write(descriptor, line)
        if stat.S_ISSOCK(mode):
            sock = socket.socket(fileno=os.dup(descriptor))
            _close_with(self, sock.close)
            return lambda line: sock.send(line, socket.MSG_DONTWAIT)
        try:
            own = os.open(
                f"/proc/self/fd/{descriptor}",
                os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC,
            )
        except OSError:
            self._relay = _Relay(descriptor)
            return self._relay.put
        _close_with(self, lambda: os.close(own))
        return lambda line: os.write(own, line)


def _close_with(outlet: Outlet, close: Callable[[], None]) -> None:
    # Not at the interpreter's end: lines are written until the last moment.
    weakref.finalize(outlet, close).atexit = False


class _Relay:
    """A bounded queue, and a thread that writes what is in it, one line after another."""

    def __init__(self, descriptor: int) -> None:
        # Whatever becomes of that number, the thread writes where it was told to.
        self._descriptor = os.dup(descriptor)
        self._begin()
        # A fork copies the queue without its thread; the parent writes those lines.
        os.register_at_fork(after_in_child=self._begin)
        _RELAYS.append(self)
        # Of the supervisor; its children end without this, and flush by themselves.
        atexit.register(self.flush, _LAST_FLUSH_S)

    def _begin(self) -> None:
        self._lines: queue.Queue[bytes] = queue.Queue(_MOST_QUEUED)
        self._starting = threading.Lock()
        self._thread: threading.Thread | None = None

    def put(self, line: bytes) -> int:
        """Queue one line; OSError if there is no room."""
        try:
            self._lines.put_nowait(line)
        except queue.Full:
            raise BlockingIOError from None
        if self._thread is None:
            self._start()
        return len(line)

    def flush(self, wait_s: float) -> None:
        """Wait until all is written."""
        deadline_s = time.monotonic() + wait_s
        while self._lines.unfinished_tasks and time.monotonic() < deadline_s:
            time.sleep(_FLUSH_TICK_S)

    def _start(self) -> None:
        with self._starting:
            if self._thread is not None:
                return
            thread = threading.Thread(target=self._run, name="log", daemon=True)
            try:
                thread.start()
            except RuntimeError as error:
                raise BlockingIOError(str(error)) from error
            self._thread = thread

    def _run(self) -> None:
        while True:
            line = self._lines.get()
            try:
                os.write(self._descriptor, line)
            except OSError:
                # Nobody will ever read: nowhere is left to say so.
                continue
            finally:
                self._lines.task_done()


# Each of them lives as long as its process, since a fork tells it.
_RELAYS: list[_Relay] = []

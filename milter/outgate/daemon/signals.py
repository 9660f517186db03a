"""Signals as words of a loop: a handler only notes, the loop takes and acts."""

import contextlib
import signal
import socket
from collections.abc import Iterable


class Signals:
    """Notes signals, and wakes a selector that watches `fileno()`."""

    def __init__(self, numbers: Iterable[int]) -> None:
        self._noted: list[int] = []
        self._reader, self._writer = socket.socketpair()
        for end in (self._reader, self._writer):
            end.setblocking(False)
        signal.set_wakeup_fd(self._writer.fileno(), warn_on_full_buffer=False)
        for number in numbers:
            signal.signal(number, self._note)

    def fileno(self) -> int:
        """For a selector."""
        return self._reader.fileno()

    def take(self) -> list[int]:
        """What came since the last call."""
        with contextlib.suppress(BlockingIOError):
            self._reader.recv(4096)
        taken, self._noted = self._noted, []
        return taken

    def close(self) -> None:
        """In a child: it has no use for them."""
        self._reader.close()
        self._writer.close()

    def _note(self, number: int, _frame: object) -> None:
        self._noted.append(number)

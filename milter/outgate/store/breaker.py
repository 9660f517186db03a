"""Stops asking a store that does not answer, so that no session waits for it twice.

Closed: every look-up goes through. After `FAILURES` in a row it opens: for `PAUSE_S`
nobody asks. Then one caller tries; its success closes the breaker, its failure opens it
again. Time is an argument, in seconds of a monotonic clock.
"""

import threading

from outgate.model.errors import StoreError

# One slow answer is noise; three in a row are an outage.
FAILURES = 3
PAUSE_S = 1.0


class GivenUp(StoreError):
    """Nobody was asked: the breaker is open."""

    kind = "down"


class Breaker:
    """The state of one store, as one process sees it."""

    def __init__(self) -> None:
        self._failures = 0
        self._open_until = 0.0
        self._lock = threading.Lock()

    @property
    def closed(self) -> bool:
        """Whether look-ups go through as usual."""
        return self._failures < FAILURES

    def may_ask(self, now_s: float) -> bool:
        """Whether this caller may ask; claims the trial if it is time for one."""
        if self._failures < FAILURES:
            return True
        with self._lock:
            if now_s < self._open_until:
                return False
            self._open_until = now_s + PAUSE_S
            return True

    def succeeded(self) -> bool:
        """Note an answer; True if that closed an open breaker."""
        if not self._failures:
            return False
        with self._lock:
            was_open = self._failures >= FAILURES
            self._failures = 0
        return was_open

    def failed(self, now_s: float) -> bool:
        """Note a failure; True if that opened the breaker."""
        with self._lock:
            self._failures += 1
            opened = self._failures == FAILURES
            if self._failures >= FAILURES:
                self._open_until = now_s + PAUSE_S
        return opened

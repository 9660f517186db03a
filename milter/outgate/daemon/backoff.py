"""When a process that died may be started again.

The first short life is an accident, and its successor starts at once; after more of
them it waits 2 s, 4 s, … 30 s. One accident may take several processes of a kind: who was
started before the last death that counted adds nothing to it. Time is an argument, in
seconds of a monotonic clock.
"""

import math

_SHORT_LIFE_S = 5.0
_MAX_PAUSE_S = 30.0


class Backoff:
    """The memory of one kind of process: trouble of one delays no other."""

    def __init__(self) -> None:
        self._short_lives = 0
        self._not_before_s = 0.0
        self._counted_s = -math.inf

    def ended(self, started_s: float, now_s: float) -> None:
        """Note a death that nobody ordered, of a process that was started then."""
        if now_s - started_s >= _SHORT_LIFE_S:
            self._short_lives = 0
            return
        if started_s < self._counted_s:
            return
        self._counted_s = now_s
        self._short_lives += 1
        if self._short_lives > 1:
            pause_s = min(2.0 ** (self._short_lives - 1), _MAX_PAUSE_S)
            self._not_before_s = now_s + pause_s

    def may_start(self, now_s: float) -> bool:
        """Whether the next one may be started now."""
        return now_s >= self._not_before_s

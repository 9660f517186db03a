"""When a process that died may be started again.

The first short life is an accident, and its successor starts at once; after more of
them it waits 2 s, 4 s, … 30 s. Time is an argument, in seconds of a monotonic clock.
"""

_SHORT_LIFE_S = 5.0
_MAX_PAUSE_S = 30.0


class Backoff:
    """The memory of one kind of process: trouble of one delays no other."""

    def __init__(self) -> None:
        self._short_lives = 0
        self._not_before_s = 0.0

    def ended(self, lived_s: float, now_s: float) -> None:
        """Note a death that nobody ordered."""
        if lived_s >= _SHORT_LIFE_S:
            self._short_lives = 0
            return
        self._short_lives += 1
        if self._short_lives > 1:
            pause_s = min(2.0 ** (self._short_lives - 1), _MAX_PAUSE_S)
            self._not_before_s = now_s + pause_s

    def may_start(self, now_s: float) -> bool:
        """Whether the next one may be started now."""
        return now_s >= self._not_before_s

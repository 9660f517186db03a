"""Time by stage, each without what it calls: functions are wrapped where they stand.

    watch = Stopwatch()
    watch.wrap("decide", gate, "decide")

Limits: one thread. The clock is the wall's, so a stage that waits shows its wait; each
call costs `overhead_us`, of which the caller's stage carries about a half.
"""

import time
from collections.abc import Callable
from typing import Any

_CALIBRATION = 20_000


class Stopwatch:
    """Where the time goes."""

    def __init__(self) -> None:
        self.spent_ns: dict[str, int] = {}
        # What the calls below took, for each call under way.
        self._below_ns: list[int] = []

    def wrap(self, stage: str, owner: Any, name: str) -> None:
        """Put a timed function in the place of one: a module's, or an object's."""
        setattr(owner, name, self.timed(stage, getattr(owner, name)))

    def timed(self, stage: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """Give the function with its time taken."""
        clock, below_ns, spent_ns = time.perf_counter_ns, self._below_ns, self.spent_ns
        spent_ns.setdefault(stage, 0)

        def call(*arguments: Any, **named: Any) -> Any:
            below_ns.append(0)
            began_ns = clock()
            try:
                return function(*arguments, **named)
            finally:
                took_ns = clock() - began_ns
                spent_ns[stage] += took_ns - below_ns.pop()
                if below_ns:
                    below_ns[-1] += took_ns

        return call

    def overhead_us(self) -> float:
        """What one wrapped call costs more than a bare one."""
        wrapped = Stopwatch().timed("nothing", _nothing)
        return _time_us(wrapped) - _time_us(_nothing)


def _nothing() -> None:
    pass


def _time_us(function: Callable[[], Any]) -> float:
    began_ns = time.perf_counter_ns()
    for _ in range(_CALIBRATION):
        function()
    return (time.perf_counter_ns() - began_ns) / _CALIBRATION / 1_000

"""How many different ones in a sliding window; the twin of `store/lua/distinct.lua`.

Exact up to `EXACT_MAX`. Beyond it only items whose hash has `depth` low zero bits are
kept, and each stands for 2^depth: adaptive sampling (Wegman; Flajolet, On adaptive
sampling, Computing 43, 1990), with a standard error of 1.2/√EXACT_MAX.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

EXACT_MAX = 1024
SLICES = 256
NEVER = -1


@dataclass(slots=True)
class Window:
    """What is remembered of one window.

    Attributes:
        depth: low zero bits that an item needs to be kept.
        slices: four bytes of keyed hash to the slice of the last use, the least
            recently used first.
    """

    depth: int = 0
    slices: dict[bytes, int] = field(default_factory=dict)

    def count(self) -> int:
        """How many different ones there are, or about as many."""
        return len(self.slices) << self.depth


def is_sampled(item: bytes, depth: int) -> bool:
    """Whether an item is one of those that are kept at this depth."""
    return int.from_bytes(item, "big") % (1 << depth) == 0


def slice_of(now_us: int, window_us: int) -> int:
    """The slice of this moment."""
    return int(now_us / (window_us / SLICES))


def begin_us(number: int, window_us: int) -> int:
    """The first moment of a slice, by the same arithmetic that tells moments their slice.

    The product alone can be a microsecond early or late: nobody is told to come back
    when it is too soon.
    """
    length = window_us / SLICES
    moment = math.floor(number * length) - 1
    while int(moment / length) < number:
        moment += 1
    return moment


def prune(window: Window, now_us: int, window_us: int) -> None:
    """Drop what aged out: at most one slice late, never early."""
    current = slice_of(now_us, window_us)
    for item, used in list(window.slices.items()):
        if current - used <= SLICES:
            break
        del window.slices[item]
    if not window.slices:
        window.depth = 0


def news(window: Window, items: Iterable[bytes]) -> list[bytes]:
    """Those that would be counted and are not there yet."""
    return [
        item
        for item in items
        if is_sampled(item, window.depth) and item not in window.slices
    ]


def retry_after_us(
    window: Window, items: Sequence[bytes], limit: int, now_us: int, window_us: int
) -> int:
    """Until a message with these items would fit, 0 if it does, `NEVER`.

    Args:
        window: pruned at `now_us`.
        items: different ones.
        limit: how many there may be.
        now_us: microseconds since the epoch.
        window_us: length of the window.
    """
    weight = 1 << window.depth
    after = len(window.slices) + len(news(window, items))
    over = math.ceil(after - limit / weight)
    if over <= 0:
        return 0
    # The message brings its own along again.
    others = [used for item, used in window.slices.items() if item not in items]
    if over > len(others):
        return NEVER
    return max(1, begin_us(others[over - 1] + SLICES + 1, window_us) - now_us)


def add(window: Window, items: Iterable[bytes], now_us: int, window_us: int) -> None:
    """Count items; those that were there are used again.

    Args:
        window: changed in place; it was pruned at `now_us`.
        items: different ones.
        now_us: microseconds since the epoch.
        window_us: length of the window.
    """
    current = slice_of(now_us, window_us)
    kept = [item for item in items if is_sampled(item, window.depth)]
    # What was there moves before what is new, as on the server.
    for item in sorted(kept, key=lambda item: item not in window.slices):
        window.slices.pop(item, None)
        window.slices[item] = current
    while len(window.slices) > EXACT_MAX:
        window.depth += 1
        for item in list(window.slices):
            if not is_sampled(item, window.depth):
                del window.slices[item]


def remove(window: Window, items: Iterable[bytes]) -> None:
    """Take out what one message added."""
    for item in items:
        window.slices.pop(item, None)
    if not window.slices:
        window.depth = 0


def rescale(window: Window, counted_us: int, window_us: int, now_us: int) -> None:
    """Go on at another window: what was used stays used, and is as old as it was.

    Args:
        window: changed in place.
        counted_us: the window at which it was counted.
        window_us: the window in force.
        now_us: microseconds since the epoch.
    """
    current = slice_of(now_us, window_us)
    before = slice_of(now_us, counted_us)
    length, old = window_us / SLICES, counted_us / SLICES
    for item, used in list(window.slices.items()):
        age = max(0, before - used)
        moved = min(current, math.floor((before - age + 1) * old / length))
        if current - moved > SLICES:
            del window.slices[item]
        else:
            window.slices[item] = moved

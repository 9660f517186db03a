"""How many different ones in a sliding window; the twin of `store/lua/distinct.lua`.

Exact up to `EXACT_MAX`. Beyond it only items whose hash has `depth` low zero bits are
kept, and each stands for 2^depth: adaptive sampling (Wegman; Flajolet, On adaptive
sampling, Computing 43, 1990), with a standard error of 1.2/√EXACT_MAX.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

EXACT_MAX = 1024
SLICES = 256


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
    return int.from_bytes(item[2:4], "big") % (1 << depth) == 0


def prune(window: Window, now_us: int, window_us: int) -> None:
    """Drop what aged out: at most one slice late, never early."""
    current = int(now_us / (window_us / SLICES))
    for item, used in list(window.slices.items()):
        if current - used <= SLICES:
            break
        del window.slices[item]


def news(window: Window, items: Iterable[bytes]) -> list[bytes]:
    """Those that would be counted and are not there yet."""
    return [
        item
        for item in items
        if is_sampled(item, window.depth) and item not in window.slices
    ]


def add(window: Window, items: Iterable[bytes], now_us: int, window_us: int) -> None:
    """Count items; those that were there are used again.

    Args:
        window: changed in place; it was pruned at `now_us`.
        items: different ones.
        now_us: microseconds since the epoch.
        window_us: length of the window.
    """
    current = int(now_us / (window_us / SLICES))
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

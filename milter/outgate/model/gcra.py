"""The generic cell rate algorithm, as a pure function.

The Lua script `store/lua/charge.lua` does the same on the server; this twin judges
it in tests, and the degraded local store uses it when the server is away.

State of one counter is its *theoretical arrival time* (TAT): the moment, in
microseconds since the epoch, at which everything charged so far has drained. An
empty counter has a TAT in the past, so a key that expires changes no answer. Beside it
stands the interval at which it was counted: when a limit gets another rate, what was used
stays used (`rescale`), and an operator's override helps with the next message that knows
of it. (ITU-T I.371 annex A, virtual scheduling; the names remaining, retry-after and
reset-after are those of redis-cell.)
"""

import math
from dataclasses import dataclass
from typing import NamedTuple

NEVER = -1


@dataclass(frozen=True, slots=True)
class Charge:
    """What one message would cost one counter.

    Attributes:
        interval_us: microseconds that one unit takes to drain.
        burst: how many units fit into an empty counter.
        cost: units that this message takes; 0 only looks, and always fits.
        binding: whether a refusal here refuses the whole message.
    """

    interval_us: int
    burst: int
    cost: int
    binding: bool = True


class Level(NamedTuple):
    """What one counter says to one charge.

    Attributes:
        fits: whether the cost fits.
        used: units in the counter now, after the charge if it was made.
        retry_after_us: until the cost would fit; 0 if it fits, `NEVER` if the
            cost is larger than the burst.
        charged: what it costs, and so what is given back: units, or of a counter of
            different ones the keyed hashes that are new in it.
    """

    fits: bool
    used: int
    retry_after_us: int
    charged: int | bytes = 0


def rescale(tat_us: int, counted_us: int, interval_us: int, now_us: int) -> int:
    """Give the TAT of a counter whose limit drains at another rate now.

    Args:
        tat_us: as it was counted.
        counted_us: the interval at which it was counted, 0 where unknown.
        interval_us: the interval in force.
        now_us: microseconds since the epoch.

    Returns:
        A TAT with as many units used as before, rounded up. Doubles, in the order of
        the Lua script, so that both give the same microsecond.
    """
    if counted_us in {0, interval_us} or tat_us <= now_us:
        return tat_us
    return now_us + math.ceil((tat_us - now_us) / counted_us * interval_us)


def check_all(
    tats_us: list[int], charges: list[Charge], now_us: int
) -> tuple[bool, list[Level], list[int]]:
    """Check every charge, then charge all or none.

    A charge that is not binding is checked for itself: it neither stops the others
    nor is charged where it does not fit.

    Args:
        tats_us: the TAT of each counter, 0 where there is none.
        charges: one for each counter.
        now_us: microseconds since the epoch.

    Returns:
        Whether all binding charges fit; the level of each counter; the TAT of each
        counter afterwards (unchanged where nothing was charged).
    """
    news = [
        max(tat, now_us) + charge.cost * charge.interval_us
        for tat, charge in zip(tats_us, charges, strict=True)
    ]
    overs = [
        new - now_us - charge.burst * charge.interval_us
        for new, charge in zip(news, charges, strict=True)
    ]
    allowed = all(
        over <= 0 or not charge.cost
        for over, charge in zip(overs, charges, strict=True)
        if charge.binding
    )
    levels: list[Level] = []
    after: list[int] = []
    for tat, new, over, charge in zip(tats_us, news, overs, charges, strict=True):
        # What costs nothing is never refused, however full the counter is.
        fits = over <= 0 or not charge.cost
        held = new if allowed and fits else max(tat, now_us)
        used = -((now_us - held) // charge.interval_us)
        if fits:
            retry_after_us = 0
        elif charge.cost > charge.burst:
            retry_after_us = NEVER
        else:
            retry_after_us = over
        levels.append(Level(fits, used, retry_after_us, charge.cost))
        after.append(new if allowed and fits and charge.cost else tat)
    return allowed, levels, after


def refund(tat_us: int, charge: Charge) -> int:
    """Give a charge back: the TAT without it (0 where there was no counter)."""
    return max(0, tat_us - charge.cost * charge.interval_us) if tat_us else 0

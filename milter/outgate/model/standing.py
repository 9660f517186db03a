"""How much of its limits a customer has earned; the twin of `store/lua/standing.lua`.

A customer's *standing* is a per cent of its limits on strangers. It grows with time in good conduct,
from what a new customer gets to the whole and beyond, within bounds that the operator
set, and falls back when a message is stopped. It is a straight line from `start` to 100
and another from 100 to `most`, each `warm_up` long.
"""

import math
from dataclasses import dataclass
from datetime import timedelta

from outgate.model.units import Rate, to_us

WHOLE = 100
"""Per cent: the limits as they are written."""
MIN_WARM_UP = timedelta(days=5)
"""The least `warm-up`. A message that is tried again was stopped once, for as long as its
first attempt is known (`store.charging`): sooner, whoever goes on trying would be rewarded.
"""


@dataclass(frozen=True, slots=True)
class Growth:
    """The bounds.

    Attributes:
        start: per cent for who has just come, or has just been stopped; 1 to 100.
        most: per cent that it may grow to; at least 100.
        warm_up_us: of good conduct from `start` to 100 per cent, and from there to `most`.
    """

    start: int = WHOLE
    most: int = WHOLE
    warm_up_us: int = 1

    @property
    def moves(self) -> bool:
        """Whether conduct changes anything."""
        return self.start < WHOLE or self.most > WHOLE

    def standing(self, age_us: int) -> int:
        """Per cent after so much good conduct, rounded down.

        Doubles, in the order of the Lua script, so that both give the same.
        """
        warm_up_us = self.warm_up_us
        if age_us >= 2 * warm_up_us:
            return self.most
        if age_us >= warm_up_us:
            grown = float(self.most - WHOLE) * (age_us - warm_up_us) / warm_up_us
            return math.floor(WHOLE + grown)
        grown = float(WHOLE - self.start) * max(0, age_us) / warm_up_us
        return math.floor(self.start + grown)


@dataclass(frozen=True, slots=True)
class Conduct:
    """What the store is asked about a customer's conduct.

    Attributes:
        growth: within which bounds.
        since_us: since when the operator knows the customer, microseconds since the
            epoch; 0 where only the store can tell.
        noted: whether it counts that this message is stopped: not where an operator lets
            it out all the same.
    """

    growth: Growth
    since_us: int = 0
    noted: bool = True


@dataclass(slots=True)
class Record:
    """What is remembered of a customer.

    Attributes:
        first_us: when its first message was seen, microseconds since the epoch.
        stopped_us: when its last message was stopped; 0 for never.
    """

    first_us: int
    stopped_us: int = 0

    @classmethod
    def begin(cls, conduct: Conduct, now_us: int, *, known: bool) -> "Record":
        """Of a customer of whom nothing is remembered.

        Args:
            conduct: its bounds.
            now_us: microseconds since the epoch.
            known: whether it has mailed anybody: it was here before its conduct was
                counted, and is no new one.
        """
        return cls(now_us - conduct.growth.warm_up_us if known else now_us)

    def standing(self, conduct: Conduct, now_us: int) -> int:
        """Per cent in force."""
        since_us = max(conduct.since_us or self.first_us, self.stopped_us)
        return conduct.growth.standing(now_us - since_us)


def scaled_burst(burst: int, standing: int) -> int:
    """What fits at once; at least one, or small limits would be none."""
    return max(1, burst * standing // WHOLE)


def scaled_interval_us(interval_us: int, standing: int) -> int:
    """Microseconds that one unit takes to drain, as the Lua script calculates it."""
    return math.ceil(float(interval_us) * WHOLE / standing)


def scaled_rate(rate: Rate, standing: int) -> Rate:
    """The rate in force as a person reads it: whole units, rounded down."""
    count = rate.count * standing // WHOLE
    if count:
        return Rate(count, rate.period)
    period_us = to_us(rate.period) * WHOLE // (rate.count * standing)
    return Rate(1, timedelta(microseconds=period_us))

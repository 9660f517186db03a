"""What a customer has mailed lately, by content; the twin of `store/lua/content.lua`.

A content is known by its bands (`message.fingerprint`), as keyed hashes. Of each it is
remembered how many recipients it reached, and how many of them were strangers; of 64
contents, for 30 days after their last use.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from outgate.model.distinct import is_sampled

PLACES = 64
PEOPLE_MAX = 64
_FEW = 2
HOUR_US = 3600 * 1_000_000
HOURS_KEPT = 30 * 24


@dataclass(slots=True)
class Content:
    """One mailing.

    Attributes:
        bands: of its first message.
        hour: of its last use.
        people: keyed hashes of those it reached, sampled at `depth`.
        tat_us: of the strangers among them, as in `model.gcra`.
        few: how many strangers, as long as it reached two at most: they do not drain.
    """

    bands: tuple[bytes, ...]
    hour: int
    people: list[bytes] = field(default_factory=list)
    depth: int = 0
    tat_us: int = 0
    few: int | None = 0

    def reached(self) -> int:
        """How many recipients it reached, or about as many."""
        return len(self.people) << self.depth

    def strangers(self, now_us: int, interval_us: int) -> int:
        """How many of them count as strangers now."""
        if self.few is not None:
            return self.few
        return math.ceil(max(0, self.tat_us - now_us) / interval_us)


@dataclass(slots=True)
class Contents:
    """A customer's table; the least recently used content comes first."""

    entries: list[Content] = field(default_factory=list)

    def find(self, bands: Sequence[bytes], now_us: int) -> Content | None:
        """The content that shares a band, at the same place."""
        hour = now_us // HOUR_US
        for place, band in enumerate(bands):
            for entry in self.entries:
                if entry.bands[place] == band:
                    if hour - entry.hour <= HOURS_KEPT:
                        return entry
                    break
        return None

    def remember(
        self,
        bands: Sequence[bytes],
        people: Sequence[bytes],
        strangers: int,
        now_us: int,
        interval_us: int,
    ) -> None:
        """Note that a content went to some people.

        Args:
            bands: of the message.
            people: different recipients.
            strangers: how many of them count as strangers.
            now_us: microseconds since the epoch.
            interval_us: microseconds that one stranger takes to drain.
        """
        entry = self.find(bands, now_us)
        if entry is None:
            self._make_room()
            entry = Content(tuple(bands), 0)
        else:
            self.entries.remove(entry)
        self.entries.append(entry)
        entry.hour = now_us // HOUR_US
        for one in people:
            if is_sampled(one, entry.depth) and one not in entry.people:
                entry.people.append(one)
        while len(entry.people) > PEOPLE_MAX:
            entry.depth += 1
            entry.people = [one for one in entry.people if is_sampled(one, entry.depth)]
        level_us = entry.strangers(now_us, interval_us) * interval_us
        if entry.few is None:
            level_us = max(0, entry.tat_us - now_us)
        entry.tat_us = now_us + level_us + strangers * interval_us
        if entry.few is not None:
            entry.few += strangers
            if len(entry.people) > _FEW or entry.few > _FEW:
                entry.few = None

    def _make_room(self) -> None:
        if len(self.entries) < PLACES:
            return
        victim = next(
            (entry for entry in self.entries if entry.few is not None), self.entries[0]
        )
        self.entries.remove(victim)

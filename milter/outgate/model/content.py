"""What a customer has mailed lately, by content; the twin of `store/lua/content.lua`.

A content is known by its bands (`message.fingerprint`), as keyed hashes. Of each it is
remembered how many recipients it reached, and how many of them were strangers; of 64
contents, for 30 days after their last use.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from outgate.model.distinct import is_sampled
from outgate.model.gcra import rescale

PLACES = 64
PEOPLE_MAX = 64
FEW = 5
# In the index of the table; further ones make no difference there.
_STRANGERS_TOLD = 255
HOUR_US = 3600 * 1_000_000
HOURS_KEPT = 30 * 24


@dataclass(slots=True)
class Content:
    """One mailing.

    Attributes:
        bands: of its first message.
        hour: of its last use.
        people: keyed hashes of those it reached, sampled at `depth`.
        ever: how many strangers it reached, whenever that was.
        tat_us: of the strangers, as in `model.gcra`; as long as it reached `FEW`
            people at most, they do not drain.
        counted_us: at which interval they were counted.
        is_small: whether it was small when it was written.
    """

    bands: tuple[bytes, ...]
    hour: int
    people: list[bytes] = field(default_factory=list)
    depth: int = 0
    ever: int = 0
    tat_us: int = 0
    counted_us: int = 0
    is_small: bool = True

    def write(self) -> None:
        """Find out whether it is small now."""
        self.is_small = self.depth == 0 and len(self.people) <= FEW and self.ever <= FEW

    def rank(self) -> int:
        """Of how much use it is to remember it: whose is lower makes room first.

        Powers of two of the strangers. Below, mailings to known people and letters are
        not told apart, or letters to one stranger each would flush the newsletter to
        members.
        """
        return (min(_STRANGERS_TOLD, self.ever) // (FEW + 1)).bit_length()

    def reached(self) -> int:
        """How many recipients it reached, or about as many."""
        return len(self.people) << self.depth

    def level_us(self, now_us: int, interval_us: int) -> int:
        """How long the strangers take to drain."""
        if self.is_small:
            return self.ever * interval_us
        tat_us = rescale(self.tat_us, self.counted_us, interval_us, now_us)
        return max(0, tat_us - now_us)

    def strangers(self, now_us: int, interval_us: int) -> int:
        """How many of them count as strangers now."""
        return math.ceil(self.level_us(now_us, interval_us) / interval_us)


@dataclass(slots=True)
class Contents:
    """A customer's table; the least recently used content comes first."""

    entries: list[Content] = field(default_factory=list)

    def find(self, bands: Sequence[bytes], now_us: int) -> Content | None:
        """The content that shares a band, at the same place."""
        self._prune(now_us)
        for place, band in enumerate(bands):
            for entry in self.entries:
                if entry.bands[place] == band:
                    return entry
        return None

    def fits(
        self,
        bands: Sequence[bytes],
        people: Sequence[bytes],
        strangers: int,
        burst: int,
        share: int,
        now_us: int,
        interval_us: int,
    ) -> bool:
        """Whether a message may go on.

        Args:
            bands: of the message.
            people: different recipients.
            strangers: how many of them count as strangers.
            burst: strangers that one content may reach at once.
            share: per cent of strangers, of all that it ever reached, up to which it
                may reach more.
            now_us: microseconds since the epoch.
            interval_us: microseconds that one stranger takes to drain.
        """
        entry = self.find(bands, now_us) or Content(tuple(bands), 0)
        after = (
            entry.reached() + len(_news(entry, people)) * (1 << entry.depth),
            entry.ever + strangers,
        )
        return (
            not strangers
            or entry.strangers(now_us, interval_us) + strangers <= burst
            or 100 * after[1] <= share * after[0]
        )

    def remember(
        self,
        bands: Sequence[bytes],
        people: Sequence[bytes],
        strangers: int,
        now_us: int,
        interval_us: int,
    ) -> list[bytes]:
        """Note that a content went to some people; gives those that it had not reached.

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
        level_us = entry.level_us(now_us, interval_us)
        added = _news(entry, people)
        entry.people += added
        while len(entry.people) > PEOPLE_MAX:
            entry.depth += 1
            entry.people = [one for one in entry.people if is_sampled(one, entry.depth)]
        entry.tat_us = now_us + level_us + strangers * interval_us
        entry.counted_us = interval_us
        entry.ever += strangers
        entry.write()
        return added

    def forget(
        self,
        bands: Sequence[bytes],
        people: Iterable[bytes],
        strangers: int,
        now_us: int,
        interval_us: int,
    ) -> None:
        """Take out what one message added."""
        entry = self.find(bands, now_us)
        if entry is None:
            return
        level_us = entry.level_us(now_us, interval_us) - strangers * interval_us
        gone = set(people)
        entry.people = [one for one in entry.people if one not in gone]
        entry.tat_us = now_us + max(0, level_us)
        entry.counted_us = interval_us
        entry.ever = max(0, entry.ever - strangers)
        entry.hour = now_us // HOUR_US
        entry.write()
        self.entries.remove(entry)
        if entry.people or not entry.is_small:
            self.entries.append(entry)

    def erase(self, one: bytes) -> int:
        """Forget one recipient; gives how many contents had reached it.

        What drains goes on as it was: it names nobody.
        """
        found = [entry for entry in self.entries if one in entry.people]
        for entry in found:
            entry.people.remove(one)
        return len(found)

    def _prune(self, now_us: int) -> None:
        hour = now_us // HOUR_US
        while self.entries and hour - self.entries[0].hour > HOURS_KEPT:
            del self.entries[0]

    def _make_room(self) -> None:
        if len(self.entries) < PLACES:
            return
        # The first of equal ones: the least recently used.
        self.entries.remove(min(self.entries, key=Content.rank))


def _news(entry: Content, people: Iterable[bytes]) -> list[bytes]:
    return [
        one
        for one in people
        if is_sampled(one, entry.depth) and one not in entry.people
    ]

"""Whom a customer has mailed; the twin of `store/lua/contacts.lua`.

The server keeps two or four bytes of a keyed hash, and so takes some strangers for
known; this twin keeps all it is given.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

WEEK_US = 7 * 86_400 * 1_000_000
WEEKS_KEPT = 57
"""About 400 days: a yearly letter finds its readers known."""


@dataclass(slots=True)
class Contacts:
    """Keyed hash to the week of the last message, weeks since the epoch."""

    weeks: dict[bytes, int] = field(default_factory=dict)

    def strangers(self, people: Iterable[bytes], now_us: int) -> list[bytes]:
        """Those who were not mailed in the last `WEEKS_KEPT` weeks."""
        week = now_us // WEEK_US
        return [
            one
            for one in people
            if one not in self.weeks or week - self.weeks[one] > WEEKS_KEPT
        ]

    def remember(self, people: Iterable[bytes], now_us: int) -> None:
        """Note that they were mailed."""
        self.weeks.update(dict.fromkeys(people, now_us // WEEK_US))

    def forget(self, people: Iterable[bytes]) -> None:
        """Have never mailed them."""
        for one in people:
            self.weeks.pop(one, None)

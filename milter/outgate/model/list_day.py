"""How a list's mail kept to the policy, added up over a day or more.

What is counted are plain words with numbers, so that a person can read the key in Redis:

    messages 12  recipients 600  witnessed 570  unknown 30  removed 30
    headers-fix 12  fault:post-missing 12

A recipient counts once for each message. Complaints are no part of it.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import NamedTuple

from outgate.model.optin import Permission

KEPT_DAYS = 92
WEEK_DAYS = 7

MESSAGES = "messages"
RECIPIENTS = "recipients"
UNSEEN = "unseen"
REMOVED = "removed"
HELD = "held"
REFUSED = "refused"
HEADERS = "headers-"
FAULT = "fault:"

_PER_CENT = 100


@dataclass(frozen=True, slots=True)
class Compliance:
    """Sums of one list.

    Attributes:
        counts: word to number, as above.
    """

    counts: Mapping[str, int]

    @classmethod
    def total(cls, parts: "Iterable[Compliance]") -> "Compliance":
        """Add up."""
        counts: Counter[str] = Counter()
        for part in parts:
            counts.update(part.counts)
        return cls(counts)

    def of(self, word: str) -> int:
        """One number; 0 where nothing was counted."""
        return self.counts.get(word, 0)

    @property
    def messages(self) -> int:
        """How many there were."""
        return self.of(MESSAGES)

    @property
    def covered(self) -> int:
        """Recipients with a consent."""
        return sum(self.of(one.value) for one in Permission if one.is_consent)

    @property
    def coverage_percent(self) -> float | None:
        """Of the recipients; None where there was no mail."""
        recipients = self.of(RECIPIENTS)
        return _PER_CENT * self.covered / recipients if recipients else None

    @property
    def by_permission(self) -> dict[Permission, int]:
        """Recipients by what the registry said of them; who is 0 is left out."""
        return {one: count for one in Permission if (count := self.of(one.value))}

    @property
    def faults(self) -> list[tuple[str, int]]:
        """Faults of the list's headers with the number of messages, most often first."""
        found = [
            (word.removeprefix(FAULT), count)
            for word, count in self.counts.items()
            if word.startswith(FAULT)
        ]
        return sorted(found, key=lambda one: (-one[1], one[0]))

    @property
    def headers(self) -> dict[str, int]:
        """Messages by the verdict on their list headers."""
        return {
            word.removeprefix(HEADERS): count
            for word, count in self.counts.items()
            if word.startswith(HEADERS)
        }


class Week(NamedTuple):
    """Seven days, the last of which need not be over.

    Attributes:
        first: the earliest day.
        last: the latest.
        sums: of all of them.
    """

    first: date
    last: date
    sums: Compliance


def weeks(days: Mapping[date, Compliance]) -> list[Week]:
    """The weeks that had mail, counted back from the last day that had some."""
    found = []
    last = max(days, default=date.min)
    while days and last >= min(days):
        first = last - timedelta(days=WEEK_DAYS - 1)
        part = [one for day, one in days.items() if first <= day <= last]
        if part:
            found.append(Week(first, last, Compliance.total(part)))
        last -= timedelta(days=WEEK_DAYS)
    return found

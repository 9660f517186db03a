"""Grace: how long a registered list may lack consents before its rule acts.

The store remembers since when the rule `list-without-consent` is enforced, and when each
list was first seen in a configuration. A list that was there before gets `[optin] grace`
from the day of enforcing; one that is first seen within as long after that day gets it
from its own; later ones get none. Only lists that an operator registered are counted, and
of one customer the first `MOST_IN_GRACE`: a new id each day gains nothing.
"""

from collections import Counter
from collections.abc import Mapping
from typing import NamedTuple

MOST_IN_GRACE = 20
"""Lists of one customer; an operator may order more."""

ListKey = tuple[str, str]
"""Customer and List-Id."""


class Deadline(NamedTuple):
    """From when on a list needs consents.

    Attributes:
        until_us: microseconds since the epoch.
        by: who ordered it; "" where nobody did.
        first_us: when the list was first seen, 0 where that is not known.
    """

    until_us: int
    by: str = ""
    first_us: int = 0


NO_DEADLINES: Mapping[ListKey, Deadline] = {}


def deadlines(
    enforced_us: int,
    first_us: Mapping[ListKey, int],
    ordered: Mapping[ListKey, Deadline],
    grace_us: int,
) -> dict[ListKey, Deadline]:
    """The deadline of each list.

    Args:
        enforced_us: since when the rule is enforced; 0 where it never was: no
            automatic grace has begun.
        first_us: when each list was first seen.
        ordered: what operators ordered; that counts before all.
        grace_us: how long one is.
    """
    found: dict[ListKey, Deadline] = {}
    granted: Counter[str] = Counter()
    for key in sorted(first_us, key=lambda one: (first_us[one], one)):
        first = first_us[key]
        begins = max(first, enforced_us)
        until_us = first
        if (
            enforced_us
            and first <= enforced_us + grace_us
            and granted[key[0]] < MOST_IN_GRACE
        ):
            granted[key[0]] += 1
            until_us = begins + grace_us
        found[key] = Deadline(until_us, first_us=first)
    for key, one in ordered.items():
        found[key] = one._replace(first_us=first_us.get(key, 0))
    return found

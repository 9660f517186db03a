"""Which customers send a content to strangers; the twin of `store/lua/share.lua`.

A content counts against a customer only while it is *new* to it: for a day from its first
use. A template that customers send all the time is new to none of them. Whoever it is new to
has a room of records apart from whoever it is old to: else old ones would hide new ones.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

NEW_H = 24
"""Hours for which a content is new to whoever begins to send it."""
KEPT_H = 8 * 24
"""Hours since the last use: a weekly letter stays old, an hour too late included."""
NEW_KEPT = 32
"""Customers to whom it is new; the strangers of further ones are added to the last of them."""
OLD_KEPT = 224
"""Customers to whom it is old; further ones begin anew each day."""
STRANGERS_MOST = 255


class Sharer(NamedTuple):
    """One customer.

    Attributes:
        customer: keyed hash.
        strangers: how many it reached while the content was new to it; 255 and more
            are 255.
        first_h: hours since the epoch of its first use; once that is more than `NEW_H`
            back, as if it had been just so long before the last use.
    """

    customer: bytes
    strangers: int
    first_h: int


class Company(NamedTuple):
    """In whose company a customer sends a content.

    Attributes:
        customers: how many others there are to whom the content is new.
        strangers: how many strangers they reached.
        familiar: whether the content is old to the customer itself.
    """

    customers: int
    strangers: int
    familiar: bool


def company_of(own: bytes, sharers: Iterable[Sharer], hour: int) -> Company:
    """See who else began to send a content lately.

    Args:
        own: keyed hash of the customer that asks.
        sharers: all that is known of the content, outdated records included.
        hour: since the epoch.
    """
    customers = strangers = 0
    familiar = False
    for one in sharers:
        age_h = hour - one.first_h
        if age_h <= NEW_H:
            if one.customer != own:
                customers += 1
                strangers += one.strangers
        elif one.customer == own:
            familiar = is_kept(age_h)
    return Company(customers, strangers, familiar)


def is_kept(age_h: int) -> bool:
    """Whether a record so old still says anything."""
    return age_h <= NEW_H + 1 + KEPT_H


@dataclass(slots=True)
class Sharers:
    """Those of one content, in the order of their first use."""

    records: list[Sharer] = field(default_factory=list)

    def note(self, customer: bytes, strangers: int, hour: int) -> None:
        """Note that a customer's mail reached strangers at this hour."""
        kept: list[Sharer] = []
        new: list[int] = []
        old = 0
        for one in self.records:
            if hour - one.first_h <= NEW_H:
                if len(new) < NEW_KEPT:
                    new.append(len(kept))
                    kept.append(one)
            elif is_kept(hour - one.first_h) and old < OLD_KEPT:
                old += 1
                kept.append(one)
        self.records = kept
        for place, one in enumerate(kept):
            if one.customer == customer:
                kept[place] = _again(one, strangers, hour)
                return
        reached = min(STRANGERS_MOST, strangers)
        if len(new) < NEW_KEPT:
            kept.append(Sharer(customer, reached, hour))
        else:
            self._add_to_last(new, reached)

    def _add_to_last(self, new: list[int], strangers: int) -> None:
        for place in reversed(new):
            one = self.records[place]
            total = one.strangers + strangers
            self.records[place] = one._replace(strangers=min(STRANGERS_MOST, total))
            strangers = max(0, total - STRANGERS_MOST)


def _again(one: Sharer, strangers: int, hour: int) -> Sharer:
    if hour - one.first_h > NEW_H:
        return one._replace(first_h=hour - NEW_H - 1)
    return one._replace(strangers=min(STRANGERS_MOST, one.strangers + strangers))

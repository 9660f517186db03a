"""What a gate knows before the day: a month of normal mail, and who has consented."""

from collections import Counter
from collections.abc import Iterable
from enum import StrEnum

from scenarios.gatehouse import Gatehouse
from scenarios.mail import Message
from scenarios.scenario import Members


class How(StrEnum):
    """How a gate comes to know the past."""

    SENT = "sent"
    LOADED = "loaded"


class CannotBeLoadedError(RuntimeError):
    """The store's memory has no form yet in which it could be written from outside."""


def remember(
    house: Gatehouse, history: Iterable[Message], how: How = How.SENT
) -> Counter[str]:
    """Let the gate watch the past.

    Args:
        house: which gate.
        history: the past, in order.
        how: by sending all of it, which always works, or by writing what it leaves
            behind.

    Returns:
        How many messages were `sent`, and how many of them `stopped`.

    Raises:
        CannotBeLoadedError: always, for `How.LOADED`.
    """
    if how is How.LOADED:
        raise CannotBeLoadedError("history cannot be loaded as state: send it")
    counts: Counter[str] = Counter()
    for message in history:
        decision = house.offer(message)
        counts["sent"] += 1
        counts["stopped"] += not decision.disposition.action.lets_out
    return counts


def register(house: Gatehouse, members: Iterable[Members]) -> bool:
    """Put consent on file; False while there is no registry to put it in."""
    return not tuple(members)

"""What a gate knows before the day: a month of normal mail, and who has consented."""

from collections import Counter
from collections.abc import Iterable
from enum import StrEnum

from outgate.model.consent import Grade
from outgate.policy.decide import would_let_out
from outgate.store.hashes import Hashes
from outgate.store.registry import Registry
from scenarios.gatehouse import Gatehouse
from scenarios.mail import Message
from scenarios.scenario import Members
from store.running import SECRET


class How(StrEnum):
    """How a gate comes to know the past."""

    WATCHED = "watched"
    SENT = "sent"


def remember(
    house: Gatehouse, history: Iterable[Message], how: How = How.WATCHED
) -> Counter[str]:
    """Let the gate watch the past.

    Args:
        house: which gate.
        history: the past, in order.
        how: by sending all of it in monitor mode, as the manual has operators begin,
            or in enforce mode.

    Returns:
        How many messages were `sent`, and how many of them were, or would have been,
        `stopped`.
    """
    counts: Counter[str] = Counter()
    for message in history:
        decision = house.offer(message, watching=how is How.WATCHED)
        counts["sent"] += 1
        counts["stopped"] += not would_let_out(decision.verdict)
    return counts


def register(house: Gatehouse, members: Iterable[Members]) -> None:
    """Put consent on file, as an operator does who loads it for a list."""
    registry = Registry(house.store.client, house.keys, Hashes(SECRET))
    read = house.policy.recipient
    for one in members:
        mailboxes = [read(address.encode()).mailbox for address in one.addresses]
        registry.load(one.customer, one.list_id, mailboxes, Grade.ASSERTED)

"""Whom a message goes to: how many, inside or outside, and who they are."""

from typing import NamedTuple

from outgate.model.address import parse_path
from outgate.model.transaction import Transaction
from outgate.policy.compiled import Policy


class Envelope(NamedTuple):
    """The recipients of one message.

    Attributes:
        external: outside, people behind aliases included.
        internal: inside.
        people: different mailboxes outside, canonical; empty where nothing asks.
    """

    external: int
    internal: int
    people: tuple[str, ...] = ()


def read_envelope(transaction: Transaction, policy: Policy) -> Envelope:
    """Read the recipients of a message once.

    Beyond what is kept of a monstrous envelope everyone counts as external, and has no
    name; `message-exceeds-limit` speaks of such a message.
    """
    domains = policy.internal_domains
    aliases = policy.aliases
    if not (policy.knows_people or domains or aliases):
        return Envelope(transaction.recipient_count, 0)
    external = internal = 0
    people: dict[str, None] = {}
    for raw in transaction.recipients:
        mailbox, domain = policy.recipient(raw)
        size = aliases.get(str(parse_path(raw)), 1) if aliases else 1
        if domain in domains:
            internal += size
        else:
            external += size
            people[mailbox] = None
    people.pop("", None)
    external += transaction.recipient_count - len(transaction.recipients)
    return Envelope(external, internal, tuple(people) if policy.knows_people else ())

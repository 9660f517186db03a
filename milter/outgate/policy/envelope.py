"""Whom a message goes to: how many, inside or outside, and who they are."""

from dataclasses import dataclass

from outgate.model.address import domain_of, parse_path
from outgate.model.transaction import Transaction
from outgate.policy.compiled import Policy


@dataclass(frozen=True, slots=True)
class Envelope:
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
    """Read the recipients of a message once."""
    if not policy.knows_people:
        return Envelope(*count_recipients(transaction, policy))
    kept = transaction.recipients
    domains = policy.internal_domains
    aliases = policy.aliases
    external = internal = 0
    people: dict[str, None] = {}
    for raw in kept:
        mailbox, domain = policy.recipient(raw)
        size = aliases.get(str(parse_path(raw)), 1) if aliases else 1
        if domain in domains:
            internal += size
        else:
            external += size
            people[mailbox] = None
    people.pop("", None)
    beyond = transaction.recipient_count - len(kept)
    return Envelope(external + beyond, internal, tuple(people))


def count_recipients(transaction: Transaction, policy: Policy) -> tuple[int, int]:
    """External and internal recipients; an alias counts as the people behind it."""
    external = internal = 0
    kept = transaction.recipients
    domains = policy.internal_domains
    aliases = policy.aliases
    if not domains and not aliases:
        return transaction.recipient_count, 0
    for recipient in kept:
        size = aliases.get(str(parse_path(recipient)), 1) if aliases else 1
        if domain_of(recipient) in domains:
            internal += size
        else:
            external += size
    # Beyond what is kept of a monstrous envelope, everyone counts as a stranger.
    return external + transaction.recipient_count - len(kept), internal

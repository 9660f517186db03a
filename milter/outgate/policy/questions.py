"""What policy asks about a message, and what it gets to know: one look-up each."""

from dataclasses import dataclass, field
from enum import StrEnum

from outgate.model.gcra import Level
from outgate.model.limit import Limit
from outgate.model.units import Rate


class Source(StrEnum):
    """Who answered a look-up."""

    STORE = "store"
    LOCAL = "local"
    ACCEPT = "accept"
    DEFER = "defer"


@dataclass(slots=True)
class PlannedCharge:
    """What this message would cost one counter.

    Attributes:
        limit: the limit.
        identity: whose counter, canonical.
        rate: in force for this customer, now.
        burst: in force.
        cost: units; 0 only looks.
        binding: whether a refusal refuses the message: the limit is enforced, and
            what it asks for does not let the message out.
    """

    limit: Limit
    identity: str
    rate: Rate
    burst: int
    cost: int
    binding: bool


@dataclass(slots=True)
class Plan:
    """What must be known to decide about one message.

    Attributes:
        customer: whose counters; the hash tag of all their keys.
        names: under which an operator may have quarantined or suspended it.
        own_names: the part of them that the sender cannot choose: only these can be
            allowed, or have their limits changed.
        charges: against which counters.
        retry_material: what identifies a retry, before it is hashed with the secret.
        external: recipients outside, people behind aliases included.
        internal: recipients inside.
    """

    customer: str
    names: tuple[str, ...]
    own_names: tuple[str, ...]
    charges: list[PlannedCharge]
    retry_material: bytes
    external: int
    internal: int


@dataclass(slots=True, kw_only=True)
class Answers:
    """What the store, or the local copy, knows.

    Attributes:
        now_us: the store's time, microseconds since the epoch.
        source: who answered.
        suspend, quarantine: raw values by `Plan.names`, None where there is none.
        allow: raw values by `Plan.own_names`.
        allowed: whether all binding charges fit, and so were made.
        levels: of each charge.
        attempts: earlier attempts of this very message that were not accepted.
        held_messages: of this customer, in hold queues.
        held_bytes: of these.
        store_us: how long the look-up took.
        trouble: kind of the store's error, "" for none.
    """

    now_us: int
    source: Source = Source.STORE
    suspend: list[bytes | None] = field(default_factory=list)
    quarantine: list[bytes | None] = field(default_factory=list)
    allow: list[bytes | None] = field(default_factory=list)
    allowed: bool = True
    levels: list[Level] = field(default_factory=list)
    attempts: int = 0
    held_messages: int = 0
    held_bytes: int = 0
    store_us: int = 0
    trouble: str = ""

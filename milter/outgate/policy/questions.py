"""What policy asks about a message, and what it gets to know: one look-up each."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import NamedTuple

from outgate.message.optin_evidence import Token
from outgate.model.challenge import Bombing, Witness
from outgate.model.consent import TokenResult
from outgate.model.gcra import Level
from outgate.model.limit import Limit
from outgate.model.optin import Permission, Record
from outgate.model.standing import WHOLE, Conduct, scaled_burst, scaled_rate
from outgate.model.units import Rate
from outgate.model.verdict import MailClass

HASH_BYTES = 4
"""Of a keyed hash by which recipients and the like are told apart."""


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
        items: of a counter of different ones, what is counted.
        earned: whether the limit follows the customer's standing.
    """

    limit: Limit
    identity: str
    rate: Rate
    burst: int
    cost: int
    binding: bool
    items: tuple[str, ...] = ()
    earned: bool = False

    def at(self, standing: int) -> "PlannedCharge":
        """Give it with the rate and the burst that such a standing leaves."""
        if standing == WHOLE or not self.earned:
            return self
        return replace(
            self,
            rate=scaled_rate(self.rate, standing),
            burst=scaled_burst(self.burst, standing),
            earned=False,
        )


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the tokens of one message say.

    Attributes:
        results: how many headers came to which result.
        tokens: the good ones, by the mailbox that each speaks for.
    """

    results: Mapping[TokenResult, int] = field(default_factory=dict)
    tokens: Mapping[str, Token] = field(default_factory=dict)

    def without(self, overruled: Collection[str]) -> "Evidence":
        """As if these mailboxes had no token; the results say why."""
        results = Counter(self.results)
        results[TokenResult.VALID] -= len(overruled)
        results[TokenResult.WITHDRAWN] += len(overruled)
        tokens = {
            mailbox: token
            for mailbox, token in self.tokens.items()
            if mailbox not in overruled
        }
        return Evidence(+results, tokens)


NO_EVIDENCE = Evidence()


class PlannedChallenge(NamedTuple):
    """What is asked and noted of a request to confirm a subscription.

    Attributes:
        list_id: the registered list that it is of; "" where nothing tells.
        mailbox: of its recipient, canonical.
        software: by whose words it was known.
        sender: customer and list: what is told apart by it.
        per_list: how many of one list may go to one person within a day.
        per_recipient: how many of one customer, and how many customers.
        retention_s: how long the ledger keeps it.
        binding: whether one that is too many stays here.
    """

    list_id: str
    mailbox: str
    software: str
    sender: str
    per_list: int
    per_recipient: int
    retention_s: int
    binding: bool


class PlannedClaims(NamedTuple):
    """Confirmations that a message's tokens claim, to be compared with the ledger.

    Attributes:
        claimed_us: by mailbox, when; microseconds since the epoch.
        retention_s: how long the ledger keeps a challenge.
        through_us: whether the list is declared to send its challenges through us.
    """

    claimed_us: Mapping[str, int]
    retention_s: int
    through_us: bool


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
        principal: whose usual amount is remembered.
        people: different external recipients, canonical; empty where nobody is
            counted.
        greeting: whether strangers among them are charged and remembered now.
        bands: fingerprint of the content, as `message.fingerprint` gives it.
        stream: class of the registered stream to which it belongs; None for none.
        subscribed: the registered list whose subscribers are no strangers to this
            message; "" for none.
        campaign: the limit on strangers that one content may reach; None where the
            content does not count.
        profile: name of the profile in force.
        conduct: what is asked about the customer's conduct; None where nothing depends
            on it.
        evidence: what the message's opt-in tokens say.
        claims: confirmations that these claim; None for none.
        challenge: where it is a request to confirm a subscription; else None.
    """

    customer: str
    names: tuple[str, ...]
    own_names: tuple[str, ...]
    charges: list[PlannedCharge]
    retry_material: bytes
    external: int
    internal: int
    principal: str = ""
    people: tuple[str, ...] = ()
    greeting: bool = True
    bands: tuple[bytes, ...] = ()
    subscribed: str = ""
    stream: MailClass | None = None
    campaign: PlannedCharge | None = None
    profile: str = ""
    conduct: Conduct | None = None
    evidence: Evidence = NO_EVIDENCE
    claims: PlannedClaims | None = None
    challenge: PlannedChallenge | None = None

    @property
    def is_challenge_of_list(self) -> bool:
        """Whether it asks somebody to confirm a subscription to a registered list."""
        return self.challenge is not None and bool(self.challenge.list_id)


@dataclass(frozen=True, slots=True)
class Spread:
    """How far one content got.

    Attributes:
        fits: whether it may go on.
        strangers: how many it reached lately, this message included if it was charged.
        retry_after_us: until these strangers would fit, or `gcra.NEVER`.
        reached: recipients that it reached, or about as many.
        added: keyed hashes of those that this message added.
    """

    fits: bool
    strangers: int
    retry_after_us: int
    reached: int
    added: bytes = b""


class Neighbours(NamedTuple):
    """Other customers that began to send the same content lately.

    Attributes:
        customers: how many; a content is new to each for a day (`model.sharing`).
        strangers: how many strangers they reached.
        familiar: whether this customer has been sending it for longer than that.
    """

    customers: int
    strangers: int
    familiar: bool = False


class Registration(NamedTuple):
    """One recipient of whom a token says what counts more than what the registry has.

    Attributes:
        mailbox: canonical.
        record: what the token says, with the grade that the ledger gives it.
        witness: what the ledger says of the claimed confirmation; None where none is
            claimed, or nobody asked.
    """

    mailbox: str
    record: Record
    witness: Witness | None = None


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
        roomy: whether it is known that every counter had room; False where nobody
            looked yet.
        attempts: earlier attempts of this very message that were not accepted.
        held_messages: of this customer, in hold queues.
        held_bytes: of these.
        strangers: keyed hashes of recipients that the customer never mailed, and who
            have not asked for this list.
        renewed: recipients whom the customer had not mailed this week.
        today: such recipients of the principal today, before this message.
        peak: the same on its busiest day of the last weeks, faded.
        standing: per cent that are in force of limits that follow conduct.
        spread: of the message's content, None where it does not count.
        neighbours: who else sends this content, None where nobody asked.
        permissions: what the registry and the message's tokens say of each of
            `Plan.people`, where the message is of a registered list and the store
            answered; else empty.
        registrations: what the registry can learn from the tokens.
        overruled: mailboxes whose token counts less than a withdrawal or an erasure.
        bombing: how often the recipient of a challenge was asked; None for other mail,
            and where the store did not answer.
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
    roomy: bool = False
    attempts: int = 0
    held_messages: int = 0
    held_bytes: int = 0
    strangers: bytes = b""
    renewed: int = 0
    today: int = 0
    peak: int = 0
    standing: int = WHOLE
    spread: Spread | None = None
    neighbours: Neighbours | None = None
    permissions: Sequence[Permission] = ()
    registrations: Sequence[Registration] = ()
    overruled: Collection[str] = ()
    bombing: Bombing | None = None
    store_us: int = 0
    trouble: str = ""

    @property
    def witnesses(self) -> Counter[Witness]:
        """How many claims that are to be registered the ledger says what of."""
        return Counter(one.witness for one in self.registrations if one.witness)

    @property
    def stranger_count(self) -> int:
        """How many of the recipients the customer never mailed."""
        return len(self.strangers) // HASH_BYTES

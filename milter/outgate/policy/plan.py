"""What must be known to decide: names to look up, counters to charge."""

from collections.abc import Iterable, Mapping
from functools import lru_cache

from outgate.message.facts import Facts
from outgate.message.fingerprint import fingerprint
from outgate.message.retry import retry_material
from outgate.model.address import MAX_PATH_BYTES, NullSender, read_sender
from outgate.model.identity import Accountable, Path, PrincipalKind
from outgate.model.limit import Count, Limit, Per
from outgate.model.standing import Conduct
from outgate.model.transaction import Transaction
from outgate.model.units import Rate
from outgate.model.verdict import Mode, Reason
from outgate.policy.compiled import Policy, Profile, RuleInForce
from outgate.policy.envelope import Envelope, read_envelope
from outgate.policy.naming import UNKNOWN_USER
from outgate.policy.operator import ALLOWED_BY_DEFAULT, Entry, Order
from outgate.policy.questions import NO_EVIDENCE, Evidence, Plan, PlannedCharge
from outgate.policy.snapshot import Snapshot
from outgate.policy.witness import plan_claims

_PLAIN = frozenset({Count.MESSAGES, Count.RECIPIENTS, Count.BYTES})
_BY_ADDRESS = frozenset({PrincipalKind.CLIENT, PrincipalKind.NETWORK})
_MACHINES = _BY_ADDRESS | {PrincipalKind.CERTIFICATE}
FORWARDED_RECIPIENTS = 10
"""At most, of a message that may be a forwarded one: `.forward` names a few mailboxes."""
# Counters of one principal alone.
OWN = frozenset({Per.LOGIN, Per.LOCAL_USER, Per.CLIENT, Per.FORWARDER})


def make_plan(
    transaction: Transaction,
    facts: Facts,
    accountable: Accountable,
    policy: Policy,
    snapshot: Snapshot,
    now_us: int,
    evidence: Evidence = NO_EVIDENCE,
) -> Plan:
    """Name the questions of one message.

    Args:
        transaction: the message.
        facts: what its headers say.
        accountable: who answers for it.
        policy: under which settings.
        snapshot: for operators' overrides of limits.
        now_us: this machine's time; overrides that ended do not count.
        evidence: what its opt-in tokens say.
    """
    envelope = read_envelope(transaction, policy)
    external = envelope.external
    sender_domain, sender_address, sender_names = _sender(
        transaction.sender[:MAX_PATH_BYTES]
    )
    own_names = accountable.names
    names = dict.fromkeys((*own_names, accountable.bare_login, *sender_names))
    if facts.header_from is not None:
        names[str(facts.header_from)] = None
        names[facts.header_from.domain] = None
    names[facts.list_id] = None
    names.pop("", None)
    rates = _Rates(accountable, policy, snapshot, now_us)
    conduct = rates.conduct
    forwarded = (
        accountable.forwarder
        and facts.forwarded
        and transaction.recipient_count <= FORWARDED_RECIPIENTS
    )
    customer = accountable.customer
    people = () if forwarded else envelope.people
    registered = (customer, facts.list_id) in policy.lists
    stream = None
    if not registered and not forwarded:
        stream = policy.streams.find(
            customer, facts.header_from, transaction.recipient_count
        )
    challenge = None
    if transaction.recipient_count == 1 and not forwarded and transaction.recipients:
        challenge = policy.challenges.plan(
            transaction,
            facts,
            customer,
            stream,
            policy.recipient,
            binding=_stops(policy.rules[Reason.SUBSCRIPTION_BOMBING]),
        )
    asks = challenge is not None and bool(challenge.list_id)
    # Whom a list asks to confirm is not on it yet.
    subscribed = facts.list_id if registered and people and not asks else ""
    claims = None
    if subscribed and evidence.tokens:
        claims = plan_claims(evidence, people, customer, subscribed, policy.challenges)
    costs = {
        Count.MESSAGES: 1 if external else 0,
        Count.RECIPIENTS: external,
        Count.INTERNAL_RECIPIENTS: envelope.internal,
        Count.BYTES: transaction.size_bytes if external else 0,
        # At most; how many there are is only known where they are remembered.
        Count.STRANGERS: 0 if stream is not None else len(people),
    }
    identities = (
        {Per.FORWARDER: accountable.principal}
        if forwarded
        else _identities(
            accountable,
            sender_domain,
            sender_address,
            facts,
            registered=registered,
            local=transaction.session.path is Path.LOCAL_SUBMISSION,
        )
    )
    charges = _charges(
        policy, rates, costs, identities, envelope, accountable, listed=bool(subscribed)
    )
    campaign = None
    bands: tuple[bytes, ...] = ()
    if people and stream is not None:
        # The operator registered it with this very rate: conduct moves it nowhere.
        rate, burst, _ = rates.of(stream.limit)
        binds = policy.rules[Reason.BULK_TO_STRANGERS].mode is Mode.ENFORCE
        charges.append(PlannedCharge(stream.limit, customer, rate, burst, 1, binds))
    elif people and policy.campaign is not None and accountable.fingerprints:
        # Of a body that nobody showed nothing can be compared, nor of an encrypted one.
        if transaction.session.bodies:
            bands = fingerprint(transaction.headers, transaction.body)
        if bands:
            one = policy.campaign
            rate, burst, earned = rates.of(one.limit)
            campaign = PlannedCharge(
                one.limit, "", rate, burst, 0, one.binds, earned=earned
            )
    return Plan(
        customer,
        tuple(names),
        own_names,
        charges,
        retry_material(transaction),
        external,
        envelope.internal,
        principal=accountable.principal,
        people=people,
        greeting=not subscribed,
        bands=bands,
        subscribed=subscribed,
        stream=stream.mail_class if stream is not None else None,
        campaign=campaign,
        profile=rates.profile.name,
        conduct=conduct,
        evidence=evidence,
        claims=claims,
        challenge=challenge,
    )


def _stops(rule: RuleInForce) -> bool:
    return rule.mode is Mode.ENFORCE and not rule.action.lets_out


def _charges(
    policy: Policy,
    rates: "_Rates",
    costs: Mapping[Count, int],
    identities: Mapping[Per, str],
    envelope: Envelope,
    accountable: Accountable,
    *,
    listed: bool,
) -> list[PlannedCharge]:
    """What the message would cost each limit that applies to it."""
    charges: list[PlannedCharge] = []
    for one in policy.limits:
        limit = one.limit
        if listed and limit.per is not Per.LIST and limit.count in _PLAIN:
            # A registered list's amounts are its own: what it costs is who did not ask.
            continue
        items: tuple[str, ...] = ()
        if limit.count.is_distinct:
            items = _items(limit.count, envelope, accountable)
            cost = len(items)
        else:
            cost = costs[limit.count]
        if not cost:
            continue
        identity = identities.get(limit.per, "")
        if not identity:
            continue
        rate, burst, earned = rates.of(limit)
        binding = one.binds_too_large if cost > burst else one.binds
        charges.append(
            PlannedCharge(limit, identity, rate, burst, cost, binding, items, earned)
        )
    return charges


class _Rates:
    """Rates in force for one message: operators' orders, profile, or the limit's own.

    An order's profile stands in place of the customer's. One for a login changes only
    what is that login's own, and so leaves the growth of the customer's limits alone.
    """

    def __init__(
        self, accountable: Accountable, policy: Policy, snapshot: Snapshot, now_us: int
    ) -> None:
        names = accountable.names
        own = snapshot.limits(names[1:], accountable.client, now_us)
        customer = snapshot.limits(names[:1], None, now_us)
        profile = policy.profiles.get(accountable.profile, policy.normal)
        self.profile = profile = _ordered_profile(customer, policy) or profile
        self._own_profile = _ordered_profile(own, policy) or profile
        self._shared = [entry.rates for entry in customer]
        self._own = [*(entry.rates for entry in own), *self._shared]
        self._overridden = bool(own or customer or profile.limits)
        self.conduct = None
        if profile.growth is not None:
            self.conduct = Conduct(
                profile.growth,
                policy.since_us.get(accountable.customer, 0),
                noted=not _freed(accountable, snapshot, now_us),
            )

    def of(self, limit: Limit) -> tuple[Rate, int, bool]:
        """Rate and burst of a limit, and whether it follows conduct.

        What an operator ordered stands as it was ordered.
        """
        earned = self.conduct is not None and limit.count is Count.STRANGERS
        if self._overridden:
            # An order for one login must not change what its customer shares.
            is_own = limit.per in OWN
            found = _override(limit, self._own if is_own else self._shared)
            if found is not None:
                return found, found.count, False
            profile = self._own_profile if is_own else self.profile
            found = _override(limit, (profile.limits,))
            if found is not None:
                return found, found.count, earned
        return limit.rate, limit.burst, earned


def _ordered_profile(orders: Iterable[Entry], policy: Policy) -> Profile | None:
    """The first profile that there is; the keeper reports the others."""
    for entry in orders:
        if entry.profile and (found := policy.profiles.get(entry.profile)):
            return found
    return None


def _freed(accountable: Accountable, snapshot: Snapshot, now_us: int) -> bool:
    """Whether an operator lets this sender's mail out beyond limits."""
    allowed = snapshot.find(
        Order.ALLOW, accountable.names, accountable.client, only_odd=False
    )
    return any(
        entry.in_force(now_us) and entry.rules & ALLOWED_BY_DEFAULT for entry in allowed
    )


def _items(
    count: Count, envelope: Envelope, accountable: Accountable
) -> tuple[str, ...]:
    """What a limit of different ones counts of this message."""
    client = accountable.client
    match count:
        case Count.DISTINCT_RECIPIENTS:
            return envelope.people
        case Count.RECIPIENT_DOMAINS:
            return tuple({one.rpartition("@")[2]: None for one in envelope.people})
        case Count.CLIENTS:
            return (client.counted,) if client is not None else ()
        case _:
            return (client.network,) if client is not None else ()


@lru_cache(maxsize=4096)
def _sender(path: bytes) -> tuple[str, str, tuple[str, ...]]:
    """Domain and address that are counted, and names by which it may be known."""
    parsed, sender = read_sender(path)
    if isinstance(sender, NullSender):
        # A sender without a domain is counted too, or `<>` would lower a count.
        return str(sender), str(sender), ()
    return (
        sender.domain or str(sender),
        str(sender),
        (str(sender), str(parsed), sender.domain),
    )


def _identities(
    accountable: Accountable,
    domain: str,
    address: str,
    facts: Facts,
    *,
    registered: bool,
    local: bool,
) -> Mapping[Per, str]:
    """Whose counter each kind of limit has, "" where it does not apply."""
    client = accountable.client if accountable.kind in _BY_ADDRESS else None
    user = accountable.local_user
    return {
        Per.LOGIN: accountable.login,
        Per.LOCAL_USER: user if user != UNKNOWN_USER else "",
        Per.CLIENT: _machine(accountable),
        Per.NETWORK: client.network if client is not None else "",
        Per.DOMAIN: domain,
        Per.ADDRESS: address,
        # Any other is the sender's choice, and may name a recipient each time.
        Per.LIST: facts.list_id if registered else "",
        Per.CUSTOMER: accountable.customer,
        # Whoever comes by SMTP can write these headers, and no PHP of ours is asked.
        Per.SCRIPT: facts.script if local else "",
        Per.SITE: facts.site if local else "",
        Per.FORWARDER: "",
    }


def _machine(accountable: Accountable) -> str:
    """Which client a limit for those who did not log in counts, "" for a person."""
    if accountable.local_user == UNKNOWN_USER:
        # A whole host, as its address would be: the MTA tells of no user.
        return UNKNOWN_USER
    if accountable.kind not in _MACHINES:
        return ""
    client = accountable.client
    if accountable.kind is PrincipalKind.CERTIFICATE or client is None:
        # One machine, from whatever address it comes.
        return accountable.principal
    return client.counted


def _override(limit: Limit, rates: Iterable[Mapping[str, Rate]]) -> Rate | None:
    """What the first order says that names this limit or its count."""
    for one in rates:
        if found := one.get(limit.name) or one.get(limit.count.value):
            return found
    return None

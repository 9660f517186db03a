"""What must be known to decide: names to look up, counters to charge."""

from collections.abc import Iterable, Mapping
from functools import lru_cache

from outgate.message.facts import Facts
from outgate.message.retry import retry_material
from outgate.model.address import (
    MAX_PATH_BYTES,
    NullSender,
    domain_of,
    parse_path,
    read_sender,
)
from outgate.model.identity import Accountable, PrincipalKind
from outgate.model.limit import Count, Limit, Per
from outgate.model.transaction import Transaction
from outgate.model.units import Rate
from outgate.policy.compiled import Policy
from outgate.policy.questions import Plan, PlannedCharge
from outgate.policy.snapshot import Snapshot

# Counters of one principal alone.
_OWN = frozenset({Per.LOGIN, Per.LOCAL_USER, Per.CLIENT, Per.FORWARDER})


def make_plan(
    transaction: Transaction,
    facts: Facts,
    accountable: Accountable,
    policy: Policy,
    snapshot: Snapshot,
    now_us: int,
) -> Plan:
    """Name the questions of one message.

    Args:
        transaction: the message.
        facts: what its headers say.
        accountable: who answers for it.
        policy: under which settings.
        snapshot: for operators' overrides of limits.
        now_us: this machine's time; overrides that ended do not count.
    """
    external, internal = count_recipients(transaction, policy)
    sender_domain, sender_names = _sender(transaction.sender[:MAX_PATH_BYTES])
    own_names = accountable.names
    names = dict.fromkeys((*own_names, *sender_names))
    if facts.header_from is not None:
        names[str(facts.header_from)] = None
        names[facts.header_from.domain] = None
    names[facts.list_id] = None
    names.pop("", None)
    forwarded = accountable.forwarder and facts.forwarded
    own_rates = snapshot.rates(own_names[1:], accountable.client, now_us)
    customer_rates = snapshot.rates(own_names[:1], None, now_us)
    profile = policy.profiles.get(accountable.profile)
    shared_rates = (*customer_rates, profile) if profile else customer_rates
    overridden = bool(own_rates or shared_rates)
    costs = {
        Count.MESSAGES: 1 if external else 0,
        Count.RECIPIENTS: external,
        Count.INTERNAL_RECIPIENTS: internal,
    }
    charges: list[PlannedCharge] = []
    for one in policy.limits:
        limit = one.limit
        cost = costs[limit.count]
        if not cost:
            continue
        identity = _identity(
            limit, accountable, sender_domain, facts.list_id, forwarded=forwarded
        )
        if not identity:
            continue
        rate, burst = limit.rate, limit.burst
        if overridden:
            # An order for one login must not change what its customer shares.
            found = (
                _override(limit, own_rates) if limit.per in _OWN else None
            ) or _override(limit, shared_rates)
            if found is not None:
                rate, burst = found, found.count
        binding = one.binds_too_large if cost > burst else one.binds
        charges.append(PlannedCharge(limit, identity, rate, burst, cost, binding))
    return Plan(
        accountable.customer,
        tuple(names),
        own_names,
        charges,
        retry_material(transaction),
        external,
        internal,
    )


@lru_cache(maxsize=4096)
def _sender(path: bytes) -> tuple[str, tuple[str, ...]]:
    """The domain that is counted, and names under which this sender may be known."""
    parsed, sender = read_sender(path)
    if isinstance(sender, NullSender):
        # A sender without a domain is counted too, or `<>` would lower a count.
        return str(sender), ()
    return sender.domain or str(sender), (str(sender), str(parsed), sender.domain)


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


def _identity(
    limit: Limit,
    accountable: Accountable,
    sender_domain: str,
    list_id: str,
    *,
    forwarded: bool,
) -> str:
    """Whose counter of this limit, "" where the limit does not apply."""
    if forwarded:
        return accountable.principal if limit.per is Per.FORWARDER else ""
    match limit.per:
        case Per.LOGIN:
            return accountable.login
        case Per.LOCAL_USER:
            return accountable.local_user
        case Per.CLIENT:
            unauthenticated = accountable.kind in {
                PrincipalKind.CLIENT,
                PrincipalKind.NETWORK,
            }
            client = accountable.client
            return client.counted if unauthenticated and client is not None else ""
        case Per.DOMAIN:
            return sender_domain
        case Per.LIST:
            return list_id
        case Per.CUSTOMER:
            return accountable.customer
        case Per.FORWARDER:
            return ""


def _override(limit: Limit, rates: Iterable[Mapping[str, Rate]]) -> Rate | None:
    """What the first order says that names this limit or its count."""
    for one in rates:
        if found := one.get(limit.name) or one.get(limit.count.value):
            return found
    return None

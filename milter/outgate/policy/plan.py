"""What must be known to decide: names to look up, counters to charge."""

from collections.abc import Mapping

from outgate.message.facts import Facts
from outgate.message.retry import retry_material
from outgate.model.address import NullSender, domain_of, fold, parse_path
from outgate.model.identity import Accountable, PrincipalKind
from outgate.model.limit import Count, Limit, Per
from outgate.model.transaction import Transaction
from outgate.model.units import Rate
from outgate.model.verdict import Mode, Reason
from outgate.policy.compiled import Policy
from outgate.policy.operator import canonical_name
from outgate.policy.questions import Plan, PlannedCharge
from outgate.policy.snapshot import Snapshot

_NO_RATES: Mapping[str, Rate] = {}
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
    sender = fold(parse_path(transaction.sender))
    own_names = _own_names(accountable)
    names = dict.fromkeys(own_names)
    if not isinstance(sender, NullSender):
        names[str(sender)] = None
        names[str(parse_path(transaction.sender))] = None
        names[sender.domain] = None
    if facts.header_from is not None:
        names[str(facts.header_from)] = None
        names[facts.header_from.domain] = None
    names[facts.list_id] = None
    names.pop("", None)
    forwarded = accountable.forwarder and facts.forwarded
    own_rates = snapshot.rates(own_names[1:], accountable.client, now_us)
    customer_rates = snapshot.rates(own_names[:1], None, now_us)
    profile = policy.profiles.get(accountable.profile, _NO_RATES)
    # A sender without a domain is counted too, or `<>` would lower a count.
    sender_domain = sender.domain or str(sender)
    costs = {
        Count.MESSAGES: 1 if external else 0,
        Count.RECIPIENTS: external,
        Count.INTERNAL_RECIPIENTS: internal,
    }
    charges: list[PlannedCharge] = []
    for limit in policy.limits:
        cost = costs[limit.count]
        if not cost:
            continue
        identity = _identity(
            limit, accountable, sender_domain, facts.list_id, forwarded=forwarded
        )
        if identity:
            # An order for one login must not change what its customer shares.
            rate = (
                (_override(limit, own_rates) if limit.per in _OWN else None)
                or _override(limit, customer_rates)
                or _override(limit, profile)
            )
            burst = rate.count if rate else limit.burst
            charges.append(
                PlannedCharge(
                    limit,
                    identity,
                    rate or limit.rate,
                    burst,
                    cost,
                    _binding(limit, policy, too_large=cost > burst),
                )
            )
    return Plan(
        accountable.customer,
        tuple(names),
        own_names,
        charges,
        retry_material(transaction),
        external,
        internal,
    )


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


def _own_names(accountable: Accountable) -> tuple[str, ...]:
    names = [canonical_name(accountable.principal)]
    if accountable.kind is PrincipalKind.LOGIN and "@" in accountable.login:
        names.append(accountable.login.rpartition("@")[2])
    if accountable.client is not None:
        names.extend(accountable.client.spellings)
    return (canonical_name(accountable.customer), *dict.fromkeys(names))


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


def _binding(limit: Limit, policy: Policy, *, too_large: bool) -> bool:
    """Whether a message that does not fit stays here, and so is charged nowhere."""
    reason = Reason.MESSAGE_EXCEEDS_LIMIT if too_large else Reason.LIMIT_EXCEEDED
    rule = policy.rules[reason]
    action = rule.action if too_large else limit.action
    return rule.mode is limit.mode is Mode.ENFORCE and not action.lets_out


def _override(limit: Limit, rates: Mapping[str, Rate]) -> Rate | None:
    if not rates:
        return None
    return rates.get(limit.name) or rates.get(limit.count.value)

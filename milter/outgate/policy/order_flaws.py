"""What of an operator's order cannot act, and what becomes of the rest of it.

Some of it the words tell by themselves (`operator`), the rest depends on the
configuration: limits and profiles that there are, and whose limits a name reaches.
"""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from difflib import get_close_matches

from outgate.model.client import parse_client, parse_network
from outgate.model.identity import PrincipalKind
from outgate.model.limit import Count
from outgate.policy.compiled import Policy
from outgate.policy.operator import (
    Entry,
    Order,
    canonical_name,
    unknown_profile,
    unknown_rates,
)
from outgate.policy.plan import OWN
from outgate.policy.slips import nameless

# What was meant as a network, such as 192.0.2.0/33.
_NETWORK = re.compile(r"[0-9a-fA-F:.]+/\d+")


@dataclass(frozen=True, slots=True)
class Flaws:
    """What is wrong with one order.

    Attributes:
        problems: each with what becomes of the order.
        acts: whether anything of it acts, as long as it is in force.
    """

    problems: tuple[str, ...]
    acts: bool


def flaws(
    entry: Entry,
    limit_names: frozenset[str],
    profile_names: Collection[str] = (),
    policy: Policy | None = None,
) -> Flaws:
    """Look at one order.

    Args:
        entry: as it was read.
        limit_names: that it may name.
        profile_names: that it may name.
        policy: by which it is found out whose limits it reaches; None for not at all.
    """
    problems = list(entry.problems)
    acts = not nameless(entry.name)
    if _NETWORK.fullmatch(entry.name) and parse_network(entry.name) is None:
        problems.append("is no network that exists")
        acts = False
    if entry.order in {Order.ALLOW, Order.LIMIT}:
        acts = acts and not entry.problems
    if entry.order is Order.LIMIT:
        idle = dict(_unknown(entry, limit_names))
        if policy is not None:
            idle |= dict(_shared(entry, policy))
        wrong = unknown_profile(entry, profile_names)
        problems += [*idle.values(), *([wrong] if wrong else [])]
        left = entry.rates.keys() - idle
        acts = acts and bool(left or (entry.profile and not wrong))
    ending = _ending(entry, acts=acts)
    return Flaws(tuple(f"{problem}; {ending}" for problem in problems), acts)


def _ending(entry: Entry, *, acts: bool) -> str:
    if not acts:
        return "the order does nothing"
    if entry.order is Order.LIMIT:
        return "the rest of the order acts"
    endless = not entry.until_us and not entry.for_us
    return f"the order acts{', without an end' if endless else ''}"


def _unknown(entry: Entry, limit_names: frozenset[str]) -> Iterator[tuple[str, str]]:
    """Words that are neither a limit nor a count, each with what is wrong."""
    known = [*(count.value for count in Count), *sorted(limit_names)]
    for word in unknown_rates(entry, limit_names):
        close = get_close_matches(word, known, n=1)
        hint = f"; did you mean {close[0]}=?" if close else ""
        yield word, f"no such limit or count: {word}{hint}"


def _shared(entry: Entry, policy: Policy) -> Iterator[tuple[str, str]]:
    """Words for limits that the name has in common with others of its customer."""
    customer = _customer(canonical_name(entry.name), policy)
    if not customer:
        return
    limits = [one.limit for one in policy.limits] + policy.streams.limits
    if policy.campaign is not None:
        limits.append(policy.campaign.limit)
    for word in sorted(entry.rates):
        meant = [one for one in limits if word in {one.name, one.count.value}]
        if meant and not any(one.per in OWN for one in meant):
            yield word, f"{word}=: is all of customer {customer}'s: name that customer"


def _customer(name: str, policy: Policy) -> str:
    """Whose principal has this name, "" where it is a customer, or may be one."""
    if any(canonical_name(one.name) == name for one in policy.settings.customers):
        return ""
    if (client := parse_client(name)) is not None:
        found = policy.customers.of_client(client)
        return found[1].name if found else ""
    kinds = [PrincipalKind.LOGIN]
    if "@" not in name:
        # Of a plain name, the system user may be a customer of his own.
        kinds.append(PrincipalKind.LOCAL_USER)
    owners = [policy.customers.of_name(kind, name) for kind in kinds]
    return owners[0].name if owners[0] is not None and None not in owners else ""

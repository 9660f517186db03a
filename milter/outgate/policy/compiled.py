"""Settings made ready for the hot path, once per configuration."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from outgate.model.address import canonical_domain, parse_address
from outgate.model.client import Client, Network
from outgate.model.limit import Limit
from outgate.model.units import Rate, to_us
from outgate.model.verdict import Action, Mode, Reason
from outgate.policy.customers import CustomerMap
from outgate.policy.settings import (
    SHIPPED_LIMITS,
    LimitSettings,
    PolicySettings,
    RuleSettings,
    allowed_actions,
    rule_field,
)


@dataclass(frozen=True, slots=True)
class RuleInForce:
    """What one rule does under this configuration."""

    action: Action
    mode: Mode
    reply: str


@dataclass(frozen=True, slots=True)
class LimitInForce:
    """One limit under this configuration.

    Attributes:
        binds: whether a message that finds it used up stays here, and so is charged
            nowhere.
        binds_too_large: the same for a message that is larger than the whole limit.
    """

    limit: Limit
    binds: bool
    binds_too_large: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """All that deciding depends on.

    Attributes:
        settings: as the operator wrote them.
        mode: the global lid.
        limits: shipped and configured, without those that are off.
        rules: by reason.
        customers: from principal to customer.
        profiles: by name: limit name or count word to rate.
        internal_domains: local and relayed, canonical.
        aliases: canonical address to the number of people behind it.
        keep_us: how long a held message is meant to be held.
    """

    settings: PolicySettings
    mode: Mode
    limits: tuple[LimitInForce, ...]
    rules: Mapping[Reason, RuleInForce]
    customers: CustomerMap
    profiles: Mapping[str, Mapping[str, Rate]]
    internal_domains: frozenset[str]
    aliases: Mapping[str, int]
    keep_us: int

    @classmethod
    def build(cls, settings: PolicySettings) -> Self:
        """Compile settings that room `config` has checked."""
        rules = {reason: _rule_in_force(settings, reason) for reason in Reason}
        return cls(
            settings=settings,
            mode=settings.mode,
            limits=tuple(
                _limit_in_force(limit, rules) for limit in merge_limits(settings.limits)
            ),
            rules=rules,
            customers=CustomerMap.build(settings.customers),
            profiles={profile.name: profile.limits for profile in settings.profiles},
            internal_domains=frozenset(
                canonical_domain(domain)
                for domain in (*settings.domains.local, *settings.domains.relay)
            ),
            aliases={
                str(parse_address(alias)): size
                for alias, size in settings.domains.aliases.items()
            },
            keep_us=to_us(settings.quarantine.keep),
        )

    def limit_names(self) -> frozenset[str]:
        """Names that an override may use."""
        return frozenset(one.limit.name for one in self.limits)


def _limit_in_force(limit: Limit, rules: Mapping[Reason, RuleInForce]) -> LimitInForce:
    enforced = limit.mode is Mode.ENFORCE
    used_up = rules[Reason.LIMIT_EXCEEDED]
    too_large = rules[Reason.MESSAGE_EXCEEDS_LIMIT]
    return LimitInForce(
        limit,
        enforced and used_up.mode is Mode.ENFORCE and not limit.action.lets_out,
        enforced and too_large.mode is Mode.ENFORCE and not too_large.action.lets_out,
    )


def _rule_in_force(settings: PolicySettings, reason: Reason) -> RuleInForce:
    rule: RuleSettings = getattr(settings.rules, rule_field(reason).name)
    return RuleInForce(rule.action or allowed_actions(reason)[0], rule.mode, rule.reply)


def merge_limits(configured: tuple[LimitSettings, ...]) -> tuple[Limit, ...]:
    """Shipped limits, changed and extended by configured ones of the same name."""
    merged = {limit.name: limit for limit in SHIPPED_LIMITS}
    merged.update((limit.name, limit) for limit in configured)
    return tuple(
        Limit(
            name=limit.name,
            per=limit.per,
            count=limit.count,
            rate=limit.rate,
            burst=limit.rate.count if limit.burst is None else limit.burst,
            action=limit.action,
            mode=limit.mode,
        )
        for limit in merged.values()
        if limit.rate is not None
    )


def within(client: Client, networks: tuple[Network, ...]) -> bool:
    """Whether the client is in one of the networks."""
    return any(client.address in network for network in networks)

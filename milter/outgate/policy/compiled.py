"""Settings made ready for the hot path, once per configuration."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Self

from outgate.model.address import canonical_domain, parse_address
from outgate.model.client import Client, Network
from outgate.model.limit import Count, Limit, Per
from outgate.model.recipient import Recipient, recipient_reader
from outgate.model.standing import Growth
from outgate.model.units import Rate, to_us
from outgate.model.verdict import Action, Mode, Reason
from outgate.policy.challenge import Challenges
from outgate.policy.customers import CustomerMap
from outgate.policy.own_senders import OwnSenders
from outgate.policy.registered import Streams
from outgate.policy.rule_settings import RuleSettings, allowed_actions, rule_field
from outgate.policy.settings import LimitSettings, PolicySettings, ProfileSettings
from outgate.policy.shipped import SHIPPED_LIMITS
from outgate.policy.shipped_profiles import NORMAL, merge_profiles


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


@dataclass(frozen=True, slots=True)
class Profile:
    """One profile under this configuration.

    Attributes:
        limits: limit name or count word to rate.
        growth: how limits on strangers follow conduct; None where they do not.
    """

    name: str
    limits: Mapping[str, Rate]
    growth: Growth | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """All that deciding depends on.

    Attributes:
        settings: as the operator wrote them.
        mode: the global lid.
        limits: shipped and configured, without those that are off.
        rules: by reason.
        customers: from principal to customer.
        profiles: shipped and configured, by name.
        normal: the profile of whoever has no other.
        since_us: of customers by name: since when they are known.
        internal_domains: local and relayed, canonical.
        aliases: canonical address to the number of people behind it.
        keep_us: how long a held message is meant to be held.
        recipient: reads one argument of RCPT.
        campaign: the limit on strangers that one content may reach; None for none.
        knows_people: whether anything depends on who the recipients are.
        lists: (customer, List-Id) of registered lists, and from when on the list needs
            consents by the configuration, microseconds since the epoch; 0 where it
            names no day.
        bounces: (customer, List-Id) of lists by the address that takes their bounces,
            canonical.
        refuses_at_rcpt: whether who has withdrawn may be refused there.
            canonical; empty where nobody is refused at RCPT.
        own_senders: which envelope senders are whose.
        grace_us: how long lists have where it names none; 0 where their rule does not
            act, and so nothing is to be spared.
        streams: registered streams.
        challenges: how requests to confirm a subscription are known.
    """

    settings: PolicySettings
    mode: Mode
    limits: tuple[LimitInForce, ...]
    rules: Mapping[Reason, RuleInForce]
    customers: CustomerMap
    profiles: Mapping[str, Profile]
    normal: Profile
    since_us: Mapping[str, int]
    internal_domains: frozenset[str]
    aliases: Mapping[str, int]
    keep_us: int
    recipient: Callable[[bytes], Recipient]
    campaign: LimitInForce | None
    knows_people: bool
    lists: Mapping[tuple[str, str], int]
    bounces: Mapping[str, tuple[str, str]]
    refuses_at_rcpt: bool
    own_senders: OwnSenders
    grace_us: int
    streams: Streams
    challenges: Challenges

    @classmethod
    def build(cls, settings: PolicySettings) -> Self:
        """Compile settings that room `config` has checked."""
        rules = {reason: _rule_in_force(settings, reason) for reason in Reason}
        limits = tuple(
            _limit_in_force(limit, rules) for limit in merge_limits(settings.limits)
        )
        without = rules[Reason.LIST_WITHOUT_CONSENT]
        acts = settings.mode is without.mode is Mode.ENFORCE
        withdrawn = rules[Reason.CONSENT_WITHDRAWN]
        refuses = settings.mode is withdrawn.mode is Mode.ENFORCE
        per_campaign = [one for one in limits if one.limit.per is Per.CAMPAIGN]
        profiles = {
            one.name: _profile(one)
            for one in merge_profiles(settings.profiles).values()
        }
        return cls(
            settings=settings,
            mode=settings.mode,
            limits=tuple(one for one in limits if one not in per_campaign),
            rules=rules,
            customers=CustomerMap.build(settings.customers),
            profiles=profiles,
            normal=profiles[NORMAL],
            since_us={
                one.name: max(1, _moment_us(one.since))
                for one in settings.customers
                if one.since is not None
            },
            internal_domains=frozenset(
                canonical_domain(domain)
                for domain in (*settings.domains.local, *settings.domains.relay)
            ),
            aliases={
                str(parse_address(alias)): size
                for alias, size in settings.domains.aliases.items()
            },
            keep_us=to_us(settings.quarantine.keep),
            recipient=recipient_reader(
                plus_tags=settings.domains.plus_tags,
                dotless=frozenset(map(canonical_domain, settings.domains.dotless)),
            ),
            campaign=per_campaign[0] if per_campaign else None,
            knows_people=bool(settings.lists)
            or any(one.limit.count in _OF_PEOPLE for one in limits),
            lists={
                (one.customer, one.id.lower()): _moment_us(
                    one.enforce_from or settings.optin.enforce_from
                )
                for one in settings.lists
            },
            bounces={
                str(parse_address(one.bounces)): (one.customer, one.id.lower())
                for one in settings.lists
                if one.bounces
            },
            refuses_at_rcpt=refuses,
            own_senders=OwnSenders.build(settings),
            grace_us=to_us(settings.optin.grace) if acts else 0,
            streams=Streams(settings.streams),
            challenges=Challenges(settings.lists, settings.streams, settings.optin),
        )

    @property
    def acts_on_lists(self) -> bool:
        """Whether mail of lists without consents is stopped, and not only reported."""
        rule = self.rules[Reason.LIST_WITHOUT_CONSENT]
        return self.mode is rule.mode is Mode.ENFORCE

    def limit_names(self) -> frozenset[str]:
        """Names that an override may use."""
        names = {one.limit.name for one in self.limits} | self.streams.limit_names
        if self.campaign is not None:
            names.add(self.campaign.limit.name)
        return frozenset(names)


_EPOCH = datetime.fromtimestamp(0, UTC)
_OF_PEOPLE = frozenset(
    {Count.STRANGERS, Count.DISTINCT_RECIPIENTS, Count.RECIPIENT_DOMAINS}
)
REASON_OF_COUNT: Mapping[Count, Reason] = {
    Count.STRANGERS: Reason.BULK_TO_STRANGERS,
    Count.DISTINCT_RECIPIENTS: Reason.BULK_BY_DISTINCT_RECIPIENTS,
    Count.RECIPIENT_DOMAINS: Reason.BULK_BY_DISTINCT_RECIPIENTS,
    Count.CLIENTS: Reason.MANY_SOURCES_PER_LOGIN,
    Count.NETWORKS: Reason.MANY_SOURCES_PER_LOGIN,
}
"""Which rule speaks for a limit that is used up; of other counts, `limit-exceeded`."""
LIMIT_REASONS = frozenset({Reason.LIMIT_EXCEEDED, *REASON_OF_COUNT.values()})
"""Rules that do what the limit says that is used up."""


def counts_of(reason: Reason) -> frozenset[Count]:
    """Of which limits a rule speaks."""
    return frozenset(count for count in Count if REASON_OF_COUNT.get(count) is reason)


def _moment_us(moment: datetime | None) -> int:
    return to_us(moment - _EPOCH) if moment is not None else 0


def _limit_in_force(limit: Limit, rules: Mapping[Reason, RuleInForce]) -> LimitInForce:
    enforced = limit.mode is Mode.ENFORCE
    own = REASON_OF_COUNT.get(limit.count)
    used_up = rules[own or Reason.LIMIT_EXCEEDED]
    too_large = rules[own or Reason.MESSAGE_EXCEEDS_LIMIT]
    if own is not None:
        binds = enforced and used_up.mode is Mode.ENFORCE and not limit.action.lets_out
        return LimitInForce(limit, binds, binds)
    return LimitInForce(
        limit,
        enforced and used_up.mode is Mode.ENFORCE and not limit.action.lets_out,
        enforced and too_large.mode is Mode.ENFORCE and not too_large.action.lets_out,
    )


def _rule_in_force(settings: PolicySettings, reason: Reason) -> RuleInForce:
    rule: RuleSettings = getattr(settings.rules, rule_field(reason).name)
    return RuleInForce(rule.action or allowed_actions(reason)[0], rule.mode, rule.reply)


def _profile(settings: ProfileSettings) -> Profile:
    growth = Growth(settings.start, settings.most, to_us(settings.warm_up))
    return Profile(settings.name, settings.limits, growth if growth.moves else None)


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
            share=limit.share,
            warn=limit.warn,
        )
        for limit in merged.values()
        if limit.rate is not None
    )


def within(client: Client, networks: tuple[Network, ...]) -> bool:
    """Whether the client is in one of the networks."""
    return any(client.address in network for network in networks)

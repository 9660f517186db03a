"""What the operator decides about policy: frozen, typed, documented where it stands.

The texts are the configuration reference: `outgate config reference` prints them and
`docs/configuration.md` is generated from them. Room `config` reads files into these
classes; it checks what one value can tell, `policy.compiled` what they say together.
"""

from collections.abc import Mapping
from datetime import timedelta
from ipaddress import ip_network
from typing import Any

import attrs

from outgate.model.client import Network
from outgate.model.limit import Count, Per
from outgate.model.units import ByteSize, Rate
from outgate.model.verdict import Action, Mode, Reason


def setting(doc: str, default: Any = attrs.NOTHING, *, example: str = "") -> Any:
    """Declare one key: its text, its default, an example as it stands in TOML."""
    if isinstance(default, (dict, list)):
        raise TypeError("a default is shared: use a tuple or a factory")
    return attrs.field(default=default, metadata={"doc": doc, "example": example})


def table(doc: str, kind: type) -> Any:
    """Declare a sub-table that may be left out."""
    return attrs.field(factory=kind, metadata={"doc": doc, "example": ""})


@attrs.frozen(kw_only=True)
class NetworkSettings:
    """Which clients belong to us."""

    internal: tuple[Network, ...] = setting(
        "Clients whose mail is outbound though they did not log in. A customer's own "
        "networks (`[[customer]] match`) count too.",
        (ip_network("127.0.0.0/8"), ip_network("::1/128")),
        example='["127.0.0.0/8", "::1/128", "192.0.2.0/24"]',
    )
    forwarders: tuple[Network, ...] = setting(
        "Hosts of ours that forward mail for customers. Only from them is a sign of "
        "forwarding (SRS, Resent-*, ARC) believed; their forwarded mail is charged to "
        'limits `per = "forwarder"` alone.',
        (),
        example='["192.0.2.25"]',
    )


@attrs.frozen(kw_only=True)
class DomainSettings:
    """Which recipients are internal."""

    local: tuple[str, ...] = setting(
        "Domains whose mail we deliver ourselves. Their recipients are never "
        "strangers and cost `internal-recipients`.",
        (),
        example='["example.org"]',
    )
    relay: tuple[str, ...] = setting(
        "Domains that we relay to their own servers; treated like `local`.",
        (),
        example='["example.net"]',
    )
    aliases: Mapping[str, int] = setting(
        "Addresses that the MTA expands after Outgate saw them, with the number of "
        "people behind them: they are charged at that size, those of a local or relayed "
        "domain as `internal-recipients`. One with more people than a limit's burst "
        "needs a higher limit.",
        attrs.Factory(dict),
        example='{ "everyone@example.org" = 1200 }',
    )


@attrs.frozen(kw_only=True)
class CustomerSettings:
    """Who is accountable."""

    name: str = setting(
        "The customer's name in keys, log, orders and reports. Who is no customer's has "
        "his own; where it is this one, his kind stands before it, as `login:choir`.",
        example='"choir"',
    )
    match: tuple[str, ...] = setting(
        "Which principals are this customer: a login (`anne`, `anne@example.org`), all "
        "logins of a domain (`@example.org`), a system user (`user:www-data`), a "
        "client certificate (`cert:<subject>`), an address or network "
        "(`192.0.2.0/24`), or a pattern with `*`. The most specific wins: exact, "
        "domain, longest prefix, pattern; a tie is an error.",
        example='["@choir.example", "user:choir", "192.0.2.0/28"]',
    )
    profile: str = setting(
        "Name of a `[[profile]]` with limits of its own.", "", example='"newsletter"'
    )
    contact: str = setting(
        "Address that gets the digest of held mail.", "", example='"post@choir.example"'
    )


@attrs.frozen(kw_only=True)
class ProfileSettings:
    """Limits that several customers share."""

    name: str = setting("The profile's name.", example='"newsletter"')
    limits: Mapping[str, Rate] = setting(
        "Rates that replace those of the named limits; a count word (`messages`, "
        "`recipients`, `internal-recipients`) replaces the rates of all limits of "
        "that count.",
        attrs.Factory(dict),
        example='{ recipients = "20000/1d" }',
    )


@attrs.frozen(kw_only=True)
class LimitSettings:
    """One limit; a name that is shipped changes the shipped one."""

    name: str = setting(
        "Unique. The counters' keys carry it; a new rate keeps what was counted.",
        example='"messages-per-login-hourly"',
    )
    per: Per = setting(
        "Whose counter: `login`, `local-user`, `client` (unauthenticated sessions "
        "only; IPv6 by /64), `domain` (of the envelope sender, within the customer), "
        "`list` (List-Id, within the customer), `customer`, `forwarder`. The limit "
        "applies where that exists.",
        example='"login"',
    )
    count: Count = setting(
        "What a message costs: `messages` (one), `recipients` (external ones), "
        "`internal-recipients`.",
        example='"messages"',
    )
    rate: Rate | None = setting(
        "How fast the counter drains, such as `300/1h`; `off` removes the limit.",
        example='"300/1h"',
    )
    burst: int | None = setting(
        "How much fits at once. Default: the rate's count, so that at most twice the "
        "count passes in the first period.",
        None,
        example="300",
    )
    action: Action = setting(
        "What happens to a message that does not fit: `tag`, `defer`, `quarantine` or "
        "`reject`. A message larger than the whole burst is refused for good.",
        Action.QUARANTINE,
        example='"quarantine"',
    )
    mode: Mode = setting(
        "`monitor` makes this limit report only.", Mode.ENFORCE, example='"enforce"'
    )


@attrs.frozen(kw_only=True)
class RuleSettings:
    """What one rule may do."""

    action: Action | None = setting(
        "What a hit asks for; the rule's own where absent.", None, example='"reject"'
    )
    mode: Mode = setting(
        "`monitor` makes the rule report only. The global mode is a lid: a rule may "
        "be lower, never higher.",
        Mode.ENFORCE,
        example='"enforce"',
    )
    reply: str = setting(
        "Text that the sender reads instead of ours, for defer and reject. "
        "`{queue-id}` and `{reason}` are filled in.",
        "",
        example='"Please write to postmaster@example.org, reference {queue-id}."',
    )


def _rule(doc: str, action: Action, *others: Action) -> Any:
    """Declare a rule: its text, its own action, and what else it may be told to do."""
    return attrs.field(
        default=RuleSettings(),
        metadata={"doc": doc, "example": "", "allowed": (action, *others)},
    )


@attrs.frozen(kw_only=True)
class RulesSettings:
    """What each rule may do, by its reason."""

    suspended: RuleSettings = _rule(
        "An operator suspended this sender (`outgate:suspend`). Acts in monitor mode "
        "too.",
        Action.REJECT,
        Action.DEFER,
    )
    quarantined: RuleSettings = _rule(
        "An operator quarantined this sender (`outgate:quarantine`). Acts in monitor "
        "mode too.",
        Action.QUARANTINE,
        Action.DEFER,
    )
    store_unavailable: RuleSettings = _rule(
        "The store did not answer, and `[store] on-failure` is `defer`.",
        Action.DEFER,
        Action.QUARANTINE,
    )
    message_exceeds_limit: RuleSettings = _rule(
        "One message costs more than a whole limit: waiting would not help.",
        Action.REJECT,
        Action.QUARANTINE,
        Action.TAG,
    )
    limit_exceeded: RuleSettings = _rule(
        "A limit is used up. The action is the limit's own; here only `mode` and "
        "`reply` count.",
        Action.QUARANTINE,
        Action.DEFER,
        Action.REJECT,
        Action.TAG,
    )
    missing_unsubscribe: RuleSettings = _rule(
        "Mail that declares itself bulk or a list, without a way to unsubscribe that "
        "a recipient could use (RFC 2369, RFC 8058).",
        Action.TAG,
        Action.DEFER,
        Action.QUARANTINE,
        Action.REJECT,
    )
    quarantine_full: RuleSettings = _rule(
        "The message would be held, but the customer's share of the hold queue or "
        "the disk is full. Local submissions are rejected instead of deferred.",
        Action.DEFER,
        Action.REJECT,
    )
    internal_error: RuleSettings = _rule(
        "An unforeseen error of Outgate's own. In monitor mode the mail goes on.",
        Action.DEFER,
        Action.ACCEPT,
        Action.QUARANTINE,
    )


def rule_field(reason: Reason) -> "attrs.Attribute[RuleSettings]":
    """The declaration of one rule: its text and the actions it may have."""
    fields = attrs.fields_dict(RulesSettings)
    return fields[reason.value.replace("-", "_")]


def allowed_actions(reason: Reason) -> tuple[Action, ...]:
    """What a rule may be told to do; its own action comes first."""
    actions: tuple[Action, ...] = rule_field(reason).metadata["allowed"]
    return actions


@attrs.frozen(kw_only=True)
class QuarantineSettings:
    """How much mail may be held, and for how long."""

    cap: int = setting(
        "Messages held at a time for one customer.", 1000, example="1000"
    )
    cap_bytes: ByteSize = setting(
        "Bytes held at a time for one customer.", ByteSize(1 << 30), example='"1GiB"'
    )
    keep: timedelta = setting(
        "How long a message is meant to be held. Nothing is released by itself: the "
        "digest and the metrics name what is past its time.",
        timedelta(days=5),
        example='"5d"',
    )
    min_free: ByteSize = setting(
        "Nothing is held when less than this is free on the disk of `spool`.",
        ByteSize(1 << 30),
        example='"1GiB"',
    )
    spool: str = setting(
        "A path on the disk of the MTA's queue.",
        "/var/spool",
        example='"/var/spool/postfix"',
    )
    queue_command: tuple[str, ...] = setting(
        "The MTA's command that lists what it holds, so that released and deleted "
        "messages are noticed: `postqueue -j` or `mailq -qQ`. Empty: a message counts "
        "as held until its time is over.",
        (),
        example='["postqueue", "-j"]',
    )
    mta: str = setting(
        "The name (`myhostname`, macro `j`) of the MTA that `queue-command` lists; records "
        "of others stay. Default: learned from held messages that the listing shows.",
        "",
        example='"mx1.example.org"',
    )


@attrs.frozen(kw_only=True)
class TagSettings:
    """The header that `tag` adds."""

    header: str = setting(
        "Its name. Copies that senders supply are removed.",
        "Outgate-Verdict",
        example='"Outgate-Verdict"',
    )
    show: tuple[str, ...] = setting(
        "What it says: `class`, `action`, `reasons`. It leaves for the world.",
        ("class", "action"),
        example='["class", "action"]',
    )


@attrs.frozen(kw_only=True)
class PolicySettings:
    """Everything that deciding depends on."""

    mode: Mode = Mode.MONITOR
    network: NetworkSettings = attrs.field(factory=NetworkSettings)
    domains: DomainSettings = attrs.field(factory=DomainSettings)
    customers: tuple[CustomerSettings, ...] = ()
    profiles: tuple[ProfileSettings, ...] = ()
    limits: tuple[LimitSettings, ...] = ()
    rules: RulesSettings = attrs.field(factory=RulesSettings)
    quarantine: QuarantineSettings = attrs.field(factory=QuarantineSettings)
    tag: TagSettings = attrs.field(factory=TagSettings)


def _shipped(
    name: str, per: Per, count: Count, rate: str, action: Action
) -> LimitSettings:
    return LimitSettings(
        name=name, per=per, count=count, rate=Rate.parse(rate), action=action
    )


# Generous enough for a busy office, small enough that a hijacked login does little
# harm before somebody looks. A login's excess is held, since the person behind it has
# written real mail too; a client's is deferred, since it is a machine that retries.
SHIPPED_LIMITS = (
    _shipped(
        "messages-per-login-hourly",
        Per.LOGIN,
        Count.MESSAGES,
        "300/1h",
        Action.QUARANTINE,
    ),
    _shipped(
        "messages-per-login-daily",
        Per.LOGIN,
        Count.MESSAGES,
        "1000/1d",
        Action.QUARANTINE,
    ),
    _shipped(
        "recipients-per-login-hourly",
        Per.LOGIN,
        Count.RECIPIENTS,
        "500/1h",
        Action.QUARANTINE,
    ),
    _shipped(
        "recipients-per-login-daily",
        Per.LOGIN,
        Count.RECIPIENTS,
        "2000/1d",
        Action.QUARANTINE,
    ),
    # Colleagues are no strangers, and one letter to the whole house is none too many: it
    # is the flood that is stopped.
    _shipped(
        "internal-recipients-per-login-hourly",
        Per.LOGIN,
        Count.INTERNAL_RECIPIENTS,
        "5000/1h",
        Action.QUARANTINE,
    ),
    _shipped(
        "messages-per-local-user-hourly",
        Per.LOCAL_USER,
        Count.MESSAGES,
        "300/1h",
        Action.QUARANTINE,
    ),
    _shipped(
        "messages-per-client-hourly", Per.CLIENT, Count.MESSAGES, "300/1h", Action.DEFER
    ),
    _shipped(
        "messages-per-forwarder-hourly",
        Per.FORWARDER,
        Count.MESSAGES,
        "5000/1h",
        Action.DEFER,
    ),
    _shipped(
        "recipients-per-customer-daily",
        Per.CUSTOMER,
        Count.RECIPIENTS,
        "5000/1d",
        Action.QUARANTINE,
    ),
)

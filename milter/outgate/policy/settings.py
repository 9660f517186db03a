"""What the operator decides about policy: frozen, typed, documented where it stands.

The texts are the configuration reference: `outgate config reference` prints them and
`docs/configuration.md` is generated from them. Room `config` reads files into these
classes; it checks what one value can tell, `policy.compiled` what they say together.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from ipaddress import ip_network
from typing import Annotated

import attrs

from outgate.model.client import Network
from outgate.model.limit import WARN, Count, Per
from outgate.model.units import ByteSize, Rate
from outgate.model.verdict import Action, Mode
from outgate.policy.declared import Without, setting
from outgate.policy.list_settings import ListSettings, OptinSettings
from outgate.policy.rule_settings import RulesSettings
from outgate.policy.trace_settings import TraceSettings


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
        "forwarding (SRS, Resent-*, ARC) believed; their forwarded mail, to 10 recipients "
        'at most each, is charged to limits `per = "forwarder"` alone.',
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
    plus_tags: bool = setting(
        "Whether `anne+shop@example.net` is the mailbox `anne@example.net`, where "
        "different recipients are counted.",
        True,
        example="true",
    )
    dotless: tuple[str, ...] = setting(
        "Domains that ignore dots in local parts, where different recipients are "
        "counted.",
        ("gmail.com", "googlemail.com"),
        example='["gmail.com", "googlemail.com"]',
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
        "(`192.0.2.0/24`; a site that has an IPv6 prefix: all of it), or a pattern with `*`. The most specific wins: exact, "
        "domain, longest prefix, pattern; a tie is an error.",
        example='["@choir.example", "user:choir", "192.0.2.0/28"]',
    )
    profile: str = setting(
        "Name of a profile: a shipped one (see below), or a `[[profile]]`. Default: "
        "`normal`.",
        "",
        example='"newsletter"',
    )
    since: datetime | None = setting(
        "Since when you know this customer, where that is longer than Outgate does: a "
        "date, or a time with its zone (RFC 3339). Good conduct counts from then.",
        None,
        example="2025-01-01",
    )
    contact: str = setting(
        "Address that gets the digest of held mail, and notices of limits. Without one, "
        "or without a `[[customer]]`, a login that is an address gets those of its own.",
        "",
        example='"post@choir.example"',
    )
    cfbl_address: str = setting(
        "Address for complaints about its mail, instead of `[trace] cfbl-address`; "
        "`off` for none.",
        "",
        example='"complaints@choir.example"',
    )
    fingerprints: bool = setting(
        "Whether the content of its mail is compared with other mail's, by fingerprints. "
        "Without them none is kept, but the same advert in many messages is no campaign "
        "any more: strangers are counted only for each login, user or client, and the "
        "same mail from other customers is not seen. A message that was not accepted is "
        "known again all the same, for a day, by one keyed hash of the whole.",
        True,
        example="true",
    )


@attrs.frozen(kw_only=True)
class ProfileSettings:
    """Limits that several customers share, and whether conduct moves them."""

    name: str = setting(
        "The profile's name; a shipped one changes that profile.",
        example='"newsletter"',
    )
    limits: Mapping[str, Rate] = setting(
        "Rates that replace those of the named limits; a count word (`messages`, "
        "`recipients`, `internal-recipients`) replaces the rates of all limits of "
        "that count.",
        attrs.Factory(dict),
        example='{ recipients = "20000/1d" }',
    )
    start: int = setting(
        "Per cent of the limits on strangers (those that tell bulk mail) that a customer "
        "has at first, and again after a message of its was stopped: 1 to 100. The other "
        "limits only bound what a machine can do, and stay as they are.",
        100,
        example="20",
    )
    most: int = setting(
        "Per cent that they may grow to by good conduct: 100 to 1000.",
        100,
        example="200",
    )
    warm_up: timedelta = setting(
        "How long good conduct takes them from `start` to 100 per cent, and as long again "
        "from there to `most`: 5d to 366d.",
        timedelta(days=30),
        example='"30d"',
    )


THROUGH_US = "through-us"
CHALLENGES = ("elsewhere", THROUGH_US)


@attrs.frozen(kw_only=True)
class StreamSettings:
    """Mail of a program to people who asked it for something: receipts, confirmations.

    It goes to strangers and looks alike, so it has a limit of its own, and no other
    limit on strangers counts it. Nor is it tagged for a missing List-Unsubscribe, or for
    being much more than on other days.
    """

    name: str = setting("Unique.", example='"shop-receipts"')
    customer: str = setting("Who sends it, as in `[[list]]`.", example='"shop"')
    sender: tuple[str, ...] = setting(
        "Header From: addresses, or domains. Both that and the customer must agree.",
        example='["orders@shop.example"]',
    )
    kind: str = setting(
        "`transactional`, or `confirmation` for requests to confirm a subscription: the "
        "class of its mail. Only messages to one recipient belong to a stream.",
        "transactional",
        example='"transactional"',
    )
    rate: Annotated[Rate | None, Without("off")] = setting(
        "How many strangers it may reach; what is beyond is held. Default: `2000/1d`; of "
        "confirmations `1000/1d`.",
        None,
        example='"10000/1d"',
    )


@attrs.frozen(kw_only=True)
class LimitSettings:
    """One limit; a name that is shipped changes the shipped one."""

    name: str = setting(
        "Unique. The counters' keys carry it; a new rate keeps what was counted.",
        example='"messages-per-login-hourly"',
    )
    per: Annotated[Per, Without(Per.STREAM)] = setting(
        "Whose counter: `login`, `local-user`, `client` (where nobody logged in: the "
        "certificate, else the address, IPv6 by /64, else `unknown`), `domain` (of the envelope sender, within the customer), "
        "`address` (envelope sender, within the customer), `network` (of an "
        "unauthenticated client, /24 or /48, within the customer: clients of no "
        "`[[customer]]` are one each), `list` (a registered one, within the "
        "customer), `campaign` (messages of one customer that say the same; goes with `strangers` "
        "alone), `customer`, `forwarder`; `script` and `site`, of local submissions "
        "alone and within the customer: `<uid>:<file>` of X-PHP-Originating-Script, else "
        "`<site>/<path>` of X-PHP-Script, and that `<site>`. The limit applies where that "
        "exists.",
        example='"login"',
    )
    count: Count = setting(
        "What a message costs: `messages` (one), `recipients` (external ones), "
        "`internal-recipients`, `bytes` (beyond 64 KiB of a body an estimate: what the "
        "client declared), `strangers` (recipients that the customer has "
        "not mailed in the last 400 days). Or what is counted once only within the "
        "time of the rate: `distinct-recipients`, `recipient-domains`, `clients`, "
        "`networks` (of the session).",
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
    action: Annotated[Action, Without(Action.ACCEPT)] = setting(
        "What happens to a message that does not fit: `tag`, `defer`, `quarantine` or "
        "`reject`. A message larger than the whole burst is refused for good.",
        Action.QUARANTINE,
        example='"quarantine"',
    )
    mode: Mode = setting(
        "`monitor` makes this limit report only.", Mode.ENFORCE, example='"enforce"'
    )
    share: int = setting(
        "Of a limit per campaign: per cent of strangers among all that the campaign "
        "reached, up to which it goes on beyond the rate.",
        0,
        example="60",
    )
    warn: int = setting(
        "Per cent of the burst from which on a message is tagged (rule `near-limit`) "
        "and the customer's contact gets a notice, before anything is stopped; 0 for "
        "never. It goes with limits that would stop a message.",
        WARN,
        example="80",
    )


@attrs.frozen(kw_only=True)
class CampaignSettings:
    """When the same content from several customers is a campaign."""

    customers: int = setting(
        "So many customers at least, to each of whom the content is new: its first use "
        "was a day ago at most.",
        5,
        example="5",
    )
    strangers: int = setting(
        "So many strangers at least, reached by all of them together.",
        40,
        example="40",
    )


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
    lists: tuple[ListSettings, ...] = ()
    streams: tuple[StreamSettings, ...] = ()
    optin: OptinSettings = attrs.field(factory=OptinSettings)
    campaign: CampaignSettings = attrs.field(factory=CampaignSettings)
    rules: RulesSettings = attrs.field(factory=RulesSettings)
    quarantine: QuarantineSettings = attrs.field(factory=QuarantineSettings)
    tag: TagSettings = attrs.field(factory=TagSettings)
    trace: TraceSettings = attrs.field(factory=TraceSettings)

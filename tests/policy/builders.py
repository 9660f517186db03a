"""Messages, policies, and a gate with a store of dictionaries behind it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from ipaddress import ip_network

from hypothesis import settings

from outgate.message.facts import read_facts
from outgate.model.client import parse_client
from outgate.model.gcra import Level
from outgate.model.identity import Path
from outgate.model.limit import Count, Per
from outgate.model.transaction import Session, Transaction
from outgate.model.units import SECOND_US, Rate
from outgate.model.verdict import Action, Finding, Mode, Reason, Verdict
from outgate.policy.accountability import Accountability
from outgate.policy.case import Case
from outgate.policy.compiled import Policy
from outgate.policy.decide import severest
from outgate.policy.decision import Decision
from outgate.policy.gate import Gate
from outgate.policy.list_settings import ListSettings, OptinSettings
from outgate.policy.operator import Entry, Order, parse_entry
from outgate.policy.plan import make_plan
from outgate.policy.questions import Answers
from outgate.policy.rule_settings import RuleSettings, RulesSettings, rule_field
from outgate.policy.settings import (
    CampaignSettings,
    CustomerSettings,
    DomainSettings,
    LimitSettings,
    NetworkSettings,
    PolicySettings,
    ProfileSettings,
    QuarantineSettings,
    StreamSettings,
    TagSettings,
)
from outgate.policy.shipped import SHIPPED_LIMITS
from outgate.policy.snapshot import EMPTY, Snapshot
from outgate.policy.trace_settings import TraceSettings
from policy.ledger import NOW_US, Clock, Ledger

fast = settings(max_examples=60, deadline=None)

MINUTE_US = 60 * SECOND_US
HOUR_US = 60 * MINUTE_US

ANNE = "anne@example.com"
MALLORY = "mallory@example.com"
INTERNAL = ("127.0.0.0/8", "192.0.2.0/24", "2001:db8:b::/48")
INSIDE = "192.0.2.7"
FORWARDER = "192.0.2.25"
OUTSIDE = "203.0.113.9"


def a_limit(
    rate: str = "10/1h",
    *,
    per: Per = Per.LOGIN,
    count: Count = Count.RECIPIENTS,
    name: str = "",
    burst: int | None = None,
    action: Action = Action.QUARANTINE,
    mode: Mode = Mode.ENFORCE,
    share: int = 0,
    warn: int = 0,
) -> LimitSettings:
    """A limit that warns of nothing, unless it is said."""
    return LimitSettings(
        name=name or f"{count}-per-{per}",
        per=per,
        count=count,
        rate=Rate.parse(rate),
        burst=burst,
        action=action,
        mode=mode,
        share=share,
        warn=warn,
    )


def no_shipped_limits() -> tuple[LimitSettings, ...]:
    return tuple(
        LimitSettings(name=limit.name, per=limit.per, count=limit.count, rate=None)
        for limit in SHIPPED_LIMITS
    )


def a_policy(
    *limits: LimitSettings,
    mode: Mode = Mode.ENFORCE,
    shipped: bool = False,
    local: Iterable[str] = (),
    relay: Iterable[str] = (),
    aliases: Mapping[str, int] | None = None,
    customers: Iterable[CustomerSettings] = (),
    profiles: Iterable[ProfileSettings] = (),
    rules: Mapping[Reason, RuleSettings] | None = None,
    quarantine: QuarantineSettings | None = None,
    tag: TagSettings | None = None,
    lists: Iterable[ListSettings] = (),
    streams: Iterable[StreamSettings] = (),
    campaign: CampaignSettings | None = None,
    optin: OptinSettings | None = None,
    trace: TraceSettings | None = None,
) -> Policy:
    """A policy in enforce mode that has no other limits than these."""
    return Policy.build(
        PolicySettings(
            mode=mode,
            network=NetworkSettings(
                internal=tuple(map(ip_network, INTERNAL)),
                forwarders=(ip_network(FORWARDER),),
            ),
            domains=DomainSettings(
                local=tuple(local), relay=tuple(relay), aliases=aliases or {}
            ),
            customers=tuple(customers),
            profiles=tuple(profiles),
            limits=(*(() if shipped else no_shipped_limits()), *limits),
            rules=RulesSettings(
                **{
                    rule_field(reason).name: rule
                    for reason, rule in (rules or {}).items()
                }
            ),
            quarantine=quarantine or QuarantineSettings(),
            tag=tag or TagSettings(),
            trace=trace or TraceSettings(),
            lists=tuple(lists),
            streams=tuple(streams),
            campaign=campaign or CampaignSettings(),
            optin=optin or OptinSettings(grace=timedelta(0)),
        )
    )


def a_customer(name: str, *match: str, profile: str = "") -> CustomerSettings:
    return CustomerSettings(
        name=name, match=match, profile=profile, contact=f"post@{name}.example"
    )


def a_transaction(
    login: str = "",
    *,
    client: str = "",
    path: Path = Path.SMTP,
    local_user: str = "",
    certificate: str = "",
    realm: str = "",
    mta: str = "postfix",
    sender: str | None = None,
    recipients: int | Iterable[str] = 1,
    headers: Mapping[str, str] | None = None,
    size: int = 0,
    queue_id: str = "4XyZ1a2b3c",
) -> Transaction:
    """A message; with no login and no client it comes from a host of the outside.

    Its sender is who logged in, or Anne.
    """
    if isinstance(recipients, int):
        recipients = [f"bart{number}@example.net" for number in range(recipients)]
    paths = [f"<{recipient}>".encode() for recipient in recipients]
    outside = "" if path is Path.LOCAL_SUBMISSION else OUTSIDE
    return Transaction(
        session=Session(
            client=parse_client(client or outside),
            path=path,
            login_realm=realm,
            local_user=local_user,
            mta=mta,
        ),
        login=login,
        certificate=certificate,
        sender=f"<{sender if sender is not None else login or ANNE}>".encode(),
        recipients=paths,
        recipient_count=len(paths),
        headers={
            name.lower(): [value.encode()] for name, value in (headers or {}).items()
        },
        declared_size_bytes=size,
        body_digest=b"\x01" * 16,
        queue_id=queue_id,
    )


@dataclass(slots=True)
class Host:
    """The port `Host`, as a test sets it."""

    copy: Snapshot = EMPTY
    full: bool = False

    def snapshot(self) -> Snapshot:
        return self.copy

    def disk_full(self) -> bool:
        return self.full


@dataclass(slots=True)
class Outpost:
    """A gate and all that stands around it."""

    policy: Policy
    clock: Clock = field(default_factory=Clock)
    host: Host = field(default_factory=Host)
    seen: list[Decision] = field(default_factory=list)
    store: Ledger = field(init=False)
    gate: Gate = field(init=False)

    def __post_init__(self) -> None:
        self.store = Ledger(self.clock)
        self.reload(self.policy)

    def reload(self, policy: Policy) -> None:
        """Judge under other settings, with the counters as they are."""
        self.policy = policy
        self.gate = Gate(policy, self.store, self.host, self.clock, (self,))

    def observe(self, decision: Decision) -> None:
        self.seen.append(decision)

    def judge(self, transaction: Transaction) -> Decision:
        return self.gate.judge(transaction)

    def actions(self, transactions: Iterable[Transaction]) -> list[Action]:
        return [self.judge(one).disposition.action for one in transactions]

    def order(self, order: Order, name: str, value: str = "") -> None:
        """As `HSET outgate:<order> <name> <value>`, seen by the store alone."""
        self.store.orders[order, name] = value.encode()

    def copy(self, *entries: Entry) -> None:
        """What the keeper read last."""
        self.host.copy = Snapshot.build(entries)


def a_case(
    policy: Policy,
    transaction: Transaction,
    *,
    answers: Answers | None = None,
    copy: Snapshot = EMPTY,
) -> Case:
    """One message as the rules see it; by itself, nobody knows anything of it."""
    facts = read_facts(transaction)
    session = transaction.session
    _, accountable = Accountability(policy).resolve(
        transaction.login,
        session.login_realm,
        session.local_user,
        transaction.certificate,
        session.client,
        session.path,
    )
    assert accountable is not None
    plan = make_plan(transaction, facts, accountable, policy, copy, NOW_US)
    if answers is None:
        answers = Answers(
            now_us=NOW_US,
            levels=[Level(True, charge.cost, 0) for charge in plan.charges],
        )
    return Case(transaction, facts, accountable, policy, plan, answers, copy)


def a_finding(
    action: Action = Action.REJECT,
    *,
    reason: Reason = Reason.LIMIT_EXCEEDED,
    binding: bool = True,
    always: bool = False,
) -> Finding:
    return Finding(
        reason=reason,
        action=action,
        public="A sentence for the sender.",
        binding=binding,
        always=always,
    )


def a_verdict(*findings: Finding) -> Verdict:
    action = severest(findings).action if findings else Action.ACCEPT
    return Verdict(action=action, findings=findings)


def an_entry(order: Order, name: str, value: str = "") -> Entry:
    return parse_entry(order, name, value.encode())

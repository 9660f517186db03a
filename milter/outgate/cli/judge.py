"""The judgement that `outgate check` prints."""

import time
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

import click

from outgate.config.settings import Settings
from outgate.daemon.compose import Places, default_listen, make_host, now_us
from outgate.log.lines import escape
from outgate.message.headers import header_from_address
from outgate.message.split import split_message
from outgate.model.errors import EX_USAGE, StartError, StoreError
from outgate.model.identity import Path as SubmissionPath
from outgate.model.limit import Count
from outgate.model.units import format_duration
from outgate.mta.session import MilterSession, Socket, wanted_headers
from outgate.policy.compiled import Policy
from outgate.policy.decision import Decision
from outgate.policy.gate import Gate
from outgate.policy.order import RULES
from outgate.policy.questions import HASH_BYTES, Answers, Plan, PlannedCharge
from outgate.signing.secret import read_secret
from outgate.signing.tokens import TokenVerifier
from outgate.store.counters import Counters
from outgate.store.keys import Keys
from outgate.store.wire import Endpoint, Wire


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """What a message in a file does not say of itself.

    Attributes:
        realm: of a login that has none; None for that of the configured sockets.
    """

    login: str
    realm: str | None
    client: str
    sender: str | None
    recipients: tuple[str, ...]
    local_user: str


@dataclass(frozen=True, slots=True)
class Judgement:
    """A decision, ready to be shown."""

    decision: Decision

    @property
    def lets_out(self) -> bool:
        """Whether the verdict would let the message leave."""
        return self.decision.verdict.action.lets_out

    def document(self) -> dict[str, object]:
        """For machines."""
        decision = self.decision
        plan, answers = decision.plan, decision.answers
        accountable = decision.accountable
        return {
            "class": decision.mail_class.value,
            "customer": accountable.customer if accountable else None,
            "profile": plan.profile if plan else None,
            "standing": answers.standing if answers else None,
            "action": decision.verdict.action.value,
            "disposition": decision.disposition.action.value,
            "reply": str(decision.disposition.reply or "") or None,
            "hits": [
                {
                    "rule": finding.reason.value,
                    "action": finding.action.value,
                    "detail": finding.detail,
                }
                for finding in decision.verdict.findings
            ],
            "misses": [reason.value for reason in decision.verdict.misses],
            "limits": [row.document() for row in _rows(plan, answers)],
            "opt-in-tokens": {
                result.value: count for result, count in plan.evidence.results.items()
            }
            if plan is not None
            else {},
        }

    def show(self) -> None:
        """For people."""
        decision = self.decision
        verdict, disposition = decision.verdict, decision.disposition
        accountable = decision.accountable
        click.echo(f"class        {decision.mail_class.value}")
        if accountable is None:
            click.echo("direction    inbound: it passes untouched")
            return
        _say(
            f"customer     {accountable.customer}  "
            f"(by {accountable.kind.value} {accountable.principal})"
        )
        if decision.plan is not None:
            _say(f"profile      {decision.plan.profile}{_standing(decision)}")
        click.echo(f"verdict      {verdict.action.value}")
        click.echo(f"disposition  {disposition.action.value}")
        if disposition.reply is not None:
            click.echo(f"reply        {disposition.reply}")
        if decision.plan is not None and (results := decision.plan.evidence.results):
            told = ", ".join(f"{count} {result}" for result, count in results.items())
            click.echo(f"opt-in       tokens: {told}")
        self._show_rules()
        self._show_limits()

    def _show_rules(self) -> None:
        hits = {finding.reason: finding for finding in self.decision.verdict.findings}
        click.echo("\nrules")
        for rule in RULES:
            finding = hits.get(rule.reason)
            if finding is None:
                click.echo(f"  -    {rule.reason.value:<24} {rule.summary}")
            else:
                _say(
                    f"  HIT  {rule.reason.value:<24} {finding.action.value}: "
                    f"{finding.detail or rule.summary}"
                )

    def _show_limits(self) -> None:
        plan, answers = self.decision.plan, self.decision.answers
        if plan is None or answers is None or not plan.charges:
            return
        if plan.people:
            click.echo(
                f"\nstrangers    {answers.stranger_count} of {len(plan.people)} recipients"
            )
        if (spread := answers.spread) is not None:
            click.echo(
                f"campaign     this content reached {spread.reached} recipients, "
                f"{spread.strangers} strangers among them"
            )
        click.echo("\nlimits       (used / burst, cost of this message)")
        for row in _rows(plan, answers):
            row.show()


@dataclass(frozen=True, slots=True)
class _Row:
    """One limit, as it is for this message.

    Attributes:
        charge: with the rate and the burst in force.
        used: units in the counter before this message.
        cost: units that the message takes of it, or would.
    """

    charge: PlannedCharge
    used: int
    cost: int
    fits: bool

    def document(self) -> dict[str, object]:
        """For machines."""
        charge = self.charge
        document: dict[str, object] = {
            "limit": charge.limit.name,
            "identity": charge.identity,
            "rate": str(charge.rate),
            "used": self.used,
            "burst": charge.burst,
            "cost": self.cost,
            "fits": self.fits,
        }
        if charge.limit.share:
            document["share"] = charge.limit.share
        return document

    def show(self) -> None:
        """For people."""
        charge = self.charge
        rate, share = charge.rate, charge.limit.share
        _say(
            f"  {'ok  ' if self.fits else 'FULL'} {charge.limit.name:<32} "
            f"{self.used}/{charge.burst}, costs {self.cost}; "
            f"{charge.identity or 'this content'}"
        )
        more = f"; more while at most {share} % of those reached are strangers"
        click.echo(
            f"       {rate}: {charge.burst} at once, then one every "
            f"{rate.interval_us / 1_000_000:g} s; in the worst "
            f"{format_duration(rate.period)} {charge.burst + rate.count}"
            f"{more if share else ''}"
        )


def _rows(plan: Plan | None, answers: Answers | None) -> Iterator[_Row]:
    """All limits, that of the campaign last.

    The store tells what would be in a counter that has room.
    """
    if plan is None or answers is None:
        return
    listed, strangers = bool(plan.subscribed), answers.stranger_count
    for planned, level in zip(plan.charges, answers.levels, strict=True):
        charged = level.charged
        cost = len(charged) // HASH_BYTES if isinstance(charged, bytes) else charged
        used = level.used - (cost if answers.allowed and level.fits else 0)
        if listed and planned.limit.count is Count.STRANGERS:
            # They are charged afterwards.
            cost = strangers
        yield _Row(planned.at(answers.standing), used, cost, level.fits)
    campaign, spread = plan.campaign, answers.spread
    if campaign is not None and spread is not None:
        charged_now = answers.allowed and spread.fits and not listed
        used = spread.strangers - (strangers if charged_now else 0)
        yield _Row(campaign.at(answers.standing), used, strangers, spread.fits)


def _standing(decision: Decision) -> str:
    """What conduct leaves of the limits on strangers, "" where it moves nothing."""
    plan, answers = decision.plan, decision.answers
    if plan is None or answers is None or plan.conduct is None:
        return ""
    return f"  ({answers.standing} % of its limits on strangers)"


def _say(line: str) -> None:
    """Print one line; names in it may be the sender's."""
    click.echo(escape(line))


class _Peek:
    """A store that looks without charging, and whose troubles are the answer."""

    def __init__(self, counters: Counters) -> None:
        self._counters = counters

    def look_up(self, plan: Plan) -> Answers:
        return self._counters.look_up(plan, commit=False)

    def has_withdrawn(self, customer: str, list_id: str, mailbox: str) -> bool | None:
        """All is said at end-of-message."""

    def settle(
        self, plan: Plan, answers: Answers, *, held_bytes: int, stopped: bool = False
    ) -> None:
        """Nothing was charged."""

    def spare(
        self, plan: Plan, answers: Answers, removed: AbstractSet[str], recipients: int
    ) -> None:
        """Nothing was charged."""

    def meet(self, plan: Plan) -> None:
        """Nobody is remembered."""

    def introduce(
        self, plan: Plan, answers: Answers, removed: AbstractSet[str] = frozenset()
    ) -> None:
        """Nobody is remembered."""

    def register(self, plan: Plan, answers: Answers) -> None:
        """Nobody is registered."""

    def note_challenge(self, plan: Plan, *, left: bool) -> None:
        """Nothing is noted."""


def judge(
    settings: Settings, endpoint: Endpoint, raw: bytes, envelope: Envelope
) -> Judgement:
    """Judge a message against the store as it is now.

    Raises:
        StoreError: the store did not answer.
        StartError: the secret cannot be read, or nothing tells the login's realm.
    """
    realm = _realm(settings, envelope)
    secret = read_secret(Places.of(settings).secret(settings))
    host = make_host(settings)
    host.refresh(time.monotonic())
    keys = Keys(settings.store.namespace)
    wire = Wire(_patient(endpoint))
    store = _Peek(Counters(wire, keys, secret))
    seen: list[Decision] = []
    gate = Gate(
        Policy.build(settings.for_policy()),
        store,
        host,
        now_us,
        (_Keep(seen),),
        TokenVerifier(Places.of(settings).optin_keys),
    )
    session = _session(settings, gate, envelope, realm)
    sender, headers, body = _read(raw, envelope)
    session.mail((sender,), envelope.login, "")
    for recipient in envelope.recipients:
        session.recipient((f"<{recipient}>".encode(),))
    for name, value in headers:
        session.header(name.decode("ascii", "replace"), value)
    session.body(body[:65536])
    try:
        session.end_of_message("")
    except StoreError as error:
        raise type(error)(f"no judgement without the store: {error}") from error
    finally:
        wire.close()
    return Judgement(seen[0])


class _Keep:
    """An observer that keeps the decision."""

    def __init__(self, seen: list[Decision]) -> None:
        self._seen = seen

    def observe(self, decision: Decision) -> None:
        self._seen.append(decision)


def _realm(settings: Settings, envelope: Envelope) -> str:
    """What the daemon would append to this login."""
    if envelope.realm is not None:
        return envelope.realm
    realms = sorted(
        {
            listen.login_realm
            for listen in default_listen(settings)
            if listen.path is SubmissionPath.SMTP
        }
    )
    if len(realms) <= 1 or not envelope.login or "@" in envelope.login:
        return realms[0] if realms else ""
    raise StartError(
        f"the sockets append different realms to {envelope.login!r}: say by --realm "
        f"which one is meant, of {', '.join(map(repr, realms))}",
        EX_USAGE,
    )


def _session(
    settings: Settings, gate: Gate, envelope: Envelope, realm: str
) -> MilterSession:
    local = bool(envelope.local_user)
    socket = Socket(
        path=SubmissionPath.LOCAL_SUBMISSION if local else SubmissionPath.SMTP,
        login_realm=realm,
        local_user=envelope.local_user,
    )
    header = settings.tag.header
    session = MilterSession(socket, gate, wanted_headers(header), header)
    session.connect(envelope.client, "Postfix", "")
    return session


def _read(
    raw: bytes, envelope: Envelope
) -> tuple[bytes, list[tuple[bytes, bytes]], bytes]:
    headers, body = split_message(raw)
    if envelope.sender is not None:
        return f"<{envelope.sender}>".encode(), headers, body
    found: dict[str, list[bytes]] = {}
    for name, value in headers:
        found.setdefault(name.decode("ascii", "replace").lower(), []).append(value)
    address = header_from_address(found)
    return f"<{address or ''}>".encode(), headers, body


def _patient(endpoint: Endpoint) -> Endpoint:
    """A person waits longer than a message may."""
    return Endpoint(
        url=endpoint.url,
        password=endpoint.password,
        timeout_s=max(endpoint.timeout_s, 1.0),
    )

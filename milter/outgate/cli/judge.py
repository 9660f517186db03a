"""The judgement that `outgate check` prints."""

import time
from dataclasses import dataclass

import click

from outgate.config.settings import Settings
from outgate.daemon.compose import (
    Places,
    StoreWatcher,
    endpoint_of,
    make_front,
    make_host,
    make_log,
    now_us,
)
from outgate.message.headers import header_from_address
from outgate.message.split import split_message
from outgate.model.errors import StoreError, StoreUnavailable
from outgate.model.identity import Path as SubmissionPath
from outgate.model.units import format_duration
from outgate.mta.session import MilterSession, Socket, wanted_headers
from outgate.policy.compiled import Policy
from outgate.policy.gate import Decision, Gate
from outgate.policy.order import RULES
from outgate.policy.ports import Answers, Plan, Source
from outgate.signing.secret import read_secret
from outgate.store.front import Front
from outgate.store.wire import Endpoint


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """What a message in a file does not say of itself."""

    login: str
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
            "limits": [
                {
                    "limit": charge.limit.name,
                    "identity": charge.identity,
                    "rate": str(charge.rate),
                    "used": level.used,
                    "burst": charge.burst,
                    "cost": charge.cost,
                    "fits": level.fits,
                }
                for charge, level in zip(
                    plan.charges if plan else [],
                    answers.levels if answers else [],
                    strict=False,
                )
            ],
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
        click.echo(
            f"customer     {accountable.customer}  "
            f"(by {accountable.kind.value} {accountable.principal})"
        )
        click.echo(f"verdict      {verdict.action.value}")
        click.echo(f"disposition  {disposition.action.value}")
        if disposition.reply is not None:
            click.echo(f"reply        {disposition.reply}")
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
                click.echo(
                    f"  HIT  {rule.reason.value:<24} {finding.action.value}: "
                    f"{finding.detail or rule.summary}"
                )

    def _show_limits(self) -> None:
        plan, answers = self.decision.plan, self.decision.answers
        if plan is None or answers is None or not plan.charges:
            return
        click.echo("\nlimits       (used / burst, cost of this message)")
        for charge, level in zip(plan.charges, answers.levels, strict=False):
            rate = charge.rate
            click.echo(
                f"  {'ok  ' if level.fits else 'FULL'} {charge.limit.name:<32} "
                f"{level.used}/{charge.burst}, costs {charge.cost}; {charge.identity}"
            )
            click.echo(
                f"       {rate}: {charge.burst} at once, then one every "
                f"{rate.interval_us / 1_000_000:g} s; in the worst "
                f"{format_duration(rate.period)} {charge.burst + rate.count}"
            )


class _Peek:
    """A store that looks without charging."""

    def __init__(self, front: Front) -> None:
        self._front = front

    def look_up(self, plan: Plan) -> Answers:
        answers = self._front.look_up(plan, commit=False)
        if answers.source is not Source.STORE:
            raise StoreUnavailable(f"the store does not answer ({answers.trouble})")
        return answers

    def settle(self, plan: Plan, answers: Answers, *, held_bytes: int) -> None:
        """Nothing was charged."""


def judge(settings: Settings, raw: bytes, envelope: Envelope) -> Judgement:
    """Judge a message against the store as it is now.

    Raises:
        StoreError: the store did not answer; the exit code is 75.
        StartError: the secret cannot be read.
    """
    endpoint = _patient(endpoint_of(settings))
    secret = read_secret(Places.of(settings).secret(settings))
    host = make_host(settings)
    host.refresh(time.monotonic())
    watcher = StoreWatcher(make_log(settings), None)
    front = make_front(settings, endpoint, secret, host.snapshot, watcher)
    seen: list[Decision] = []
    gate = Gate(
        Policy.build(settings.for_policy()), _Peek(front), host, now_us, (_Keep(seen),)
    )
    session = _session(settings, gate, envelope)
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
        raise StoreUnavailable(f"{endpoint}: {error}") from error
    return Judgement(seen[0])


class _Keep:
    """An observer that keeps the decision."""

    def __init__(self, seen: list[Decision]) -> None:
        self._seen = seen

    def observe(self, decision: Decision) -> None:
        self._seen.append(decision)


def _session(settings: Settings, gate: Gate, envelope: Envelope) -> MilterSession:
    local = bool(envelope.local_user)
    socket = Socket(
        path=SubmissionPath.LOCAL_SUBMISSION if local else SubmissionPath.SMTP,
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

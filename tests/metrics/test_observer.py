"""One decision is one count, under a label that was there before."""

from dataclasses import dataclass, field
from typing import cast

from hypothesis import given, settings
from hypothesis import strategies as st

from outgate.metrics.observer import Observer
from outgate.metrics.recorder import Recorder
from outgate.model.dkim import Algorithm, Signature, SigningResult
from outgate.model.identity import Path
from outgate.model.limit import Count
from outgate.model.verdict import Action, Finding, MailClass, Mode, Reason, Verdict
from outgate.policy.compiled import Policy
from outgate.policy.decide import severest
from outgate.policy.decision import Decision
from outgate.policy.enforce import Circumstances, enforce
from outgate.policy.operator import Order
from outgate.policy.rule_settings import RuleSettings, allowed_actions
from policy.builders import (
    ANNE,
    MALLORY,
    Outpost,
    a_limit,
    a_policy,
    a_transaction,
)
from policy.ledger import NOW_US

_ALWAYS = {Reason.SUSPENDED, Reason.QUARANTINED}


@dataclass
class Child:
    """One series."""

    value: float = 0

    def inc(self, amount: float = 1) -> None:
        self.value += amount

    def observe(self, amount: float) -> None:
        self.value += amount


@dataclass
class Family(Child):
    """One metric, in memory."""

    children: dict[tuple[str, ...], Child] = field(default_factory=dict)

    def labels(self, *words: str) -> Child:
        return self.children.setdefault(words, Child())

    def counted(self) -> dict[tuple[str, ...], float]:
        """Series that are not at 0."""
        return {
            words: child.value for words, child in self.children.items() if child.value
        }


@dataclass
class Memory:
    """A recorder without files."""

    messages: Family = field(default_factory=Family)
    optin_tokens: Family = field(default_factory=Family)
    optin_contradictions: Family = field(default_factory=Family)
    challenges: Family = field(default_factory=Family)
    dkim_signatures: Family = field(default_factory=Family)
    recipients: Family = field(default_factory=Family)
    strangers: Family = field(default_factory=Family)
    removed_recipients: Family = field(default_factory=Family)
    refused_recipients: Family = field(default_factory=Family)
    limit_exceeded: Family = field(default_factory=Family)
    near_limit: Family = field(default_factory=Family)
    retries: Family = field(default_factory=Family)
    answers: Family = field(default_factory=Family)
    decision_seconds: Family = field(default_factory=Family)
    store_seconds: Family = field(default_factory=Family)


def observer(policy: Policy) -> tuple[Memory, Observer]:
    memory = Memory()
    return memory, Observer(cast("Recorder", memory), policy)


def test_a_message_is_counted_with_everything_that_came_of_it() -> None:
    """Class, verdict, disposition and reason; its recipients by direction."""
    policy = a_policy(a_limit("10/1h"), local=["inside.example"])
    memory, watching = observer(policy)
    outpost = Outpost(policy)

    watching.observe(
        outpost.judge(
            a_transaction(ANNE, recipients=["a@inside.example", "b@x.example"])
        )
    )

    assert memory.messages.counted() == {("personal", "accept", "accept", "none"): 1}
    assert memory.recipients.counted() == {
        ("external", "accept"): 1,
        ("internal", "accept"): 1,
    }
    assert memory.answers.counted() == {("store",): 1}
    assert memory.retries.value == 0


def test_limits_are_counted_by_their_names_when_they_are_near_and_when_used_up() -> (
    None
):
    """All that a message met, from 0."""
    policy = a_policy(
        a_limit("10/1h", name="recipients", warn=80),
        a_limit("9/1h", name="messages", count=Count.MESSAGES, warn=80),
        a_limit("5/1h", name="watched", count=Count.MESSAGES, mode=Mode.MONITOR),
    )
    memory, watching = observer(policy)
    outpost = Outpost(policy)
    names = {("recipients",), ("messages",), ("watched",)}
    assert set(memory.near_limit.children) == names
    assert set(memory.limit_exceeded.children) == names

    for _ in range(5):
        watching.observe(outpost.judge(a_transaction(ANNE)))
    for _ in range(3):
        watching.observe(outpost.judge(a_transaction(ANNE, recipients=1)))
    watching.observe(outpost.judge(a_transaction(ANNE, recipients=9)))

    assert memory.near_limit.counted() == {}
    assert memory.limit_exceeded.counted() == {("watched",): 4, ("recipients",): 1}

    other = a_transaction(MALLORY, recipients=8)
    watching.observe(outpost.judge(other))

    assert memory.near_limit.counted() == {("recipients",): 1}


def test_strangers_are_counted_by_what_became_of_the_mail() -> None:
    """Who was mailed before is none."""
    policy = a_policy(a_limit("5/1d", count=Count.STRANGERS))
    memory, watching = observer(policy)
    outpost = Outpost(policy)

    for recipients in (3, 3, 9):
        watching.observe(outpost.judge(a_transaction(ANNE, recipients=recipients)))

    assert memory.strangers.counted() == {("accept",): 3, ("quarantine",): 6}


def test_inbound_mail_is_counted_once_and_costs_nothing_else() -> None:
    """No look-up, no recipients."""
    policy = a_policy()
    memory, watching = observer(policy)

    watching.observe(Outpost(policy).judge(a_transaction()))

    assert memory.messages.counted() == {("inbound", "accept", "accept", "none"): 1}
    assert memory.recipients.counted() == memory.answers.counted() == {}
    assert memory.store_seconds.value == 0


def test_a_retry_is_counted() -> None:
    """Clients that try again and again show."""
    policy = a_policy(a_limit("1/1h"))
    memory, watching = observer(policy)
    outpost = Outpost(policy)

    for _ in range(3):
        watching.observe(outpost.judge(a_transaction(MALLORY, recipients=2)))

    assert memory.retries.value == 2


def test_of_several_reasons_the_one_that_decides_is_counted() -> None:
    """Also in monitor mode, where nothing acts and the report must be true."""
    policy = a_policy(a_limit("1/1h"), mode=Mode.MONITOR)
    memory, watching = observer(policy)
    transaction = a_transaction(MALLORY, recipients=2, headers={"Precedence": "bulk"})
    outpost = Outpost(policy)
    outpost.order(Order.ALLOW, MALLORY, "rules=message-exceeds-limit")

    watching.observe(outpost.judge(transaction))
    outpost.store.orders.clear()
    watching.observe(outpost.judge(transaction))

    assert memory.messages.counted() == {
        ("bulk", "tag", "accept", "missing-unsubscribe"): 1,
        ("bulk", "reject", "accept", "message-exceeds-limit"): 1,
    }


_modes = st.sampled_from(Mode)


@st.composite
def _policies(draw: st.DrawFn) -> Policy:
    return a_policy(
        *(
            a_limit(
                name=f"limit-{number}",
                action=draw(st.sampled_from(Action).filter(_is_no_acceptance)),
                mode=draw(_modes),
            )
            for number in range(draw(st.integers(0, 3)))
        ),
        mode=draw(_modes),
        rules={
            reason: RuleSettings(
                action=draw(st.sampled_from((None, *allowed_actions(reason)))),
                mode=draw(_modes),
            )
            for reason in Reason
        },
    )


def _is_no_acceptance(action: Action) -> bool:
    return action is not Action.ACCEPT


@st.composite
def _findings(draw: st.DrawFn, policy: Policy, reason: Reason) -> Finding:
    """What a rule may find under this policy."""
    rule = policy.rules[reason]
    action, binding = rule.action, rule.mode is Mode.ENFORCE
    if reason in {Reason.LIMIT_EXCEEDED, Reason.MESSAGE_EXCEEDS_LIMIT}:
        limit = draw(st.sampled_from(policy.limits)).limit
        limits = policy.rules[Reason.LIMIT_EXCEEDED].mode is Mode.ENFORCE
        binding = binding and limits and limit.mode is Mode.ENFORCE
        if reason is Reason.LIMIT_EXCEEDED:
            action = limit.action
    return Finding(
        reason=reason,
        action=action,
        public="",
        binding=binding,
        always=reason in _ALWAYS,
    )


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_every_count_was_at_0_before(data: st.DataObject) -> None:
    """Whatever is found, under whatever settings: the series was born already."""
    policy = data.draw(_policies())
    memory, watching = observer(policy)
    born = set(memory.messages.children)
    reasons = data.draw(st.sets(st.sampled_from(Reason), max_size=4))
    if not policy.limits:
        reasons -= {Reason.LIMIT_EXCEEDED, Reason.MESSAGE_EXCEEDS_LIMIT}
    mail_class = data.draw(st.sampled_from(MailClass))
    if mail_class is MailClass.INBOUND:
        reasons &= {Reason.INTERNAL_ERROR}
    findings = [
        data.draw(_findings(policy, reason))
        for reason in Reason
        if reason in reasons - {Reason.QUARANTINE_FULL}
    ]
    verdict = Verdict()
    if findings:
        verdict = Verdict(action=severest(findings).action, findings=tuple(findings))
    around = Circumstances(
        path=data.draw(st.sampled_from(Path)),
        mail_class=mail_class,
        queue_id="",
        hold_queue_full=data.draw(st.booleans()),
        now_us=NOW_US,
    )
    disposition = enforce(verdict, policy, around)

    watching.observe(
        Decision(a_transaction(), mail_class, verdict, disposition, NOW_US)
    )

    assert set(memory.messages.counted()) <= born


def test_the_series_of_one_worker_are_few() -> None:
    """The product of all labels would be thousands; a scrape merges every worker's."""
    memory, _ = observer(a_policy(shipped=True, mode=Mode.ENFORCE))

    assert len(memory.messages.children) < 500


def test_opt_in_tokens_are_counted_by_result() -> None:
    """Each copy of the header, whatever became of the message."""
    message = a_transaction(ANNE)
    message.headers["opt-in-evidence"] = [b"v=1", b"x" * 2000, b"v=2"]
    recorder = Memory()
    observer = Observer(cast("Recorder", recorder), a_policy())

    observer.observe(Outpost(a_policy()).judge(message))

    assert recorder.optin_tokens.counted() == {("malformed",): 2, ("too-large",): 1}


def test_challenges_are_counted_by_what_became_of_them() -> None:
    """The sixth one of a customer to a person waits; other mail is none."""
    request = {"From": f"news-confirm+{'0f' * 20}@example.com"}
    recorder = Memory()
    observer = Observer(cast("Recorder", recorder), a_policy())
    post = Outpost(a_policy())

    for headers in (*[request] * 6, {}):
        observer.observe(post.judge(a_transaction(ANNE, headers=headers)))

    assert recorder.challenges.counted() == {("accept",): 5, ("defer",): 1}


def test_signatures_are_counted_by_algorithm_and_result() -> None:
    """Every result was there before, at 0."""
    recorder = Memory()
    observer = Observer(cast("Recorder", recorder), a_policy())
    decision = Outpost(a_policy()).judge(a_transaction(ANNE))
    decision.signatures = (
        Signature(SigningResult.SIGNED, "a.example", "s", Algorithm.RSA_SHA256, "v=1"),
        Signature(SigningResult.NOT_PERMITTED, "a.example", "e"),
    )
    born = {result for _, result in recorder.dkim_signatures.children}

    observer.observe(decision)

    assert born == {result.value for result in SigningResult}
    assert recorder.dkim_signatures.counted() == {
        ("rsa-sha256", "signed"): 1,
        ("none", "not-permitted"): 1,
    }

"""One decision becomes counters."""

from collections.abc import Iterator, Mapping
from typing import Any

from outgate.metrics.names import NO_ALGORITHM, NO_REASON
from outgate.metrics.recorder import Recorder
from outgate.model.challenge import Witness
from outgate.model.dkim import Algorithm, SigningResult
from outgate.model.verdict import Action, MailClass, Mode, Reason
from outgate.policy.compiled import Policy
from outgate.policy.decide import severest
from outgate.policy.decision import Decision
from outgate.policy.exhausted import exceeded
from outgate.policy.nearing import nearing
from outgate.policy.questions import Answers, Plan


class Observer:
    """Counts decisions; label children are resolved once and kept."""

    def __init__(self, recorder: Recorder, policy: Policy) -> None:
        self._messages: dict[tuple[str, str, str, str], Any] = {}
        self._recorder = recorder
        self._recipients = {
            (direction, action): recorder.recipients.labels(direction, action.value)
            for direction in ("external", "internal")
            for action in Action
        }
        self._answers: dict[str, Any] = {}
        self._strangers = {
            action: recorder.strangers.labels(action.value) for action in Action
        }
        self._removed = {
            reason: recorder.removed_recipients.labels(reason.value)
            for reason in _REMOVING
        }
        self._refused = recorder.refused_recipients.labels(
            Reason.CONSENT_WITHDRAWN.value
        )
        # Names of limits come from the configuration: born with it, and bounded by it.
        names = sorted(policy.limit_names())
        self._exceeded = {name: recorder.limit_exceeded.labels(name) for name in names}
        self._near = {name: recorder.near_limit.labels(name) for name in names}
        self._signatures = {
            (algorithm, result): recorder.dkim_signatures.labels(
                algorithm.value if algorithm else NO_ALGORITHM, result.value
            )
            for result in SigningResult
            for algorithm in _ALGORITHMS.get(result, (None,))
        }
        self._bear(policy)

    def observe(self, decision: Decision) -> None:
        """Count one message."""
        verdict = decision.verdict
        disposition = decision.disposition
        reason = disposition.reason or (
            severest(verdict.findings).reason if verdict.findings else None
        )
        self._message(
            decision.mail_class,
            verdict.action,
            disposition.action,
            reason or NO_REASON,
        ).inc()
        self._note_missing(decision)
        self._count_signatures(decision)
        recorder = self._recorder
        recorder.decision_seconds.observe(decision.total_us / 1_000_000)
        plan, answers = decision.plan, decision.answers
        if plan is None or answers is None:
            return
        recorder.store_seconds.observe(answers.store_us / 1_000_000)
        self._answer(answers.source).inc()
        if answers.attempts:
            recorder.retries.inc()
        self._count_consent(plan, answers, disposition.action)
        if plan.external:
            self._recipients["external", disposition.action].inc(plan.external)
        if plan.internal:
            self._recipients["internal", disposition.action].inc(plan.internal)
        if answers.strangers:
            self._strangers[disposition.action].inc(answers.stranger_count)
        for charge in exceeded(plan, answers, verdict.findings):
            self._exceeded[charge.limit.name].inc()
        if Reason.NEAR_LIMIT in verdict.reasons:
            for charge, _ in nearing(plan, answers, verdict.findings):
                self._near[charge.limit.name].inc()

    def _note_missing(self, decision: Decision) -> None:
        """Count recipients who did not get it though others did."""
        for removal in decision.disposition.removed:
            self._removed[removal.reason].inc()
        if refused := decision.transaction.refused_count:
            self._refused.inc(refused)

    def _count_consent(self, plan: Plan, answers: Answers, told: Action) -> None:
        for result, count in plan.evidence.results.items():
            self._recorder.optin_tokens.labels(result.value).inc(count)
        if plan.challenge is not None:
            self._recorder.challenges.labels(told.value).inc()
        # What stays here is not registered, and so not noted.
        wrong = answers.witnesses[Witness.CONTRADICTED] if told.lets_out else 0
        if wrong:
            self._recorder.optin_contradictions.inc(wrong)

    def _count_signatures(self, decision: Decision) -> None:
        for signature in decision.signatures:
            self._signatures[signature.algorithm, signature.result].inc()

    def _message(self, *words: str) -> Any:
        key = (words[0], words[1], words[2], words[3])
        child = self._messages.get(key)
        if child is None:
            child = self._messages[key] = self._recorder.messages.labels(*words)
        return child

    def _answer(self, source: str) -> Any:
        child = self._answers.get(source)
        if child is None:
            child = self._answers[source] = self._recorder.answers.labels(source)
        return child

    def _bear(self, policy: Policy) -> None:
        """Make the series that this configuration can meet, at 0.

        An alert on `increase()` never sees a series that is born at 1.
        """
        accept = Action.ACCEPT.value
        for mail_class in MailClass:
            self._message(mail_class.value, accept, accept, NO_REASON)
            for verdict, told, reason in _possible(policy):
                # Inbound mail is not judged, but an error of ours may hit it.
                if mail_class is MailClass.INBOUND and reason not in _OF_FAILURES:
                    continue
                self._message(mail_class.value, verdict.value, told.value, reason.value)


_REMOVING = (Reason.CONSENT_WITHDRAWN, Reason.LIST_WITHOUT_CONSENT)
# What an algorithm is known of; an error of ours may come before one is.
_ALGORITHMS: Mapping[SigningResult, tuple[Algorithm | None, ...]] = {
    SigningResult.SIGNED: tuple(Algorithm),
    SigningResult.ERROR: (*Algorithm, None),
}
_ALWAYS = frozenset({Reason.SUSPENDED, Reason.QUARANTINED})
_OF_FAILURES = frozenset({Reason.INTERNAL_ERROR, Reason.QUARANTINE_FULL})
_OF_LIMITS = frozenset({Reason.LIMIT_EXCEEDED, Reason.MESSAGE_EXCEEDS_LIMIT})


def _possible(policy: Policy) -> Iterator[tuple[Action, Action, Reason]]:
    """Verdict, what the MTA is told, and the reason that decided, under this policy."""
    reported = {
        action
        for reason in Reason
        if _may_report(policy, reason)
        for action in _actions(policy, reason)
    }
    for reason in Reason:
        for action in _actions(policy, reason):
            if _may_report(policy, reason):
                yield action, Action.ACCEPT, reason
            if _may_act(policy, reason):
                for verdict in {action} | _severer(reported, action):
                    yield verdict, action, reason
                    # On the local-submission path.
                    if action is Action.DEFER:
                        yield verdict, Action.QUARANTINE, reason
    # Instead of a quarantine, whoever asked for it; local submissions are rejected.
    full = Reason.QUARANTINE_FULL
    wanted = {Action.QUARANTINE, Action.DEFER}
    for verdict in wanted | _severer(reported, Action.QUARANTINE):
        for told in {policy.rules[full].action, Action.REJECT}:
            yield verdict, told, full


def _may_act(policy: Policy, reason: Reason) -> bool:
    enforced = policy.mode is Mode.ENFORCE and policy.rules[reason].mode is Mode.ENFORCE
    return enforced or reason in _ALWAYS


def _may_report(policy: Policy, reason: Reason) -> bool:
    """Whether a finding of this reason may decide nothing."""
    if reason in _ALWAYS:
        return False
    if not _may_act(policy, reason):
        return True
    # A limit's mode counts too, and that of the rule which is about limits.
    return reason in _OF_LIMITS and (
        not _may_act(policy, Reason.LIMIT_EXCEEDED)
        or any(one.limit.mode is Mode.MONITOR for one in policy.limits)
    )


def _severer(actions: set[Action], than: Action) -> set[Action]:
    return {action for action in actions if action.severity > than.severity}


def _actions(policy: Policy, reason: Reason) -> set[Action]:
    """What a rule may ask for."""
    if reason is Reason.QUARANTINE_FULL:
        return set()
    if reason is Reason.LIMIT_EXCEEDED:
        return {one.limit.action for one in policy.limits}
    action = policy.rules[reason].action
    if reason is Reason.CONSENT_WITHDRAWN:
        return {action, Action.ACCEPT}
    if reason is Reason.LIST_WITHOUT_CONSENT:
        return {action, Action.ACCEPT, Action.TAG}
    return {action}

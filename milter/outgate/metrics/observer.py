"""One decision becomes counters."""

from typing import Any

from outgate.metrics.names import NO_REASON
from outgate.metrics.recorder import Recorder
from outgate.model.verdict import Action, MailClass, Mode, Reason
from outgate.policy.compiled import Policy
from outgate.policy.gate import Decision


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
        self._bear(policy)

    def observe(self, decision: Decision) -> None:
        """Count one message."""
        verdict = decision.verdict
        disposition = decision.disposition
        reason = disposition.reason or (
            verdict.reasons[0] if verdict.findings else None
        )
        self._message(
            decision.mail_class.value,
            verdict.action.value,
            disposition.action.value,
            reason.value if reason else NO_REASON,
        ).inc()
        recorder = self._recorder
        recorder.decision_seconds.observe(decision.total_us / 1_000_000)
        plan, answers = decision.plan, decision.answers
        if plan is None or answers is None:
            return
        recorder.store_seconds.observe(answers.store_us / 1_000_000)
        self._answer(answers.source.value).inc()
        if answers.attempts:
            recorder.retries.inc()
        if plan.external:
            self._recipients["external", disposition.action].inc(plan.external)
        if plan.internal:
            self._recipients["internal", disposition.action].inc(plan.internal)

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
            if mail_class is MailClass.INBOUND:
                continue
            for reason in Reason:
                for action in _actions(policy, reason):
                    enforced = policy.mode is Mode.ENFORCE or reason in _ALWAYS
                    told = action.value if enforced else accept
                    self._message(mail_class.value, action.value, told, reason.value)


_ALWAYS = frozenset({Reason.SUSPENDED, Reason.QUARANTINED})


def _actions(policy: Policy, reason: Reason) -> set[Action]:
    if reason is Reason.LIMIT_EXCEEDED:
        return {limit.action for limit in policy.limits}
    return {policy.rules[reason].action}

"""From answers to a verdict; pure, so that it can be explained and replayed."""

from collections.abc import Iterable

from outgate.model.verdict import Finding, Mode, Reason, Verdict
from outgate.policy.case import Case, lifted
from outgate.policy.order import RULES


def decide(case: Case) -> Verdict:
    """Judge every rule that no operator lifted, and take the severest finding."""
    case.allowed = lifted(case)
    rules = case.policy.rules
    findings: list[Finding] = []
    misses: list[Reason] = []
    for rule in RULES:
        found = None if rule.reason in case.allowed else rule.judge(case)
        if found is None:
            misses.append(rule.reason)
            continue
        if rules[rule.reason].mode is Mode.MONITOR and not found.always:
            found = _monitored(found)
        findings.append(found)
    if not findings:
        return _PLAIN
    return Verdict(
        action=severest(findings).action,
        findings=tuple(findings),
        misses=tuple(misses),
    )


_PLAIN = Verdict(misses=tuple(rule.reason for rule in RULES))


def severest(findings: Iterable[Finding]) -> Finding:
    """The finding that wins: the severest, among equals the earliest."""
    return max(findings, key=lambda finding: finding.action.severity)


def would_let_out(verdict: Verdict) -> bool:
    """Whether the message would leave with every enforced rule in force.

    Monitor mode charges exactly what enforce would have let out, so that its report
    is true. A rule that only monitors does not count: its mail leaves either way.
    """
    return all(
        finding.action.lets_out for finding in verdict.findings if finding.binding
    )


def _monitored(finding: Finding) -> Finding:
    return Finding(
        reason=finding.reason,
        action=finding.action,
        public=finding.public,
        detail=finding.detail,
        binding=False,
        retry_after_us=finding.retry_after_us,
    )

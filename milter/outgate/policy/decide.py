"""From answers to a verdict; pure, so that it can be explained and replayed."""

from collections.abc import Iterable
from dataclasses import replace

from outgate.model.verdict import Finding, Mode, Removal, Verdict
from outgate.policy.case import Case, lifted
from outgate.policy.order import RULES


def decide(case: Case) -> Verdict:
    """Judge every rule that no operator lifted, and take the severest finding."""
    case.allowed = allowed = lifted(case)
    case.findings = findings = list[Finding]()
    for rule in RULES:
        if allowed and rule.reason in allowed:
            continue
        found = rule.judge(case)
        if found is not None:
            mode = case.policy.rules[rule.reason].mode
            if mode is Mode.MONITOR and not found.always:
                found = _monitored(found)
            findings.append(found)
    if not findings:
        return _PLAIN
    hits = {finding.reason for finding in findings}
    return Verdict(
        action=severest(findings).action,
        findings=tuple(findings),
        misses=tuple(rule.reason for rule in RULES if rule.reason not in hits),
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


def would_remove(verdict: Verdict) -> tuple[Removal, ...]:
    """Recipients that a message which leaves would lose with every enforced rule."""
    return tuple(
        Removal(path, finding.reason)
        for finding in verdict.findings
        if finding.binding
        for path in finding.remove
    )


def was_stopped(verdict: Verdict) -> bool:
    """Whether a rule stopped the message: what an operator ordered tells no conduct."""
    return any(
        finding.binding and not finding.always and not finding.action.lets_out
        for finding in verdict.findings
    )


def _monitored(finding: Finding) -> Finding:
    return replace(finding, binding=False)

"""Telling envelope senders of recipients who are taken out, before anybody is.

Nobody is taken out in silence: where the sender is not to be told, or can't be, what is
decided changes.
"""

from dataclasses import replace
from operator import attrgetter

from outgate.model.verdict import Action, Disposition, Finding, Reason, Verdict
from outgate.policy.case import Case
from outgate.policy.decide import decide
from outgate.policy.ports import Reporter


def why_untold(case: Case) -> str:
    """Why the envelope sender is not to be told of recipients; "" where he is."""
    if not case.plan.subscribed:
        return ""
    policy = case.policy
    return policy.own_senders.why_untold(
        case.transaction.sender, case.accountable, policy.internal_domains
    )


def tell(
    case: Case, verdict: Verdict, disposition: Disposition, reporter: Reporter
) -> Verdict | None:
    """Write down who is taken out.

    Returns:
        What holds instead where that cannot be; None where it was written, and where
        nobody is taken out.
    """
    if not disposition.removed:
        return None
    try:
        case.untold = reporter.report(
            case.transaction,
            case.facts,
            case.plan.customer,
            disposition,
            case.answers.now_us,
        )
    except OSError as error:
        # Held where nothing can be deferred; whoever releases it must not deliver it
        # to those who are out.
        finding = Finding(
            reason=Reason.INTERNAL_ERROR,
            action=Action.DEFER,
            public="The mail system had an error of its own; try again later.",
            detail=f"the sender cannot be told: {error.strerror}",
            always=True,
        )
        return replace(
            verdict,
            action=max(verdict.action, Action.DEFER, key=attrgetter("severity")),
            findings=(*verdict.findings, finding),
            misses=tuple(one for one in verdict.misses if one is not finding.reason),
        )
    return decide(case) if case.untold else None

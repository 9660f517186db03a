"""Mail that calls itself bulk goes to strangers, and no list is registered for it."""

from outgate.model.verdict import Finding, Reason
from outgate.policy.case import Case

REASON = Reason.DECLARED_BULK_UNREGISTERED
SUMMARY = "declared bulk mail to strangers, of no registered list"


def judge(case: Case) -> Finding | None:
    """Find declared bulk mail to strangers."""
    if (
        not case.facts.declares_bulk
        or case.plan.subscribed
        or case.plan.stream
        or case.plan.is_challenge_of_list
        or not case.answers.strangers
    ):
        return None
    return Finding(
        reason=REASON,
        action=case.policy.rules[REASON].action,
        public="Bulk mail needs a registered list with confirmed subscribers.",
        detail=case.facts.list_id or "no List-Id",
    )

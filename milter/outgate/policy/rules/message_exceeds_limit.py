"""One message costs more than a whole limit: it is refused even on an empty counter.

So does one with more recipients than are looked at: nobody could say how many strangers
are among the others. That holds for a registered list's mail too.
"""

from outgate.model.transaction import MAX_RECIPIENTS_KEPT
from outgate.model.verdict import Finding, Mode, Reason
from outgate.policy.case import Case
from outgate.policy.questions import PlannedCharge
from outgate.policy.rules.limit_exceeded import COUNTS

REASON = Reason.MESSAGE_EXCEEDS_LIMIT
SUMMARY = "one message costs more than a whole limit"

# Of strangers the cost is not known beforehand, and waiting would not help either.


def judge(case: Case) -> Finding | None:
    """Find the first limit that the message could never fit into, enforced first."""
    if case.transaction.too_many_recipients:
        return _too_many(case)
    over = [
        charge
        for charge in case.plan.charges
        if charge.cost > charge.burst and charge.limit.count in COUNTS
    ]
    if not over:
        return None
    found = max(over, key=_enforced)
    return Finding(
        reason=REASON,
        action=case.policy.rules[REASON].action,
        binding=_enforced(found),
        public=(
            f"One message to {found.cost} {found.limit.count.value} is over the limit "
            f"of {found.burst}. Please use a mailing list."
        ),
        detail=f"{found.limit.name}:{found.cost}/{found.burst}",
    )


def _too_many(case: Case) -> Finding:
    return Finding(
        reason=REASON,
        action=case.policy.rules[REASON].action,
        public=(
            f"One message may have {MAX_RECIPIENTS_KEPT} recipients. Please send it in "
            "parts of at most so many."
        ),
        detail=f"recipients:{case.transaction.recipient_count}/{MAX_RECIPIENTS_KEPT}",
    )


def _enforced(charge: PlannedCharge) -> bool:
    return charge.limit.mode is Mode.ENFORCE

"""One message costs more than a whole limit: it is refused even on an empty counter."""

from outgate.model.verdict import Finding, Reason
from outgate.policy.case import Case

REASON = Reason.MESSAGE_EXCEEDS_LIMIT
SUMMARY = "one message costs more than a whole limit"


def judge(case: Case) -> Finding | None:
    """Find the first limit that the message could never fit into."""
    for charge in case.plan.charges:
        if charge.cost > charge.burst:
            return Finding(
                reason=REASON,
                action=case.policy.rules[REASON].action,
                binding=charge.binding,
                public=(
                    f"One message to {charge.cost} {charge.limit.count.value} is over "
                    f"the limit of {charge.burst}. Please use a mailing list."
                ),
                detail=f"{charge.limit.name}:{charge.cost}/{charge.burst}",
            )
    return None

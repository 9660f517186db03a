"""An operator suspended this sender: `HSET outgate:suspend <name> "<why>"`."""

from outgate.model.verdict import Finding, Reason
from outgate.policy.case import Case
from outgate.policy.operator import Order

REASON = Reason.SUSPENDED
SUMMARY = "an operator suspended this sender"


def judge(case: Case) -> Finding | None:
    """Find an order that suspends the message's sender, under any of its names."""
    entry = case.order_in_force(Order.SUSPEND)
    if entry is None:
        return None
    return Finding(
        reason=REASON,
        action=case.policy.rules[REASON].action,
        always=True,
        public="Sending is suspended for this account or address.",
        detail=f"{entry.name}: {entry.text}" if entry.text else entry.name,
    )

"""An operator quarantined this sender: `HSET outgate:quarantine <name> "for=1h …"`."""

from outgate.model.verdict import Finding, Reason
from outgate.policy.case import Case
from outgate.policy.operator import Order

REASON = Reason.QUARANTINED
SUMMARY = "an operator quarantined this sender"


def judge(case: Case) -> Finding | None:
    """Find an order that quarantines the message's sender, under any of its names."""
    entry = case.order_in_force(Order.QUARANTINE)
    if entry is None:
        return None
    return Finding(
        reason=REASON,
        action=case.policy.rules[REASON].action,
        always=True,
        public="Mail of this account or address is being checked; try again later.",
        detail=f"{entry.name}: {entry.text}" if entry.text else entry.name,
    )

"""Plans of challenges."""

from outgate.model.challenge import DAY_S
from outgate.policy.questions import Plan, PlannedChallenge
from store.builders import a_charge, a_plan

LIST = "members.choir.example"
RETENTION_S = 30 * DAY_S


def a_challenge(
    *,
    customer: str = "choir",
    sender: str = "choir",
    mailbox: str = "bart@example.net",
    per_list: int = 1,
    per_recipient: int = 3,
    binding: bool = True,
    list_id: str = LIST,
    retention_s: int = RETENTION_S,
) -> Plan:
    planned = PlannedChallenge(
        list_id,
        mailbox,
        "mailman",
        sender,
        per_list,
        per_recipient,
        retention_s,
        binding,
    )
    plan = a_plan(a_charge(burst=1_000), customer=customer)
    plan.challenge = planned
    return plan

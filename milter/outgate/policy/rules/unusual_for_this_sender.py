"""An account that wakes up: far more mail than on any day of the last weeks.

A program has such days (a sale, a new list) without anybody's password being stolen: mail
of registered streams and lists is not asked. Strangers hold it as before.
"""

from outgate.model.verdict import Finding, Reason
from outgate.policy.case import Case

REASON = Reason.UNUSUAL_FOR_THIS_SENDER
SUMMARY = "far more recipients today than this sender ever has"

# A busy day is no theft: a wedding, an annual report, a school's first letter.
FACTOR = 10
FLOOR = 200


def judge(case: Case) -> Finding | None:
    """Find that today's recipients, these included, are out of proportion.

    Only those count who had no mail from the customer this week: an alarm that comes
    two thousand times is noise, and no campaign.
    """
    if case.plan.stream or case.plan.subscribed:
        return None
    answers = case.answers
    today = answers.today + answers.renewed
    if today <= FLOOR or today <= FACTOR * answers.peak:
        return None
    return Finding(
        reason=REASON,
        action=case.policy.rules[REASON].action,
        public="This is far more mail than usual for this account; try again later.",
        detail=f"{today} today, {answers.peak} on busy days",
    )

"""The same mail to strangers from many customers: a botnet on hijacked accounts."""

from outgate.model.verdict import Finding, Reason
from outgate.policy.case import Case

REASON = Reason.CAMPAIGN_ACROSS_CUSTOMERS
SUMMARY = "many customers begin to send the same content to strangers"


def judge(case: Case) -> Finding | None:
    """Find that enough others began to send this content to enough strangers.

    Whoever has been sending it for longer than a day has nothing to do with them: a
    template of theirs is the same for all.
    """
    answers = case.answers
    others = answers.neighbours
    if others is None or others.familiar:
        return None
    if not answers.strangers or case.plan.subscribed:
        return None
    campaign = case.policy.settings.campaign
    customers = others.customers + 1
    strangers = others.strangers + answers.stranger_count
    if customers < campaign.customers or strangers < campaign.strangers:
        return None
    return Finding(
        reason=REASON,
        action=case.policy.rules[REASON].action,
        public="The same message is being sent from many accounts at a time; please "
        "check whether somebody else uses yours, and change its password.",
        detail=f"{customers} customers, {strangers} strangers",
    )

"""One person is asked to confirm subscriptions again and again.

Somebody enters an address into many forms, to bury its owner under mail. Each list is
innocent, but for a form that any program can fill in: a CAPTCHA on it, or one request
for each client and address, ends that.

Within a day one list may ask a person once (`[optin] challenges-per-list`), one customer
five times, and five customers may ask (`challenges-per-recipient`): a customer counts once
among them, however often it asks. Whoever has subscribed to lists of six customers at once
gets the sixth request on the next day. What waits is sent by the list host's own
queue as soon as it fits; where the victim is to be spared it for good, `action =
"reject"`.
"""

from outgate.model.units import SECOND_US
from outgate.model.verdict import Finding, Reason
from outgate.policy.case import Case

REASON = Reason.SUBSCRIPTION_BOMBING
SUMMARY = "one person is asked to confirm subscriptions again and again"

_PUBLIC_BY_LIST = (
    "This recipient was asked to confirm a subscription to this list already within a "
    "day. If a program fills in your form, protect it by a CAPTCHA."
)
_PUBLIC_BY_ALL = (
    "This recipient was asked to confirm too many subscriptions within a day. Somebody may "
    "be abusing forms of many lists: a CAPTCHA keeps yours out of it."
)


def judge(case: Case) -> Finding | None:
    """Find a challenge that is one too many for its recipient."""
    planned, found = case.plan.challenge, case.answers.bombing
    if planned is None or found is None or found.fits:
        return None
    by_list = found.same >= planned.per_list
    return Finding(
        reason=REASON,
        action=case.policy.rules[REASON].action,
        public=_PUBLIC_BY_LIST if by_list else _PUBLIC_BY_ALL,
        detail=(
            f"{found.same} by the list, {found.own} by the customer, "
            f"{found.others} other customers"
        ),
        retry_after_us=found.retry_after_s * SECOND_US,
    )

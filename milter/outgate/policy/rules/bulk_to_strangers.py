"""Unsolicited bulk mail: too many who never heard from this customer.

Of one mailing, counted by content whatever its envelope, or of all mail of a sender. A
mailing of which most readers were mailed before may go on; so may one to the people
behind a registered list, who are no strangers.
"""

from collections.abc import Iterator

from outgate.model.verdict import Finding, Reason
from outgate.policy.case import Case
from outgate.policy.compiled import counts_of
from outgate.policy.exhausted import finding_of, used_up, used_up_by_list
from outgate.policy.questions import PlannedCharge

REASON = Reason.BULK_TO_STRANGERS
SUMMARY = "more strangers than a limit allows, by one mailing or by one sender"

COUNTS = counts_of(REASON)
_PUBLIC = (
    "Too many recipients who never had mail from you; try again {when}. Newsletters "
    "need a confirmed opt-in list."
)
# Whose limit moves cannot know it from anywhere else.
_PUBLIC_BY_STANDING = (
    "Too many recipients who never had mail from you, of whom you may reach {rate} now; "
    "try again {when}. Newsletters need a confirmed opt-in list."
)


def _of_others(case: Case) -> Iterator[tuple[PlannedCharge, int]]:
    campaign, spread = case.plan.campaign, case.answers.spread
    if campaign is not None and spread is not None and not spread.fits:
        yield campaign, spread.retry_after_us
    if (found := used_up(case, COUNTS)) is not None:
        yield found[0], found[1].retry_after_us


def judge(case: Case) -> Finding | None:
    """Find a mailing that reached too many strangers, or else a sender that did."""
    standing = case.answers.standing
    findings = [
        finding_of(
            REASON,
            charge,
            retry_after_us,
            _PUBLIC if charge.at(standing) is charge else _PUBLIC_BY_STANDING,
            standing,
        )
        for charge, retry_after_us in (
            used_up_by_list(case.plan, case.answers, COUNTS, case.findings)
            if case.plan.subscribed
            else _of_others(case)
        )
    ]
    return max(
        findings,
        key=lambda finding: (finding.binding, finding.action.severity),
        default=None,
    )

"""Unsolicited bulk mail: too many who never heard from this customer.

Of one mailing, counted by content whatever its envelope, or of all mail of a sender. A
mailing of which most readers were mailed before may go on; so may one to the people
behind a registered list, who are no strangers.
"""

from collections.abc import Iterator

from outgate.model.gcra import NEVER
from outgate.model.verdict import Finding, Reason
from outgate.policy.case import Case
from outgate.policy.compiled import counts_of
from outgate.policy.exhausted import finding_of, used_up
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


def _of_list(case: Case) -> Iterator[tuple[PlannedCharge, int]]:
    """Limits that do not hold those who have not asked for a registered list.

    They are charged afterwards. That most readers have asked for it makes no room for
    others: a list has confirmed subscribers only.
    """
    strangers = case.answers.stranger_count
    if not strangers:
        return
    campaign, spread = case.plan.campaign, case.answers.spread
    standing = case.answers.standing
    if campaign is not None and spread is not None:
        yield from _over(campaign, spread.strangers, strangers, standing)
    for charge, level in zip(case.plan.charges, case.answers.levels, strict=False):
        if charge.limit.count in COUNTS:
            yield from _over(charge, level.used, strangers, standing)


def _over(
    charge: PlannedCharge, used: int, strangers: int, standing: int
) -> Iterator[tuple[PlannedCharge, int]]:
    in_force = charge.at(standing)
    over = used + strangers - in_force.burst
    if strangers > in_force.burst:
        yield charge, NEVER
    elif over > 0:
        yield charge, over * in_force.rate.interval_us


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
            _of_list(case) if case.plan.subscribed else _of_others(case)
        )
    ]
    return max(
        findings,
        key=lambda finding: (finding.binding, finding.action.severity),
        default=None,
    )

"""Which limits come to their end: what a warning names before anything is stopped.

Only limits that would stop a message are named, and only where this message used some of
them: mail to old acquaintances says nothing about a limit on strangers that is nearly
full. A host that stands in for the store counts for itself alone, so it warns of nothing.
"""

from collections.abc import Sequence
from typing import NamedTuple

from outgate.model.gcra import Level
from outgate.model.limit import Count, Limit
from outgate.model.verdict import Finding
from outgate.policy.permission import strangers_reached
from outgate.policy.questions import Answers, Plan, PlannedCharge, Source

_PER_CENT = 100
# Four fifths of so few are one message before the end, or none.
_FEW = 5


class Nearing(NamedTuple):
    """A limit of which little is left.

    Attributes:
        charge: the limit, with the rate and burst that were in force.
        used: units after this message.
    """

    charge: PlannedCharge
    used: int

    @property
    def text(self) -> str:
        """`name:used/of`, as in the log."""
        return f"{self.charge.limit.name}:{self.used}/{self.charge.burst}"


def nearing(
    plan: Plan, answers: Answers, findings: Sequence[Finding] = ()
) -> list[Nearing]:
    """Limits of which little is left after this message, the fullest first.

    Empty where the message did not fit into all limits, enforced or not.

    Args:
        plan: what was asked.
        answers: what was answered.
        findings: of the rules: whoever they take out is not counted.
    """
    if answers.source is not Source.STORE:
        return []
    found = []
    # Those of a registered list are charged afterwards.
    more = strangers_reached(answers, findings) if plan.subscribed else 0
    for charge, level in zip(plan.charges, answers.levels, strict=False):
        fits, used, _, _ = level
        if not fits:
            return []
        limit, in_force = charge.limit, charge
        if charge.earned:
            in_force = charge.at(answers.standing)
        if more and limit.count is Count.STRANGERS:
            used += more
        # Most messages end here, at each of their limits.
        if _PER_CENT * used < limit.warn * in_force.burst or not charge.binding:
            continue
        if is_near(limit, used, in_force.burst) and _uses(
            charge, level, plan, answers, more
        ):
            found.append(Nearing(in_force, used))
    if answers.spread is not None and not answers.spread.fits:
        return []
    if (campaign := _campaign(plan, answers, more)) is not None:
        found.append(campaign)
    found.sort(key=lambda one: one.used / one.charge.burst, reverse=True)
    return found


def _campaign(plan: Plan, answers: Answers, more: int) -> Nearing | None:
    """The mailing that this message belongs to, if it is near its end.

    One whose readers are known for the most part goes on in any case, but for that of a
    registered list: only who did not ask counts there, and is charged afterwards.
    """
    campaign, spread = plan.campaign, answers.spread
    if campaign is None or spread is None or not answers.strangers:
        return None
    campaign = campaign.at(answers.standing)
    used, limit = spread.strangers, campaign.limit
    if plan.subscribed:
        if not more:
            return None
        used += more
    elif _PER_CENT * used <= limit.share * spread.reached:
        return None
    if not campaign.binding:
        return None
    return Nearing(campaign, used) if is_near(limit, used, campaign.burst) else None


def is_near(limit: Limit, used: int, burst: int) -> bool:
    """Whether so many units are worth a warning.

    Of a burst below 5, only the last unit is; one that a single unit fills has no
    moment before its end.
    """
    warn = limit.warn
    if not warn or _PER_CENT * used < warn * burst:
        return False
    return burst >= _FEW or used >= burst > 1


def _uses(
    charge: PlannedCharge, level: Level, plan: Plan, answers: Answers, more: int
) -> bool:
    """Whether this message took anything of the limit."""
    count = charge.limit.count
    if count is Count.STRANGERS:
        return bool(more if plan.subscribed else answers.strangers)
    return bool(level.charged) if count.is_distinct else charge.cost > 0

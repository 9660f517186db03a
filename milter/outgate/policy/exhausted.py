"""Which limit is used up: what the rules about limits have in common."""

from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet

from outgate.model.gcra import NEVER, Level
from outgate.model.limit import Count
from outgate.model.standing import WHOLE
from outgate.model.units import SECOND_US
from outgate.model.verdict import Finding, Mode, Reason
from outgate.policy.case import Case
from outgate.policy.permission import strangers_reached
from outgate.policy.questions import Answers, Plan, PlannedCharge

_OF_STRANGERS = frozenset({Count.STRANGERS})


def used_up(
    case: Case, counts: AbstractSet[Count], *, within_burst: bool = False
) -> tuple[PlannedCharge, Level] | None:
    """The severest of these limits that are used up; among equals the slowest.

    Args:
        case: the message.
        counts: only limits of these are looked at.
        within_burst: leave out those into which the message could never fit.
    """
    if case.answers.roomy:
        return None
    worst: tuple[bool, int, int] | None = None
    found: tuple[PlannedCharge, Level] | None = None
    for charge, level in zip(case.plan.charges, case.answers.levels, strict=False):
        if level.fits or charge.limit.count not in counts:
            continue
        if within_burst and charge.cost > charge.burst:
            continue
        limit = charge.limit
        enforced = limit.mode is Mode.ENFORCE
        rank = (enforced, limit.action.severity, level.retry_after_us)
        if worst is None or rank > worst:
            worst, found = rank, (charge, level)
    return found


def used_up_by_list(
    plan: Plan,
    answers: Answers,
    counts: AbstractSet[Count],
    findings: Sequence[Finding] = (),
) -> Iterator[tuple[PlannedCharge, int]]:
    """Limits that do not hold those who have not asked for a registered list.

    They are charged afterwards. That most readers have asked for it makes no room for
    others: a list has confirmed subscribers only. Gives with each limit the time until
    there is room, or `NEVER`; whoever these findings take out is not counted.
    """
    strangers = strangers_reached(answers, findings)
    if not strangers:
        return
    campaign, spread = plan.campaign, answers.spread
    standing = answers.standing
    if campaign is not None and spread is not None:
        yield from _over(campaign, spread.strangers, strangers, standing)
    for charge, level in zip(plan.charges, answers.levels, strict=False):
        if charge.limit.count in counts:
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


def exceeded(
    plan: Plan, answers: Answers, findings: Sequence[Finding] = ()
) -> Iterator[PlannedCharge]:
    """All limits that have no room for a message, whatever they ask for."""
    campaign, spread = plan.campaign, answers.spread
    if campaign is not None and spread is not None and not spread.fits:
        yield campaign
    if plan.subscribed:
        for charge, _ in used_up_by_list(plan, answers, _OF_STRANGERS, findings):
            yield charge
    if not answers.roomy:
        for charge, level in zip(plan.charges, answers.levels, strict=False):
            if not level.fits:
                yield charge


def finding_of(
    reason: Reason,
    charge: PlannedCharge,
    retry_after_us: int,
    public: str,
    standing: int = WHOLE,
) -> Finding:
    """What a limit that is used up asks for.

    Args:
        reason: whose finding it is.
        charge: the limit, as it was planned for this message.
        retry_after_us: until there is room, or `NEVER`.
        public: what the sender reads; `{when}` and `{rate}` are filled in.
        standing: the customer's; what it leaves of the limit is named.
    """
    retry_after_us = 0 if retry_after_us == NEVER else retry_after_us
    limit, rate = charge.limit, charge.at(standing).rate
    detail = f"{limit.name} {rate}"
    if rate is not charge.rate:
        detail += f", {standing}% of {charge.rate}"
    return Finding(
        reason=reason,
        action=limit.action,
        binding=limit.mode is Mode.ENFORCE,
        public=public.format(when=in_words(retry_after_us), rate=rate),
        detail=detail,
        retry_after_us=retry_after_us,
    )


def in_words(duration_us: int) -> str:
    """Whole seconds, minutes or hours, rounded up: too early would be refused again."""
    seconds = -(-duration_us // SECOND_US)
    for size, word in ((3600, "hour"), (60, "minute"), (1, "second")):
        if seconds >= size:
            number = -(-seconds // size)
            return f"in {number} {word}{'s' if number > 1 else ''}"
    return "later"

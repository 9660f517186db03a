"""A limit is used up: what was sent so far leaves no room for this message."""

from outgate.model.gcra import NEVER
from outgate.model.units import SECOND_US
from outgate.model.verdict import Finding, Mode, Reason
from outgate.policy.case import Case
from outgate.policy.questions import PlannedCharge

REASON = Reason.LIMIT_EXCEEDED
SUMMARY = "a limit is used up"


def judge(case: Case) -> Finding | None:
    """Find the severest of the limits that are used up; among equals the slowest."""
    worst: tuple[bool, int, int] | None = None
    found: PlannedCharge | None = None
    for charge, level in zip(case.plan.charges, case.answers.levels, strict=False):
        # A cost above the burst is the other rule's finding; one that is only above
        # this host's share of it, while the store is away, is ours.
        if level.fits or charge.cost > charge.burst:
            continue
        limit = charge.limit
        enforced = limit.mode is Mode.ENFORCE
        rank = (enforced, limit.action.severity, level.retry_after_us)
        if worst is None or rank > worst:
            worst, found = rank, charge
    if found is None or worst is None:
        return None
    retry_after_us = 0 if worst[2] == NEVER else worst[2]
    return Finding(
        reason=REASON,
        action=found.limit.action,
        binding=found.limit.mode is Mode.ENFORCE,
        public=(
            f"The sending limit of {found.rate} {found.limit.count.value} is used up; "
            f"try again {_in_words(retry_after_us)}."
        ),
        detail=f"{found.limit.name} {found.rate}",
        retry_after_us=retry_after_us,
    )


def _in_words(duration_us: int) -> str:
    """Whole seconds, minutes or hours, rounded up: too early would be refused again."""
    seconds = -(-duration_us // SECOND_US)
    for size, word in ((3600, "hour"), (60, "minute"), (1, "second")):
        if seconds >= size:
            number = -(-seconds // size)
            return f"in {number} {word}{'s' if number > 1 else ''}"
    return "later"

"""A limit is used up: what was sent so far leaves no room for this message."""

from outgate.model.limit import Count
from outgate.model.verdict import Finding, Reason
from outgate.policy.case import Case
from outgate.policy.compiled import REASON_OF_COUNT
from outgate.policy.exhausted import finding_of, used_up

REASON = Reason.LIMIT_EXCEEDED
SUMMARY = "a limit is used up"

COUNTS = frozenset(count for count in Count if count not in REASON_OF_COUNT)


def judge(case: Case) -> Finding | None:
    """Find the severest of the limits that are used up; among equals the slowest.

    A cost above the burst is the other rule's finding; one that is only above this
    host's share of it, while the store is away, is ours.
    """
    found = used_up(case, COUNTS, within_burst=True)
    if found is None:
        return None
    charge, level = found
    return finding_of(
        REASON,
        charge,
        level.retry_after_us,
        f"The sending limit of {charge.rate} {charge.limit.count.value} is used up; "
        "try again {when}.",
    )

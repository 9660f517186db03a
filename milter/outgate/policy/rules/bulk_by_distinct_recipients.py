"""A limit on different recipients, or recipient domains, is used up."""

from outgate.model.verdict import Finding, Reason
from outgate.policy.case import Case
from outgate.policy.compiled import counts_of
from outgate.policy.exhausted import finding_of, used_up

REASON = Reason.BULK_BY_DISTINCT_RECIPIENTS
SUMMARY = "more different recipients than a limit allows"

COUNTS = counts_of(REASON)


def judge(case: Case) -> Finding | None:
    """Find the severest of the limits that are used up."""
    found = used_up(case, COUNTS)
    if found is None:
        return None
    charge, level = found
    return finding_of(
        REASON,
        charge,
        level.retry_after_us,
        f"The limit of {charge.rate} different recipients is used up; try again "
        "{when}. Please use a mailing list for circulars.",
    )

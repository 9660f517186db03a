"""A login is used from more networks than a person has: it may be stolen."""

from outgate.model.verdict import Finding, Reason
from outgate.policy.case import Case
from outgate.policy.compiled import counts_of
from outgate.policy.exhausted import finding_of, used_up

REASON = Reason.MANY_SOURCES_PER_LOGIN
SUMMARY = "a login is used from more clients or networks than a limit allows"

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
        "This account is used from too many networks at a time; try again {when}, or "
        "change its password.",
    )

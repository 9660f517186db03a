"""The store did not answer, and the operator wants mail to wait for it."""

from outgate.model.verdict import Finding, Reason
from outgate.policy.case import Case
from outgate.policy.questions import Source

REASON = Reason.STORE_UNAVAILABLE
SUMMARY = "the store did not answer and `on-failure` is defer"


def judge(case: Case) -> Finding | None:
    """Find that nobody could answer, and that mail shall wait."""
    if case.answers.source is not Source.DEFER:
        return None
    return Finding(
        reason=REASON,
        action=case.policy.rules[REASON].action,
        public="The mail system cannot check this message now; try again later.",
        detail=case.answers.trouble,
    )

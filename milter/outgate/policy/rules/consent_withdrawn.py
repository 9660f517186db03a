"""Recipients of a list who have withdrawn: they do not get it, and hold up nobody.

Each is taken out of the message, and the envelope sender gets a delivery status
notification for it (RFC 3464), so that the list software takes him off the list. Where
nobody else is left, the refusal says the same at once.
"""

from outgate.model.verdict import Action, Finding, Reason
from outgate.policy.case import Case
from outgate.policy.permission import coverage_of, leaves_nobody, paths_of

REASON = Reason.CONSENT_WITHDRAWN
SUMMARY = "a registered list writes to somebody who has withdrawn"

_PUBLIC = "Recipient withdrew consent from {list}."


def refusal(list_id: str, detail: str = "") -> Finding:
    """What is said at RCPT, where the envelope sender names the list."""
    return Finding(
        reason=REASON,
        action=Action.REJECT,
        public=_PUBLIC.format(list=list_id),
        detail=detail,
    )


def judge(case: Case) -> Finding | None:
    """Find recipients of a registered list who have withdrawn."""
    coverage = coverage_of(case)
    if coverage is None or not coverage.withdrawn:
        return None
    gone = len(coverage.withdrawn)
    public = _PUBLIC.format(list=case.plan.subscribed)
    detail = f"{gone} of {coverage.people} withdrawn"
    if leaves_nobody(case, gone):
        return Finding(
            reason=REASON,
            action=case.policy.rules[REASON].action,
            public=public,
            detail=detail,
        )
    return Finding(
        reason=REASON,
        action=Action.ACCEPT,
        public=public,
        detail=detail,
        remove=paths_of(case, coverage.withdrawn),
    )

"""Recipients of a list who have withdrawn: they do not get it, and hold up nobody.

Each is taken out of the message, and the envelope sender gets a delivery status
notification for it (RFC 3464), so that the list software takes him off the list. Where
nobody else is left, the refusal says the same at once. Where nobody can be told, nobody
is taken out: the whole message is refused, and says why.
"""

from outgate.model.verdict import Action, Finding, Reason
from outgate.policy.case import Case
from outgate.policy.permission import (
    coverage_of,
    leaves_nobody,
    paths_of,
    why_not_removed,
)

REASON = Reason.CONSENT_WITHDRAWN
SUMMARY = "a registered list writes to somebody who has withdrawn"

_PUBLIC = "Recipient withdrew consent from {list}."
_UNTOLD = (
    "{gone} of {people} recipients withdrew consent from {list}, and none can be taken "
    "out: {why}."
)
_UNSEEN = "More recipients than can be looked up: send it to fewer at once."


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
    if coverage is None or not (coverage.withdrawn or coverage.unseen):
        return None
    gone = len(coverage.withdrawn)
    list_id = case.plan.subscribed
    public = _PUBLIC.format(list=list_id)
    detail = f"{gone} of {coverage.people} withdrawn"
    paths = paths_of(case, coverage.withdrawn)
    if (
        paths
        and not leaves_nobody(case, gone)
        and (why := why_not_removed(case, paths))
    ):
        return Finding(
            reason=REASON,
            action=case.policy.rules[REASON].action,
            public=_UNTOLD.format(
                gone=gone, people=coverage.people, list=list_id, why=why
            ),
            detail=f"{detail}, not taken out: {why}",
        )
    if coverage.unseen:
        # Nobody knows who of them has withdrawn: grace is no matter here.
        return Finding(
            reason=REASON,
            action=Action.QUARANTINE,
            public=_UNSEEN,
            detail=f"{detail}, {coverage.unseen} not looked up",
            remove=paths,
        )
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
        remove=paths,
    )

"""A limit will be used up soon: nothing is stopped yet, and somebody should know.

A warning comes from a part of the limit on (`warn` of its `[[limit]]`, 80 per cent where
nothing is said), for limits that would stop a message and that this message used. There
is none for a message that finds a limit used up, or that stays here for another reason:
that one has its reason already.

The customer's contact gets a notice, too (`[notify]`), at most once in `warn-every` for
each limit.
"""

from outgate.model.verdict import Finding, Reason
from outgate.policy.case import Case
from outgate.policy.compiled import LIMIT_REASONS
from outgate.policy.nearing import nearing

REASON = Reason.NEAR_LIMIT
SUMMARY = "a limit is nearly used up"

_OF_LIMITS = LIMIT_REASONS | {Reason.MESSAGE_EXCEEDS_LIMIT}


def judge(case: Case) -> Finding | None:
    """Find limits of which little is left after a message that leaves."""
    near = nearing(case.plan, case.answers, case.findings)
    if not near or any(_is_worse(one) for one in case.findings):
        return None
    return Finding(
        reason=REASON,
        action=case.policy.rules[REASON].action,
        public="A sending limit is nearly used up.",
        detail=", ".join(one.text for one in near),
    )


def _is_worse(finding: Finding) -> bool:
    if finding.reason in _OF_LIMITS:
        return True
    return not finding.action.lets_out and (finding.binding or finding.always)

"""Mail of a registered list goes to people of whom no consent is known.

A few of many are taken out of the message (`[optin] remove-share`), each with a delivery
status notification to the envelope sender (RFC 3464). With more of them the list is not
what it was registered as, and nobody gets the message for now.
"""

from outgate.model.verdict import Action, Finding, Reason
from outgate.policy.case import Case
from outgate.policy.permission import Coverage, coverage_of, leaves_nobody, paths_of

REASON = Reason.LIST_WITHOUT_CONSENT
SUMMARY = "a registered list writes to people without a consent on file"

_PUBLIC = "No confirmed opt-in on file for {bare} of {people} recipients of {list}"


def judge(case: Case) -> Finding | None:
    """Find recipients of a registered list of whom no consent is known."""
    coverage = coverage_of(case)
    if coverage is None or not coverage.without_consent:
        return None
    policy, list_id = case.policy, case.plan.subscribed
    bare, people = coverage.without_consent, coverage.people
    action, remove = policy.rules[REASON].action, tuple[bytes, ...]()
    detail = f"{bare} of {people} uncovered"
    from_us = policy.lists[case.plan.customer, list_id]
    if case.answers.now_us < from_us:
        action = Action.TAG
        detail += ", not enforced yet"
    elif _are_few(case, coverage):
        action, remove = Action.ACCEPT, paths_of(case, coverage.uncovered)
    return Finding(
        reason=REASON,
        action=action,
        public=_PUBLIC.format(bare=bare, people=people, list=list_id),
        detail=detail,
        remove=remove,
    )


def _are_few(case: Case, coverage: Coverage) -> bool:
    """Whether they can be taken out, and the message still goes to others."""
    share = case.policy.settings.optin.remove_share
    gone = len(coverage.withdrawn) + len(coverage.uncovered)
    return (
        not coverage.unseen
        and coverage.without_consent * 100 <= share * coverage.people
        and not leaves_nobody(case, gone)
    )

"""Mail of a registered list goes to people of whom no consent is known.

A few of many are taken out of the message (`[optin] remove-share`), each with a delivery
status notification to the envelope sender (RFC 3464). With more of them the list is not
what it was registered as, and nobody gets the message for now.
"""

from outgate.model.verdict import Action, Finding, Reason
from outgate.policy.case import Case
from outgate.policy.operator import format_moment
from outgate.policy.permission import (
    Coverage,
    coverage_of,
    leaves_nobody,
    paths_of,
    why_not_removed,
)

NOT_SEEN_US = 1 << 62
"""No moment that comes."""

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
    if case.answers.now_us < (from_us := acts_from_us(case)):
        action = Action.TAG
        detail += ", not enforced yet"
        if from_us != NOT_SEEN_US:
            detail += f" but from {format_moment(from_us)} on"
    elif _are_few(case, coverage):
        paths = paths_of(case, coverage.uncovered)
        if why := why_not_removed(case, paths):
            detail += f", not taken out: {why}"
        else:
            action, remove = Action.ACCEPT, paths
    return Finding(
        reason=REASON,
        action=action,
        public=_PUBLIC.format(bare=bare, people=people, list=list_id),
        detail=detail,
        remove=remove,
    )


def acts_from_us(case: Case) -> int:
    """From when on the list needs consents.

    What an operator ordered counts before the configuration's day, and that before the
    list's grace. A list that no keeper has seen yet is a second old.
    """
    policy, key = case.policy, (case.plan.customer, case.plan.subscribed)
    deadline = case.snapshot.deadlines.get(key)
    if deadline is not None and deadline.by:
        return deadline.until_us
    configured = policy.lists[key]
    if configured or not policy.grace_us:
        return configured
    return deadline.until_us if deadline is not None else NOT_SEEN_US


def _are_few(case: Case, coverage: Coverage) -> bool:
    """Whether they can be taken out, and the message still goes to others."""
    share = case.policy.settings.optin.remove_share
    gone = len(coverage.withdrawn) + len(coverage.uncovered)
    return (
        not coverage.unseen
        and coverage.without_consent * 100 <= share * coverage.people
        and not leaves_nobody(case, gone)
    )

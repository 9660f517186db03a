"""Mail that declares itself bulk, and gives nobody a way out.

RFC 2369 and RFC 8058 say how a list tells; mailbox providers demand it of bulk
senders. A perfect header is still no permission: an opt-out list has one too. Mail of a
registered stream answers somebody, and so does a registered list that asks to confirm a
subscription: there is nothing to unsubscribe from.
"""

from outgate.model.verdict import Finding, Reason
from outgate.policy.case import Case

REASON = Reason.MISSING_UNSUBSCRIBE
SUMMARY = "bulk mail without a usable List-Unsubscribe"


def judge(case: Case) -> Finding | None:
    """Find declared bulk mail to the outside without a usable List-Unsubscribe."""
    facts = case.facts
    if not facts.declares_bulk or not case.plan.external:
        return None
    if case.plan.stream or case.plan.is_challenge_of_list:
        return None
    lists = facts.list_headers
    if lists is not None and lists.usable_unsubscribe:
        return None
    notes = ", ".join(lists.faults) if lists is not None else ""
    return Finding(
        reason=REASON,
        action=case.policy.rules[REASON].action,
        public=(
            "Bulk mail needs a List-Unsubscribe header with a mailto: or https: "
            "address in angle brackets (RFC 2369, RFC 8058)."
        ),
        detail=notes or "no List-Unsubscribe",
    )

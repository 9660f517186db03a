"""Mail that declares itself bulk, and gives nobody a way out.

RFC 2369 and RFC 8058 say how a list tells; mailbox providers demand it of bulk
senders. A perfect header is still no permission: an opt-out list has one too. Mail of a
registered stream answers somebody, and so does a registered list that asks to confirm a
subscription: there is nothing to unsubscribe from.
"""

from outgate.message.listcheck.headers import (
    LIST_HEADERS,
    can_be_left,
    parse_list_headers,
)
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
    headers = case.transaction.headers
    if can_be_left(headers):
        return None
    notes = ""
    if not LIST_HEADERS.isdisjoint(headers):
        notes = ", ".join(parse_list_headers(headers).faults)
    return Finding(
        reason=REASON,
        action=case.policy.rules[REASON].action,
        public=(
            "Bulk mail needs a List-Unsubscribe header with a mailto: or https: "
            "address in angle brackets (RFC 2369, RFC 8058)."
        ),
        detail=notes or "no List-Unsubscribe",
    )

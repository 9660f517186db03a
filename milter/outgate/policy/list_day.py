"""What one message adds to the day of its list."""

from collections import Counter
from collections.abc import Mapping

from outgate.message.listcheck.headers import parse_list_headers
from outgate.model import list_day
from outgate.model.verdict import Action
from outgate.policy.decision import Decision
from outgate.policy.grace import ListKey


def list_day_of(decision: Decision) -> tuple[ListKey, Mapping[str, int]] | None:
    """Count a message of a registered list, None for any other.

    Deferred mail comes again, and counts when it has gone, or was stopped. Where the
    registry did not answer, nothing is known of the recipients, and nothing is counted.
    """
    plan, answers = decision.plan, decision.answers
    if plan is None or answers is None or not plan.subscribed:
        return None
    disposition = decision.disposition
    if not answers.permissions or disposition.action is Action.DEFER:
        return None
    transaction = decision.transaction
    counts = Counter(one.value for one in answers.permissions)
    unseen = transaction.recipient_count - len(transaction.recipients)
    lists = parse_list_headers(transaction.headers)
    counts[list_day.MESSAGES] = 1
    counts[list_day.RECIPIENTS] = len(plan.people) + unseen
    counts[list_day.UNSEEN] = unseen
    counts[list_day.REMOVED] = len(disposition.removed)
    counts[list_day.HELD] = disposition.action is Action.QUARANTINE
    counts[list_day.REFUSED] = disposition.action is Action.REJECT
    counts[f"{list_day.HEADERS}{lists.level.value}"] = 1
    counts.update(f"{list_day.FAULT}{note.value}" for note in lists.faults)
    return (plan.customer, plan.subscribed), +counts

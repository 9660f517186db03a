"""The rules, in the order in which they are judged and listed.

All of them are judged: the severest action wins, and among equals the earlier row
gives the reply. Direction comes before (inbound mail is not judged at all), an
operator's `allow` removes rows, and a full hold queue comes after.
"""

from collections.abc import Callable
from dataclasses import dataclass

from outgate.model.verdict import Finding, Reason
from outgate.policy.case import Case
from outgate.policy.rules import (
    bulk_by_distinct_recipients,
    bulk_to_strangers,
    campaign_across_customers,
    consent_withdrawn,
    declared_bulk_unregistered,
    limit_exceeded,
    list_without_consent,
    many_sources_per_login,
    message_exceeds_limit,
    missing_unsubscribe,
    near_limit,
    null_sender_abuse,
    quarantined,
    store_unavailable,
    subscription_bombing,
    suspended,
    unusual_for_this_sender,
)


@dataclass(frozen=True, slots=True)
class Rule:
    """One row: a reason, a sentence, and who looks."""

    reason: Reason
    summary: str
    judge: Callable[[Case], Finding | None]


RULES: tuple[Rule, ...] = tuple(
    Rule(module.REASON, module.SUMMARY, module.judge)
    for module in (
        suspended,
        quarantined,
        store_unavailable,
        # Before the limit itself: waiting would not help, and the reply says so.
        message_exceeds_limit,
        # Before limits on strangers: whoever is taken out is no stranger reached.
        consent_withdrawn,
        list_without_consent,
        bulk_to_strangers,
        campaign_across_customers,
        subscription_bombing,
        limit_exceeded,
        bulk_by_distinct_recipients,
        many_sources_per_login,
        unusual_for_this_sender,
        null_sender_abuse,
        # Before the rule that asks for more: this one is mended in a minute.
        missing_unsubscribe,
        declared_bulk_unregistered,
        # Last: it warns of nothing that the others found.
        near_limit,
    )
)

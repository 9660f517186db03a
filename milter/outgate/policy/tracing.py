"""What a trace says of a message, and what is kept of it."""

from collections.abc import Collection, Iterable

from outgate.model.address import shown_sender
from outgate.model.consent import Grade
from outgate.model.trace import (
    CFBL_ADDRESS,
    CFBL_FEEDBACK_ID,
    FEEDBACK_ID,
    TraceRecord,
)
from outgate.model.verdict import Action
from outgate.policy.compiled import Policy
from outgate.policy.decision import Decision


def recipients_of(decision: Decision, policy: Policy) -> tuple[str, ...]:
    """Mailboxes of different recipients who get it."""
    read = policy.recipient
    removed = decision.disposition.removed
    gone = frozenset(one.path for one in removed) if removed else ()
    paths = decision.transaction.recipients
    return tuple(dict.fromkeys(read(path)[0] for path in paths if path not in gone))


def grade_of(decision: Decision, policy: Policy) -> Grade:
    """The least consent of any recipient outside who gets a registered list's mail.

    `none` for other mail, and where the registry did not answer.
    """
    plan, answers, transaction = decision.plan, decision.answers, decision.transaction
    if plan is None or answers is None or not answers.permissions:
        return Grade.NONE
    if transaction.too_many_recipients:
        return Grade.NONE
    read = policy.recipient
    gone = {read(one.path).mailbox for one in decision.disposition.removed}
    return max(
        (
            permission.grade
            for mailbox, permission in zip(
                plan.people, answers.permissions, strict=True
            )
            if mailbox not in gone
        ),
        key=lambda grade: grade.rank,
        default=Grade.NONE,
    )


def record_of(
    decision: Decision, campaign: bytes, recipients: Iterable[bytes]
) -> TraceRecord:
    """What is kept of a message with a trace.

    Args:
        decision: about it.
        campaign: bands of its content, keyed.
        recipients: keyed hashes of those who get it.
    """
    transaction, plan = decision.transaction, decision.plan
    session, accountable = transaction.session, decision.accountable
    facts, trace = decision.facts, decision.trace
    return TraceRecord(
        customer=accountable.customer if accountable else "",
        principal=accountable.principal if accountable else "",
        script=facts.script if facts is not None else "",
        client=session.client.text if session.client is not None else "",
        queue_id=transaction.queue_id,
        mta_name=session.mta_name,
        time_us=decision.now_us,
        sender=shown_sender(transaction.sender),
        list_id=plan.subscribed if plan is not None else "",
        grade=trace.grade if trace is not None else Grade.NONE,
        campaign=campaign,
        # Sorted by chance: their order in the envelope is nobody's business.
        recipients=tuple(sorted(recipients)),
        recipient_count=transaction.recipient_count - len(decision.disposition.removed),
        held=decision.disposition.action is Action.QUARANTINE,
    )


def covers(domains: Collection[str], domain: str) -> bool:
    """Whether one of these signing domains is this one, or above it.

    As DMARC aligns in relaxed form (RFC 9989), but without a look into DNS: a sister
    domain does not count.
    """
    while domain:
        if domain in domains:
            return True
        domain = domain.partition(".")[2]
    return False


def missing(decision: Decision, name: str) -> bool:
    """Whether a message has no such header of its sender's."""
    return name.lower() not in decision.transaction.headers


def has_own_cfbl(decision: Decision) -> bool:
    """Whether the sender wants complaints itself."""
    return not (missing(decision, CFBL_ADDRESS) and missing(decision, CFBL_FEEDBACK_ID))


def has_own_feedback_id(decision: Decision) -> bool:
    """Whether the sender has an identifier for mailbox providers."""
    return not missing(decision, FEEDBACK_ID)

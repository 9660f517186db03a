"""A null sender that is none: only bounces and automatic responses have it."""

from outgate.message.classify import is_null_sender
from outgate.model.verdict import Finding, MailClass, Reason
from outgate.policy.case import Case

REASON = Reason.NULL_SENDER_ABUSE
SUMMARY = "a null sender, but no bounce and no automatic response"

_RESPONSES = frozenset({MailClass.BOUNCE, MailClass.AUTO_REPLY})


def judge(case: Case) -> Finding | None:
    """Find other mail than bounces and responses under the null sender."""
    transaction = case.transaction
    if not case.plan.external or not is_null_sender(transaction.sender):
        return None
    if case.facts.mail_class in _RESPONSES:
        return None
    return Finding(
        reason=REASON,
        action=case.policy.rules[REASON].action,
        public="A null sender is for bounces and automatic responses only.",
        detail=f"{transaction.recipient_count} recipients",
    )

"""From a decision to what the MTA must be told, in the milter protocol's terms."""

from dataclasses import dataclass

from outgate.message.optin_evidence import EVIDENCE_HEADER
from outgate.model.transaction import Transaction
from outgate.model.verdict import Action, MailClass, Reply
from outgate.policy.decision import Decision


@dataclass(frozen=True, slots=True)
class Effects:
    """What an engine does at end-of-message, in this order.

    Attributes:
        remove: header name and how many of its occurrences, from the last to the
            first: copies of our headers that the sender supplied, and opt-in tokens.
        add: headers to append.
        remove_recipients: arguments of RCPT, as sent.
        quarantine: reason to hold the message, "" for no hold.
        reply: refusal; None accepts.
    """

    remove: tuple[tuple[str, int], ...] = ()
    add: tuple[tuple[str, str], ...] = ()
    remove_recipients: tuple[bytes, ...] = ()
    quarantine: str = ""
    reply: Reply | None = None


PASS = Effects()


def effects_of(decision: Decision, own_header: str) -> Effects:
    """Say what the MTA must be told.

    Args:
        decision: about the message.
        own_header: name of the header that `tag` adds; forged copies go in every mode,
            but only from what leaves: another site's header is none of ours, and
            inbound mail passes untouched. So do all opt-in tokens, good or not: they
            are for us, and recipients of one message must not see each other's.
    """
    disposition = decision.disposition
    remove: tuple[tuple[str, int], ...] = ()
    if decision.mail_class is not MailClass.INBOUND:
        remove = _copies(decision.transaction, own_header, EVIDENCE_HEADER)
    removed = tuple(one.path for one in disposition.removed)
    match disposition.action:
        case Action.ACCEPT:
            if not remove and not removed:
                return PASS
            return Effects(remove=remove, remove_recipients=removed)
        case Action.TAG:
            return Effects(
                remove=remove,
                add=((own_header, disposition.tag),),
                remove_recipients=removed,
            )
        case Action.QUARANTINE:
            return Effects(
                remove=remove,
                remove_recipients=removed,
                quarantine=disposition.hold_reason,
            )
        case Action.DEFER | Action.REJECT:
            return Effects(reply=disposition.reply)


def _copies(transaction: Transaction, *names: str) -> tuple[tuple[str, int], ...]:
    headers = transaction.headers
    return tuple(
        (name, len(copies)) for name in names if (copies := headers.get(name.lower()))
    )

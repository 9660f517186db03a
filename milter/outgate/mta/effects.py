"""From a decision to what the MTA must be told, in the milter protocol's terms."""

from dataclasses import dataclass

from outgate.model.verdict import Action, Reply
from outgate.policy.decision import Decision
from outgate.policy.outgoing import added, removed


@dataclass(frozen=True, slots=True)
class Effects:
    """What an engine does at end-of-message, in this order.

    Attributes:
        remove: header name and how many of its occurrences, from the last to the
            first: copies of our headers that the sender supplied, and opt-in tokens.
        add: headers to append.
        remove_recipients: arguments of RCPT, as sent.
        sign: values of DKIM-Signature headers, to stand above all others in this order.
        quarantine: reason to hold the message, "" for no hold.
        reply: refusal; None accepts.
    """

    remove: tuple[tuple[str, int], ...] = ()
    add: tuple[tuple[str, str], ...] = ()
    remove_recipients: tuple[bytes, ...] = ()
    sign: tuple[str, ...] = ()
    quarantine: str = ""
    reply: Reply | None = None


PASS = Effects()


def effects_of(decision: Decision, own_header: str) -> Effects:
    """Say what the MTA must be told.

    Args:
        decision: about the message.
        own_header: name of the header that `tag` adds.
    """
    disposition = decision.disposition
    remove = tuple(removed(decision, own_header))
    recipients = tuple(one.path for one in disposition.removed)
    sign = tuple(one.value for one in decision.signatures if one.value)
    match disposition.action:
        case Action.ACCEPT | Action.TAG:
            add = added(decision, own_header)
            if not remove and not add and not recipients and not sign:
                return PASS
            return Effects(
                remove=remove,
                add=add,
                remove_recipients=recipients,
                sign=sign,
            )
        case Action.QUARANTINE:
            return Effects(
                remove=remove,
                # Whoever releases it later shows it to no milter.
                add=added(decision, own_header),
                remove_recipients=recipients,
                quarantine=disposition.hold_reason,
            )
        case Action.DEFER | Action.REJECT:
            return Effects(reply=disposition.reply)

"""What became of one message for one recipient, from whatever source says it."""

from dataclasses import dataclass
from enum import StrEnum

from outgate.feedback.times import ReportTime
from outgate.model.address import Address

# Two full reply lines (RFC 5321 §4.5.3.1.5).
MAX_REPLY_CHARACTERS = 1024


class Action(StrEnum):
    """How it ended, or that it has not yet."""

    DELIVERED = "delivered"
    DEFERRED = "deferred"
    BOUNCED = "bounced"
    EXPIRED = "expired"


class Cause(StrEnum):
    """Why it was not delivered, as far as that says something of the sender."""

    UNKNOWN_USER = "unknown-user"
    SPAM_BLOCK = "spam-block"
    RATE_LIMIT = "rate-limit"
    MAILBOX_FULL = "mailbox-full"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One recipient's.

    Attributes:
        recipient: where it went, or should have; None where only the whole is known.
        original_recipient: as our sender gave it, where that is known to be another.
        cause: None for what was delivered.
        status: enhanced status code (RFC 3463), "" where there is none.
        reply_code: of SMTP, None where there is none.
        reply: what the other side said, bounded; whatever it wanted to say.
        queue_id: of the MTA that says so, "" where it says none.
        relay: to whom it was given, "" where that is not said.
        is_ambiguous: the line can be read in two ways, and somebody may have wanted
            that: no more than a hint.
    """

    recipient: Address | None
    action: Action
    cause: Cause | None
    original_recipient: Address | None = None
    status: str = ""
    reply_code: int | None = None
    reply: str = ""
    queue_id: str = ""
    relay: str = ""
    time: ReportTime | None = None
    is_ambiguous: bool = False

"""What policy decides, and what the MTA is told.

A *verdict* is what would be; a *disposition* is what this mode lets us do about it.
Log and metric carry both.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple, Self


class Action(StrEnum):
    """What may happen to a message, mildest first."""

    ACCEPT = "accept"
    TAG = "tag"
    DEFER = "defer"
    QUARANTINE = "quarantine"
    REJECT = "reject"

    @property
    def severity(self) -> int:
        """0 for accept to 4 for reject."""
        return _SEVERITY[self]

    @property
    def lets_out(self) -> bool:
        """Whether the message leaves now."""
        return self is Action.ACCEPT or self is Action.TAG


_SEVERITY = {action: severity for severity, action in enumerate(Action)}


class Mode(StrEnum):
    """Whether a verdict is carried out or only reported."""

    MONITOR = "monitor"
    ENFORCE = "enforce"


class Reason(StrEnum):
    """Why a message was not simply accepted.

    The value is the rule's name, its table in the configuration (`[rules.<reason>]`),
    the label of the metrics and the word in the log.
    """

    SUSPENDED = "suspended"
    QUARANTINED = "quarantined"
    STORE_UNAVAILABLE = "store-unavailable"
    MESSAGE_EXCEEDS_LIMIT = "message-exceeds-limit"
    LIMIT_EXCEEDED = "limit-exceeded"
    BULK_TO_STRANGERS = "bulk-to-strangers"
    CAMPAIGN_ACROSS_CUSTOMERS = "campaign-across-customers"
    SUBSCRIPTION_BOMBING = "subscription-bombing"
    BULK_BY_DISTINCT_RECIPIENTS = "bulk-by-distinct-recipients"
    MANY_SOURCES_PER_LOGIN = "many-sources-per-login"
    UNUSUAL_FOR_THIS_SENDER = "unusual-for-this-sender"
    CONSENT_WITHDRAWN = "consent-withdrawn"
    LIST_WITHOUT_CONSENT = "list-without-consent"
    DECLARED_BULK_UNREGISTERED = "declared-bulk-unregistered"
    NULL_SENDER_ABUSE = "null-sender-abuse"
    MISSING_UNSUBSCRIBE = "missing-unsubscribe"
    NEAR_LIMIT = "near-limit"
    QUARANTINE_FULL = "quarantine-full"
    INTERNAL_ERROR = "internal-error"


class MailClass(StrEnum):
    """What kind of mail a message declares itself to be, or is.

    `transactional` is mail of a registered stream; `bulk-by-behaviour` declares nothing,
    but its content reached as many people as bulk mail does. The others are told by
    headers, `confirmation` by either.

    A class selects among things that belong to the message's own customer. It never
    lowers a count and never moves a charge: the sender chooses most of it.
    """

    INBOUND = "inbound"
    BOUNCE = "bounce"
    AUTO_REPLY = "auto-reply"
    CALENDAR = "calendar"
    CONFIRMATION = "confirmation"
    FORWARD = "forward"
    LIST = "list"
    BULK = "bulk"
    BULK_BY_BEHAVIOUR = "bulk-by-behaviour"
    TRANSACTIONAL = "transactional"
    PERSONAL = "personal"


@dataclass(frozen=True, slots=True)
class Reply:
    """An SMTP reply that a person understands.

    Attributes:
        code: three digits; 4xx for defer, 5xx for reject.
        enhanced: RFC 3463 status code of the same class.
        text: one line of printable ASCII.
    """

    code: int
    enhanced: str
    text: str

    @classmethod
    def defer(cls, text: str, *, enhanced: str = "4.7.1", code: int = 451) -> Self:
        """Build a temporary refusal."""
        return cls(code, enhanced, text)

    @classmethod
    def reject(cls, text: str, *, enhanced: str = "5.7.1", code: int = 550) -> Self:
        """Build a final refusal."""
        return cls(code, enhanced, text)

    def __post_init__(self) -> None:
        """Refuse what an MTA would silently ignore.

        Raises:
            ValueError: the code is not 4xx or 5xx, or the status is of another class.
        """
        if self.code // 100 not in {4, 5} or self.enhanced[:1] != str(self.code // 100):
            raise ValueError(f"{self.code} {self.enhanced} is no refusal")

    def __str__(self) -> str:
        """Give the reply as a client sees it."""
        return f"{self.code} {self.enhanced} {self.text}"


class Removal(NamedTuple):
    """One recipient that is taken out of a message.

    Attributes:
        path: argument of RCPT, as sent.
        reason: the rule that wants it.
    """

    path: bytes
    reason: Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What one rule found.

    Attributes:
        reason: the rule.
        action: what the rule asks for.
        binding: whether the rule's own mode is enforce.
        always: whether it acts in monitor mode too (operator's orders).
        public: a sentence for the sender; names no other recipient and no secret.
        detail: a sentence for the operator's log.
        retry_after_us: for a deferral, when trying again makes sense; 0 if unknown.
        remove: recipients that must not have the message, as arguments of RCPT; they are
            taken out if the others get it, or if it is held.
    """

    reason: Reason
    action: Action
    public: str
    detail: str = ""
    binding: bool = True
    always: bool = False
    retry_after_us: int = 0
    remove: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What policy decided about one message, with everything that explains it.

    Attributes:
        action: the severest of all findings.
        findings: the hits, in the order of the rules.
        misses: the rules that looked and found nothing.
    """

    action: Action = Action.ACCEPT
    findings: tuple[Finding, ...] = ()
    misses: tuple[Reason, ...] = ()

    @property
    def reasons(self) -> tuple[Reason, ...]:
        """The reasons of all findings, in the order of the rules."""
        return tuple(finding.reason for finding in self.findings)


@dataclass(frozen=True, slots=True, kw_only=True)
class Disposition:
    """What the MTA is told.

    Attributes:
        action: what happens.
        reply: what the client reads, for defer and reject.
        reason: the finding that decided, None for a plain acceptance.
        removed: recipients that are taken out of a message that is not refused.
        tag: value of the header to add, "" for none.
        hold_reason: what the MTA keeps beside a held message, for quarantine.
        hold_until_us: until when it is meant to be held.
    """

    action: Action = Action.ACCEPT
    reply: Reply | None = None
    reason: Reason | None = None
    tag: str = ""
    hold_reason: str = ""
    hold_until_us: int = 0
    removed: tuple[Removal, ...] = ()


ACCEPTED = Disposition()

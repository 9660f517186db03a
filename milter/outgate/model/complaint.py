"""What became of a complaint: whose mail it was about, how that is known, what follows."""

from dataclasses import dataclass
from enum import StrEnum


class Standing(StrEnum):
    """How far the one who reports is believed.

    Only reports of `enrolled` reporters and of our own `customer`s have effects; all
    others are tickets for a person (RFC 9477 §5: a forged report is an attack).
    """

    ENROLLED = "enrolled"
    CUSTOMER = "customer"
    STRANGER = "stranger"

    @property
    def is_believed(self) -> bool:
        """Whether what they report may have effects by itself."""
        return self is not self.STRANGER


class Attribution(StrEnum):
    """Whose mail it was."""

    OURS = "ours"
    OURS_BYPASS = "ours-bypass"
    DKIM_REPLAY = "dkim-replay"
    JOE_JOB = "joe-job"
    UNKNOWN = "unknown"


class Proof(StrEnum):
    """What the attribution stands on."""

    TRACE = "trace"
    TRACE_EXPIRED = "trace-expired"
    DKIM = "dkim"
    LOG = "log"
    NETWORK = "network"
    ABSENCE = "absence"
    NONE = "none"


class Outcome(StrEnum):
    """What follows from a complaint."""

    TICKET = "ticket"
    FORGOT_SUBSCRIBED = "forgot-subscribed"
    LIST_COMPLAINT = "list-complaint"
    EVIDENCE_MISSING = "evidence-missing"
    ABUSED_SITE = "abused-site"
    UNDECLARED_BULK = "undeclared-bulk"
    SINGLE_MAIL = "single-mail"
    NETWORK_ABUSE = "network-abuse"
    REPLAYED = "replayed"
    VICTIM = "victim"
    AUTH_FAILURE = "auth-failure"
    NOT_SPAM = "not-spam"
    OPT_OUT = "opt-out"
    UNATTRIBUTED = "unattributed"

    @property
    def is_strike(self) -> bool:
        """Whether it is held against the customer."""
        return self is self.UNDECLARED_BULK


@dataclass(frozen=True, slots=True, kw_only=True)
class Complaint:
    """One complaint, as it is kept; it names no recipient.

    Attributes:
        id: the report's dedup key, 32 hexadecimal digits.
        time_us: when it was taken in, microseconds since the epoch.
        feed: name of a known feed, or "unknown".
        loop: name of the `[[feedback-loop]]`, "" for none.
        reporter: domain of the reporter's header From, "" for none.
        is_certain: whether anything may be held against the customer.
        customer: whose mail it was, or whose name was used; "" where nobody knows.
        complainant: keyed hash that is equal for all complaints of one person about one
            customer, as far as that can be known.
        why: one sentence for a person.
    """

    id: str
    time_us: int
    feed: str
    loop: str = ""
    reporter: str = ""
    standing: Standing
    feedback_type: str
    format: str
    attribution: Attribution
    proof: Proof
    is_certain: bool = False
    outcome: Outcome
    customer: str = ""
    list_id: str = ""
    trace: str = ""
    source: str = ""
    complainant: str = ""
    incidents: int = 1
    why: str = ""

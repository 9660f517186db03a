"""What a complaint says, as one value; nothing of it is proven.

Whoever can send mail can send a report: its source address, its reporter and the
message in it are claims, until attribution finds our own mark in them.
"""

import hashlib
import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from outgate.feedback.entity import Fields, normal_lines
from outgate.feedback.times import ReportTime
from outgate.model.address import Address, EnvelopeSender, parse_address
from outgate.model.errors import EX_DATAERR, OutgateError


class FeedbackType(StrEnum):
    """What kind of report it is (IANA MARF parameters, and `opt-out` as it is sent)."""

    ABUSE = "abuse"
    FRAUD = "fraud"
    VIRUS = "virus"
    NOT_SPAM = "not-spam"
    AUTH_FAILURE = "auth-failure"
    OPT_OUT = "opt-out"
    OTHER = "other"

    @property
    def counts(self) -> bool:
        """Whether it says that somebody was wronged by the mail.

        An authentication failure says that somebody else used a name, `not-spam` takes
        a complaint back, an opt-out is a wish.
        """
        return self in {self.ABUSE, self.FRAUD, self.VIRUS, self.OTHER}


_TYPES = {one.value: one for one in FeedbackType} | {
    "opt-out-list": FeedbackType.OPT_OUT,
    "unsubscribe": FeedbackType.OPT_OUT,
    "complaint": FeedbackType.ABUSE,
    "spam": FeedbackType.ABUSE,
    "phishing": FeedbackType.FRAUD,
    "phish": FeedbackType.FRAUD,
    "malware": FeedbackType.VIRUS,
    "notspam": FeedbackType.NOT_SPAM,
    "not_spam": FeedbackType.NOT_SPAM,
    "dmarc": FeedbackType.AUTH_FAILURE,
}


def feedback_type(text: str) -> FeedbackType:
    """Read a Feedback-Type; an unknown one is `other` (RFC 5965 §7.3)."""
    word = text.strip().partition(";")[0].partition(" ")[0].lower()
    return _TYPES.get(word, FeedbackType.OTHER)


class Format(StrEnum):
    """By what a report was recognised."""

    ARF = "arf"
    JMRP = "jmrp"
    XARF = "xarf"
    SES = "ses"
    UNSUBSCRIBE = "unsubscribe"
    FORWARDED = "forwarded"


class Disguise(StrEnum):
    """How a recipient is given."""

    PLAIN = "plain"
    HASHED = "hashed"
    REDACTED = "redacted"


@dataclass(frozen=True, slots=True)
class OriginalRecipient:
    """Who is said to have got the mail.

    Attributes:
        address: canonical; where it is disguised, what stands for it.
    """

    address: Address
    disguise: Disguise


class Alteration(StrEnum):
    """What can be seen to have been done to the embedded message."""

    RECIPIENT_HASHED = "recipient-hashed"
    RECIPIENT_REDACTED = "recipient-redacted"
    BODY_MISSING = "body-missing"
    REWRITTEN_BY_FEED = "rewritten-by-feed"
    QUOTED = "quoted"


@dataclass(frozen=True, slots=True)
class Embedded:
    """The message that a report is about, as far as it was sent along.

    Attributes:
        raw: as it came, its transfer encoding undone.
        has_body: False where there are headers only.
        is_cut: it was longer than what is read: no signature can be verified.
        alterations: empty says only that none can be seen.
    """

    raw: bytes = field(repr=False)
    has_body: bool
    is_cut: bool = False
    alterations: frozenset[Alteration] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class ComplaintReport:
    """One complaint as it was understood.

    Attributes:
        feed: name of `feeds.FEEDS`, or "unknown". A claim like everything here.
        fields: all that the machine-readable part says.
        source: the client that is said to have sent the mail, canonical text.
        original_sender: None where nothing is said of it.
        recipients: in order, each once.
        reporter: header From of the report; None where there is none.
        incidents: how many times it happened, at least 1 (RFC 5965 §3.2).
        dedup_key: equal for two deliveries of one report; 32 hexadecimal digits.
    """

    format: Format
    feed: str
    feedback_type: FeedbackType
    fields: Fields = field(repr=False)
    arrival: ReportTime | None = None
    source: str = ""
    source_port: int | None = None
    original_sender: EnvelopeSender | None = None
    recipients: tuple[OriginalRecipient, ...] = ()
    embedded: Embedded | None = None
    incidents: int = 1
    reporter: Address | None = None
    dedup_key: str = ""


class Unread(StrEnum):
    """Why something is filed for people instead of being read."""

    EMPTY = "empty"
    BOUNCE = "bounce"
    AUTO_REPLY = "auto-reply"
    NO_REPORT = "no-report"
    UNREADABLE = "unreadable"


class UnreadReport(OutgateError):
    """Nothing in it can be read as a report: a person has to.

    Attributes:
        reason: in one word.
    """

    exit_code = EX_DATAERR

    def __init__(self, reason: Unread, message: str) -> None:
        super().__init__(message)
        self.reason = reason


# Validity hashes by MD5, others by SHA-1 or SHA-256; RFC 6590 leaves it open.
_HASHED = re.compile(r"(?:[0-9a-f]{32}|[0-9a-f]{40}|[0-9a-f]{64})\Z")
_REDACTED = re.compile(
    r"\W*(?:x{3,}|redacted|hashed|undisclosed|anonymi[sz]ed|removed|hidden)\W*\Z"
)
_REDACTED_DOMAIN = re.compile(r"(?:redacted|hidden|anonymi[sz]ed)(?:\.|\Z)")
MAX_RECIPIENTS = 200
_MAX_INCIDENTS = 1_000_000
_MAX_DIGITS = 12
_PORT_DIGITS = 5
_MAX_PORT = 0xFFFF
_ADDRESS = re.compile(r"<([^<>\s]{0,320})>|([^\s<>,;()]{1,320}@[^\s<>,;()]{0,320})")


def original_recipient(text: str) -> OriginalRecipient | None:
    """Read Original-Rcpt-To and its relatives; None where nobody is named."""
    text = text.strip()[:1000]
    # RFC 3464 §2.3.2: `rfc822; anne@example.net`.
    kind, separator, rest = text.partition(";")
    if separator and kind.strip().lower() in {"rfc822", "utf-8"}:
        text = rest.strip()
    found = _ADDRESS.search(text)
    word = (found[1] or found[2] or "") if found else text
    if not word or (not found and (" " in word or "@" in word)):
        return None
    address = parse_address(word)
    return OriginalRecipient(address, disguise_of(address))


def disguise_of(address: Address) -> Disguise:
    """Whether an address is one, or stands for one that nobody is to know."""
    if _HASHED.match(address.local):
        return Disguise.HASHED
    if not address.local or _REDACTED_DOMAIN.match(address.domain):
        return Disguise.REDACTED
    if _REDACTED.match(address.local):
        return Disguise.REDACTED
    return Disguise.PLAIN


def original_recipients(texts: Iterable[str]) -> tuple[OriginalRecipient, ...]:
    """All that are named, each once."""
    found: dict[OriginalRecipient, None] = {}
    for text in texts:
        one = original_recipient(text)
        if one is not None:
            found[one] = None
        if len(found) >= MAX_RECIPIENTS:
            break
    return tuple(found)


def source_address(text: str) -> str:
    """Canonical IP address of a Source-IP; "" where there is none.

    Tolerated: brackets, `IPv6:`, a host name in parentheses behind it.
    """
    word = text.strip()[:200].partition("(")[0].strip().strip("[]")
    if word[:5].lower() == "ipv6:":
        word = word[5:]
    try:
        address = ipaddress.ip_address(word)
    except ValueError:
        return ""
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        if address.scope_id:
            return ""
    return str(address)


def port_number(text: str) -> int | None:
    """A port (RFC 6692), or None."""
    text = text.strip()
    if not (text.isascii() and text.isdecimal()) or len(text) > _PORT_DIGITS:
        return None
    return int(text) if int(text) <= _MAX_PORT else None


def incident_count(text: str) -> int:
    """At least 1, at most a million: more is said by nobody who counts."""
    text = text.strip()
    if not (text.isascii() and text.isdecimal()) or len(text) > _MAX_DIGITS:
        return 1
    return min(max(1, int(text)), _MAX_INCIDENTS)


# How often it was written, by which version: not what it says.
_NOT_SAID = frozenset({"user-agent", "version", "subscription-link"})


def dedup_key(
    report_format: Format,
    reporter: Address | None,
    message_id: str,
    fields: Fields,
    embedded: Embedded | None,
) -> str:
    """What makes two deliveries of one report the same.

    Reporter, Message-ID (or Date) of the report, what its fields say, and the embedded
    message without the ends of its lines. All of them: two people may complain of
    one redacted message at once, and who forges a Message-ID must not silence another's
    report.
    """
    digest = hashlib.sha256()
    said = sorted(
        (name, value)
        for name, values in fields.values.items()
        if name not in _NOT_SAID
        for value in values
    )
    for piece in (report_format.value, str(reporter or ""), message_id.strip()):
        digest.update(piece.encode("utf-8", "replace") + b"\0")
    for name, value in said:
        digest.update(f"{name}\0{value}\0".encode("utf-8", "replace"))
    if embedded is not None:
        digest.update(normal_lines(embedded.raw).strip())
    return digest.hexdigest()[:32]

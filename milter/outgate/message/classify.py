"""Which kind of mail a message is, and whether it declares itself bulk.

A class is an attribute: it selects among things that belong to the accountable
customer, and never lowers a count. It has to be, since its sender chooses nearly all
that it depends on. In the order in which they are tried:

    bounce       null sender, one recipient, and it looks like an automatic response;
                 otherwise a null sender is a normal one
    calendar     an iTIP message
    confirmation a request to confirm a subscription, as list software words it
    forward      SRS sender, X-Forwarded-To: someone else wrote it
    list         a well-formed List-Id, or another header that only lists have
    auto-reply   before bulk: vacation programs say `Precedence: bulk`
    bulk         declares itself bulk, or has a Feedback-ID
    forward      only Resent-* or ARC-Seal
    personal     all else, receipts and cron mail included

What a message is by behaviour, or because its customer registered it, is not told by its
headers: see `policy.mail_class`.

Resent-* and ARC-Seal come last because lists have them too: SmartList (lists.debian.org)
resends, and whatever a member posts from Microsoft 365 comes sealed. A list that were
taken for a forwarder would not be asked for permission.

Whether mail *declares* itself bulk is asked apart from its class, so that no calendar
part and no seal hides it.
"""

import re

from outgate.message.automation import (
    AUTOMATION_HEADERS,
    is_auto_reply,
    is_calendar,
    is_notification,
    is_response,
    precedence,
)
from outgate.message.confirmation import (
    CONFIRMATION_HEADERS,
    is_confirmation_request,
)
from outgate.message.headers import Headers, first_value
from outgate.message.listcheck.headers import LIST_HEADERS
from outgate.model.transaction import Transaction
from outgate.model.verdict import MailClass

# The fingerprints of list and campaign software, each by a header that only it sets.
FINGERPRINT_HEADERS = frozenset(
    {
        "list-administrivia",
        "mailing-list",  # ezmlm, Yahoo Groups
        "x-beenthere",  # Mailman
        "x-bulkmail",
        "x-campaign",  # MailChimp and others
        "x-campaignid",
        "x-egroups-return",  # Yahoo Groups
        "x-google-group-id",
        "x-google-loop",  # Google Groups
        "x-list-administrivia",  # Mailman's own notices
        "x-listmember",  # phpList
        "x-listmonk-campaign",
        "x-listmonk-subscriber",
        "x-listserver",  # CommuniGate Pro, LetterMerger
        "x-mailing-list",  # SmartList
        "x-mailman-version",
        "x-mc-user",  # MailChimp
        "x-mw-campaign-uid",  # MailWizz
        "x-phplist-version",
    }
)
# What a mail client, a web shop or a newsletter never sets.
DISCUSSION_HEADERS = frozenset({"list-archive", "list-post", "list-subscribe"})
BULK_HEADERS = LIST_HEADERS | FINGERPRINT_HEADERS
# Campaign software sets it for Gmail's complaint figures, but so do relays such as
# Amazon SES on every receipt and bounce: it makes a class, and declares nothing.
CAMPAIGN_HEADER = "feedback-id"

FORWARDED_HEADERS = frozenset({"x-forwarded-to", "x-forwarded-for"})
PASSED_ON_HEADERS = frozenset({"arc-seal", "resent-date", "resent-from", "resent-to"})

CLASS_HEADERS = (
    AUTOMATION_HEADERS
    | BULK_HEADERS
    | CONFIRMATION_HEADERS
    | FORWARDED_HEADERS
    | PASSED_ON_HEADERS
    | {CAMPAIGN_HEADER, "x-mailer"}
)

# draft-shevek-srs: SRS0=HHH=TT=example.org=anne@forwarder.example
_SRS = re.compile(rb"\s*<?srs[01][=+-]", re.IGNORECASE)
# Programs that send nothing but campaigns, by the first word of their X-Mailer; what
# sends receipts too is not here.
_MAILER_WORD = re.compile(rb"[A-Za-z-]+")
_BULK_MAILERS = frozenset(
    {
        b"accucast",
        b"mailchimp",
        b"mailman",
        b"maxbulk",
        b"pg-mailinglist",
        b"phplist",
        b"sendblaster",
        b"stormpost",
    }
)
_BULK_PRECEDENCE = frozenset({"bulk", "junk", "list"})


def is_null_sender(sender: bytes) -> bool:
    """Whether the argument of MAIL is the null reverse-path (RFC 5321 §4.5.5)."""
    return sender.strip() in {b"<>", b""}


def is_forwarded(transaction: Transaction) -> bool:
    """Whether anything says that the message was passed on, and not written, here."""
    return _is_forward(transaction) or not PASSED_ON_HEADERS.isdisjoint(
        transaction.headers
    )


def declares_bulk(headers: Headers) -> bool:
    """Whether a message calls itself list or bulk mail.

    `Precedence` alone does not count on a notification or an auto-reply: many programs
    set it there, to be spared the answers of others (RFC 3834 §3.1.8). To borrow that
    disguise is of no use: who doesn't want to declare anything just leaves it out.
    """
    if not BULK_HEADERS.isdisjoint(headers):
        return True
    if "precedence" in headers and precedence(headers) in _BULK_PRECEDENCE:
        return not (is_auto_reply(headers) or is_notification(headers))
    mailer = first_value(headers, "x-mailer")
    word = _MAILER_WORD.match(mailer) if mailer else None
    return word is not None and word[0].lower() in _BULK_MAILERS


def classify(transaction: Transaction, *, bulk: bool, list_id: str) -> MailClass:
    """Give the class of an outbound message.

    Args:
        transaction: the message.
        bulk: what `declares_bulk` says of it.
        list_id: its well-formed List-Id, or "".
    """
    headers = transaction.headers
    if _is_bounce(transaction):
        mail_class = MailClass.BOUNCE
    elif is_calendar(headers):
        mail_class = MailClass.CALENDAR
    elif is_confirmation_request(headers, transaction.recipient_count, bulk=bulk):
        mail_class = MailClass.CONFIRMATION
    elif _is_forward(transaction):
        mail_class = MailClass.FORWARD
    elif list_id or not DISCUSSION_HEADERS.isdisjoint(headers):
        mail_class = MailClass.LIST
    elif is_auto_reply(headers):
        mail_class = MailClass.AUTO_REPLY
    elif bulk or CAMPAIGN_HEADER in headers:
        mail_class = MailClass.BULK
    elif not PASSED_ON_HEADERS.isdisjoint(headers):
        mail_class = MailClass.FORWARD
    else:
        mail_class = MailClass.PERSONAL
    return mail_class


def _is_bounce(transaction: Transaction) -> bool:
    # RFC 3834 §3.3: a response goes to one person.
    if not is_null_sender(transaction.sender) or transaction.recipient_count > 1:
        return False
    headers = transaction.headers
    if BULK_HEADERS.isdisjoint(headers):
        return is_response(headers)
    # List mail from the null sender is an evasion, unless it is a true report.
    return is_notification(headers)


def _is_forward(transaction: Transaction) -> bool:
    return _SRS.match(transaction.sender) is not None or not (
        FORWARDED_HEADERS.isdisjoint(transaction.headers)
    )

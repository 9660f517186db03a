"""docs/complaint-reports.md: what is read of complaints, bounces and mail logs."""

from collections.abc import Mapping
from enum import StrEnum
from typing import TypeVar

from outgate.feedback import entity
from outgate.feedback.documents import MAX_JSON_BYTES
from outgate.feedback.dsn import MAX_RECIPIENTS
from outgate.feedback.feeds import FEEDS
from outgate.feedback.outcome import Action, Cause
from outgate.feedback.report import (
    Alteration,
    Disguise,
    FeedbackType,
    Format,
    Unread,
)
from pages.markdown import GENERATED, block, joined, paragraph, table

Word = TypeVar("Word", bound=StrEnum)

_INTRO = """
Recipients complain: their provider sends a *complaint report*, or they forward the spam.
Outgate reads the forms below, so that each complaint becomes the same few facts. Reading is
all that this page is about: nothing is stored, charged or answered, and **nothing in a
report is believed**. Anybody can send one, with any source address and any message inside.
"""
_COMMANDS = """\
outgate complaint parse report.eml
outgate complaint parse --json - < report.eml
"""
_EXITS = """
It exits 0 where a report was read, 65 where a person has to read it, 66 where the file cannot
be opened. It shows recipients as the report names them: mind who sees your terminal.
"""
_FORMS = {
    Format.ARF: "a part `message/feedback-report` (RFC 5965, 6591, 6650, 9991), in any "
    "container, attached to another mail too",
    Format.JMRP: "Microsoft's feed until June 2026: an attached message with "
    "`X-HmXmrOriginalRecipient`, the client's address in the subject",
    Format.XARF: "JSON of XARF 3 or 4, alone or in a mail, about mail",
    Format.SES: "`notificationType` `Complaint`, with or without the topic's envelope",
    Format.UNSUBSCRIBE: "`X-Apple-Unsubscribe: true`",
    Format.FORWARDED: "a message attached, behind the mark of a mail program, or its headers "
    "pasted into the text",
}
_TYPES = {
    FeedbackType.ABUSE: "spam, by the reader's button or a trap",
    FeedbackType.FRAUD: "phishing",
    FeedbackType.VIRUS: "malware",
    FeedbackType.NOT_SPAM: "the reader takes it back (RFC 6430)",
    FeedbackType.AUTH_FAILURE: "a failure report: somebody used the name of a domain, "
    "perhaps somebody else (RFC 6591, 9991)",
    FeedbackType.OPT_OUT: "a wish to get no more: `opt-out`, `opt-out-list`, Apple's "
    "unsubscribe",
    FeedbackType.OTHER: "anything else, also a type that nobody has registered",
}
_DISGUISES = {
    Disguise.PLAIN: "an address",
    Disguise.HASHED: "a hash in place of the local part. It is never guessed whose",
    Disguise.REDACTED: "`redacted@`, `undisclosed` and the like",
}
_ALTERATIONS = {
    Alteration.RECIPIENT_HASHED: "a hash stands in its headers of address",
    Alteration.RECIPIENT_REDACTED: "so does a word such as `redacted`",
    Alteration.BODY_MISSING: "it should be whole, and has headers only or not even those",
    Alteration.REWRITTEN_BY_FEED: "the feed is known to rewrite: a DKIM signature that fails "
    "there says nothing",
    Alteration.QUOTED: "it was taken out of a text: no byte is sure",
}
_UNREAD = {
    Unread.EMPTY: "there is nothing in it",
    Unread.BOUNCE: "a bounce: it is read as such, see below",
    Unread.AUTO_REPLY: "an automatic reply",
    Unread.NO_REPORT: "a letter, another kind of report, or a bounce that names nobody",
    Unread.UNREADABLE: "it does not begin with headers",
}
_DEDUP = """
A report that comes twice is one: the *dedup key* is made of its reporter (header From), its
Message-ID, or Date where there is none, what its fields say, and the message in it. All of
them have to be the same, so that a copied Message-ID silences nobody, and two people who
complain of one redacted message are two.
"""
_TIMES = """
Times say how their zone is known: by `offset`, by `name` (PST, CET and others that mean one
thing), or `missing`. The last are read as UTC and may be off by a day.
"""
_BOUNCES = """
A bounce gives one *outcome* for each recipient: how it ended, why, the enhanced status code
(RFC 3463), the reply. Read are delivery status notifications (RFC 3464), also those in the
text of a mail; bounces in prose that begin a line with the recipient (qmail, Exim, Exchange,
Yahoo, old Sendmail and many others); notifications of Amazon SES. The recipient in a VERP
sender of an own domain is the surest: nobody else wrote it.
"""
_ACTIONS = {
    Action.DELIVERED: "accepted by the next host, or relayed",
    Action.DEFERRED: "to be tried again",
    Action.BOUNCED: "refused for good",
    Action.EXPIRED: "given up after all tries",
}
_CAUSES = {
    Cause.UNKNOWN_USER: "no such address, or no such domain",
    Cause.SPAM_BLOCK: "refused for who sends it, or for what it says",
    Cause.RATE_LIMIT: "too much at a time",
    Cause.MAILBOX_FULL: "no room",
    Cause.OTHER: "anything else: time-outs, suspended accounts, a sender address that does "
    "not resolve, relaying, size",
}
_LOGS = """
Delivery lines of mail logs give the same outcomes: of Postfix `smtp`, `lmtp`, `local`,
`virtual`, `pipe`, `error`, of any instance (`postfix-submission/smtp`, `postfix/relay/smtp`),
of Sendmail lines with `stat=`. Stamps may be traditional, RFC 3339, or journald's JSON
(`journalctl -o json`). A traditional stamp has neither year nor zone: the reader is told the
zone, and takes the year in which the line is not in the future.
"""
_FORGED = """
A sender chooses addresses in such lines, the other side the reply, and both may write
`status=sent`. A line is read from left to right, quoted addresses as a whole, and the reply
is the rest whatever it says. Postfix before 3.5, or with `info_log_addr_form = internal`,
writes addresses without their quotes: what can be read in two ways is marked as *ambiguous*
and no more than a hint.
"""
_TAIL = """
The log is followed over rotation, by renaming or by `copytruncate`, and over restarts: a
position file holds where reading stopped, with a fingerprint of what was read, and looks for
it in `mail.log.1` or `mail.log-20261124`. Compressed logs are not opened, so keep
logrotate's `delaycompress`. What cannot be found is counted as lost.
"""
_WORDS = (
    ("complaint report", "what a provider or a person sends about a mail"),
    ("feed", "a provider's stream of complaint reports (a feedback loop)"),
    ("reporter", "header From of a complaint report"),
    ("embedded message", "the mail that a report is about, as far as it came along"),
    ("outcome", "what became of one message for one recipient"),
    ("cause", "why it was not delivered"),
    ("filed", "left to a person, with a reason"),
)


def page() -> str:
    """The page."""
    return joined(
        "# Complaint reports",
        paragraph(_INTRO),
        block(_COMMANDS, "sh"),
        paragraph(_EXITS),
        "## Forms",
        _listed(("format", "told by"), _FORMS),
        "## Feeds",
        paragraph(
            "Named by header From, by User-Agent, or by whom Validity runs it for. The name "
            "is a claim, too."
        ),
        table(
            ("feed", "header From", "recipient", "rewrites", "notes"),
            (
                (
                    feed.name,
                    ", ".join(f"`{domain}`" for domain in feed.domains) or "any",
                    feed.recipients,
                    "yes" if feed.rewrites else "no",
                    feed.known_by or "",
                )
                for feed in FEEDS
            ),
        ),
        "## What is read",
        table(
            ("feedback type", "counts", "meaning"),
            (
                (f"`{kind}`", "yes" if kind.counts else "no", meaning)
                for kind, meaning in _TYPES.items()
            ),
        ),
        _listed(("recipient", "given as"), _DISGUISES),
        _listed(("embedded message", "what can be seen of it"), _ALTERATIONS),
        paragraph(_TIMES),
        paragraph(_DEDUP),
        "## What is filed",
        _listed(("reason", "meaning"), _UNREAD),
        paragraph(
            f"Of a report the first {entity.MAX_REPORT_BYTES // 1024 // 1024} MiB are read, "
            f"{entity.MAX_HEADER_BYTES // 1024} KiB of all its headers, {entity.MAX_PARTS} "
            f"parts, {entity.MAX_DEPTH} deep; of JSON {MAX_JSON_BYTES // 1024} KiB; of a "
            f"bounce {MAX_RECIPIENTS} recipients. An embedded message that was longer is "
            "marked as cut."
        ),
        "## Bounces",
        paragraph(_BOUNCES),
        _listed(("action", "meaning"), _ACTIONS),
        _listed(("cause", "meaning"), _CAUSES),
        "## Mail logs",
        paragraph(_LOGS),
        paragraph(_FORGED),
        paragraph(_TAIL),
        paragraph("No command follows a log or reads bounces yet."),
        "## Words",
        table(("word", "meaning"), _WORDS),
        GENERATED,
    )


def _listed(head: tuple[str, str], meanings: Mapping[Word, str]) -> str:
    """A table of words and what they mean; each word of the code must have one."""
    kind = type(next(iter(meanings)))
    missing = set(kind) - set(meanings)
    if missing:
        raise LookupError(f"the manual does not say what {missing} mean")
    return table(head, ((f"`{word}`", meaning) for word, meaning in meanings.items()))

"""The digest of held mail: one mail to an address, not one for each message.

It names the customer's own messages and numbers only, never a recipient. It leaves with
the null sender and `Auto-Submitted`, so that nothing bounces and nobody answers.
"""

import re
import smtplib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid

from outgate.model.errors import MtaError
from outgate.policy.operator import format_moment

_TIMEOUT_S = 30
# RFC 5321 §4.1.2: Dot-string and Domain, all that a contact needs.
_ADDRESS = re.compile(r"[\w!#$%&'*+/=?^`{|}~.-]+@[\w.-]+", re.ASCII)
# More lines than a person reads.
_MOST_LINES = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """One held message, as its record tells.

    Attributes:
        since_us: when it was held.
        until_us: until when it is meant to be held.
    """

    mta: str
    queue_id: str
    customer: str
    contact: str
    sender: str
    recipients: int
    size_bytes: int
    reasons: str
    since_us: int
    until_us: int


def render(held: Iterable[Held], *, sender: str, to: str, now_us: int) -> EmailMessage:
    """Write the digest of these messages to one address.

    Raises:
        MtaError: the address, which may be a login that holds an `@`, is none.
    """
    rows = sorted(held, key=lambda one: one.since_us)
    if not _ADDRESS.fullmatch(to):
        raise MtaError(f"digest to {to!r}: no address")
    message = EmailMessage()
    message["From"] = sender
    message["To"] = to
    message["Subject"] = _counted(len(rows), "held message")
    message["Date"] = format_datetime(datetime.fromtimestamp(now_us / 1_000_000, UTC))
    message["Message-ID"] = make_msgid(domain=sender.rpartition("@")[2] or None)
    message["Auto-Submitted"] = "auto-generated"
    lines = [
        "The mail system holds these messages until somebody has looked at them:",
        "",
    ]
    for one in rows[:_MOST_LINES]:
        lines += [
            f"  {format_moment(one.since_us)}  {one.queue_id}  ({one.mta})",
            (
                f"      customer {one.customer}, sender {one.sender or '<>'}, "
                f"{_counted(one.recipients, 'recipient')}, "
                f"{_counted(one.size_bytes, 'byte')}"
            ),
            f"      because: {one.reasons}; held until {format_moment(one.until_us)}",
        ]
    if len(rows) > _MOST_LINES:
        lines.append(f"  … and {len(rows) - _MOST_LINES} more")
    lines += [
        "",
        (
            "Nothing is lost and nothing is released by itself. If this is mail that you "
            "did not send,"
        ),
        (
            "change your password first. Questions and releases: your postmaster, with "
            "the reference above."
        ),
    ]
    message.set_content("\n".join(map(_printable, lines)) + "\n")
    return message


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'s' if number != 1 else ''}"


def _printable(line: str) -> str:
    """A sender's address may hold what would forge a line."""
    return "".join(one if one.isprintable() else "?" for one in line)


def send(message: EmailMessage, host: str, port: int) -> None:
    """Hand a message to the MTA, with the null sender.

    Raises:
        MtaError: the MTA did not take it.
    """
    try:
        with smtplib.SMTP(host, port, timeout=_TIMEOUT_S) as client:
            client.send_message(message, from_addr="", to_addrs=[str(message["To"])])
    except (OSError, smtplib.SMTPException) as error:
        raise MtaError(f"digest to {message['To']}: {error}") from error

"""One mail from Outgate to a person, and how it leaves.

It leaves with the null sender and `Auto-Submitted` (RFC 3834), so that nothing bounces
and nobody answers.
"""

import re
import smtplib
from collections.abc import Iterable
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid

from outgate.model.errors import MtaError

# More entries than a person reads.
MOST_LINES = 50

_TIMEOUT_S = 30
# RFC 5321 §4.1.2: Dot-string and Domain, all that a contact needs.
_ADDRESS = re.compile(r"[\w!#$%&'*+/=?^`{|}~.-]+@[\w.-]+", re.ASCII)


def letter(
    subject: str, lines: Iterable[str], *, sender: str, to: str, now_us: int
) -> EmailMessage:
    """Write a mail to one address.

    Raises:
        MtaError: the address, which may be a login that holds an `@`, is none.
    """
    if not _ADDRESS.fullmatch(to):
        raise MtaError(f"mail to {to!r}: no address")
    message = EmailMessage()
    message["From"] = sender
    message["To"] = to
    message["Subject"] = subject
    message["Date"] = format_datetime(datetime.fromtimestamp(now_us / 1_000_000, UTC))
    message["Message-ID"] = make_msgid(domain=sender.rpartition("@")[2] or None)
    message["Auto-Submitted"] = "auto-generated"
    message.set_content("\n".join(map(_printable, lines)) + "\n")
    return message


def counted(number: int, noun: str) -> str:
    """`1 message`, `2 messages`."""
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
        raise MtaError(f"mail to {message['To']}: {error}") from error

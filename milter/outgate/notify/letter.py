"""One mail from Outgate to a person, and how it leaves.

It leaves with the null sender and `Auto-Submitted` (RFC 3834), so that nothing bounces
and nobody answers.
"""

import re
import smtplib
from collections.abc import Iterable
from datetime import UTC, datetime
from email.message import EmailMessage, Message
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
    if not is_address(to):
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


def is_address(text: str) -> bool:
    """Whether a text is an address that stands in a header as it is."""
    return _ADDRESS.fullmatch(text) is not None


def counted(number: int, noun: str) -> str:
    """`1 message`, `2 messages`."""
    return f"{number} {noun}{'s' if number != 1 else ''}"


def _printable(line: str) -> str:
    """A sender's address may hold what would forge a line."""
    return "".join(one if one.isprintable() else "?" for one in line)


def send(message: Message, host: str, port: int, *, to: str = "") -> None:
    """Hand a message to the MTA, with the null sender.

    Args:
        message: what is sent.
        host: of the MTA.
        port: of the MTA.
        to: where it goes; by default to whom it names.

    Raises:
        MtaError: the MTA did not take it.
    """
    to = to or str(message["To"])
    try:
        with smtplib.SMTP(host, port, timeout=_TIMEOUT_S) as client:
            client.send_message(message, from_addr="", to_addrs=[to])
    except (OSError, ValueError, smtplib.SMTPException) as error:
        raise MtaError(f"mail to {to}: {error}") from error

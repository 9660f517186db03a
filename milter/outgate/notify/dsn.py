"""The delivery status notification (RFC 3464) of recipients taken out of a message.

Software reads it more often than people do: a mailing list's bounce handling takes the
recipients off the list. It leaves with the null sender, so nobody answers it, and is of
the class `bounce` wherever it passes a gate again.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import Message
from email.mime.base import MIMEBase
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from email.utils import format_datetime, make_msgid

from outgate.model.errors import MtaError
from outgate.notify.letter import counted, is_address

STATUS = "5.7.1"
"""RFC 3463: delivery not authorized, message refused."""

MAX_HEADER_CHARS = 900
# RFC 6533 §3: what need not be written as \\x{...} in utf-8-addr-xtext.
_PLAIN = re.compile(r"[!-*,-<>-\[\]-~]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """One recipient.

    Attributes:
        address: as the envelope had it, without brackets.
        why: a sentence in ASCII, the reply that it would have got by itself.
        original: type and address of the envelope's ORCPT, "" for none.
    """

    address: str
    why: str
    original: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Returned:
    """A message that did not reach some of its recipients.

    Attributes:
        to: its envelope sender, without brackets.
        mta: name of the MTA that had it.
        headers: names and values that are returned.
        arrived_us: when it came.
        envelope_id: the envelope's ENVID, decoded; "" for none.
    """

    to: str
    mta: str
    queue_id: str
    list_id: str
    failed: Sequence[Failed]
    headers: Sequence[tuple[str, str]]
    arrived_us: int
    envelope_id: str = ""


def render(returned: Returned, *, sender: str, now_us: int) -> Message:
    """Write the notification.

    Args:
        returned: about what.
        sender: header From.
        now_us: its Date.

    Raises:
        MtaError: the sender cannot be addressed.
    """
    to = returned.to
    # A Quoted-string may hold spaces (RFC 5321 §4.1.2).
    if not to.isprintable() or not to or (" " in to and not to.startswith('"')):
        raise MtaError("a delivery status notification to no address")
    message = MIMEMultipart("report", report_type="delivery-status")
    message["From"] = sender
    message["To"] = to if is_address(to) else "undisclosed-recipients:;"
    message["Subject"] = "Delivery Status Notification (Failure)"
    message["Date"] = _date(now_us)
    message["Message-ID"] = make_msgid(domain=sender.rpartition("@")[2] or None)
    message["Auto-Submitted"] = "auto-replied"
    message.attach(_for_people(returned))
    message.attach(_for_software(returned))
    headers = MIMEBase("text", "rfc822-headers")
    headers.set_payload(
        "".join(f"{name}: {_one_line(value)}\n" for name, value in returned.headers)
    )
    message.attach(headers)
    return message


def _for_people(returned: Returned) -> Message:
    number = len(returned.failed)
    lines = [
        (
            f"Your message to the list {_one_line(returned.list_id)} was not sent to "
            f"{counted(number, 'recipient')}."
        ),
        "Please take these off the list:",
        "",
    ]
    for one in returned.failed:
        lines += [f"  {_ascii(one.address)}", f"      {_ascii(one.why)}"]
    lines += ["", f"Reference: {_one_line(returned.queue_id) or '-'}", ""]
    return MIMEText("\n".join(lines), "plain", "us-ascii")


def _for_software(returned: Returned) -> Message:
    """RFC 3464: one block about the message, and one for each recipient."""
    about = Message()
    if returned.envelope_id:
        about["Original-Envelope-Id"] = _one_line(returned.envelope_id)
    about["Reporting-MTA"] = f"dns; {_one_line(returned.mta)}"
    about["Arrival-Date"] = _date(returned.arrived_us)
    blocks: list[Message | str] = [about]
    for one in returned.failed:
        block = Message()
        if one.original:
            # RFC 3464 §2.3.1: only where the envelope had it.
            block["Original-Recipient"] = _one_line(one.original)
        block["Final-Recipient"] = _typed(one.address)
        block["Action"] = "failed"
        block["Status"] = STATUS
        block["Diagnostic-Code"] = f"smtp; 550 {STATUS} {_ascii(one.why)}"
        blocks.append(block)
    status = MIMEBase("message", "delivery-status")
    status.set_payload(blocks)
    return status


def _typed(address: str) -> str:
    """With its address type (RFC 3464 §2.1.2, RFC 6533 §3)."""
    if address.isascii():
        return f"rfc822;{_one_line(address)}"
    text = "".join(
        one if _PLAIN.fullmatch(one) else f"\\x{{{ord(one):X}}}" for one in address
    )
    return f"utf-8;{text}"


def _ascii(text: str) -> str:
    return _one_line(text.encode("ascii", "backslashreplace").decode())


def _one_line(text: str) -> str:
    """Nothing that would forge a line or a header."""
    line = "".join(one if " " <= one <= "~" else "?" for one in " ".join(text.split()))
    return line[:MAX_HEADER_CHARS]


def _date(moment_us: int) -> str:
    return format_datetime(datetime.fromtimestamp(moment_us // 1_000_000, UTC))

"""The delivery status notification: what RFC 3464 wants, whatever the message was."""

from dataclasses import replace
from email import message_from_bytes
from email.generator import BytesGenerator
from email.message import Message
from email.policy import SMTP
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outgate.message.facts import read_facts
from outgate.model.errors import MtaError
from outgate.model.verdict import Action, MailClass, Mode
from outgate.notify.dsn import Failed, Returned, render
from policy.builders import Outpost, a_policy, a_transaction

NOW_US = 1_795_500_000_000_000
RETURNED = Returned(
    to="bounces@choir.example",
    mta="mx.example.org",
    queue_id="4XyZ1a2b3c",
    list_id="news.choir.example",
    failed=[
        Failed(address="left@example.net", why="Recipient withdrew consent"),
        Failed(address='"odd one"@example.net', why="No confirmed opt-in on file"),
    ],
    headers=[("Message-ID", "<1@choir.example>"), ("Subject", "a\r\n b")],
    arrived_us=NOW_US,
)


def wire(returned: Returned = RETURNED) -> bytes:
    """As `smtplib` sends it."""
    out = BytesIO()
    report = render(returned, sender="outgate@example.org", now_us=NOW_US)
    BytesGenerator(out, policy=report.policy.clone(linesep="\r\n")).flatten(report)
    return out.getvalue()


def parts(raw: bytes) -> list[Message]:
    return inside(message_from_bytes(raw))


def inside(message: Message) -> list[Message]:
    found = message.get_payload()
    assert isinstance(found, list)
    return [one for one in found if isinstance(one, Message)]


def test_it_is_a_report_of_three_parts() -> None:
    """RFC 6522: for people, for software, and what it is about."""
    raw = wire()
    report = message_from_bytes(raw)
    assert report.get_content_type() == "multipart/report"
    assert report.get_param("report-type") == "delivery-status"
    assert report["To"] == "bounces@choir.example"
    assert report["Auto-Submitted"] == "auto-replied"
    text, status, headers = parts(raw)
    assert "left@example.net\r\n      Recipient withdrew" in str(text.get_payload())
    assert "Reference: 4XyZ1a2b3c" in str(text.get_payload())
    assert status.get_content_type() == "message/delivery-status"
    assert headers.get_content_type() == "text/rfc822-headers"
    assert headers.get_payload() == (
        "Message-ID: <1@choir.example>\r\nSubject: a b\r\n"
    )
    assert raw.isascii()


def test_software_finds_each_recipient() -> None:
    """RFC 3464 §2: one block about the message, one for each recipient."""
    about, first, second = inside(parts(wire())[1])
    assert dict(about.items()) == {
        "Reporting-MTA": "dns; mx.example.org",
        "Arrival-Date": "Tue, 24 Nov 2026 06:00:00 +0000",
    }
    assert dict(first.items()) == {
        "Final-Recipient": "rfc822;left@example.net",
        "Action": "failed",
        "Status": "5.7.1",
        "Diagnostic-Code": "smtp; 550 5.7.1 Recipient withdrew consent",
    }
    assert second["Final-Recipient"] == 'rfc822;"odd one"@example.net'


def test_an_internationalised_address_is_written_in_ascii() -> None:
    """RFC 6533 §3."""
    failed = [Failed(address="jürgen+1@example.net", why="x")]
    status = inside(parts(wire(replace(RETURNED, failed=failed)))[1])
    assert status[1]["Final-Recipient"] == r"utf-8;j\x{FC}rgen\x{2B}1@example.net"


@pytest.mark.parametrize("to", ["", "a b@example.org", "a@example.org\r\nBcc: x"])
def test_nobody_gets_it_at_no_address(to: str) -> None:
    """Nothing that would be another command."""
    with pytest.raises(MtaError, match="no address"):
        render(replace(RETURNED, to=to), sender="o@example.org", now_us=NOW_US)


def test_an_odd_sender_stands_in_the_envelope_alone() -> None:
    """A header would need quoting that nobody agrees on."""
    report = message_from_bytes(wire(replace(RETURNED, to='"a"@choir.example')))
    assert report["To"] == "undisclosed-recipients:;"


@given(st.text(min_size=1, max_size=40), st.text(max_size=200))
def test_hostile_texts_forge_nothing(address: str, value: str) -> None:
    """One block for each recipient, one line for each header."""
    hostile = replace(
        RETURNED,
        failed=[Failed(address=address, why="x")],
        headers=[("Subject", value)],
        queue_id=value,
        list_id=value,
    )
    text, status, headers = parts(wire(hostile))
    assert len(inside(status)) == 2
    assert text.get_content_type() == "text/plain"
    assert str(headers.get_payload()).count("\r\n") == 1


def test_it_passes_a_gate_as_a_bounce() -> None:
    """Our own, too: nothing stops it, and nobody is told of it again."""
    report = message_from_bytes(wire(), policy=SMTP)
    mail = a_transaction(
        client="192.0.2.7",
        sender="",
        recipients=["bounces@choir.example"],
        headers={name: str(value) for name, value in report.items()},
    )
    assert read_facts(mail).mail_class is MailClass.BOUNCE
    post = Outpost(a_policy(shipped=True, mode=Mode.ENFORCE))
    decision = post.judge(mail)
    assert (decision.mail_class, decision.disposition.action) == (
        MailClass.BOUNCE,
        Action.ACCEPT,
    )
    assert decision.verdict.findings == ()

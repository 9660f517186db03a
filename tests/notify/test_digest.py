"""The digest of held mail: what a customer reads, and how it leaves."""

import email.policy
from collections.abc import Iterator
from email import message_from_bytes
from email.message import EmailMessage

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lab.ports import free_port
from lab.sink import Sink
from outgate.model.errors import EX_TEMPFAIL, MtaError
from outgate.notify.digest import Held, render
from outgate.notify.letter import send

NOW_US = 1_795_500_000_000_000
HOUR_US = 3_600_000_000
FROM = "outgate@example.org"
TO = "post@choir.example"


def held(**changes: object) -> Held:
    fields: dict[str, object] = {
        "mta": "mx1.example.org",
        "queue_id": "4XyZ1a2b3c",
        "customer": "choir",
        "contact": TO,
        "sender": "anne@choir.example",
        "recipients": 320,
        "size_bytes": 2048,
        "reasons": "limit-exceeded",
        "limits": "",
        "since_us": NOW_US - HOUR_US,
        "until_us": NOW_US + HOUR_US,
    }
    return Held(**{**fields, **changes})  # type: ignore[arg-type] # a test's shorthand


def digest(*rows: Held, to: str = TO) -> EmailMessage:
    return render(rows, sender=FROM, to=to, now_us=NOW_US)


def body(message: EmailMessage) -> str:
    content: str = message.get_content()
    return content


def test_the_limit_that_was_used_up_stands_with_its_rate() -> None:
    """What the owner has to know; an order's text never comes here."""
    text = body(digest(held(limits="strangers-per-campaign 50/1w")))

    assert "limit: strangers-per-campaign 50/1w" in text
    assert "limit:" not in body(digest(held()))


def test_it_says_what_is_held_since_when_and_why() -> None:
    """With the queue id, by which a postmaster finds it."""
    text = body(digest(held()))

    assert (
        "  2026-11-24T05:00:00Z  4XyZ1a2b3c  (mx1.example.org)\n"
        "      customer choir, sender anne@choir.example, 320 recipients, 2048 bytes\n"
        "      because: limit-exceeded (a limit is used up); held until 2026-11-24T07:00:00Z\n"
    ) in text
    assert "nothing is released by itself" in text


def test_it_is_mail_that_nobody_answers() -> None:
    """RFC 3834: automatic mail says so; it has a date and an id of its own."""
    message = digest(held())

    assert message["Auto-Submitted"] == "auto-generated"
    assert (message["From"], message["To"]) == (FROM, TO)
    assert message["Date"] == "Tue, 24 Nov 2026 06:00:00 +0000"
    assert message["Message-ID"].endswith("@example.org>")


@pytest.mark.parametrize(
    ("number", "subject"), [(1, "1 held message"), (2, "2 held messages")]
)
def test_the_subject_counts(number: int, subject: str) -> None:
    """One mail for all of them."""
    assert digest(*[held()] * number)["Subject"] == subject


def test_the_oldest_comes_first() -> None:
    """It waits longest."""
    text = body(
        digest(
            held(queue_id="young", since_us=NOW_US),
            held(queue_id="old", since_us=NOW_US - 5 * HOUR_US),
        )
    )

    assert text.index("old") < text.index("young")


def test_nobody_reads_more_than_fifty() -> None:
    """The rest is a number."""
    text = body(digest(*(held(queue_id=f"id{number:04}") for number in range(1000))))

    assert "id0049" in text
    assert "id0050" not in text
    assert "… and 950 more" in text


def test_a_bounce_has_the_null_sender() -> None:
    """As MTAs write it."""
    text = body(digest(held(sender="", recipients=1, size_bytes=1)))

    assert "sender <>, 1 recipient, 1 byte\n" in text


_texts = st.one_of(
    st.text(max_size=40),
    st.sampled_from(["a\r\nBcc: x@y", "a\n\nbody", "\x1b[2J", "é" * 400, "\ud800"]),
)


@settings(max_examples=100, deadline=None)
@given(_texts, _texts, _texts)
def test_a_sender_forges_no_line(sender: str, customer: str, reasons: str) -> None:
    """Whatever names hold, there are three lines for each message, and no header."""
    plain = digest(held())
    message = digest(held(sender=sender, customer=customer, reasons=reasons))

    assert message.keys() == plain.keys()
    assert len(body(message).splitlines()) == len(body(plain).splitlines())
    again = message_from_bytes(message.as_bytes(), policy=email.policy.SMTP)
    assert again["To"] == TO
    assert not again.defects


@pytest.mark.parametrize(
    "to",
    [
        "anne",
        "anne@",
        "@example.org",
        "a@b\nBcc: c@d",
        "a@b, c@d",
        "Anne <anne@example.org>",
        "änne@example.org",
        "",
    ],
)
def test_a_contact_that_is_no_address_is_refused(to: str) -> None:
    """A login with an `@` in it is taken for an address, and may be none."""
    with pytest.raises(MtaError, match=r"^mail to .*: no address$"):
        digest(held(), to=to)


@pytest.fixture
def server() -> Iterator[Sink]:
    """An SMTP server of the test's own."""
    with Sink() as sink:
        yield sink


def test_it_leaves_with_the_null_sender(server: Sink) -> None:
    """A contact that does not exist makes no bounce."""
    send(digest(held()), "127.0.0.1", server.port)

    (delivery,) = server.wait_for(1)
    assert (delivery.sender, delivery.recipients) == ("", (TO,))
    arrived = message_from_bytes(delivery.data, policy=email.policy.SMTP)
    assert arrived["Auto-Submitted"] == "auto-generated"
    assert "4XyZ1a2b3c" in str(arrived.get_content())


@pytest.mark.parametrize("command", ["MAIL", "RCPT", "DATA"])
def test_a_refusal_can_be_tried_again(server: Sink, command: str) -> None:
    """The next round sends it; the log has the server's words."""
    server.refuse("450 4.3.0 Not now", command=command)

    with pytest.raises(MtaError, match="Not now") as caught:
        send(digest(held()), "127.0.0.1", server.port)

    assert caught.value.exit_code == EX_TEMPFAIL
    assert TO in str(caught.value)


def test_a_server_that_is_away_can_be_tried_again() -> None:
    """No MTA answers: one line."""
    with pytest.raises(MtaError, match=f"^mail to {TO}: .*refused"):
        send(digest(held()), "127.0.0.1", free_port())

"""The notice of limits that are nearly used up: what a customer reads."""

import email.policy
from email import message_from_bytes
from email.message import EmailMessage

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outgate.model.errors import MtaError
from outgate.notify.notice import Warned, render

NOW_US = 1_795_500_000_000_000
HOUR_US = 3_600_000_000
FROM = "outgate@example.org"
TO = "post@choir.example"


def warned(**changes: object) -> Warned:
    fields: dict[str, object] = {
        "contact": TO,
        "customer": "choir",
        "limit": "strangers-per-login-daily",
        "identity": "anne@choir.example",
        "count": "strangers",
        "rate": "200/1d",
        "used": 170,
        "burst": 200,
        "since_us": NOW_US - HOUR_US,
        "free_us": NOW_US + 20 * HOUR_US,
    }
    return Warned(**{**fields, **changes})  # type: ignore[arg-type] # a test's shorthand


def notice(*rows: Warned, to: str = TO) -> EmailMessage:
    return render(rows, sender=FROM, to=to, now_us=NOW_US)


def body(message: EmailMessage) -> str:
    content: str = message.get_content()
    return content


def test_it_says_which_limit_how_much_of_it_and_when_it_drains() -> None:
    """And what to do."""
    text = body(notice(warned()))

    assert (
        "  2026-11-24T05:00:00Z  strangers-per-login-daily of anne@choir.example\n"
        "      customer choir: 170 of 200 strangers used; the rate is 200/1d\n"
        "      empty again at 2026-11-25T02:00:00Z if no more is sent\n"
    ) in text
    assert "Mail that still fits goes on" in text
    assert "mailing list" in text
    assert "ask your postmaster" in text


def test_a_limit_that_the_sender_divides_names_nobody() -> None:
    """Senders of VERP have recipients in them."""
    assert "  strangers-per-login-daily\n" in body(notice(warned(identity="")))


def test_only_strangers_are_explained() -> None:
    """A message is a message."""
    assert "never had mail from you" in body(notice(warned()))
    assert "never had mail from you" not in body(notice(warned(count="messages")))


def test_it_is_mail_that_nobody_answers() -> None:
    """RFC 3834."""
    message = notice(warned())

    assert message["Auto-Submitted"] == "auto-generated"
    assert (message["From"], message["To"]) == (FROM, TO)
    assert message["Date"] == "Tue, 24 Nov 2026 06:00:00 +0000"


@pytest.mark.parametrize(
    ("number", "subject"),
    [(1, "1 sending limit nearly used up"), (2, "2 sending limits nearly used up")],
)
def test_the_subject_counts(number: int, subject: str) -> None:
    """One mail for all of them."""
    assert notice(*[warned()] * number)["Subject"] == subject


def test_nobody_reads_more_than_fifty() -> None:
    """The rest is a number."""
    text = body(notice(*(warned(identity=f"id{number:03}") for number in range(70))))

    assert "id049" in text
    assert "id050" not in text
    assert "… and 20 more" in text


def test_a_contact_that_is_no_address_is_refused() -> None:
    """As with digests."""
    with pytest.raises(MtaError, match="no address"):
        notice(warned(), to="anne@")


_texts = st.one_of(
    st.text(max_size=40),
    st.sampled_from(["a\r\nBcc: x@y", "a\n\nbody", "\x1b[2J", "é" * 400, "\ud800"]),
)


@settings(max_examples=60, deadline=None)
@given(_texts.filter(bool), _texts)
def test_a_name_forges_no_line(identity: str, customer: str) -> None:
    """Whatever it holds, there are three lines for each limit, and no header."""
    plain = notice(warned())
    message = notice(warned(identity=identity, customer=customer))

    assert message.keys() == plain.keys()
    assert len(body(message).splitlines()) == len(body(plain).splitlines())
    again = message_from_bytes(message.as_bytes(), policy=email.policy.SMTP)
    assert again["To"] == TO
    assert not again.defects

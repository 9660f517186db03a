"""From a reply to its cause."""

import pytest

from outgate.feedback.causes import cause_of, read_codes
from outgate.feedback.outcome import Cause


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        (
            "550 5.1.1 <a@b.example>: Recipient address rejected: User unknown",
            Cause.UNKNOWN_USER,
        ),
        ("550 5.1.10 RESOLVER.ADR.RecipientNotFound", Cause.UNKNOWN_USER),
        ("550 Requested action not taken: mailbox unavailable", Cause.UNKNOWN_USER),
        ("Host or domain name not found. Name service error", Cause.UNKNOWN_USER),
        (
            "554 5.7.1 Service unavailable; Client host blocked using zen.spamhaus.org",
            Cause.SPAM_BLOCK,
        ),
        (
            "550 5.7.25 The IP address does not have a PTR record setup",
            Cause.SPAM_BLOCK,
        ),
        (
            "550 5.7.26 Unauthenticated email is not accepted due to DMARC policy",
            Cause.SPAM_BLOCK,
        ),
        (
            "421 4.7.0 [TSS04] Messages temporarily deferred due to unexpected volume",
            Cause.RATE_LIMIT,
        ),
        (
            "450 4.7.28 Our system has detected an unusual rate of mail",
            Cause.RATE_LIMIT,
        ),
        ("452 Too many connections from your host", Cause.RATE_LIMIT),
        ("552 5.2.2 Mailbox full", Cause.MAILBOX_FULL),
        ("452 4.2.2 The email account is over quota", Cause.MAILBOX_FULL),
        ("550 5.2.1 The account has been disabled", Cause.OTHER),
        ("553 5.1.8 Domain of sender address does not exist", Cause.OTHER),
        ("554 5.7.1 <a@b.example>: Relay access denied", Cause.OTHER),
        ("connect to mx[192.0.2.1]:25: Connection timed out", Cause.OTHER),
        ("554 5.4.6 Too many hops, maximum hop count exceeded", Cause.OTHER),
        ("450 4.2.0 Greylisted, try again", Cause.OTHER),
        ("", Cause.OTHER),
    ],
)
def test_replies(text: str, cause: Cause) -> None:
    """Real replies of large providers and usual servers."""
    code, status = read_codes(text)

    assert cause_of(status, code, text) is cause


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("550 5.1.1 no", (550, "5.1.1")),
        ("550-5.7.26 no", (550, "5.7.26")),
        ("host mx[192.0.2.250] said: 421 busy", (421, "")),
        ("version 4.5.6.7 of 10.5.2.2", (None, "")),
        ("(#5.1.1)", (None, "5.1.1")),
    ],
)
def test_codes(text: str, codes: tuple[int | None, str]) -> None:
    """Versions and addresses are no codes."""
    assert read_codes(text) == codes

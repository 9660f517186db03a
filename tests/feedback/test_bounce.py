"""Bounces: who did not get what, and why."""

import json

import pytest

from feedback.reports import dsn, mail
from outgate.feedback.bounce import read_bounce
from outgate.feedback.outcome import Action, Cause
from outgate.feedback.report import Unread, UnreadReport

_PERSON = (
    "Final-Recipient: rfc822; bart@example.org\n"
    "Original-Recipient: rfc822;bart+2Btag@example.org\n"
    "Action: failed\nStatus: 5.1.1\nRemote-MTA: dns; mx.example.org\n"
    "Diagnostic-Code: smtp; 550 5.1.1 <bart@example.org>: User unknown"
)


class TestNotifications:
    """Delivery status notifications (RFC 3464)."""

    def test_one_recipient(self) -> None:
        """All that the fields say, and our own VERP sender's word."""
        about = "Reporting-MTA: dns; mx.example.com\nOriginal-Envelope-Id: QQ314159"
        bounce = read_bounce(dsn(_PERSON, about=about), {"example.com"})

        (outcome,) = bounce.outcomes
        assert str(outcome.recipient) == "bart@example.org"
        assert str(outcome.original_recipient) == "bart+tag@example.org"
        assert (outcome.action, outcome.cause) == (Action.BOUNCED, Cause.UNKNOWN_USER)
        assert (outcome.status, outcome.reply_code) == ("5.1.1", 550)
        assert outcome.relay == "mx.example.org"
        assert bounce.envelope_id == "QQ314159"
        assert str(bounce.verp_recipient) == "bart@example.org"
        assert bounce.returned is not None
        assert b"<1@example.com>" in bounce.returned.raw

    def test_verp_of_others_says_nothing(self) -> None:
        """Whose domain it is not may write what they like there."""
        assert read_bounce(dsn(_PERSON), {"example.net"}).verp_recipient is None

    def test_many_recipients(self) -> None:
        """Each has its own outcome."""
        delayed = (
            "Final-Recipient: rfc822; carol@example.net\nAction: delayed\nStatus: 4.2.2\n"
            "Diagnostic-Code: smtp; 452 4.2.2 mailbox full"
        )
        relayed = (
            "Final-Recipient: rfc822; dave@example.net\nAction: relayed\nStatus: 2.0.0"
        )
        found = read_bounce(dsn(_PERSON, delayed, relayed)).outcomes

        assert [(one.action, one.cause) for one in found] == [
            (Action.BOUNCED, Cause.UNKNOWN_USER),
            (Action.DEFERRED, Cause.MAILBOX_FULL),
            (Action.DELIVERED, None),
        ]

    def test_fields_that_say_nothing(self) -> None:
        """Then the text for people is read."""
        person = (
            "Final-Recipient: rfc822; bart@example.org\nAction: failed\nStatus: 5.0.0"
        )
        text = "bart@example.org: 550 5.7.1 Message rejected as spam"
        (outcome,) = read_bounce(dsn(person, text=text)).outcomes

        assert outcome.cause is Cause.SPAM_BLOCK
        assert outcome.status in {"5.0.0", "5.7.1"}


_PROSE = {
    "qmail": (
        (
            "Hi. This is the qmail-send program at example.com.\n"
            "I'm afraid I wasn't able to deliver your message to the following addresses.\n\n"
            "<bart@example.org>:\n192.0.2.1 does not like recipient.\n"
            "Remote host said: 552 Error: disk quota exceeded\nGiving up on 192.0.2.1.\n\n"
            "--- Below this line is a copy of the message.\n\nTo: carol@example.net\n"
        ),
        Cause.MAILBOX_FULL,
    ),
    "exim": (
        (
            "This message was created automatically by mail delivery software.\n\n"
            "A message that you sent could not be delivered to one or more of its\n"
            "recipients. The following address(es) failed:\n\n  bart@example.org\n"
            "    SMTP error from remote mail server after RCPT TO:<bart@example.org>:\n"
            "    host mx.example.org [192.0.2.1]: 550 No such user here\n\n"
            "------ This is a copy of the message, including all the headers. ------\n"
        ),
        Cause.UNKNOWN_USER,
    ),
    "exchange": (
        (
            "Your message\n\n  To:      carol@example.net\n  Subject: Offer\n\n"
            "did not reach the following recipient(s):\n\n"
            "bart@example.org on Thu, 29 Apr 2010 00:00:00 -0000\n"
            "    The recipient name is not recognized\n"
        ),
        Cause.UNKNOWN_USER,
    ),
    "sendmail": (
        (
            "   ----- Transcript of session follows -----\n"
            "554 <bart@example.org>... 550 Host unknown (Authoritative answer)\n\n"
            "   ----- Unsent message follows -----\nTo: carol@example.net\n"
        ),
        Cause.UNKNOWN_USER,
    ),
    "dragonfly": (
        (
            "There was an error delivering your mail to <bart@example.org>.\n\n"
            "mx.example.org [192.0.2.1] did not like our final DATA:\n"
            "550-5.7.26 Unauthenticated email is not accepted due to domain's DMARC policy.\n\n"
            "Message headers follow.\n"
        ),
        Cause.SPAM_BLOCK,
    ),
}


class TestProse:
    """Bounces that are written for people."""

    @pytest.mark.parametrize("name", _PROSE)
    def test_whom_and_why(self, name: str) -> None:
        """Who begins a line, or a sentence; never who is in the copy."""
        text, cause = _PROSE[name]
        bounce = read_bounce(
            mail(text, sender="MAILER-DAEMON", subject="failure notice")
        )

        (outcome,) = bounce.outcomes
        assert str(outcome.recipient) == "bart@example.org"
        assert outcome.cause is cause

    def test_the_header_of_exim(self) -> None:
        """It names the recipients, whatever the text says."""
        raw = mail(
            "It failed.\n\nNo such user\n",
            sender="Mailer-Daemon@example.com",
            extra="X-Failed-Recipients: bart@example.org,\n carol@example.org\n",
        )

        assert [str(one.recipient) for one in read_bounce(raw).outcomes] == [
            "bart@example.org",
            "carol@example.org",
        ]

    def test_words_in_an_address_are_no_reason(self) -> None:
        """A recipient chooses its name."""
        raw = mail("<user-unknown@example.org>:\nTimed out.\n", sender="MAILER-DAEMON")

        assert read_bounce(raw).outcomes[0].cause is Cause.OTHER

    @pytest.mark.parametrize(
        "raw",
        [
            mail("How are you?", subject="Hello"),
            mail("It failed.", sender="MAILER-DAEMON"),
        ],
        ids=["letter", "nobody"],
    )
    def test_what_names_nobody_is_filed(self, raw: bytes) -> None:
        """Instead of a guess."""
        with pytest.raises(UnreadReport) as caught:
            read_bounce(raw)

        assert caught.value.reason is Unread.NO_REPORT

    def test_a_notification_of_amazon(self) -> None:
        """In JSON."""
        text = json.dumps(
            {
                "notificationType": "Bounce",
                "bounce": {
                    "bounceType": "Permanent",
                    "bouncedRecipients": [
                        {
                            "emailAddress": "bart@example.org",
                            "status": "5.1.1",
                            "diagnosticCode": "smtp; 550 5.1.1 user unknown",
                        }
                    ],
                },
                "mail": {"source": "anne@example.com"},
            }
        )
        bounce = read_bounce(mail(text, sender="no-reply@sns.amazonaws.com"))

        assert bounce.outcomes[0].cause is Cause.UNKNOWN_USER
        assert str(bounce.to) == "anne@example.com"

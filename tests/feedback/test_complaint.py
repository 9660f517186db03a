"""Complaints in every form that is read, and what is filed for people."""

import json

import pytest

from feedback.reports import MESSAGE, arf, dsn, mail
from outgate.feedback.complaint import read_complaint
from outgate.feedback.report import (
    Alteration,
    ComplaintReport,
    Disguise,
    FeedbackType,
    Format,
    Unread,
    UnreadReport,
)

_HASH = "b6cf7e0a12cf4c3b8f5a9d0e1f2a3b4c"
_BASIC = ("Feedback-Type: abuse", "User-Agent: SomeGenerator/1.0", "Version: 1")


def people(report: ComplaintReport) -> list[tuple[str, Disguise]]:
    return [(str(one.address), one.disguise) for one in report.recipients]


class TestFeeds:
    """What each feed says is understood as it means it."""

    def test_the_example_of_the_standard(self) -> None:
        """RFC 5965 appendix B.2: all fields, repeatable ones kept all."""
        report = read_complaint(
            arf(
                *_BASIC,
                "Original-Mail-From: <anne@example.com>",
                "Original-Rcpt-To: <bart@example.org>",
                "Original-Rcpt-To: <carol@example.org>",
                "Arrival-Date: Thu, 8 Mar 2005 14:00:00 EDT",
                "Source-IP: 192.0.2.1",
                "Source-Port: 4711",
                "Incidents: 3",
                "Authentication-Results: mail.example.com;\n    spf=fail",
                "Reported-Domain: example.net",
                "Reported-Uri: http://example.net/a",
                "Reported-Uri: mailto:anne@example.com",
            )
        )

        assert report.format is Format.ARF
        assert report.feedback_type is FeedbackType.ABUSE
        assert str(report.original_sender) == "anne@example.com"
        assert people(report) == [
            ("bart@example.org", Disguise.PLAIN),
            ("carol@example.org", Disguise.PLAIN),
        ]
        assert str(report.arrival) == "2005-03-08T18:00:00Z"
        assert (report.source, report.source_port) == ("192.0.2.1", 4711)
        assert report.incidents == 3
        assert len(report.fields.all("reported-uri")) == 2
        assert report.fields.first("authentication-results").endswith("spf=fail")
        assert report.embedded is not None
        assert report.embedded.raw.strip() == MESSAGE.strip()
        assert not report.embedded.alterations
        assert str(report.reporter) == "abuse@example.org"

    def test_yahoo(self) -> None:
        """Zones by name; where the recipient is missing, its own mark has it."""
        marked = b"X-Apparently-To: bart@yahoo.example via 192.0.2.9; x\n" + MESSAGE
        report = read_complaint(
            arf(
                "Feedback-Type: abuse",
                "User-Agent: Yahoo!-Mail-Feedback/2.0",
                "Version: 0.1",
                "Received-Date: Tue, 10 Jul 2012 18:50:18 PDT",
                "Authentication-Results:",
                sender="feedback@arf.mail.yahoo.com",
                message=marked,
            )
        )

        assert report.feed == "yahoo"
        assert str(report.arrival) == "2012-07-11T01:50:18Z"
        assert people(report) == [("bart@yahoo.example", Disguise.PLAIN)]

    def test_validity_hashes_the_recipient(self) -> None:
        """MD5 for the local part, and a message that was rewritten."""
        report = read_complaint(
            arf(
                "Source-Ip: 192.0.2.1",
                "User-Agent: ReturnPathFBL/2.0",
                "Source: Comcast",
                "Abuse-Type: complaint",
                "Feedback-Type: abuse",
                f"Original-Rcpt-To: {_HASH}@comcast.example",
                sender="feedbackloop@poma.lan.returnpath.net",
                message=MESSAGE.replace(b"bart@", _HASH.encode() + b"@"),
            )
        )

        assert report.feed == "comcast"
        assert people(report) == [(f"{_HASH}@comcast.example", Disguise.HASHED)]
        assert report.embedded is not None
        assert report.embedded.alterations == {
            Alteration.RECIPIENT_HASHED,
            Alteration.REWRITTEN_BY_FEED,
        }

    @pytest.mark.parametrize(
        ("sender", "agent", "feed"),
        [
            ("feedbackloop@fbl.fastmail.com", "ReturnPathFBL/1.0", "fastmail"),
            ("feedbackloop@x.example", "comcast Feedback Loop (V0.01)", "comcast"),
            ("x@y.example", "ReturnPathFBL/2.0", "validity"),
            ("noreply@zoho.com", "Zoho Mail", "zoho"),
            ("staff@hotmail.com", "Something", "microsoft"),
            ("someone@example.org", "SomeGenerator/1.0", "unknown"),
            ("no-reply@example.org", "abusix-py/0.1", "abusix"),
            ("complaints@email-abuse.amazonses.com", "", "amazon-ses"),
        ],
    )
    def test_feeds_are_named(self, sender: str, agent: str, feed: str) -> None:
        """By header From, by program, by whom Validity runs it for."""
        report = read_complaint(
            arf("Feedback-Type: abuse", f"User-Agent: {agent}", sender=sender)
        )

        assert report.feed == feed

    def test_aol_redacts(self) -> None:
        """`Redacted-Address` says that there was one."""
        report = read_complaint(
            arf(
                "Feedback-Type: abuse",
                "User-Agent: AOL SComp",
                "Version: 0.1",
                "Received-Date: Thu, 30 Dec 2010 09:23:16 -0500 (EST)",
                "Redacted-Address: redacted",
                "Redacted-Address: redacted@",
                sender="scomp@aol.net",
                message=MESSAGE.replace(b"To: bart@example.org", b"To: <redacted>"),
            )
        )

        assert report.feed == "aol"
        assert people(report) == [("redacted", Disguise.REDACTED)]
        assert report.embedded is not None
        assert Alteration.RECIPIENT_REDACTED in report.embedded.alterations

    def test_microsoft_before_it_sent_reports(self) -> None:
        """The address of the client stands in the subject, the recipient in the mail."""
        body = (
            b"--b\nContent-Type: message/rfc822\n\n"
            b"X-HmXmrOriginalRecipient: bart@hotmail.example\n" + MESSAGE + b"\n--b--\n"
        )
        report = read_complaint(
            mail(
                body,
                sender="staff@hotmail.com",
                subject=" complaint about message from 192.0.2.5",
                kind='multipart/mixed; boundary="b"',
            )
        )

        assert (report.format, report.feed) == (Format.JMRP, "microsoft")
        assert report.source == "192.0.2.5"
        assert people(report) == [("bart@hotmail.example", Disguise.PLAIN)]

    def test_microsoft_since_june_2026(self) -> None:
        """A real report, without recipient and perhaps without a body."""
        report = read_complaint(
            arf(
                *_BASIC,
                "Source-IP: 192.0.2.5",
                sender="staff@hotmail.com",
                message=MESSAGE.partition(b"\n\n")[0] + b"\n",
            )
        )

        assert (report.format, report.feed) == (Format.ARF, "microsoft")
        assert report.recipients == ()
        assert report.embedded is not None
        assert not report.embedded.has_body
        assert Alteration.BODY_MISSING in report.embedded.alterations

    def test_a_failure_report_is_no_complaint(self) -> None:
        """RFC 6591, RFC 9991: somebody else may have used the name."""
        report = read_complaint(
            arf(
                "Feedback-Type: auth-failure",
                "Auth-Failure: dmarc",
                "Source-IP: 192.0.2.1 (host.example.net)",
                "Identity-Alignment: none",
                kind="text/rfc822-headers",
            )
        )

        assert report.feedback_type is FeedbackType.AUTH_FAILURE
        assert not report.feedback_type.counts
        assert report.source == "192.0.2.1"
        assert report.embedded is not None
        assert not report.embedded.has_body

    @pytest.mark.parametrize(
        ("said", "meant"),
        [
            ("abuse", FeedbackType.ABUSE),
            ("Fraud", FeedbackType.FRAUD),
            ("VIRUS", FeedbackType.VIRUS),
            ("not-spam", FeedbackType.NOT_SPAM),
            ("opt-out", FeedbackType.OPT_OUT),
            ("opt-out-list; x", FeedbackType.OPT_OUT),
            ("other", FeedbackType.OTHER),
            ("never-heard-of", FeedbackType.OTHER),
            ("", FeedbackType.OTHER),
        ],
    )
    def test_types(self, said: str, meant: FeedbackType) -> None:
        """Those of the registry, and what else is sent; unknown ones are `other`."""
        assert read_complaint(arf(f"Feedback-Type: {said}")).feedback_type is meant

    @pytest.mark.parametrize(
        "container",
        ["multipart/mixed", "multipart/report", 'MULTIPART/Report; report-type="x"'],
    )
    @pytest.mark.parametrize(
        "kind", ["message/rfc822", "text/rfc822-header", "text/rfc822"]
    )
    def test_forms_that_are_wrong_and_real(self, container: str, kind: str) -> None:
        """The containers and the misspelt parts of real feeds."""
        report = read_complaint(arf(*_BASIC, container=container, kind=kind))

        assert report.format is Format.ARF
        assert report.embedded is not None

    def test_apple_unsubscribes(self) -> None:
        """A wish of the reader, not a complaint."""
        report = read_complaint(
            mail("", subject="unsubscribe", extra="X-Apple-Unsubscribe: true\n")
        )

        assert report.feedback_type is FeedbackType.OPT_OUT
        assert people(report) == [("carol@example.org", Disguise.PLAIN)]

    def test_a_report_that_was_handed_on(self) -> None:
        """A colleague's or a list's mail with the report attached."""
        inner = arf(*_BASIC, "Source-IP: 192.0.2.1")
        body = b"--o\nContent-Type: message/rfc822\n\n" + inner + b"\n--o--\n"
        report = read_complaint(mail(body, kind='multipart/mixed; boundary="o"'))

        assert report.format is Format.ARF
        assert report.source == "192.0.2.1"


class TestForwarded:
    """Spam that a person sends on."""

    def test_attached(self) -> None:
        """The message itself; the provider's Received says when."""
        body = b"--o\nContent-Type: message/rfc822\n\n" + MESSAGE + b"--o--\n"
        report = read_complaint(mail(body, kind='multipart/mixed; boundary="o"'))

        assert report.format is Format.FORWARDED
        assert report.feedback_type is FeedbackType.ABUSE
        assert str(report.arrival) == "2026-11-24T06:00:00Z"
        assert report.embedded is not None
        assert report.embedded.has_body

    @pytest.mark.parametrize(
        "text",
        [
            (
                "Look:\n\n---------- Forwarded message ---------\nFrom: Anne <anne@example.com>\n"
                "Date: Tue\nSubject: Offer\nTo: bart@example.org\n\nBuy\n"
            ),
            "-----Original Message-----\nFrom: anne@example.com\nSent: today\nSubject: x\n\nBuy\n",
            "Begin forwarded message:\n\n> From: anne@example.com\n> Subject: Offer\n>\n> Buy\n",
            (
                "Spam!\n\nReturn-Path: <anne@example.com>\nReceived: from a by b\n"
                "Subject: Offer\n\nBuy\n"
            ),
        ],
        ids=["gmail", "outlook", "apple", "pasted"],
    )
    def test_inline(self, text: str) -> None:
        """Behind the mark of a mail program, or as pasted headers."""
        report = read_complaint(mail(text))

        assert report.format is Format.FORWARDED
        assert report.embedded is not None
        assert b"Subject:" in report.embedded.raw
        assert report.embedded.has_body
        assert report.embedded.alterations == {Alteration.QUOTED}

    def test_inline_in_html(self) -> None:
        """Where there is no other text."""
        html = (
            "<p>Spam!</p><div>---------- Forwarded message ---------<br>From: Anne "
            "&lt;anne@example.com&gt;<br>Subject: Offer<br><br>Buy</div>"
        )
        report = read_complaint(mail(html, kind="text/html"))

        assert report.embedded is not None
        assert report.embedded.raw.startswith(b"From: Anne <anne@example.com>")


class TestDocuments:
    """Reports in JSON."""

    def test_xarf_4(self) -> None:
        """With the message as evidence, in base64."""
        import base64

        raw = json.dumps(
            {
                "xarf_version": "4.0.0",
                "report_id": "550e8400-e29b-41d4-a716-446655440000",
                "timestamp": "2026-11-24T06:00:00+01:00",
                "reporter": {"org": "X", "contact": "abuse@example.org"},
                "source_identifier": "2001:DB8::1",
                "source_port": 2525,
                "category": "messaging",
                "type": "spam",
                "protocol": "smtp",
                "smtp_from": "anne@example.com",
                "evidence": [
                    {
                        "content_type": "message/rfc822",
                        "payload": base64.b64encode(MESSAGE).decode(),
                    }
                ],
            }
        )
        report = read_complaint(raw.encode())

        assert report.format is Format.XARF
        assert report.feedback_type is FeedbackType.ABUSE
        assert (report.source, report.source_port) == ("2001:db8::1", 2525)
        assert str(report.arrival) == "2026-11-24T05:00:00Z"
        assert report.embedded is not None
        assert report.embedded.raw == MESSAGE
        assert (
            read_complaint(mail(raw, kind="application/json")).source == report.source
        )

    def test_xarf_3(self) -> None:
        """The older form."""
        report = read_complaint(
            json.dumps(
                {
                    "Version": "3",
                    "ReporterInfo": {"ReporterContactEmail": "abuse@example.org"},
                    "Report": {
                        "ReportType": "Spam",
                        "Date": "2026-11-24T06:00:00Z",
                        "SourceIp": "192.0.2.1",
                        "SmtpMailFromAddress": "anne@example.com",
                        "Samples": [
                            {
                                "ContentType": "message/rfc822",
                                "Payload": MESSAGE.decode(),
                            }
                        ],
                    },
                }
            ).encode()
        )

        assert report.source == "192.0.2.1"
        assert report.embedded is not None

    def test_a_web_site_is_no_mail(self) -> None:
        """Its address is that of a server, and nobody got anything."""
        raw = json.dumps(
            {"xarf_version": "4", "category": "content", "type": "phishing"}
        )

        with pytest.raises(UnreadReport, match="not about mail"):
            read_complaint(raw.encode())

    def test_amazon_ses(self) -> None:
        """A notification by a topic, with a footer, its long line broken by Sendmail."""
        text = json.dumps(
            {
                "notificationType": "Complaint",
                "complaint": {
                    "complainedRecipients": [{"emailAddress": "bart@example.org"}],
                    "timestamp": "2026-11-24T06:00:00.000Z",
                    "feedbackId": "f1",
                    "complaintFeedbackType": "abuse",
                },
                "mail": {
                    "source": "anne@example.com",
                    "headers": [{"name": "Message-ID", "value": "<1@example.com>"}],
                },
            }
        )
        broken = (
            text[:90] + "!\n " + text[90:] + "\n\n--\nIf you wish to stop receiving"
        )
        report = read_complaint(mail(broken, sender="no-reply@sns.amazonaws.com"))

        assert (report.format, report.feed) == (Format.SES, "amazon-ses")
        assert people(report) == [("bart@example.org", Disguise.PLAIN)]
        assert report.embedded is not None
        assert report.embedded.raw == b"Message-ID: <1@example.com>\n"


class TestFiled:
    """What a person has to read."""

    @pytest.mark.parametrize(
        ("raw", "reason"),
        [
            (b"", Unread.EMPTY),
            (b" \n", Unread.EMPTY),
            (b"\x00\x01\x02", Unread.UNREADABLE),
            (mail("You send spam."), Unread.NO_REPORT),
            (
                b'{"xarf_version": "4", "category": "connection", "type": "ddos"}',
                Unread.NO_REPORT,
            ),
            (b'{"a": 1}', Unread.NO_REPORT),
            (dsn("Final-Recipient: rfc822; a@b.example\nStatus: 5.1.1"), Unread.BOUNCE),
            (mail("Gone.", extra="Auto-Submitted: auto-replied\n"), Unread.AUTO_REPLY),
        ],
        ids=["empty", "blank", "binary", "letter", "ddos", "json", "bounce", "reply"],
    )
    def test_it_says_why(self, raw: bytes, reason: Unread) -> None:
        """One typed error, with the reason in one word."""
        with pytest.raises(UnreadReport) as caught:
            read_complaint(raw)

        assert caught.value.reason is reason


class TestDedupKey:
    """What makes two deliveries one report."""

    def test_carried_anew(self) -> None:
        """Other trace headers, other line ends: the same."""
        raw = arf(*_BASIC)
        again = b"Received: from a by b; x\r\n" + raw.replace(b"\n", b"\r\n")

        assert read_complaint(raw).dedup_key == read_complaint(again).dedup_key

    @pytest.mark.parametrize(
        "other",
        [
            arf(*_BASIC, identity="<r2@example.org>"),
            arf(*_BASIC, sender="mallory@example.net"),
            arf(*_BASIC, "Original-Rcpt-To: carol@example.org"),
            arf(*_BASIC, message=MESSAGE + b"more"),
        ],
        ids=["identity", "reporter", "fields", "message"],
    )
    def test_another_report(self, other: bytes) -> None:
        """A copied Message-ID silences nobody, and two readers are two."""
        assert read_complaint(arf(*_BASIC)).dedup_key != read_complaint(other).dedup_key

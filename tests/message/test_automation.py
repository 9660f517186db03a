"""Mail that software wrote."""

import pytest
from hypothesis import given

from message.builders import HeaderMap, fast, headers, hostile_headers
from outgate.message.automation import (
    auto_submitted,
    is_auto_reply,
    is_calendar,
    is_notification,
    is_response,
    precedence,
)


class TestAutoSubmitted:
    """RFC 3834 §5: keyword, optional parameters, comments allowed."""

    @pytest.mark.parametrize(
        ("value", "keyword"),
        [
            ("auto-replied", "auto-replied"),
            ("Auto-Generated (failure)", "auto-generated"),
            ("auto-replied; owner-email=anne@example.com", "auto-replied"),
            ("(see RFC 3834) auto-replied", "auto-replied"),
            ("\n auto-replied", "auto-replied"),
            ("no", "no"),
            ("", ""),
            (";", ""),
            ("(unclosed auto-replied", ""),
        ],
    )
    def test_only_its_keyword_counts(self, value: str, keyword: str) -> None:
        """Parameters and comments say nothing to us."""
        assert auto_submitted(headers(f"Auto-Submitted: {value}")) == keyword

    def test_absent_is_empty(self) -> None:
        """Most mail has neither this nor a Precedence."""
        assert auto_submitted({}) == ""
        assert precedence({}) == ""


class TestAutoReplies:
    """RFC 3834 §2: responses of programs to messages."""

    @pytest.mark.parametrize(
        "block",
        [
            "Auto-Submitted: auto-replied",
            "Auto-Submitted: auto-replied (vacation)\nPrecedence: bulk",
            "X-Autoreply: yes",
            "X-Autorespond: Re: your mail",
            "Precedence: auto_reply",
        ],
    )
    def test_vacation_programs_are_known(self, block: str) -> None:
        """By the standard, and by what cPanel and others write."""
        assert is_auto_reply(headers(block))

    @pytest.mark.parametrize(
        "block",
        [
            "",
            "Auto-Submitted: no",
            "Auto-Submitted: auto-generated",
            "X-Auto-Response-Suppress: All",
            "Precedence: bulk",
        ],
    )
    def test_a_notice_is_no_reply(self, block: str) -> None:
        """RFC 3834 §5.1: auto-generated is what no message asked for."""
        assert not is_auto_reply(headers(block))


class TestNotifications:
    """RFC 3464 and RFC 8098, in the multipart/report of RFC 6522."""

    @pytest.mark.parametrize(
        "value",
        [
            "multipart/report; report-type=delivery-status; boundary=b",
            'multipart/report; boundary="b"; report-type="delivery-status"',
            "Multipart/Report;\n\treport-type=delivery-status",
            "multipart/report; REPORT-TYPE = disposition-notification",
            'multipart/report; boundary="b"',
        ],
    )
    def test_a_report_about_delivery_or_reading(self, value: str) -> None:
        """With any spelling of its type; some forget it."""
        assert is_notification(headers(f"Content-Type: {value}"))

    @pytest.mark.parametrize(
        "value",
        [
            "multipart/report; report-type=feedback-report",
            "multipart/mixed; report-type=delivery-status",
            "text/plain",
            "",
        ],
    )
    def test_another_type_is_no_notification(self, value: str) -> None:
        """A complaint (RFC 5965) is a report too."""
        assert not is_notification(headers(f"Content-Type: {value}"))


class TestResponses:
    """RFC 5321 §4.5.5: what the null sender is for."""

    @pytest.mark.parametrize(
        "block",
        [
            "Content-Type: multipart/report; report-type=delivery-status",
            "Auto-Submitted: auto-replied",
            "Auto-Submitted: auto-generated (failure)",
            "X-Failed-Recipients: bart@example.net",
            "X-Auto-Response-Suppress: DR, OOF, AutoReply",
            "From: MAILER-DAEMON (Mail Delivery Subsystem)",
            "From: Mail Delivery System <MAILER-DAEMON@example.org>",
            "From: postmaster@example.org",
        ],
    )
    def test_real_programs_are_known(self, block: str) -> None:
        """Sendmail, Exim, Exchange and qmail each have their own sign."""
        assert is_response(headers(block))

    @pytest.mark.parametrize(
        "block", ["", "From: anne@example.com", "Auto-Submitted: no", "From: <>"]
    )
    def test_ordinary_mail_is_none(self, block: str) -> None:
        """An advert doesn't become a bounce by its empty sender."""
        assert not is_response(headers(block))


class TestCalendar:
    """RFC 6047 §2.4: the method parameter makes it iTIP."""

    @pytest.mark.parametrize(
        "block",
        [
            "Content-Type: text/calendar; method=REQUEST; charset=utf-8",
            'Content-Type: Text/Calendar;\n charset=utf-8; METHOD="reply"',
            "Content-Class: urn:content-classes:calendarmessage",
            (
                "Content-Class: urn:content-classes:message\n"
                "Content-Type: text/calendar; method=CANCEL"
            ),
        ],
    )
    def test_an_invitation_and_its_answers(self, block: str) -> None:
        """Top-level calendar types, and Exchange's class."""
        assert is_calendar(headers(block))

    @pytest.mark.parametrize(
        "block",
        [
            "",
            "Content-Type: text/calendar",
            "Content-Type: text/plain; method=REQUEST",
            "Content-Class: urn:content-classes:message",
        ],
    )
    def test_a_calendar_file_is_none(self, block: str) -> None:
        """A published calendar is a file as any other."""
        assert not is_calendar(headers(block))


@fast
@given(hostile_headers)
def test_any_headers_are_judged(found: HeaderMap) -> None:
    """Nothing is raised; what is an auto-reply or a report is a response."""
    if is_auto_reply(found) or is_notification(found):
        assert is_response(found)
    is_calendar(found)

"""Delivery lines of Postfix and Sendmail, honest and forged."""

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outgate.feedback.delivery_log import read_delivery
from outgate.feedback.outcome import Action, Cause, Outcome
from outgate.feedback.times import ZoneGiven

_NOW = datetime(2026, 11, 24, 16, tzinfo=timezone(timedelta(hours=1)))
_STAMP = "2026-11-24T15:46:25.123456+01:00 mx1 "
_TAIL = "relay=mx.example.net[192.0.2.1]:25, delay=1.2, delays=0.1/0/1/0.1, "


def read(line: str) -> list[Outcome]:
    return list(read_delivery(line.encode(), _NOW))


def one(line: str) -> Outcome:
    (outcome,) = read(line)
    return outcome


def postfix(to: str, rest: str, tag: str = "postfix/smtp") -> str:
    return f"{_STAMP}{tag}[123]: 4gTz1q5Zz9z2P: to={to}, {_TAIL}{rest}"


class TestPostfix:
    """Its agents, instances and layouts."""

    def test_a_bounce(self) -> None:
        """With all that newer versions add."""
        outcome = one(
            "Nov 24 15:46:25 mx1 postfix/smtp[123]: 1A2B3C4D5E: to=<anne@example.net>, "
            "orig_to=<a@example.org>, relay=mx.example.net[192.0.2.1]:25, conn_use=2, "
            "delay=1.2, delays=0/0/1/0.2, tls=TLSv1.3, dsn=5.1.1, status=bounced "
            "(host mx.example.net[192.0.2.1] said: 550 5.1.1 <anne@example.net>: User "
            "unknown (in reply to RCPT TO command))"
        )

        assert str(outcome.recipient) == "anne@example.net"
        assert str(outcome.original_recipient) == "a@example.org"
        assert (outcome.action, outcome.cause) == (Action.BOUNCED, Cause.UNKNOWN_USER)
        assert (outcome.status, outcome.reply_code) == ("5.1.1", 550)
        assert outcome.queue_id == "1A2B3C4D5E"
        assert outcome.relay == "mx.example.net[192.0.2.1]:25"
        assert outcome.time is not None
        assert str(outcome.time) == "2026-11-24T14:46:25Z"
        assert outcome.time.zone is ZoneGiven.MISSING

    @pytest.mark.parametrize(
        "tag",
        [
            "postfix/smtp",
            "postfix/lmtp",
            "postfix/local",
            "postfix/pipe",
            "postfix/virtual",
            "postfix/error",
            "postfix-submission/smtp",
            "postfix/relay/smtp",
        ],
    )
    def test_agents(self, tag: str) -> None:
        """All that deliver, of any instance."""
        outcome = one(postfix("<a@b.example>", "dsn=2.0.0, status=sent (250 ok)", tag))

        assert (outcome.action, outcome.cause) == (Action.DELIVERED, None)

    @pytest.mark.parametrize(
        ("status", "action"),
        [
            ("sent", Action.DELIVERED),
            ("deferred", Action.DEFERRED),
            ("bounced", Action.BOUNCED),
            ("expired", Action.EXPIRED),
        ],
    )
    def test_ends(self, status: str, action: Action) -> None:
        """Each has its word."""
        outcome = one(postfix("<a@b.example>", f"dsn=4.4.1, status={status} (x)"))

        assert outcome.action is action

    def test_expired_as_the_queue_manager_says(self) -> None:
        """Of the whole message."""
        outcome = one(
            f"{_STAMP}postfix/qmgr[1]: 1A2B3C4D5E: from=<anne@example.com>, "
            "status=expired, returned to sender"
        )

        assert (outcome.recipient, outcome.action) == (None, Action.EXPIRED)

    @pytest.mark.parametrize(
        "line",
        [
            postfix("<a@b.example>", "dsn=2.1.5, status=deliverable (ok)"),
            postfix("<a@b.example>", "dsn=2.0.0, status=sent (ok)", "postfix/smtpd"),
            postfix("<a@b.example>", "dsn=2.0.0, status=sent (ok)", "evil/smtp/x/y"),
            f"{_STAMP}postfix/cleanup[1]: 1A2B3C4D5E: message-id=<1@example.com>",
            f"{_STAMP}postfix/smtp[1]: connect to mx[192.0.2.1]:25: timed out",
            "status=sent",
            "",
        ],
    )
    def test_other_lines(self, line: str) -> None:
        """Say nothing of a delivery."""
        assert read(line) == []

    def test_journald(self) -> None:
        """One JSON object a line; bytes that are no text are numbers."""
        message = postfix("<a@b.example>", "dsn=2.0.0, status=sent (ok)").partition(
            "]: "
        )[2]
        entry = {
            "__REALTIME_TIMESTAMP": "1795531585000000",
            "SYSLOG_IDENTIFIER": "postfix/smtp",
            "MESSAGE": message,
        }
        numbers = entry | {"MESSAGE": list(message.encode())}

        assert one(json.dumps(entry)).action is Action.DELIVERED
        assert one(json.dumps(numbers)) == one(json.dumps(entry))

    @pytest.mark.parametrize(
        ("stamp", "year"), [("Dec 31 23:59:59", 2025), ("Nov 24 23:00:00", 2026)]
    )
    def test_a_year_is_not_in_the_future(self, stamp: str, year: int) -> None:
        """By more than a clock may be wrong."""
        outcome = one(
            f"{stamp} mx1 postfix/smtp[1]: 1A2B3C4D5E: to=<a@b.example>, {_TAIL}"
            "dsn=2.0.0, status=sent (ok)"
        )

        assert outcome.time is not None
        assert str(outcome.time).startswith(str(year))


class TestSendmail:
    """Its lines, in which one reply is that of many."""

    def test_many_recipients(self) -> None:
        """By commas; quotes may hide one."""
        found = read(
            f'{_STAMP}sm-mta[1]: uAP1n7VL020444: to=<a@b.example>,<"x, stat=Sent"@c.example>, '
            "ctladdr=<www@d.example> (33/33), delay=00:00:01, xdelay=00:00:01, "
            "mailer=esmtp, pri=30000, relay=mx.b.example. [192.0.2.1], dsn=5.1.1, "
            "stat=User unknown"
        )

        assert [str(each.recipient) for each in found] == [
            "a@b.example",
            "x, stat=sent@c.example",
        ]
        assert {each.action for each in found} == {Action.BOUNCED}
        assert {each.cause for each in found} == {Cause.UNKNOWN_USER}

    @pytest.mark.parametrize(
        ("dsn", "stat", "action"),
        [
            ("2.0.0", "Sent (ok)", Action.DELIVERED),
            ("4.0.0", "Deferred: Connection timed out", Action.DEFERRED),
            ("5.0.0", "Service unavailable", Action.BOUNCED),
        ],
    )
    def test_ends(self, dsn: str, stat: str, action: Action) -> None:
        """The code and the first word."""
        outcome = one(
            f"{_STAMP}sendmail[1]: uAP1n7VL020444: to=root, delay=00:00:01, "
            f"mailer=local, dsn={dsn}, stat={stat}"
        )

        assert outcome.action is action

    def test_queued_is_no_end(self) -> None:
        """It has not been tried."""
        assert not read(
            f"{_STAMP}sm-mta[1]: uAP1n7VL020444: to=<a@b.example>, delay=00:00:01, "
            "mailer=esmtp, pri=1, stat=queued"
        )


class TestForged:
    """A sender writes addresses, the other side writes replies."""

    _LIE = "relay=x, delay=1, delays=1/1/1/1, dsn=2.0.0, status=sent (250 ok"

    def test_a_lie_in_quotes(self) -> None:
        """As Postfix writes addresses since 3.5, it deceives nobody."""
        outcome = one(
            postfix(
                f'<"a@b.example>, {self._LIE}"@c.example>',
                "dsn=5.1.1, status=bounced (no)",
            )
        )

        assert outcome.action is Action.BOUNCED
        assert outcome.recipient is not None
        assert outcome.recipient.domain == "c.example"
        assert not outcome.is_ambiguous

    def test_a_lie_without_quotes(self) -> None:
        """As older versions write them, it is seen to be one."""
        outcome = one(
            postfix(
                f"<a@b.example>, {self._LIE}@c.example>",
                "dsn=5.1.1, status=bounced (no)",
            )
        )

        assert outcome.is_ambiguous

    @pytest.mark.parametrize(
        "reply",
        [
            "host said: 550 5.7.1 spam, status=sent (250 2.0.0 ok)",
            "550 x), dsn=2.0.0, status=sent (ok",
            "550 \\n2026-11-24T15:46:25+01:00 mx1 postfix/smtp[1]: A: to=<x@y>, status=sent",
        ],
    )
    def test_a_lie_in_the_reply(self, reply: str) -> None:
        """It is the rest of the line, whatever it says."""
        outcome = one(postfix("<a@b.example>", f"dsn=5.7.1, status=bounced ({reply})"))

        assert outcome.action is Action.BOUNCED
        assert outcome.status == "5.7.1"

    def test_a_lie_of_the_original_recipient(self) -> None:
        """Quoted, it is an address like any other."""
        outcome = one(
            f"{_STAMP}postfix/smtp[1]: 1A2B3C4D5E: to=<a@b.example>, "
            f'orig_to=<"x>, {self._LIE}"@c.example>, {_TAIL}dsn=5.1.1, status=bounced (no)'
        )

        assert outcome.action is Action.BOUNCED

    def test_a_lie_to_sendmail(self) -> None:
        """In the reply, and in the address that is charged."""
        found = read(
            f"{_STAMP}sm-mta[1]: uAP1n7VL020444: to=<a@b.example>, "
            'ctladdr=<"x, dsn=2.0.0, stat=Sent"@d.example> (1/1), delay=00:00:01, '
            "mailer=esmtp, dsn=5.7.1, reply=550 no, dsn=2.0.0, stat=Sent (ok), "
            "stat=Refused, dsn=2.0.0, stat=Sent"
        )

        assert [each.action for each in found] == [Action.BOUNCED]
        assert found[0].status == "5.7.1"

    @given(st.text(max_size=300), st.text(max_size=300))
    def test_any_reply_is_of_its_line(self, before: str, after: str) -> None:
        """Nothing in it changes how the delivery ended."""
        reply = f"{before}status=sent ({after}".replace("\n", " ")
        found = read(postfix("<a@b.example>", f"dsn=5.7.1, status=bounced ({reply})"))

        assert [each.action for each in found] == [Action.BOUNCED]

    @given(st.binary(max_size=400))
    def test_any_bytes(self, line: bytes) -> None:
        """Give outcomes or nothing."""
        read_delivery(line, datetime(2026, 11, 24, tzinfo=UTC))
        read_delivery(_STAMP.encode() + b"postfix/smtp[1]: ABCDEF: to=<" + line, _NOW)

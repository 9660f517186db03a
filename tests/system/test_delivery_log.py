"""What real MTAs write of their deliveries is read as it happened."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime

import pytest

from lab.postfix import Postfix
from lab.sendmail import Sendmail
from lab.sink import Sink
from lab.skips import or_skip
from lab.smtp import send
from lab.waiting import wait_until
from outgate.feedback.delivery_log import read_delivery
from outgate.feedback.outcome import Action, Cause, Outcome

pytestmark = pytest.mark.mta

_LETTER = b"From: anne@example.com\r\nSubject: Lunch\r\n\r\nAt noon?\r\n"
# A recipient whose name is the rest of a log line that says something else.
_FORGER = '"a@b.example>, relay=x, delay=1, delays=1/1/1/1, dsn=2.0.0, status=sent (ok"'
_AFTER = datetime(2100, 1, 1, tzinfo=UTC)


@pytest.fixture
def sink() -> Iterator[Sink]:
    """Of these tests alone: it refuses."""
    with Sink() as started:
        yield started


def _outcomes(log: str) -> list[Outcome]:
    return [
        outcome
        for line in log.splitlines()
        for outcome in read_delivery(line.encode(), _AFTER)
        # Bounces go back to the sender.
        if outcome.recipient is None or outcome.recipient.domain != "example.com"
    ]


def _wait(log: Callable[[], str], recipients: int) -> list[Outcome]:
    wait_until(lambda: len(_outcomes(log())) >= recipients, "delivery lines")
    return _outcomes(log())


class TestPostfix:
    """The version that the lab has."""

    @pytest.fixture
    def postfix(self, sink: Sink) -> Iterator[Postfix]:
        """Without a milter."""
        with ExitStack() as stack:
            with or_skip():
                started = stack.enter_context(Postfix(sink=sink.port))
            yield started

    def test_sent(self, postfix: Postfix) -> None:
        """With the queue id, the relay and the time."""
        send(postfix.port, _LETTER, "anne@example.com", ["bart@example.org"])
        (outcome,) = _wait(postfix.log, 1)

        assert outcome.action is Action.DELIVERED
        assert outcome.queue_id
        assert outcome.relay
        assert outcome.time is not None

    def test_refused_and_forged(self, postfix: Postfix, sink: Sink) -> None:
        """What the recipient's name says is not what happened."""
        sink.refuse("550 5.1.1 User unknown, status=sent (250 2.0.0 ok)")
        people = ["bart@example.org", f"{_FORGER}@example.net"]
        send(postfix.port, _LETTER, "anne@example.com", people)
        found = _wait(postfix.log, 2)

        assert {one.action for one in found} == {Action.BOUNCED}
        assert {one.cause for one in found} == {Cause.UNKNOWN_USER}
        assert {one.status for one in found} == {"5.1.1"}
        assert {one.recipient.domain for one in found if one.recipient} == {
            "example.org",
            "example.net",
        }

    def test_deferred(self, postfix: Postfix, sink: Sink) -> None:
        """It is to be tried again."""
        sink.refuse("452 4.2.2 Mailbox full")
        send(postfix.port, _LETTER, "anne@example.com", ["bart@example.org"])
        (outcome, *_) = _wait(postfix.log, 1)

        assert (outcome.action, outcome.cause) == (Action.DEFERRED, Cause.MAILBOX_FULL)


class TestSendmail:
    """The version that the lab has."""

    @pytest.fixture
    def sendmail(self, sink: Sink) -> Iterator[Sendmail]:
        """Without a milter."""
        with ExitStack() as stack:
            with or_skip():
                started = stack.enter_context(Sendmail(sink=sink.port))
            yield started

    def test_sent_to_two(self, sendmail: Sendmail) -> None:
        """One line, two outcomes."""
        people = ["bart@example.org", '"x, stat=sent"@example.org']
        send(sendmail.port, _LETTER, "anne@example.com", people)
        found = _wait(sendmail.log, 2)

        assert {str(one.recipient) for one in found} == {
            "bart@example.org",
            "x, stat=sent@example.org",
        }
        assert {one.action for one in found} == {Action.DELIVERED}

    def test_refused(self, sendmail: Sendmail, sink: Sink) -> None:
        """With the code; the reply may say what it likes."""
        sink.refuse("550 5.1.1 User unknown, dsn=2.0.0, stat=Sent (ok)")
        send(sendmail.port, _LETTER, "anne@example.com", ["bart@example.org"])
        found = _wait(sendmail.log, 1)

        assert found[0].action is Action.BOUNCED
        assert found[0].cause is Cause.UNKNOWN_USER

"""The lab's Sendmail: it does what an MTA does, as told, and vanishes afterwards."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from lab.errors import LabError
from lab.milters import Milter
from lab.ports import is_listening
from lab.processes import children, members
from lab.recorder import Recorder
from lab.sendmail import Sendmail
from lab.sink import Sink
from lab.skips import or_skip
from lab.smtp import send
from lab.waiting import wait_until

pytestmark = pytest.mark.mta

# Complete, so that no MTA adds a header of its own.
MESSAGE = b"""\
Date: Mon, 2 Feb 2026 12:00:00 +0000
From: a@x.example
To: b@y.example
Message-ID: <1@x.example>
Subject: hello

body
"""


@dataclass(frozen=True, slots=True)
class Lab:
    sendmail: Sendmail
    sink: Sink
    smtp_milter: Recorder
    local_milter: Recorder


@pytest.fixture(scope="module")
def shared() -> Iterator[Lab]:
    with ExitStack() as stack:
        sink = stack.enter_context(Sink())
        smtp_milter = stack.enter_context(Recorder())
        local_milter = stack.enter_context(Recorder())
        sendmail = Sendmail(
            milters=[Milter(smtp_milter.port)],
            local_milters=[Milter(local_milter.port)],
            sink=sink.port,
            users={"alice": "secret"},
        )
        with or_skip():
            stack.enter_context(sendmail)
        yield Lab(sendmail, sink, smtp_milter, local_milter)


@pytest.fixture
def lab(shared: Lab) -> Iterator[Lab]:
    yield shared
    shared.sink.accept()
    shared.sendmail.flush()
    wait_until(lambda: not shared.sendmail.queue(), "the queue is empty")
    shared.sink.clear()
    shared.smtp_milter.commands.clear()
    shared.local_milter.commands.clear()


def test_a_login_is_real_and_mail_reaches_the_sink(lab: Lab) -> None:
    """AUTH PLAIN is checked, the milter learns the login, the envelope is kept."""
    result = send(
        lab.sendmail.port,
        MESSAGE,
        "a@x.example",
        ["b@y.example", "c@y.example"],
        auth=("alice", "secret"),
    )
    (message,) = lab.sink.wait_for(1)

    assert result.queue_id is not None
    assert f"{result.queue_id}: from=<a@x.example>" in lab.sendmail.log()
    assert message.sender == "a@x.example"
    assert set(message.recipients) == {"b@y.example", "c@y.example"}
    assert message.data.endswith(b"Subject: hello\r\n\r\nbody\r\n")
    assert lab.smtp_milter.macro("{auth_authen}") == ["alice"]


def test_a_wrong_password_is_refused(lab: Lab) -> None:
    """The users are those of the argument, and nobody else."""
    result = send(
        lab.sendmail.port,
        MESSAGE,
        "a@x.example",
        ["b@y.example"],
        auth=("alice", "guess"),
    )

    assert (result.final.command, result.final.code) == ("AUTH", 535)


def test_local_mail_passes_the_milter_of_local_mail(lab: Lab) -> None:
    """sendmail(1) enters by a port of its own, where `local_milters` are asked."""
    outcome = lab.sendmail.submit_local(MESSAGE, "root@x.example", ["b@y.example"])
    (message,) = lab.sink.wait_for(1)

    assert outcome.returncode == 0
    assert message.sender == "root@x.example"
    assert lab.local_milter.arguments("M") == ["<root@x.example>"]
    assert lab.local_milter.macro("{daemon_name}") == ["LOCAL"]
    assert not lab.smtp_milter.arguments("M")
    assert not lab.sendmail.local_queue()


def test_a_quarantined_message_waits_for_its_release(lab: Lab) -> None:
    """`sendmail -Q` and back: listed with its reason, then delivered."""
    queue_id = defer(lab)

    lab.sendmail.hold(queue_id, "bulk mail (9)")
    lab.sink.accept()
    (held,) = lab.sendmail.held()
    lab.sendmail.release(queue_id)
    lab.sink.wait_for(1)

    assert held["queue_id"] == queue_id
    assert held["queue_name"] == "hold"
    assert held["reason"] == "bulk mail (9)"
    assert held["sender"] == "a@x.example"
    assert [r["address"] for r in held["recipients"]] == ["b@y.example"]
    assert lab.smtp_milter.arguments("M") == ["<a@x.example>"]


def test_a_message_can_be_deleted(lab: Lab) -> None:
    """What was deleted is never delivered."""
    queue_id = defer(lab)
    lab.sendmail.hold(queue_id)

    lab.sendmail.delete(queue_id)

    assert not lab.sendmail.queue()
    assert not lab.sink.messages


def test_a_milter_that_is_away_is_answered_by_its_flag() -> None:
    """F=T tempfails, and without local milters local mail takes the same way."""
    sendmail = Sendmail(milters=[Milter(1)], sink=1)
    with or_skip(), sendmail:
        result = send(sendmail.port, MESSAGE, "a@x.example", ["b@y.example"])
        sendmail.submit_local(MESSAGE, "root@x.example", ["b@y.example"])
        (waiting,) = sendmail.local_queue()

    assert not result.accepted
    assert result.final.code // 100 == 4
    assert waiting["sender"] == "root@x.example"


def test_nothing_is_left_after_the_stop() -> None:
    """Not the daemon, not a delivery that detached itself, not the directory."""
    with Sink() as sink:
        sink.refuse()
        sendmail = Sendmail(sink=sink.port)
        with or_skip():
            sendmail.start()
        assert sendmail._server is not None
        session = sendmail._server.pid
        (inside,) = children(session)
        directory = sendmail.directory
        send(sendmail.port, MESSAGE, "a@x.example", ["b@y.example"])
        sendmail.stop()

    assert not members(session)
    assert not children(inside)
    assert not is_listening(sendmail.port)
    assert not directory.exists()
    assert "starting daemon" in sendmail.log()


def test_a_start_that_fails_says_why_and_leaves_nothing() -> None:
    """Sendmail's own complaint is in the error."""
    sendmail = Sendmail(sink=1, milters=[Milter(Path("/tmp/milter.sock"))])

    with or_skip(), pytest.raises(LabError, match="unsafe: World writable directory"):
        sendmail.start()

    assert not is_listening(sendmail.port)
    with pytest.raises(LabError, match="not started"):
        _ = sendmail.directory


def defer(lab: Lab) -> str:
    lab.sink.refuse()
    sent = send(lab.sendmail.port, MESSAGE, "a@x.example", ["b@y.example"])
    assert sent.queue_id is not None
    wait_until(
        lambda: "delay_reason" in str(lab.sendmail.queue()), "the message is deferred"
    )
    return sent.queue_id

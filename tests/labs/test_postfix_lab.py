"""The lab's Postfix: it does what an MTA does, as told, and vanishes afterwards."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import pytest

from lab.errors import LabError
from lab.milters import Milter
from lab.ports import is_listening
from lab.postfix import Postfix
from lab.processes import members
from lab.recorder import Recorder
from lab.sink import Sink
from lab.skips import or_skip
from lab.smtp import Session, send
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
    postfix: Postfix
    sink: Sink
    smtp_milter: Recorder
    local_milter: Recorder


@pytest.fixture(scope="module")
def shared() -> Iterator[Lab]:
    with ExitStack() as stack:
        sink = stack.enter_context(Sink())
        smtp_milter = stack.enter_context(Recorder())
        local_milter = stack.enter_context(Recorder())
        postfix = Postfix(
            milters=[Milter(smtp_milter.port)],
            local_milters=[Milter(local_milter.port)],
            sink=sink.port,
            services={
                "trusted": {"smtpd_milters": ""},
                "broken": {
                    "smtpd_milters": Milter(1, on_failure="tempfail").for_postfix()
                },
            },
            users={"alice": "secret"},
        )
        with or_skip():
            stack.enter_context(postfix)
        yield Lab(postfix, sink, smtp_milter, local_milter)


@pytest.fixture
def lab(shared: Lab) -> Iterator[Lab]:
    yield shared
    shared.sink.accept()
    wait_until(lambda: not shared.postfix.queue(), "the queue is empty")
    shared.sink.clear()
    shared.smtp_milter.commands.clear()
    shared.local_milter.commands.clear()


def test_mail_reaches_the_sink_with_its_envelope(lab: Lab) -> None:
    """A port without a milter relays; the reply names the queue file."""
    port = lab.postfix.ports["trusted"]
    result = send(port, MESSAGE, "a@x.example", ["b@y.example", "c@y.example"])
    (message,) = lab.sink.wait_for(1)

    assert result.queue_id is not None
    assert f"{result.queue_id}: client=" in lab.postfix.log()
    assert message.sender == "a@x.example"
    assert message.recipients == ("b@y.example", "c@y.example")
    assert message.data.endswith(MESSAGE.replace(b"\n", b"\r\n"))
    assert not lab.smtp_milter.commands


def test_xclient_sets_login_and_address(lab: Lab) -> None:
    """The milter sees a client that never connected and a login that never was."""
    send(
        lab.postfix.port,
        MESSAGE,
        "a@x.example",
        ["b@y.example"],
        login="jürgen+1@x.example",
        client="2001:db8::25",
    )
    lab.sink.wait_for(1)

    assert lab.smtp_milter.macro("{auth_authen}") == ["jürgen+1@x.example"]
    assert "[2001:db8::25]" in lab.smtp_milter.arguments("C")


def test_auth_checks_the_password(lab: Lab) -> None:
    """A real login reaches the milter; a wrong password is a 535."""
    port = lab.postfix.port
    good = send(port, MESSAGE, "a@x.example", ["b@y.example"], auth=("alice", "secret"))
    bad = send(port, MESSAGE, "a@x.example", ["b@y.example"], auth=("alice", "guess"))

    assert good.accepted
    assert lab.smtp_milter.macro("{auth_authen}") == ["alice"]
    assert (bad.final.command, bad.final.code) == ("AUTH", 535)


def test_a_held_message_waits_for_its_release(lab: Lab) -> None:
    """Hold, list, release: the message arrives, and the milter sees it once."""
    queue_id = defer(lab)

    lab.postfix.hold(queue_id)
    lab.sink.accept()
    (held,) = lab.postfix.held()
    lab.postfix.release(queue_id)
    lab.sink.wait_for(1)

    assert held["queue_id"] == queue_id
    assert held["sender"] == "a@x.example"
    assert [r["address"] for r in held["recipients"]] == ["b@y.example"]
    assert lab.smtp_milter.arguments("M") == ["<a@x.example>"]


def test_a_message_can_be_deleted(lab: Lab) -> None:
    """What was deleted is never delivered."""
    queue_id = defer(lab)

    lab.postfix.delete(queue_id)

    assert not lab.postfix.queue()
    assert not lab.sink.messages


def test_local_mail_passes_the_milter_of_local_mail(lab: Lab) -> None:
    """sendmail(1), pickup and cleanup ask `local_milters` and nobody else."""
    outcome = lab.postfix.submit_local(MESSAGE, "root@x.example", ["b@y.example"])
    (message,) = lab.sink.wait_for(1)

    assert outcome.returncode == 0
    assert message.sender == "root@x.example"
    assert lab.local_milter.arguments("M") == ["root@x.example"]
    assert not lab.smtp_milter.commands


def test_a_milter_that_is_away_is_answered_by_the_default_action(lab: Lab) -> None:
    """`on_failure` decides; nothing that the client sends gets through."""
    port = lab.postfix.ports["broken"]
    with Session(port) as session:
        result = session.send(MESSAGE, "a@x.example", ["b@y.example"])

    assert not result.accepted
    assert result.final.code // 100 == 4


def test_nothing_is_left_after_the_stop() -> None:
    """Not a process of the session, not the port, not the directory."""
    with Sink() as sink:
        postfix = Postfix(sink=sink.port)
        with or_skip():
            postfix.start()
        session = session_of(postfix)
        directory = postfix.directory
        send(postfix.port, MESSAGE, "a@x.example", ["b@y.example"])
        wait_until(lambda: "status=sent" in postfix.log(), "the delivery is logged")
        alive = members(session)
        postfix.stop()

    assert len(alive) > 4
    assert not members(session)
    assert not is_listening(postfix.port)
    assert not directory.exists()
    assert "status=sent" in postfix.log()


def test_a_start_that_fails_says_why_and_leaves_nothing() -> None:
    """Postfix's own complaint is in the error."""
    postfix = Postfix(settings={"inet_interfaces": "192.0.2.1"})

    with or_skip(), pytest.raises(LabError, match="no local interface found"):
        postfix.start()

    assert not is_listening(postfix.port)
    with pytest.raises(LabError, match="not started"):
        _ = postfix.directory


def defer(lab: Lab) -> str:
    lab.sink.refuse()
    sent = send(lab.postfix.port, MESSAGE, "a@x.example", ["b@y.example"])
    assert sent.queue_id is not None
    wait_until(
        lambda: [e["queue_name"] for e in lab.postfix.queue()] == ["deferred"],
        "the message is deferred",
    )
    return sent.queue_id


def session_of(postfix: Postfix) -> int:
    assert postfix._server is not None
    return postfix._server.pid

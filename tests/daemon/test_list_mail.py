"""Mail of a registered list over the milter protocol, and what its sender is told."""

import json
import stat
from collections.abc import Iterator
from contextlib import ExitStack
from email import message_from_bytes
from email.message import Message

import pytest

from lab.miltermail import Outcome
from lab.miltermta import Actions, MilterMta
from lab.outgate import Outgate
from lab.sink import Sink
from lab.skips import or_skip
from lab.waiting import wait_until
from mta.marks import marks

LIST = "news.choir.example"
LOGIN = "post@choir.example"
BOUNCES = "bounces@choir.example"
HEADERS = [
    (b"From", b" Choir <post@choir.example>"),
    (b"Subject", b" news"),
    (b"Message-ID", b" <1@choir.example>"),
    (b"List-Id", b" News <%b>" % LIST.encode()),
    (b"List-Unsubscribe", b" <mailto:leave@example.org>"),
]
SETTINGS = f"""
[[customer]]
name = "choir"
match = ["{LOGIN}"]
[[list]]
id = "{LIST}"
customer = "choir"
enforce-from = 2026-01-01
"""
READERS = [f"reader{number}@example.net" for number in range(50)]
LEFT, STRANGER = "left@example.net", "stranger@example.net"


def notify(sink: Sink) -> str:
    return f'[notify]\nsmtp = "127.0.0.1:{sink.port}"\n'


def register(daemon: Outgate) -> None:
    """Fifty readers, and one who has left."""
    load = ("optin", "load", "--list", LIST, "--customer", "choir")
    file = daemon.directory / "readers"
    file.write_text("\n".join([*READERS, LEFT]))
    daemon.cli(*load, "--grade", "paper", str(file))
    daemon.cli("optin", "withdraw", "--list", LIST, "--customer", "choir", LEFT)


@pytest.fixture(scope="module")
def sink() -> Iterator[Sink]:
    """An MTA for the notifications."""
    with Sink() as server:
        yield server


@pytest.fixture(scope="module")
def daemon(sink: Sink) -> Iterator[Outgate]:
    """A daemon that acts."""
    with ExitStack() as stack:
        with or_skip():
            running = stack.enter_context(Outgate(settings=SETTINGS + notify(sink)))
        register(running)
        yield running


def send(
    daemon: Outgate,
    recipients: list[str],
    queue_id: str,
    *,
    sender: str = BOUNCES,
    actions: Actions = Actions.ALL,
) -> Outcome:
    with MilterMta(daemon.address, login=LOGIN, actions=actions) as client:
        return client.send(
            sender=f"<{sender}>".encode(),
            recipients=[f"<{one}>".encode() for one in recipients],
            headers=HEADERS,
            queue_id=queue_id,
        )


def deleted(outcome: Outcome) -> list[str]:
    return [one.decode().strip("<>") for one in outcome.deleted_recipients]


def told(sink: Sink, queue_id: str) -> Message:
    """The notification about one message."""
    mark = f"Reference: {queue_id}\r\n".encode()
    wait_until(
        lambda: any(mark in one.data for one in sink.messages), "the report", seconds=30
    )
    (found,) = (one for one in sink.messages if mark in one.data)
    assert (found.sender, found.recipients) == ("", (BOUNCES,))
    return message_from_bytes(found.data)


def parts(message: Message) -> list[Message]:
    found = message.get_payload()
    assert isinstance(found, list)
    return [one for one in found if isinstance(one, Message)]


def test_covered_mail_passes(daemon: Outgate) -> None:
    """Nothing is taken out, nothing added."""
    outcome = send(daemon, READERS, "covered")
    assert (outcome.action, marks(outcome), deleted(outcome)) == ("accept", [], [])
    assert "reasons" not in daemon.message("covered")


def test_who_left_is_taken_out_and_the_sender_told(daemon: Outgate, sink: Sink) -> None:
    """As RFC 3464 has it, once; nothing of it stays on the disk."""
    outcome = send(daemon, [*READERS[:49], LEFT], "left")
    assert (outcome.action, deleted(outcome)) == ("accept", [LEFT])
    line = daemon.message("left")
    assert (line["reasons"], line["removed"]) == ("consent-withdrawn", "1")
    assert line["detail"] == "1 of 50 withdrawn"

    report = told(sink, "left")
    assert report.get_content_type() == "multipart/report"
    text, status, headers = parts(report)
    assert LEFT in str(text.get_payload())
    about, recipient = parts(status)
    assert about["Reporting-MTA"].startswith("dns; ")
    assert recipient["Final-Recipient"] == f"rfc822;{LEFT}"
    assert "Original-Recipient" not in recipient
    assert (recipient["Action"], recipient["Status"]) == ("failed", "5.7.1")
    assert "withdrew consent" in recipient["Diagnostic-Code"]
    assert headers.get_content_type() == "text/rfc822-headers"
    assert "<1@choir.example>" in str(headers.get_payload())
    spool = daemon.directory / "state" / "spool" / "dsn"
    wait_until(lambda: not list(spool.glob("*/*.json")), "the end of the file")
    assert stat.S_IMODE(spool.stat().st_mode) == 0o700
    counted = 'outgate_removed_recipients_total{reason="consent-withdrawn"}'
    assert daemon.metrics()[counted] >= 1


def test_alone_he_is_refused_at_once(daemon: Outgate) -> None:
    """The client reads it; nobody is written to."""
    outcome = send(daemon, [LEFT], "alone")
    assert (outcome.action, outcome.code) == ("reject", 550)
    assert outcome.reply.startswith(
        b"550 5.7.1 Recipient withdrew consent from news.choir.example."
    )


def test_one_of_fifty_without_a_consent(daemon: Outgate, sink: Sink) -> None:
    """Taken out, and no contact of the customer's."""
    outcome = send(daemon, [*READERS[:49], STRANGER], "one")
    assert (outcome.action, deleted(outcome)) == ("accept", [STRANGER])
    assert daemon.message("one")["detail"] == "1 of 50 uncovered"
    report = told(sink, "one")
    assert "No confirmed opt-in on file" in str(report)
    # He would be counted as a stranger no more.
    again = send(daemon, [*READERS[:49], STRANGER], "again")
    assert deleted(again) == [STRANGER]


def test_many_are_held_and_nobody_is_taken_out(daemon: Outgate) -> None:
    """With numbers for the log."""
    strangers = [f"new{number}@example.net" for number in range(40)]
    outcome = send(daemon, [*READERS[:10], *strangers], "many")
    assert (outcome.action, deleted(outcome)) == ("quarantine", [])
    line = daemon.message("many")
    assert "list-without-consent" in line["reasons"]
    assert "40 of 50 uncovered" in line["detail"]


def test_held_mail_is_without_who_left(daemon: Outgate, sink: Sink) -> None:
    """Whoever releases it needs not know."""
    strangers = [f"new{number}@example.net" for number in range(40)]
    outcome = send(daemon, [*READERS[:9], LEFT, *strangers], "heldleft")
    assert (outcome.action, deleted(outcome)) == ("quarantine", [LEFT])
    assert LEFT in str(told(sink, "heldleft"))


@pytest.mark.parametrize("sender", ["", "victim@elsewhere.example"])
def test_whom_nobody_may_tell_has_the_reply(
    daemon: Outgate, sink: Sink, sender: str
) -> None:
    """Nobody is taken out in silence, and no stranger is written to."""
    outcome = send(daemon, [*READERS[:49], LEFT], f"by{sender}", sender=sender)
    assert (outcome.action, outcome.code, deleted(outcome)) == ("reject", 550, [])
    assert b"none can be taken out: the envelope sender is n" in outcome.reply
    outcome = send(daemon, [*READERS[:49], STRANGER], f"of{sender}", sender=sender)
    assert (outcome.action, deleted(outcome)) == ("quarantine", [])
    assert told_of(sink) == []


def told_of(sink: Sink) -> list[bytes]:
    return [one.data for one in sink.messages if one.recipients != (BOUNCES,)]


def test_an_mta_that_takes_nobody_out_refuses_it(daemon: Outgate) -> None:
    """Nothing is written down that does not happen."""
    spool = daemon.directory / "state" / "spool" / "dsn"
    wait_until(lambda: not list(spool.glob("*/*.json")), "the end of the others")
    for _ in range(3):
        outcome = send(
            daemon,
            [*READERS[:49], LEFT],
            "cannot",
            actions=Actions.ALL & ~Actions.DELRCPT,
        )
        assert (outcome.action, outcome.code) == ("reject", 550)
    assert list(spool.glob("*/*.json")) == []


def test_a_recipient_that_is_not_utf8_is_not_taken_out(daemon: Outgate) -> None:
    """The MTA cannot be told of him."""
    with MilterMta(daemon.address, login=LOGIN, actions=Actions.ALL) as client:
        outcome = client.send(
            sender=f"<{BOUNCES}>".encode(),
            recipients=[
                b"<caf\xe9@example.net>",
                *(f"<{one}>".encode() for one in READERS[:49]),
            ],
            headers=HEADERS,
            queue_id="latin",
        )
    assert (outcome.action, deleted(outcome)) == ("quarantine", [])


def test_in_monitor_mode_all_get_it(sink: Sink) -> None:
    """The log says what would be."""
    with or_skip(), Outgate(mode="monitor", settings=SETTINGS + notify(sink)) as daemon:
        register(daemon)
        outcome = send(daemon, [*READERS[:48], LEFT, STRANGER], "watched")
        line = daemon.message("watched")
    assert (outcome.action, deleted(outcome)) == ("accept", [])
    assert line["reasons"] == "consent-withdrawn,list-without-consent"
    assert "removed" not in line


@pytest.mark.parametrize(
    ("settings", "action", "gone"),
    [
        ("[optin]\nremove-share = 0\n", "quarantine", []),
        (
            '[optin]\nremove-share = 0\n[rules.list-without-consent]\naction = "reject"\n',
            "reject",
            [],
        ),
        ('[optin]\ngrace = "30d"\n', "accept", []),
        ('[rules.list-without-consent]\nmode = "monitor"\n', "accept", []),
    ],
)
def test_one_of_fifty_as_configured(
    sink: Sink, settings: str, action: str, gone: list[str]
) -> None:
    """Of all of them only the one without a consent is meant."""
    configured = SETTINGS + notify(sink) + settings
    if "grace" in settings:
        configured = configured.replace("enforce-from = 2026-01-01\n", "")
    with or_skip(), Outgate(settings=configured) as daemon:
        register(daemon)
        outcome = send(daemon, [*READERS[:49], STRANGER], "conf")
    assert (outcome.action, deleted(outcome)) == (action, gone)
    if "grace" in settings:
        assert marks(outcome)[0][1] == b"class=list; action=tag"
    if action == "reject":
        assert b"No confirmed opt-in on file for 1 of 50 recipients" in outcome.reply


def test_a_list_in_grace_until_an_operator_ends_it(sink: Sink) -> None:
    """A keeper noted when it began; the order acts a second later."""
    configured = SETTINGS.replace("enforce-from = 2026-01-01\n", "") + notify(sink)
    grace = ("list", "grace", LIST)
    mailing = [*READERS[:5], *(f"n{number}@example.net" for number in range(5))]
    with or_skip(), Outgate(settings=configured) as daemon:
        register(daemon)
        wait_until(lambda: daemon.redis("HLEN", "outgate:list-seen") == ["2"], "a note")
        wait_until(lambda: "(grace)" in daemon.cli("list", "status", LIST), "its grace")
        assert marks(send(daemon, mailing, "graced"))
        assert "not enforced yet but from" in daemon.message("graced")["detail"]
        daemon.cli(*grace, "--until", "2026-01-01")
        wait_until(
            lambda: send(daemon, mailing, "ended").action == "quarantine", "the end"
        )


def test_a_thousand_recipients(daemon: Outgate, sink: Sink) -> None:
    """As many as Postfix takes; one notification for all who were taken out."""
    crowd = [f"crowd{number}@example.net" for number in range(949)]
    file = daemon.directory / "crowd"
    file.write_text("\n".join(crowd))
    load = ("optin", "load", "--list", LIST, "--customer", "choir")
    daemon.cli(*load, "--grade", "paper", str(file))
    strangers = [f"x{number}@example.net" for number in range(50)]
    outcome = send(daemon, [*crowd, LEFT, *strangers], "crowd")
    assert (outcome.action, deleted(outcome)) == ("accept", [LEFT, *strangers])
    assert str(told(sink, "crowd")).count("Final-Recipient") == 51


def test_status_says_what_its_mail_was_like() -> None:
    """By the worker's notes, for which nobody waited."""
    configured = SETTINGS + "[optin]\nremove-share = 0\n"
    with or_skip(), Outgate(settings=configured) as daemon:
        register(daemon)
        assert send(daemon, READERS, "first").action == "accept"
        assert send(daemon, [*READERS[:9], STRANGER], "second").action == "quarantine"
        status = ("list", "status", LIST, "--json")

        def noted() -> bool:
            days = json.loads(daemon.cli(*status))["days"]
            return [one["messages"] for one in days] == [2]

        wait_until(noted, "both messages")
        said = daemon.cli("list", "status", LIST)
    assert "2 messages, 60 recipients, 98.3 % with a consent, 1 held" in said
    assert "headers         ok 2" in said

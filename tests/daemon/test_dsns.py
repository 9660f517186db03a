"""Delivery status notifications: written before the MTA is told, sent until they are."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.sink import Sink
from log.logfmt import Captured
from outgate.config.settings import NotifySettings, Settings
from outgate.daemon.digests import PAUSE_AFTER_FAILURE_S
from outgate.daemon.dsns import RECIPIENTS_EACH, Dsns, DsnWriter
from outgate.message.facts import read_facts
from outgate.metrics import names
from outgate.metrics.status import Status
from outgate.model.verdict import Disposition, Reason, Removal
from outgate.store.dsnspool import DsnSpool
from policy.builders import ANNE, a_transaction

NOW_US = 1_795_500_000_000_000
DAY_US = 86_400_000_000


@pytest.fixture
def sink() -> Iterator[Sink]:
    """An MTA for the notifications."""
    with Sink() as server:
        yield server


class Office:
    """A worker's writer and the keeper's side."""

    def __init__(self, directory: Path, sink: Sink) -> None:
        self.spool = DsnSpool(directory / "dsn")
        self.writer = DsnWriter(self.spool)
        self.status = Status()
        self.now_s = 0.0
        self.captured = Captured(directory / "log")
        self.dsns = Dsns(
            Settings(notify=NotifySettings(smtp=f"127.0.0.1:{sink.port}")),
            self.spool,
            self.status,
            self.captured.log,
            monotonic_s=lambda: self.now_s,
        )

    def remove(self, *recipients: str, sender: str = ANNE) -> None:
        mail = a_transaction(
            ANNE,
            sender=sender,
            recipients=recipients,
            headers={"List-Id": "<news.choir.example>", "X-Secret": "hush"},
        )
        removed = tuple(
            Removal(path, Reason.CONSENT_WITHDRAWN) for path in mail.recipients
        )
        disposition = Disposition(removed=removed)
        self.writer.report(mail, read_facts(mail), disposition, NOW_US)

    def waiting(self) -> float:
        """As the metric has it."""
        self.dsns.measure()
        return self.status.values[names.DSNS_WAITING.name][()]

    def failures(self) -> float:
        return self.status.values[names.NOTIFY_FAILURES.name][("dsn",)]


@pytest.fixture
def office(tmp_path: Path, sink: Sink) -> Office:
    """Everything of this test's own."""
    return Office(tmp_path, sink)


def test_it_is_sent_once_and_gone(office: Office, sink: Sink) -> None:
    """With the null sender, to the envelope sender."""
    office.remove("left@example.net")
    assert office.dsns.measure()
    office.dsns.send_due(NOW_US)
    office.dsns.send_due(NOW_US)
    (one,) = sink.messages
    assert (one.sender, one.recipients) == ("", (ANNE,))
    assert b"Final-Recipient: rfc822;left@example.net" in one.data
    assert b"hush" not in one.data
    assert office.dsns.measure() == ""


def test_the_null_sender_gets_none(office: Office) -> None:
    """RFC 5321 §4.5.5."""
    office.remove("left@example.net", sender="")
    assert office.spool.names() == []


def test_a_monstrous_message_has_several(office: Office, sink: Sink) -> None:
    """Each of a bounded size."""
    people = [f"r{number}@example.net" for number in range(RECIPIENTS_EACH + 1)]
    office.remove(*people)
    office.dsns.send_due(NOW_US)
    counts = [one.data.count(b"Final-Recipient") for one in sink.messages]
    assert sorted(counts) == [1, RECIPIENTS_EACH]


def test_what_could_not_be_sent_is_sent_later(office: Office, sink: Sink) -> None:
    """It stays on the disk, and waits a while."""
    office.remove("left@example.net")
    sink.refuse()
    office.dsns.send_due(NOW_US)
    sink.accept()
    assert (office.failures(), office.waiting()) == (1, 1)
    assert b"SMTPRecipientsRefused" in office.captured.raw
    assert b"example" not in office.captured.raw
    office.dsns.send_due(NOW_US)
    assert sink.messages == []
    office.now_s += PAUSE_AFTER_FAILURE_S
    office.dsns.send_due(NOW_US)
    assert (len(sink.messages), office.waiting()) == (1, 0)


def test_it_is_given_up_after_five_days(office: Office, sink: Sink) -> None:
    """As an MTA does; the log says so."""
    office.remove("left@example.net")
    sink.refuse("550 5.1.1 Nobody here")
    office.dsns.send_due(NOW_US + 5 * DAY_US + 1)
    assert office.dsns.measure() == ""
    assert b"dsn-given-up" in office.captured.raw


@pytest.mark.parametrize(
    "record",
    [
        {},
        {"to": "a"},
        {
            "to": "a",
            "mta": "",
            "queue-id": "",
            "list": "",
            "headers": [],
            "arrived-us": 1,
            "failed": [["a", "no-reason"]],
        },
    ],
)
def test_what_no_worker_wrote_is_dropped(
    office: Office, sink: Sink, record: dict[str, object]
) -> None:
    """It would be in the way for ever."""
    office.spool.put("1", json.loads(json.dumps(record)))
    office.dsns.send_due(NOW_US)
    assert (office.waiting(), sink.messages) == (0, [])


def test_what_the_envelope_says_is_kept(office: Office) -> None:
    """RFC 3461: who is not to be told of, who was meant, and of which transaction."""
    mail = a_transaction(
        ANNE, sender=ANNE, recipients=["a@example.net", "b@example.net"]
    )
    first, second = mail.recipients
    mail.envelope_id = b"news+2B17"
    mail.recipient_options = {
        first: (b"NOTIFY=NEVER",),
        second: (b"ORCPT=rfc822;bee@example.net", b"NOTIFY=FAILURE"),
    }
    removed = tuple(Removal(path, Reason.CONSENT_WITHDRAWN) for path in mail.recipients)
    facts = read_facts(mail)
    office.writer.report(mail, facts, Disposition(removed=removed), NOW_US)
    (name,) = office.spool.names()
    with office.spool.take(name) as kept:
        assert kept is not None
        assert kept["envelope-id"] == "news+17"
        assert [one[::2] for one in kept["failed"]] == [
            ["b@example.net", "rfc822;bee@example.net"]
        ]
    mail.recipient_options[second] = (b"NOTIFY=NEVER",)
    office.spool.drop(name)
    office.writer.report(mail, facts, Disposition(removed=removed), NOW_US)
    assert office.spool.names() == []

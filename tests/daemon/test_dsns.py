"""Delivery status notifications: written before the MTA is told, sent until they are."""

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
from outgate.store import dsnspool
from outgate.store.dsnspool import DsnSpool
from policy.builders import ANNE, a_transaction

NOW_US = 1_795_500_000_000_000
DAY_US = 86_400_000_000
GOOD: dict[str, object] = {
    "to": ANNE,
    "mta": "mx.example.org",
    "queue-id": "1",
    "list": "news.choir.example",
    "headers": [],
    "arrived-us": NOW_US,
    "failed": [["left@example.net", "consent-withdrawn"]],
}


@pytest.fixture
def sink() -> Iterator[Sink]:
    """An MTA for the notifications."""
    with Sink() as server:
        yield server


class Office:
    """A worker's writer and the keeper's side."""

    def __init__(self, directory: Path, sink: Sink) -> None:
        self.spool = DsnSpool(directory / "dsn")
        self.writer = DsnWriter(self.spool, b"secret")
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

    def remove(
        self,
        *recipients: str,
        sender: str = ANNE,
        headers: dict[str, str] | None = None,
    ) -> str:
        mail = a_transaction(
            ANNE,
            sender=sender,
            recipients=recipients,
            headers=headers or {"List-Id": "<news.choir.example>", "X-Secret": "hush"},
        )
        removed = tuple(
            Removal(path, Reason.CONSENT_WITHDRAWN) for path in mail.recipients
        )
        disposition = Disposition(removed=removed)
        return self.writer.report(mail, read_facts(mail), "choir", disposition, NOW_US)

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
    assert office.waiting() == 0


def test_a_retry_is_told_of_once(office: Office, sink: Sink) -> None:
    """Before the first one was sent, and afterwards."""
    for _ in range(3):
        office.remove("left@example.net")
    office.dsns.send_due(NOW_US)
    office.remove("left@example.net")
    office.dsns.send_due(NOW_US)
    assert len(sink.messages) == 1
    office.remove("gone@example.net")
    assert office.waiting() == 1


def test_a_customer_has_so_many_a_day(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The gate hears why nobody is told."""
    monkeypatch.setattr(dsnspool, "MOST_A_DAY", 1)
    assert office.remove("left@example.net") == ""
    assert office.remove("gone@example.net") == "too many notifications today"


def test_nothing_that_people_read_comes_back(office: Office, sink: Sink) -> None:
    """Whoever gets it did not ask for the sender's words."""
    office.remove(
        "left@example.net",
        headers={
            "From": "Cheap <pills@spam.example>",
            "Subject": "Cheap pills",
            "List-Id": "Cheap pills <news.choir.example>",
            "Message-ID": "<1@x.example> cheap pills",
            "Date": "Tue, 24 Nov 2026 06:00:00 +0000 http://pills.example",
        },
    )
    office.dsns.send_due(NOW_US)
    (one,) = sink.messages
    assert b"pills" not in one.data
    assert b"List-Id: <news.choir.example>" in one.data


def test_a_quoted_sender_hears_of_it(office: Office, sink: Sink) -> None:
    """RFC 5321: it is an address like others."""
    office.remove("left@example.net", sender='"a b"@example.com')
    office.dsns.send_due(NOW_US)
    assert [one.recipients for one in sink.messages] == [('"a b"@example.com',)]


def test_what_is_refused_for_good_is_given_up(office: Office, sink: Sink) -> None:
    """Nobody tries for five days what never will be."""
    office.remove("left@example.net")
    sink.refuse("550 5.1.1 Nobody here")
    office.dsns.send_due(NOW_US)
    assert office.waiting() == 0
    assert b"dsn-given-up" in office.captured.raw


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
    sink.refuse()
    office.dsns.send_due(NOW_US + 5 * DAY_US + 1)
    assert office.waiting() == 0
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
        GOOD | {"arrived-us": 1 << 80},
        GOOD | {"to": "\x1b@x"},
    ],
)
def test_what_no_worker_wrote_is_set_aside(
    office: Office, sink: Sink, record: dict[str, object]
) -> None:
    """It would be in the way for ever; the others leave."""
    office.spool.put("1", {"1": record}, 1)
    office.remove("left@example.net")
    office.dsns.send_due(NOW_US)
    assert (office.waiting(), len(sink.messages)) == (0, 1)
    assert office.captured.raw.count(b"dsn-unusable") == 1
    assert office.failures() == 1


def test_what_the_envelope_says_is_kept(office: Office) -> None:
    """RFC 3461: who was meant, and of which transaction."""
    mail = a_transaction(ANNE, sender=ANNE, recipients=["b@example.net"])
    (path,) = mail.recipients
    mail.envelope_id = b"news+2B17"
    mail.recipient_options = {
        path: (b"ORCPT=rfc822;bee@example.net", b"NOTIFY=FAILURE")
    }
    disposition = Disposition(removed=(Removal(path, Reason.CONSENT_WITHDRAWN),))
    office.writer.report(mail, read_facts(mail), "choir", disposition, NOW_US)
    (name,) = office.spool.names()
    with office.spool.take(name) as kept:
        assert kept is not None
        assert kept["envelope-id"] == "news+17"
        assert [one[::2] for one in kept["failed"]] == [
            ["b@example.net", "rfc822;bee@example.net"]
        ]

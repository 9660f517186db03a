"""Reports to lists' maintainers: from decisions to one mail."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.redis import RedisServer
from lab.sink import Sink
from log.logfmt import Captured
from message.challenges import PHPLIST
from outgate.config.settings import NotifySettings, Settings
from outgate.daemon.listreports import GATHER_S, ListReports, ListReportWriter
from outgate.metrics import names
from outgate.metrics.status import Status
from outgate.model.verdict import Action, Mode, Reason
from outgate.policy.grace import Deadline
from outgate.policy.rule_settings import RuleSettings
from outgate.store.claims import Claims
from outgate.store.client import connect
from outgate.store.lists import Lists, Told
from outgate.store.outbox import Outbox, Record
from policy.builders import ANNE, Outpost, a_policy
from policy.ledger import NOW_US
from policy.test_challenge import a_list
from policy.test_challenge import mail as mail_to_confirm
from policy.test_permission import LIST, A, Q, a_house, bart, mail
from store.running import endpoint, new_keys

KEY = ("choir", LIST)
MINUTE_US = 60_000_000


@pytest.fixture
def sink() -> Iterator[Sink]:
    """An MTA for the reports."""
    with Sink() as server:
        yield server


class Desk:
    """A worker's writer and the keeper's side."""

    def __init__(self, redis: RedisServer, directory: Path, sink: Sink) -> None:
        client, keys = connect(endpoint(redis)), new_keys()
        self.lists = Lists(client, keys)
        self.captured = Captured(directory / "log")
        self.status = Status()
        self.now_s = 0.0
        self.outbox = Outbox(directory)
        self.writer = ListReportWriter(
            self.outbox, self.captured.log, {KEY: "owner@choir.example"}
        )
        notify = NotifySettings(
            smtp=f"127.0.0.1:{sink.port}", sender="outgate@example.org"
        )
        self.reports = ListReports(
            Settings(notify=notify),
            Claims(client),
            self.lists,
            keys,
            self.status,
            self.captured.log,
            monotonic_s=lambda: self.now_s,
        )

    def gather(self) -> list[Record]:
        records: list[Record] = []
        self.outbox.drain(records.append, "1")
        for record in records:
            self.reports.add(record)
        return records

    def send_after(self, seconds: float) -> None:
        self.now_s += seconds
        self.reports.send_due(NOW_US)


@pytest.fixture
def desk(redis: RedisServer, tmp_path: Path, sink: Sink) -> Desk:
    return Desk(redis, tmp_path, sink)


def test_what_lists_lack_is_told_once(desk: Desk, sink: Sink) -> None:
    """Numbers of all messages together, and nobody's address."""
    house = a_house(known=10)
    for number in range(3):
        decision = house.judge(mail(50))
        assert decision.disposition.action is Q
        # The first is written at once, the others a minute later.
        decision.now_us = NOW_US + number * MINUTE_US // 2
        desk.writer.observe(decision)
    assert [one["uncovered"] for one in desk.gather()] == [40, 80]
    desk.reports.deadlines = {KEY: Deadline(NOW_US + 1)}
    desk.send_after(GATHER_S - 1)
    assert sink.messages == []
    desk.send_after(1)
    (report,) = sink.wait_for(1, 30)
    assert (report.sender, report.recipients) == ("", ("owner@choir.example",))
    assert f"{LIST}: 120 of 150 recipients".encode() in report.data
    assert b"3 messages held" in report.data
    assert b"such mail passes; then it is held" in report.data
    assert b"bart" not in report.data
    assert desk.lists.told(KEY) == [Told(120, 150, NOW_US)]

    # What comes on the same day waits for the next; the report says both numbers.
    desk.writer.observe(house.judge(mail(20)))
    desk.send_after(GATHER_S)
    assert len(sink.messages) == 1


def test_the_report_before_stands_beside(desk: Desk, sink: Sink) -> None:
    """So that a maintainer sees it shrink."""
    desk.lists.tell(KEY, Told(45, 50, NOW_US - 1))
    desk.writer.observe(a_house(known=10).judge(mail(50)))
    desk.gather()
    desk.send_after(GATHER_S)
    (report,) = sink.wait_for(1, 30)
    assert b"in the report before: 45 of 50" in report.data
    assert b"such mail is held" in report.data


def test_of_a_few_and_of_none_there_is_no_report(desk: Desk) -> None:
    """Whoever is taken out has a notification of his own."""
    house = a_house(known=50)
    for recipients in (50, 51):
        decision = house.judge(mail(recipients))
        assert decision.disposition.action is A
        desk.writer.observe(decision)
    desk.writer.observe(house.judge(mail([bart(1)], **{"List-Id": "<other.example>"})))
    assert desk.gather() == []


def test_what_cannot_be_sent_is_tried_again(
    desk: Desk, sink: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And counted as a failure."""
    monkeypatch.setattr(
        desk.reports,
        "_notify",
        NotifySettings(smtp="127.0.0.1:1", sender="o@example.org"),
    )
    desk.writer.observe(a_house(known=10).judge(mail(50)))
    desk.gather()
    desk.send_after(GATHER_S)
    assert desk.status.values[names.NOTIFY_FAILURES.name]["list-report",] == 1
    assert desk.lists.told(KEY) == []
    monkeypatch.setattr(
        desk.reports,
        "_notify",
        NotifySettings(smtp=f"127.0.0.1:{sink.port}", sender="o@example.org"),
    )
    desk.send_after(GATHER_S)
    assert sink.wait_for(1, 30)


def test_who_abuses_a_form_is_told_to_its_owner(desk: Desk, sink: Sink) -> None:
    """How many requests were stopped, and to whom is not said; a retry is none."""
    post = Outpost(a_policy(lists=[a_list()]))
    list_id = a_list().id
    desk.writer.observe(post.judge(mail_to_confirm(PHPLIST)))
    assert desk.gather() == []
    for number in range(3):
        decision = post.judge(
            mail_to_confirm((f"{PHPLIST[0]}\nX: {number}", PHPLIST[1]))
        )
        assert decision.disposition.reason is Reason.SUBSCRIPTION_BOMBING
        assert decision.answers is not None
        # The last one was tried before.
        decision.answers.attempts = int(number == 2)
        decision.now_us = NOW_US + number * MINUTE_US
        desk.writer.observe(decision)
    assert [one["bombed"] for one in desk.gather()] == [1, 1]
    desk.send_after(GATHER_S)
    (report,) = sink.wait_for(1, 30)
    assert f"{list_id}: 2 requests since".encode() in report.data
    assert b"CAPTCHA" in report.data
    assert b"1 mailing list with a form that somebody abuses" in report.data
    assert b"without" not in report.data
    assert b"example.net" not in report.data
    assert desk.lists.told((ANNE, list_id)) == []


def test_what_only_monitors_stops_no_request(desk: Desk) -> None:
    """Nor does a rule that lets it out."""
    for words in (RuleSettings(mode=Mode.MONITOR), RuleSettings(action=Action.TAG)):
        rules = {Reason.SUBSCRIPTION_BOMBING: words}
        post = Outpost(a_policy(rules=rules, lists=[a_list()]))
        for _ in range(2):
            desk.writer.observe(post.judge(mail_to_confirm(PHPLIST)))
    assert desk.gather() == []


def test_one_letter_has_both(desk: Desk, sink: Sink) -> None:
    """And a record that an older worker wrote is read as well."""
    record: Record = {
        "kind": "list-report",
        "customer": "choir",
        "list": LIST,
        "contact": "owner@choir.example",
        "uncovered": 3,
        "people": 50,
        "withdrawn": 0,
        "held": 0,
        "since-us": NOW_US,
    }
    desk.reports.add(record)
    desk.reports.add({**record, "bombed": 7})
    desk.send_after(GATHER_S)
    (report,) = sink.wait_for(1, 30)
    assert f"{LIST}: 6 of 100 recipients".encode() in report.data
    assert f"{LIST}: 7 requests since".encode() in report.data

"""Limits that are nearly used up: from the message to the mail, once and not again."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import attrs
import pytest

from lab.miltermta import MilterMta
from lab.outgate import Outgate
from lab.redis import RedisServer
from lab.sink import Sink
from lab.skips import or_skip
from lab.waiting import wait_until
from log.logfmt import Captured
from outgate.config.settings import NotifySettings, Settings
from outgate.daemon.notices import Notices, NoticeWriter
from outgate.metrics import names
from outgate.metrics.status import Status
from outgate.model.errors import StoreError
from outgate.model.identity import Path as MailPath
from outgate.model.limit import Per
from outgate.model.verdict import Mode, Reason
from outgate.policy.compiled import Policy
from outgate.policy.rule_settings import RuleSettings
from outgate.store.claims import Claims
from outgate.store.client import connect
from outgate.store.outbox import Outbox, Record
from policy.builders import (
    ANNE,
    HOUR_US,
    Outpost,
    a_customer,
    a_limit,
    a_policy,
    a_transaction,
)
from store.running import endpoint, new_keys

LIMIT = a_limit("10/1h", warn=80)
CHOIR = a_customer("choir", "@choir.example", "@example.com")
SETTINGS = """
[[limit]]
name = "messages-per-login-hourly"
rate = "10/1h"
[[limit]]
name = "strangers-per-campaign"
rate = "5/7d"
[[customer]]
name = "choir"
match = ["@choir.example"]
contact = "post@choir.example"
"""


@pytest.fixture
def sink() -> Iterator[Sink]:
    """An MTA for the notices."""
    with Sink() as server:
        yield server


class TestDaemon:
    """A worker, the outbox, the keeper, and an MTA."""

    def test_a_customer_is_warned_once_before_mail_is_held(self, sink: Sink) -> None:
        """Tagged mail, one line of log each, a count, and one mail."""
        notify = f'[notify]\nsmtp = "127.0.0.1:{sink.port}"\nsender = "outgate@example.org"\n'
        with or_skip(), Outgate(settings=SETTINGS + notify) as daemon:
            actions = send(daemon, "anne@choir.example", 11)
            (notice,) = sink.wait_for(1, 30)
            mark = "outgate:notice:choir:messages-per-login-hourly:anne@choir.example"
            wait_until(lambda: daemon.events("notice-sent"), "the log")
            (ttl,) = daemon.redis("TTL", mark)
            line, last = daemon.message("anne7"), daemon.message("anne10")
            metrics = daemon.metrics()
            daemon.wait_for_records()

        assert actions == ["accept"] * 7 + ["tag"] * 3 + ["quarantine"]
        assert (line["action"], line["reasons"]) == ("tag", "near-limit")
        assert line["detail"] == "messages-per-login-hourly:8/10"
        assert last["reasons"] == "limit-exceeded"
        limit = '{limit="messages-per-login-hourly"}'
        assert metrics[f"outgate_near_limit_total{limit}"] == 3
        assert metrics[f"outgate_limit_exceeded_total{limit}"] == 1
        assert metrics['outgate_strangers_total{disposition="accept"}'] == 1
        assert 80_000 < int(ttl) <= 86_400
        assert (notice.sender, notice.recipients) == ("", ("post@choir.example",))
        assert b"Subject: 1 sending limit nearly used up" in notice.data
        assert b"messages-per-login-hourly of anne@choir.example" in notice.data
        assert b"8 of 10 messages" in notice.data
        assert b"secret-friend" not in notice.data
        assert len(sink.messages) == 1

    def test_a_mailing_to_strangers_is_warned_of(self, sink: Sink) -> None:
        """By its content; the store knows who had mail before."""
        notify = f'[notify]\nsmtp = "127.0.0.1:{sink.port}"\nsender = "outgate@example.org"\n'
        with or_skip(), Outgate(settings=SETTINGS + notify) as daemon:
            actions = send(daemon, "anne@choir.example", 6, strangers=True)
            (notice,) = sink.wait_for(1, 30)

        assert actions == ["accept"] * 3 + ["tag"] * 2 + ["quarantine"]
        assert b"4 of 5 strangers" in notice.data
        assert b"friend" not in notice.data

    def test_nobody_is_told_in_monitor_mode(self, sink: Sink) -> None:
        """The log tells the operator."""
        notify = f'[notify]\nsmtp = "127.0.0.1:{sink.port}"\nsender = "outgate@example.org"\n'
        with (
            or_skip(),
            Outgate(mode="monitor", settings=SETTINGS + notify) as daemon,
        ):
            actions = send(daemon, "anne@choir.example", 9)
            line = daemon.message("anne8")
            kept = list(Outbox(daemon.directory / "state/spool").records())

        assert actions == ["accept"] * 9
        assert (line["action"], line["reasons"]) == ("tag", "near-limit")
        assert not kept


def send(
    daemon: Outgate, login: str, count: int, *, strangers: bool = False
) -> list[str]:
    """So many messages of one login; gives what became of each."""
    found: list[str] = []
    with MilterMta(daemon.address, login=login) as client:
        for number in range(count):
            name = f"secret-friend{number if strangers else ''}"
            outcome = client.send(
                sender=f"<{login}>".encode(),
                recipients=[f"<{name}@example.net>".encode()],
                headers=[(b"Subject", b" News" if strangers else b" %d" % number)],
                body=b"The same news for everybody who would like to read them.\r\n"
                if strangers
                else b"%d" % number,
                queue_id=f"{login[:4]}{number}",
            )
            tagged = any(header == b"Outgate-Verdict" for header, *_ in outcome.added)
            found.append("tag" if tagged else outcome.action)
    return found


@dataclass
class Desk:
    """A worker's side: what it writes into the outbox."""

    directory: Path
    policy: Policy
    post: Outpost = field(init=False)
    writer: NoticeWriter = field(init=False)

    def __post_init__(self) -> None:
        self.post = Outpost(self.policy)
        self.outbox = Outbox(self.directory)
        log = Captured(self.directory / "log").log
        self.writer = NoticeWriter(self.outbox, log)

    def judge(self, number: int, sender: str | None = None) -> list[Record]:
        """So many messages; gives what was written about them."""
        for _ in range(number):
            decision = self.post.judge(a_transaction(ANNE, sender=sender))
            self.writer.observe(decision)
        written: list[Record] = []
        self.outbox.drain(written.append, "1")
        return written


class TestWriter:
    """Who is to be told, and how often that costs the disk something."""

    def test_one_record_holds_all_that_is_told(self, tmp_path: Path) -> None:
        """Whose limit, how much of it, until when."""
        desk = Desk(tmp_path, a_policy(LIMIT, customers=[CHOIR]))
        (record,) = desk.judge(9)
        now_us = desk.post.clock.now_us
        assert record == {
            "kind": "near-limit",
            "customer": "choir",
            "contact": "post@choir.example",
            "limit": "recipients-per-login",
            "identity": ANNE,
            "count": "recipients",
            "rate": "10/1h",
            "used": 8,
            "burst": 10,
            "since-us": now_us,
            "free-us": now_us + 8 * HOUR_US // 10,
        }

    def test_who_stays_near_is_written_once_an_hour(self, tmp_path: Path) -> None:
        """However many messages that are."""
        desk = Desk(tmp_path, a_policy(LIMIT, customers=[CHOIR]))
        assert len(desk.judge(10)) == 1
        desk.post.clock.now_us += HOUR_US - 1
        assert len(desk.judge(10)) == 0
        desk.post.clock.now_us += HOUR_US
        assert len(desk.judge(10)) == 1

    def test_a_login_that_is_an_address_is_told_itself(self, tmp_path: Path) -> None:
        """As with digests of held mail."""
        (record,) = Desk(tmp_path, a_policy(LIMIT)).judge(8)
        assert record["contact"] == ANNE

    @pytest.mark.parametrize(
        "policy",
        [
            a_policy(LIMIT, rules={Reason.NEAR_LIMIT: RuleSettings(mode=Mode.MONITOR)}),
            a_policy(a_limit("10/1h")),
        ],
        ids=["the rule only reports", "the limit never warns"],
    )
    def test_nobody_is_told(self, tmp_path: Path, policy: Policy) -> None:
        """As configured."""
        assert Desk(tmp_path, policy).judge(10) == []

    def test_a_sender_without_a_contact_is_not(self, tmp_path: Path) -> None:
        """There is nowhere to send it."""
        desk = Desk(tmp_path, a_policy(a_limit("10/1h", warn=80, per=Per.CUSTOMER)))
        for _ in range(10):
            desk.writer.observe(desk.post.judge(a_transaction("anne")))
        assert desk.judge(0) == []

    def test_what_a_sender_chooses_is_one_limit_to_tell(self, tmp_path: Path) -> None:
        """Or each address of a forger would be a mail; VERP names recipients, too."""
        limit = a_limit("10/1h", warn=80, per=Per.ADDRESS)
        desk = Desk(tmp_path, a_policy(limit, customers=[CHOIR]))
        (record,) = desk.judge(9, "list-bart=example.net@choir.example")
        assert desk.judge(9, "list-lisa=example.net@choir.example") == []
        assert record["identity"] == ""
        assert "bart" not in str(record)

    @pytest.mark.parametrize("per", [Per.SCRIPT, Per.SITE])
    def test_what_a_script_says_of_itself_is_not_told(
        self, per: Per, tmp_path: Path
    ) -> None:
        """It is the sender's text, and would stand in an official mail."""
        limit = a_limit("10/1h", warn=80, per=per)
        desk = Desk(
            tmp_path, a_policy(limit, customers=[a_customer("choir", "user:www-data")])
        )
        for name in ("call-this-number", "and-that-one"):
            mail = a_transaction(
                path=MailPath.LOCAL_SUBMISSION,
                local_user="www-data",
                headers={"X-PHP-Script": f"{name}.example/x for 203.0.113.9"},
            )
            for _ in range(9):
                desk.writer.observe(desk.post.judge(mail))
        (record,) = desk.judge(0)
        assert (record["limit"], record["identity"]) == (f"recipients-per-{per}", "")
        assert "number" not in str(record)

    def test_a_disk_that_takes_nothing_stops_no_mail(self, tmp_path: Path) -> None:
        """The log says what nobody was told."""
        desk = Desk(tmp_path, a_policy(LIMIT))
        captured = Captured(tmp_path / "lost")
        desk.writer = NoticeWriter(Outbox(tmp_path / "nowhere"), captured.log)
        desk.judge(8)
        assert b"event=notice-lost limit=recipients-per-login" in captured.raw


class Office:
    """The keeper's side, on a real server and with a real MTA."""

    def __init__(self, server: RedisServer, sink: Sink, directory: Path) -> None:
        self.settings = Settings(
            notify=NotifySettings(
                sender="outgate@example.org", smtp=f"127.0.0.1:{sink.port}"
            )
        )
        self.client = connect(endpoint(server))
        self.keys = new_keys()
        self.status = Status()
        self.log = Captured(directory / "log").log
        self.now_s = 0.0
        self.sink = sink

    def keeper(self) -> Notices:
        return Notices(
            self.settings,
            Claims(self.client),
            self.keys,
            self.status,
            self.log,
            monotonic_s=lambda: self.now_s,
        )

    def subjects(self) -> list[str]:
        """Of what was sent since the last look."""
        sent = [one.data.partition(b"Subject: ")[2] for one in self.sink.messages]
        self.sink.clear()
        return [one.partition(b"\r\n")[0].decode()[:17] for one in sent]

    def failures(self) -> float:
        """As the metric counts them."""
        return self.status.values[names.NOTIFY_FAILURES.name][("notice",)]


NOW_US = 1_795_500_000_000_000
ONE, TWO = "1 sending limit n", "2 sending limits "


def a_record(**changes: str | int) -> Record:
    return {
        "kind": "near-limit",
        "customer": "choir",
        "contact": "post@choir.example",
        "limit": "recipients-per-login",
        "identity": ANNE,
        "count": "recipients",
        "rate": "10/1h",
        "used": 8,
        "burst": 10,
        "since-us": NOW_US,
        "free-us": NOW_US + HOUR_US,
        **changes,
    }


@pytest.fixture(scope="module")
def server() -> Iterator[RedisServer]:
    """A server for this module."""
    with or_skip(), RedisServer(tcp=True) as running:
        yield running


@pytest.fixture
def office(server: RedisServer, sink: Sink, tmp_path: Path) -> Iterator[Office]:
    """Keys of this test's own."""
    found = Office(server, sink, tmp_path)
    yield found
    found.client.connection_pool.disconnect()


class TestKeeper:
    """What is sent, when, by whom."""

    def test_what_came_together_is_one_mail(self, office: Office) -> None:
        """Of one limit the latest numbers."""
        notices = office.keeper()
        for record in (a_record(), a_record(used=9), a_record(limit="other")):
            notices.add(record)
        notices.send_due(NOW_US)
        (mail,) = office.sink.wait_for(1)
        assert b"9 of 10" in mail.data
        assert b"8 of 10" in mail.data
        assert office.subjects() == [TWO]

    def test_it_is_told_once_a_day_by_whichever_host(self, office: Office) -> None:
        """A day later again."""
        mine, other = office.keeper(), office.keeper()
        for notices in (mine, other):
            notices.add(a_record())
            notices.send_due(NOW_US)
        assert office.subjects() == [ONE]
        key = office.keys.notice("choir", "recipients-per-login", ANNE)
        assert 86_000 < office.client.ttl(key) <= 86_400
        office.client.delete(key)
        other.add(a_record())
        other.send_due(NOW_US)
        assert office.subjects() == [ONE]

    def test_a_customer_pushes_out_nobody_elses(self, office: Office) -> None:
        """Of one who is near many limits the latest are told, and the others' as well."""
        notices = office.keeper()
        notices.add(a_record(customer="shop", contact="post@shop.example"))
        for number in range(2_000):
            notices.add(a_record(identity=f"anne{number}@choir.example"))
        notices.send_due(NOW_US)
        assert sorted(office.subjects()) == [ONE, "20 sending limits"]

    def test_an_address_gets_one_an_hour(self, office: Office) -> None:
        """What comes meanwhile is gathered; other addresses do not wait."""
        notices = office.keeper()
        notices.add(a_record())
        notices.send_due(NOW_US)
        for limit in ("second", "third"):
            notices.add(a_record(limit=limit))
        notices.add(a_record(customer="shop", contact="post@shop.example"))
        notices.send_due(NOW_US)
        assert office.subjects() == [ONE, ONE]
        office.now_s += 3_600
        notices.send_due(NOW_US)
        assert office.subjects() == [TWO]

    def test_what_could_not_be_sent_is_sent_later(self, office: Office) -> None:
        """Counted, and not tried in each round."""
        notices = office.keeper()
        notices.add(a_record())
        office.sink.refuse()
        notices.send_due(NOW_US)
        notices.send_due(NOW_US)
        assert office.failures() == 1
        office.sink.accept()
        office.now_s += 300
        notices.send_due(NOW_US)
        assert office.subjects() == [ONE]
        assert office.failures() == 1

    def test_who_cannot_be_reached_is_not_told_of_yesterday(
        self, office: Office
    ) -> None:
        """It has drained by then."""
        notices = office.keeper()
        notices.add(a_record())
        notices.send_due(NOW_US + 25 * HOUR_US)
        assert office.subjects() == []

    def test_a_store_that_is_away_forgets_nothing(
        self, office: Office, server: RedisServer
    ) -> None:
        """Nobody knows who told it, so it waits."""
        notices = office.keeper()
        notices.add(a_record())
        server.kill()
        with pytest.raises(StoreError):
            notices.send_due(NOW_US)
        server.restart()
        notices.send_due(NOW_US)
        assert office.subjects() == [ONE]

    def test_without_a_sender_nothing_is_sent(self, office: Office) -> None:
        """As with digests."""
        office.settings = attrs.evolve(
            office.settings, notify=attrs.evolve(office.settings.notify, sender="")
        )
        notices = office.keeper()
        notices.add(a_record())
        notices.send_due(NOW_US)
        assert office.subjects() == []

    def test_what_waits_is_bounded(self, office: Office) -> None:
        """The oldest make room."""
        notices = office.keeper()
        for number in range(1_500):
            notices.add(a_record(customer=f"shop{number}"))
        notices.send_due(NOW_US)
        (mail,) = office.sink.wait_for(1)
        assert b"Subject: 1000 sending limits" in mail.data

    @pytest.mark.parametrize("name", ["customer", "used"])
    def test_a_record_that_no_worker_wrote_is_refused(
        self, office: Office, name: str
    ) -> None:
        """The outbox puts it aside."""
        record = {**a_record(), name: "many"}
        del record["customer" if name == "customer" else "rate"]
        with pytest.raises((KeyError, ValueError)):
            office.keeper().add(record)

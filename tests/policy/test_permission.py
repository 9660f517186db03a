"""The rules on list mail: each recipient needs a consent, and none may have withdrawn."""

import errno
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest

from outgate.message.facts import Facts
from outgate.model.consent import Grade
from outgate.model.identity import Path
from outgate.model.limit import Count
from outgate.model.optin import Record, State
from outgate.model.transaction import Transaction
from outgate.model.verdict import Action, Disposition, Mode, Reason
from outgate.policy.decision import Decision
from outgate.policy.gate import Gate
from outgate.policy.grace import Deadline
from outgate.policy.list_settings import ListSettings, OptinSettings
from outgate.policy.operator import Order
from outgate.policy.questions import Source
from outgate.policy.rule_settings import RuleSettings
from outgate.policy.snapshot import Snapshot
from policy.builders import (
    ANNE,
    FORWARDER,
    Outpost,
    a_customer,
    a_limit,
    a_policy,
    a_transaction,
)
from policy.ledger import NOW_US

LIST = "members.choir.example"
HEADERS = {
    "List-Id": f"<{LIST}>",
    "List-Unsubscribe": "<https://example.org/leave?t=Zm9v>, <mailto:leave@example.org>",
}
A, T, D, Q, R = (
    Action.ACCEPT,
    Action.TAG,
    Action.DEFER,
    Action.QUARANTINE,
    Action.REJECT,
)
A_CONSENT = Record(grade=Grade.ASSERTED)
A_WITHDRAWAL = Record(state=State.WITHDRAWN, time_us=NOW_US - 1)
WITHOUT, WITHDRAWN = Reason.LIST_WITHOUT_CONSENT, Reason.CONSENT_WITHDRAWN
NOW = datetime.fromtimestamp(NOW_US // 1_000_000, UTC)


@dataclass(slots=True)
class Reports:
    """The port `Reporter`."""

    told: list[Disposition] = field(default_factory=list)
    broken: bool = False
    many: str = ""

    def report(
        self,
        transaction: Transaction,
        facts: Facts,
        customer: str,
        disposition: Disposition,
        now_us: int,
    ) -> str:
        assert customer == "choir"
        if self.broken:
            raise OSError(errno.ENOSPC, "no space left")
        if not self.many:
            self.told.append(disposition)
        return self.many


@dataclass(slots=True)
class House:
    """A gate, and whom it told."""

    post: Outpost
    reports: Reports

    def judge(self, mail: Transaction) -> Decision:
        return self.post.judge(mail)


def a_house(
    *,
    mode: Mode = Mode.ENFORCE,
    rules: dict[Reason, RuleSettings] | None = None,
    optin: OptinSettings | None = None,
    enforce_from: datetime | None = None,
    local: Iterable[str] = (),
    known: int = 0,
    withdrawn: Iterable[int] = (),
    count: Count = Count.RECIPIENTS,
) -> House:
    """A list with readers `bart0` to `bart<known - 1>`, some of whom have left."""
    post = Outpost(
        a_policy(
            a_limit(
                "20/1d", count=count, name="shy", warn=80 * (count is Count.STRANGERS)
            ),
            mode=mode,
            customers=[a_customer("choir", ANNE)],
            lists=[ListSettings(id=LIST, customer="choir", enforce_from=enforce_from)],
            rules=rules,
            optin=optin,
            local=local,
        )
    )
    store = post.store
    for number in range(known):
        store.keep(LIST, bart(number), A_CONSENT)
    for number in withdrawn:
        store.keep(LIST, bart(number), A_WITHDRAWAL)
    reports = Reports()
    post.gate = Gate(
        post.policy, store, post.host, post.clock, (post,), reporter=reports
    )
    return House(post, reports)


def bart(number: int) -> str:
    return f"bart{number}@example.net"


def mail(recipients: int | Iterable[str], **changes: str) -> Transaction:
    return a_transaction(ANNE, recipients=recipients, headers=HEADERS | changes)


def removed(decision: Decision) -> list[str]:
    return [one.path.decode().strip("<>") for one in decision.disposition.removed]


class TestCovered:
    """Mail to people who asked for it."""

    def test_it_leaves_as_it_is(self) -> None:
        house = a_house(known=50)
        decision = house.judge(mail(50))
        assert decision.disposition.action is A
        assert decision.verdict.findings == ()
        assert house.reports.told == []

    @pytest.mark.parametrize(
        ("record", "action"),
        [
            (Record(grade=Grade.WITNESSED), A),
            (Record(grade=Grade.CORROBORATED), A),
            (Record(grade=Grade.ASSERTED), A),
            (Record(grade=Grade.PAPER), A),
            (Record(grade=Grade.IMPORT), Q),
            (Record(grade=Grade.NONE), Q),
            (Record(state=State.ERASED, time_us=1), Q),
            (A_WITHDRAWAL, R),
        ],
    )
    def test_what_a_record_is_worth(self, record: Record, action: Action) -> None:
        """An address in a file is no consent; who withdrew is refused at once."""
        house = a_house()
        house.post.store.keep(LIST, bart(0), record)
        assert house.judge(mail(1)).disposition.action is action


class TestUncovered:
    """People of whom no consent is known."""

    def test_one_of_fifty_is_taken_out(self) -> None:
        """The others get it; he is no stranger reached, and no contact."""
        house = a_house(known=49)
        decision = house.judge(mail(50))
        assert decision.disposition.action is A
        assert decision.verdict.findings[0].detail == "1 of 50 uncovered"
        assert removed(decision) == [bart(49)]
        assert [one.removed for one in house.reports.told] == [
            decision.disposition.removed
        ]
        assert house.post.store.introduced == []
        assert not house.post.store.contacts["choir"].weeks
        assert house.post.store.settled == []
        # What he cost a limit of recipients is given back.
        assert house.post.store.spared == [([bart(49)], 1)]

    @pytest.mark.parametrize(
        ("share", "known", "action", "gone"),
        [
            (5, 48, A, 2),
            (5, 38, A, 2),
            (5, 37, Q, 0),
            (0, 49, Q, 0),
            (10, 45, A, 5),
            (100, 1, A, 49),
            (100, 0, Q, 0),
        ],
    )
    def test_up_to_a_share(
        self, share: int, known: int, action: Action, gone: int
    ) -> None:
        """Above it nobody is taken out; nor is everybody, at any share."""
        number = 40 if known in {37, 38} else 50
        house = a_house(
            known=known, optin=OptinSettings(remove_share=share, grace=timedelta(0))
        )
        decision = house.judge(mail(number))
        assert (decision.disposition.action, len(removed(decision))) == (action, gone)

    def test_the_reply_has_numbers_and_no_names(self) -> None:
        """Which is what a maintainer needs."""
        rules = {WITHOUT: RuleSettings(action=R)}
        decision = a_house(known=10, rules=rules).judge(mail(50))
        reply = decision.disposition.reply
        assert reply is not None
        assert str(reply) == (
            "550 5.7.1 No confirmed opt-in on file for 40 of 50 recipients of "
            f"{LIST} (list-without-consent, ref 4XyZ1a2b3c)"
        )
        assert decision.verdict.findings[0].detail == "40 of 50 uncovered"

    @pytest.mark.parametrize("action", [T, D, Q, R])
    def test_the_action_is_the_operators(self, action: Action) -> None:
        """Of all that the rule may do."""
        house = a_house(known=10, rules={WITHOUT: RuleSettings(action=action)})
        assert house.judge(mail(50)).disposition.action is action
        assert house.reports.told == []

    def test_all_spellings_of_one_person_go(self) -> None:
        """He is one of the twenty, with two entries in the envelope."""
        people = [*map(bart, range(19)), "eve+a@example.net", "Eve@example.net"]
        decision = a_house(known=19).judge(mail(people))
        assert removed(decision) == ["eve+a@example.net", "Eve@example.net"]

    def test_internal_recipients_are_not_asked(self) -> None:
        """They are nobody's strangers, and the message still has them."""
        house = a_house(
            local=["example.org"],
            optin=OptinSettings(remove_share=100, grace=timedelta(0)),
        )
        decision = house.judge(mail(["carla@example.org", "eve@example.net"]))
        assert removed(decision) == ["eve@example.net"]

    def test_a_monstrous_envelope_is_not_cut_to_size(self) -> None:
        """Nobody knows the rest, so nobody is taken out."""
        house = a_house(
            known=50, optin=OptinSettings(remove_share=100, grace=timedelta(0))
        )
        monster = mail(50)
        monster.recipient_count += 1
        decision = house.judge(monster)
        assert decision.disposition.action is Q
        unseen, uncovered = decision.verdict.findings
        assert unseen.detail == "0 of 51 withdrawn, 1 not looked up"
        assert uncovered.detail == "1 of 51 uncovered"

    def test_a_monstrous_envelope_has_no_grace(self) -> None:
        """Any of those whom nobody looked up may have withdrawn."""
        house = a_house(known=50, withdrawn=[0], enforce_from=NOW + timedelta(days=1))
        monster = mail(50)
        monster.recipient_count += 1
        decision = house.judge(monster)
        assert (decision.disposition.action, removed(decision)) == (Q, [bart(0)])


class TestWithdrawn:
    """People who have left the list."""

    def test_they_hold_up_nobody(self) -> None:
        """However many they are."""
        house = a_house(known=50, withdrawn=range(30))
        decision = house.judge(mail(50))
        assert decision.disposition.action is A
        assert decision.disposition.reason is WITHDRAWN
        assert removed(decision) == [bart(number) for number in range(30)]
        assert decision.verdict.findings[0].detail == "30 of 50 withdrawn"
        assert len(house.reports.told) == 1

    def test_alone_they_are_refused(self) -> None:
        """The list software reads it at once; no notification comes behind."""
        house = a_house(known=1, withdrawn=[0])
        decision = house.judge(mail(1))
        assert str(decision.disposition.reply) == (
            f"550 5.7.1 Recipient withdrew consent from {LIST}. "
            "(consent-withdrawn, ref 4XyZ1a2b3c)"
        )
        assert house.reports.told == []

    def test_they_are_out_of_held_mail_too(self) -> None:
        """What is released is not looked at again."""
        house = a_house(known=10, withdrawn=[0, 1])
        decision = house.judge(mail(50))
        assert (decision.disposition.action, len(removed(decision))) == (Q, 2)
        assert decision.disposition.reason is WITHOUT
        assert {one.reason for one in decision.disposition.removed} == {WITHDRAWN}
        assert len(house.post.store.settled) == 1

    def test_nobody_is_told_of_a_message_that_is_refused(self) -> None:
        """It will come again, or not at all."""
        house = a_house(
            known=10, withdrawn=[0], rules={WITHOUT: RuleSettings(action=D)}
        )
        decision = house.judge(mail(50))
        assert (decision.disposition.action, removed(decision)) == (D, [])
        assert house.reports.told == []

    def test_with_others_that_are_taken_out(self) -> None:
        """Both reasons stand in the log, each with its recipients."""
        house = a_house(known=49, withdrawn=[3])
        decision = house.judge(mail(50))
        assert [one.reason for one in decision.disposition.removed] == [
            WITHDRAWN,
            WITHOUT,
        ]
        assert decision.verdict.reasons == (WITHDRAWN, WITHOUT)

    def test_if_nobody_would_be_left_it_is_held(self) -> None:
        """19 have left, one never asked."""
        house = a_house(known=19, withdrawn=range(19))
        decision = house.judge(mail(20))
        assert decision.disposition.action is Q
        assert len(removed(decision)) == 19


class TestNotJudged:
    """Mail that the rules have nothing to say about."""

    def test_another_customers_list(self) -> None:
        """Its List-Id is no registered list of his."""
        house = a_house()
        other = a_transaction("mallory@example.com", recipients=2, headers=HEADERS)
        reasons = house.judge(other).verdict.reasons
        assert WITHOUT not in reasons
        assert Reason.DECLARED_BULK_UNREGISTERED in reasons

    def test_forwarded_mail(self) -> None:
        """Who asked for it is known to whoever sent it first."""
        house = a_house()
        forwarded = a_transaction(
            client=FORWARDER,
            sender="SRS0=abcd=ef=choir.example=anne@example.org",
            recipients=2,
            headers=HEADERS | {"Resent-From": "carla@example.org"},
        )
        assert house.judge(forwarded).verdict.reasons == ()

    def test_where_the_store_did_not_answer(self) -> None:
        """Our trouble is no fault of the list."""
        house = a_house()
        house.post.store.source = Source.LOCAL
        assert WITHOUT not in house.judge(mail(2)).verdict.reasons

    def test_where_an_operator_lifted_the_rule(self) -> None:
        """Not the other one: who left has left."""
        house = a_house(known=1, withdrawn=[0])
        house.post.order(Order.ALLOW, "choir", "rules=list-without-consent")
        decision = house.judge(mail(3))
        assert removed(decision) == [bart(0)]
        assert decision.verdict.reasons == (WITHDRAWN,)


class TestStrangers:
    """Whoever is taken out is no stranger reached."""

    def test_who_has_left_brings_no_limit_near(self) -> None:
        """Twenty strangers a day; of eighteen that were known, all have withdrawn."""
        house = a_house(known=50, withdrawn=range(18), count=Count.STRANGERS)
        decision = house.judge(mail(50))
        assert decision.verdict.reasons == (WITHDRAWN,)
        assert decision.answers is not None
        assert decision.answers.stranger_count == 18

    def test_who_stays_is_counted(self) -> None:
        """Of others, whose rule only watches."""
        rules = {WITHOUT: RuleSettings(mode=Mode.MONITOR)}
        house = a_house(
            known=30, withdrawn=range(5), rules=rules, count=Count.STRANGERS
        )
        decision = house.judge(mail(48))
        assert Reason.NEAR_LIMIT in decision.verdict.reasons
        assert "shy:18/20" in decision.verdict.findings[-1].detail


class TestGrace:
    """A list that was there before has time to bring its consents."""

    KEY = ("choir", LIST)

    def a_house(self, one: Deadline | None = None) -> House:
        house = a_house(known=10, optin=OptinSettings(grace=timedelta(days=30)))
        if one is not None:
            house.post.host.copy = Snapshot(deadlines={self.KEY: one})
        return house

    def test_until_its_deadline_it_is_tagged(self) -> None:
        """The log says until when."""
        house = self.a_house(Deadline(NOW_US + 1_000_000))
        decision = house.judge(mail(50))
        assert decision.disposition.action is T
        assert "not enforced yet but from 20" in decision.verdict.findings[0].detail
        assert removed(house.judge(mail(11))) == []

    def test_then_it_is_held(self) -> None:
        house = self.a_house(Deadline(NOW_US))
        assert house.judge(mail(50)).disposition.action is Q

    def test_a_list_that_no_keeper_has_seen_is_tagged(self) -> None:
        """It is a second old."""
        assert self.a_house().judge(mail(50)).disposition.action is T

    @pytest.mark.parametrize("days", [-1, 1])
    def test_an_operators_word_counts_before_the_configuration(self, days: int) -> None:
        """In both directions."""
        house = a_house(known=10, enforce_from=NOW - timedelta(days=days))
        until_us = NOW_US + days * 86_400_000_000
        house.post.host.copy = Snapshot(
            deadlines={self.KEY: Deadline(until_us, "anne")}
        )
        assert house.judge(mail(50)).disposition.action is (T if days > 0 else Q)

    def test_limits_on_strangers_hold_meanwhile(self) -> None:
        """Grace is no way to 49 strangers where 20 are a day's."""
        house = a_house(
            known=10,
            optin=OptinSettings(grace=timedelta(days=30)),
            count=Count.STRANGERS,
        )
        decision = house.judge(mail(50))
        assert decision.disposition.reason is Reason.BULK_TO_STRANGERS

    def test_without_a_list_there_is_none(self) -> None:
        """Whoever writes another id each day is no list's."""
        house = self.a_house()
        decision = house.judge(mail(50, **{"List-Id": "<x17.choir.example>"}))
        assert WITHOUT not in decision.verdict.reasons
        assert Reason.DECLARED_BULK_UNREGISTERED in decision.verdict.reasons

    def test_watching_shows_what_will_be(self) -> None:
        """In monitor mode nothing has begun."""
        house = a_house(
            known=10, mode=Mode.MONITOR, optin=OptinSettings(grace=timedelta(days=30))
        )
        assert house.judge(mail(50)).verdict.action is Q


class TestModes:
    """Reporting before acting."""

    @pytest.mark.parametrize("lid", [True, False])
    def test_nobody_is_taken_out_in_monitor_mode(self, lid: bool) -> None:
        """Of the gate, or of both rules; watching the gate's teaches nobody."""
        monitor = RuleSettings(mode=Mode.MONITOR)
        house = a_house(
            known=50,
            withdrawn=[3],
            mode=Mode.MONITOR if lid else Mode.ENFORCE,
            rules=None if lid else {WITHOUT: monitor, WITHDRAWN: monitor},
        )
        decision = house.judge(mail(51))
        assert (decision.disposition.action, removed(decision)) == (A, [])
        assert decision.verdict.reasons == (WITHDRAWN, WITHOUT)
        assert house.reports.told == []
        met = len(house.post.store.contacts["choir"].weeks)
        assert met == (0 if lid else 2)

    @pytest.mark.parametrize("of_list", [True, False])
    def test_before_its_day_it_is_tagged(self, of_list: bool) -> None:
        """The list's own day, or that of all lists; who left is out all the same."""
        tomorrow = NOW + timedelta(days=1)
        house = a_house(
            known=10,
            withdrawn=[0],
            enforce_from=tomorrow if of_list else NOW - timedelta(days=9),
            optin=OptinSettings(enforce_from=tomorrow, grace=timedelta(0)),
        )
        decision = house.judge(mail(50))
        if not of_list:
            assert decision.disposition.action is Q
            return
        assert (decision.disposition.action, removed(decision)) == (T, [bart(0)])
        detail = decision.verdict.findings[1].detail
        assert detail.startswith("40 of 50 uncovered, not enforced yet but from 20")
        house.post.clock.now_us += 86_400_000_001
        assert house.judge(mail(50)).disposition.action is Q


class TestDisk:
    """What cannot be told is not done."""

    def test_nobody_is_taken_out_in_silence(self) -> None:
        """The message comes again, and nothing was charged."""
        house = a_house(known=49)
        house.reports.broken = True
        decision = house.judge(mail(50))
        assert (decision.disposition.action, removed(decision)) == (D, [])
        assert decision.disposition.reason is Reason.INTERNAL_ERROR
        assert "no space left" in decision.verdict.findings[-1].detail
        assert len(house.post.store.settled) == 1

    def test_held_without_who_left_where_nothing_is_deferred(self) -> None:
        """Whoever releases it does not deliver it to him."""
        house = a_house(known=50, withdrawn=[0])
        house.reports.broken = True
        message = mail(50)
        message.session = replace(message.session, path=Path.LOCAL_SUBMISSION)
        message.login = ANNE
        decision = house.judge(message)
        assert (decision.disposition.action, removed(decision)) == (Q, [bart(0)])
        assert decision.disposition.hold_reason == "outgate: internal-error"

    def test_too_many_today(self) -> None:
        """Then as where nobody can be told."""
        house = a_house(known=50, withdrawn=[0])
        house.reports.many = "too many notifications today"
        decision = house.judge(mail(50))
        assert (decision.disposition.action, removed(decision)) == (R, [])
        assert decision.verdict.findings[0].detail == (
            "1 of 50 withdrawn, not taken out: too many notifications today"
        )
        assert len(house.post.store.settled) == 1


class TestNobodyCanBeTold:
    """Nobody is taken out in silence, and no stranger is written to."""

    @pytest.mark.parametrize(
        "sender", ["", "victim@elsewhere.example", "a b@x.example"]
    )
    def test_by_its_sender(self, sender: str) -> None:
        house = a_house(known=50, withdrawn=[0])
        message = mail(50)
        message.sender = f"<{sender}>".encode()
        decision = house.judge(message)
        assert (decision.disposition.action, removed(decision)) == (R, [])
        reply = decision.disposition.reply
        assert reply is not None
        assert "1 of 50 recipients withdrew consent" in reply.text
        assert (
            "not taken out: the envelope sender" in decision.verdict.findings[0].detail
        )
        assert house.reports.told == []

    def test_who_has_no_consent_stays_and_the_message_is_held(self) -> None:
        house = a_house(known=49)
        message = mail(50)
        message.sender = b"<victim@elsewhere.example>"
        decision = house.judge(message)
        assert (decision.disposition.action, removed(decision)) == (Q, [])
        assert "not the customer's" in decision.verdict.findings[0].detail

    def test_who_wants_no_notification_has_the_reply(self) -> None:
        """`NOTIFY=NEVER` is no leave to lose mail in silence."""
        house = a_house(known=50, withdrawn=[0])
        message = mail(50)
        message.recipient_options = {message.recipients[0]: (b"NOTIFY=NEVER",)}
        assert house.judge(message).disposition.action is R
        message.recipient_options = {message.recipients[1]: (b"NOTIFY=NEVER",)}
        assert removed(house.judge(message)) == [bart(0)]

    def test_what_the_mta_cannot_do_is_not_planned(self) -> None:
        house = a_house(known=50, withdrawn=[0])
        message = mail(50)
        message.session = replace(message.session, removes_recipients=False)
        decision = house.judge(message)
        assert (decision.disposition.action, removed(decision)) == (R, [])
        assert house.reports.told == []

    def test_an_address_that_is_not_utf8(self) -> None:
        house = a_house(known=50)
        message = mail(50)
        message.recipients[0] = b"<caf\xe9@example.net>"
        decision = house.judge(message)
        assert (decision.disposition.action, removed(decision)) == (Q, [])
        assert "not UTF-8" in decision.verdict.findings[0].detail

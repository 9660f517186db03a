"""The walk of one message: plan, look up, decide, enforce, settle, observe."""

from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outgate.model.consent import Grade
from outgate.model.identity import Path
from outgate.model.limit import Count, Per
from outgate.model.optin import Record
from outgate.model.transaction import Transaction
from outgate.model.units import ByteSize
from outgate.model.verdict import Action, MailClass, Mode, Reason
from outgate.policy import gate as gate_module
from outgate.policy.list_settings import ListSettings
from outgate.policy.operator import Order
from outgate.policy.questions import Neighbours, Source
from outgate.policy.rule_settings import RuleSettings
from outgate.policy.settings import LimitSettings, QuarantineSettings
from policy.builders import (
    ANNE,
    FORWARDER,
    HOUR_US,
    INSIDE,
    MALLORY,
    MINUTE_US,
    Outpost,
    a_customer,
    a_limit,
    a_policy,
    a_transaction,
    an_entry,
    fast,
)
from policy.ledger import NOW_US

SUBMITTED = (
    "(from anne@localhost)\n\tby host.example.org (8.17.1.9/8.17.1.9/Submit)"
    " id 5A1B2C3D4E5F; Tue, 3 Mar 2026 10:00:00 GMT"
)
SEALED = {"ARC-Seal": "i=1; a=rsa-sha256"}
LIMIT = "recipients-per-login"
A, T, D, Q, R = Action


class TestWalk:
    """What a decision holds, and who hears of it."""

    def test_an_accepted_message_is_charged_and_observed(self) -> None:
        """One look-up, no settlement, one event."""
        post = Outpost(a_policy(a_limit()))
        decision = post.judge(a_transaction(ANNE, recipients=3))
        assert decision.disposition.action is Action.ACCEPT
        assert decision.mail_class is MailClass.PERSONAL
        assert decision.accountable is not None
        assert decision.accountable.customer == ANNE
        assert decision.plan is post.store.asked[0]
        assert decision.answers is not None
        assert post.store.used(ANNE, LIMIT, ANNE) == 3
        assert not post.store.settled
        assert post.seen == [decision]

    def test_the_moment_is_the_stores(self) -> None:
        """Several hosts share one clock; the duration is by this one's."""
        post = Outpost(a_policy(a_limit()))
        ticks = iter([NOW_US + 7, NOW_US + 19])
        post.gate._now_us = lambda: next(ticks)
        decision = post.judge(a_transaction(ANNE))
        assert decision.now_us == NOW_US
        assert decision.total_us == 12

    def test_inbound_mail_is_never_looked_up(self) -> None:
        """It passes untouched, whatever it says and whatever an operator ordered."""
        post = Outpost(a_policy(a_limit("1/1h", per=Per.CUSTOMER)))
        post.order(Order.SUSPEND, ANNE)
        post.copy(an_entry(Order.SUSPEND, "203.0.113.0/28"))
        for _ in range(5):
            decision = post.judge(
                a_transaction(recipients=9, headers={"Precedence": "bulk"})
            )
            assert decision.mail_class is MailClass.INBOUND
            assert decision.disposition.action is Action.ACCEPT
            assert not decision.disposition.tag
            assert decision.accountable is None
            assert decision.plan is None
        assert not post.store.asked
        assert not post.store.settled
        assert len(post.seen) == 5


class TestSettle:
    """A charge is given back where the message was not let out."""

    @pytest.mark.parametrize(
        ("limit", "over", "calls", "held"),
        [
            pytest.param(a_limit("1/1h"), Action.QUARANTINE, 1, 5000, id="held"),
            pytest.param(
                a_limit("1/1h", action=Action.DEFER), Action.DEFER, 1, 0, id="deferred"
            ),
            pytest.param(
                a_limit("1/1h", action=Action.REJECT),
                Action.REJECT,
                1,
                0,
                id="rejected",
            ),
            pytest.param(
                a_limit("1/1h", action=Action.TAG), Action.TAG, 0, 0, id="tagged"
            ),
            pytest.param(
                a_limit("1/1h", mode=Mode.MONITOR), Action.ACCEPT, 0, 0, id="reported"
            ),
        ],
    )
    def test_it_is_called_for_what_stays_here(
        self, limit: LimitSettings, over: Action, calls: int, held: int
    ) -> None:
        """With the size where the message is held, and once."""
        post = Outpost(a_policy(limit))
        post.judge(a_transaction(ANNE))
        decision = post.judge(a_transaction(ANNE, size=5000))
        assert decision.disposition.action is over
        assert [one.held_bytes for one in post.store.settled] == [held] * calls
        for settlement in post.store.settled:
            assert settlement.plan is decision.plan
            assert settlement.answers is decision.answers

    def test_what_another_rule_refuses_is_given_back(self) -> None:
        """The limits would have let it out, and had charged it."""
        post = Outpost(
            a_policy(
                a_limit(),
                rules={Reason.MISSING_UNSUBSCRIBE: RuleSettings(action=Action.REJECT)},
            )
        )
        bulk = {"Precedence": "bulk"}
        decision = post.judge(a_transaction(ANNE, recipients=4, headers=bulk))
        assert decision.disposition.action is Action.REJECT
        assert len(post.store.settled) == 1
        assert post.store.used(ANNE, LIMIT, ANNE) == 0

    @pytest.mark.parametrize("order", [Order.SUSPEND, Order.QUARANTINE])
    @pytest.mark.parametrize("mode", Mode)
    def test_what_an_operator_stops_is_given_back(
        self, order: Order, mode: Mode
    ) -> None:
        """In both modes; a message of unknown size is held as one byte."""
        post = Outpost(a_policy(a_limit(), mode=mode))
        post.order(order, ANNE)
        decision = post.judge(a_transaction(ANNE))
        held = order is Order.QUARANTINE
        assert decision.disposition.action is (Q if held else R)
        assert [one.held_bytes for one in post.store.settled] == [int(held)]
        assert post.store.used(ANNE, LIMIT, ANNE) == 0

    def test_monitor_charges_what_enforce_would_let_out(self) -> None:
        """Mail goes out, and the counters are those of enforce."""
        stream = [a_transaction(ANNE, recipients=count) for count in (4, 4, 4, 2, 11)]
        reports = {}
        for mode in Mode:
            post = Outpost(a_policy(a_limit(), mode=mode))
            decisions = [post.judge(one) for one in stream]
            reports[mode] = (
                [one.verdict.action for one in decisions],
                post.store.tats_us,
                [settlement.answers.allowed for settlement in post.store.settled],
            )
            if mode is Mode.MONITOR:
                assert {one.disposition.action for one in decisions} == {A}
        assert reports[Mode.MONITOR] == reports[Mode.ENFORCE]
        assert reports[Mode.ENFORCE][0] == [A, A, Q, A, R]

    @pytest.mark.parametrize("step", ["decide", "enforce"])
    def test_an_exception_gives_the_charge_back(
        self, monkeypatch: pytest.MonkeyPatch, step: str
    ) -> None:
        """The guard answers, and what it answers for was not charged."""

        def broken(*_: object) -> None:
            raise RuntimeError("a bug of ours")

        monkeypatch.setattr(gate_module, step, broken)
        # `enforce` is asked only about what was not simply accepted.
        post = Outpost(a_policy(a_limit()))
        post.order(Order.SUSPEND, ANNE)
        with pytest.raises(RuntimeError, match="a bug of ours"):
            post.judge(a_transaction(ANNE))
        assert [one.held_bytes for one in post.store.settled] == [0]
        assert post.store.used(ANNE, LIMIT, ANNE) == 0
        assert not post.seen

    def test_a_retry_is_known_to_be_one(self) -> None:
        """And what was accepted is none: the same mail twice is two messages."""
        post = Outpost(a_policy(a_limit("1/1h", action=Action.DEFER)))
        other = a_transaction(ANNE, headers={"Subject": "another"})
        mail = a_transaction(ANNE)
        attempts = []
        for message in (other, mail, mail, mail, a_transaction(MALLORY)):
            decision = post.judge(message)
            assert decision.answers is not None
            attempts.append(decision.answers.attempts)
        assert attempts == [0, 0, 1, 2, 0]
        post.clock.now_us += HOUR_US
        assert post.judge(mail).disposition.action is Action.ACCEPT
        assert post.store.used(ANNE, LIMIT, ANNE) == 1


class TestLimits:
    """Several windows, customers, clients, domains."""

    def test_a_burst_passes_and_the_rest_drains(self) -> None:
        """At once as much as the burst, then one at a time."""
        post = Outpost(a_policy(a_limit("60/1h", burst=3, action=Action.DEFER)))
        mail = a_transaction(ANNE)
        assert post.actions([mail] * 4) == [A, A, A, D]
        post.clock.now_us += MINUTE_US
        assert post.actions([mail] * 2) == [A, D]

    def test_several_windows_hold_together(self) -> None:
        """What the short one refuses costs nothing in the long one."""
        post = Outpost(
            a_policy(
                a_limit("2/1m", name="short", action=Action.DEFER),
                a_limit("3/1d", name="long", action=Action.REJECT),
            )
        )
        mail = a_transaction(ANNE)
        assert post.actions([mail] * 3) == [A, A, D]
        assert post.store.used(ANNE, "long", ANNE) == 2
        post.clock.now_us += MINUTE_US
        assert post.actions([mail] * 2) == [A, R]

    def test_logins_of_one_customer_share_its_limits(self) -> None:
        """And each has those of a login."""
        post = Outpost(
            a_policy(
                a_limit("2/1h"),
                a_limit("3/1h", per=Per.CUSTOMER, action=Action.REJECT),
                customers=[a_customer("choir", "@example.com")],
            )
        )
        assert post.actions([a_transaction(ANNE)] * 3) == [A, A, Q]
        assert post.actions([a_transaction(MALLORY)] * 2) == [A, R]

    def test_each_envelope_domain_has_a_counter_within_its_customer(self) -> None:
        """Two customers with one domain do not meet in it."""
        post = Outpost(a_policy(a_limit("2/1h", per=Per.DOMAIN)))
        one = a_transaction(ANNE, sender="news@shop.example")
        other = a_transaction(ANNE, sender="news@choir.example")
        foreign = a_transaction(MALLORY, sender="news@shop.example")
        assert post.actions([one, one, one, other, foreign]) == [A, A, Q, A, A]

    def test_clients_are_counted_only_without_login(self) -> None:
        """Many people behind one address do not share a limit."""
        post = Outpost(
            a_policy(a_limit("2/1h", per=Per.CLIENT, count=Count.MESSAGES, action=D))
        )
        machine = a_transaction(client=INSIDE)
        person = a_transaction(ANNE, client=INSIDE)
        assert post.actions([machine, machine, machine]) == [A, A, D]
        assert post.actions([person] * 5) == [A] * 5

    def test_ipv6_clients_are_counted_by_64_and_answer_by_48(self) -> None:
        """A host that changes its address is the same host."""
        post = Outpost(
            a_policy(
                a_limit("2/1h", per=Per.CLIENT),
                a_limit("3/1h", per=Per.CUSTOMER, action=Action.REJECT),
            )
        )
        same = [a_transaction(client=f"2001:db8:b:1::{host}") for host in (1, 2, 3)]
        assert post.actions(same) == [A, A, Q]
        neighbours = [a_transaction(client=f"2001:db8:b:{net}::1") for net in (2, 3)]
        assert post.actions(neighbours) == [A, R]

    def test_a_message_larger_than_the_limit_is_refused_for_good(self) -> None:
        """On an empty counter, with 5xx, and it costs nothing."""
        post = Outpost(a_policy(a_limit()))
        decision = post.judge(a_transaction(ANNE, recipients=11))
        assert decision.disposition.action is Action.REJECT
        assert decision.disposition.reply is not None
        assert decision.disposition.reply.code == 550
        assert decision.disposition.reason is Reason.MESSAGE_EXCEEDS_LIMIT
        assert post.store.used(ANNE, LIMIT, ANNE) == 0
        assert post.actions([a_transaction(ANNE, recipients=10)]) == [A]

    def test_a_limit_on_trial_does_not_hide_an_enforced_one(self) -> None:
        """What the enforced one refuses is refused, and charged nowhere."""
        post = Outpost(
            a_policy(
                a_limit("5/1h", name="trial", mode=Mode.MONITOR),
                a_limit("10/1h", name="mine"),
            )
        )
        assert post.actions([a_transaction(ANNE, recipients=11)]) == [R]

    def test_a_limit_that_tags_does_not_stop_the_others_counting(self) -> None:
        """Or the hard limit behind it would never fill."""
        post = Outpost(
            a_policy(
                a_limit("1/1h", name="soft", action=Action.TAG),
                a_limit("3/1h", name="hard", action=Action.REJECT),
            )
        )
        assert post.actions([a_transaction(ANNE)] * 4) == [A, T, T, R]

    def test_what_a_rule_on_trial_lets_out_is_charged(self) -> None:
        """It leaves, so the other limits count it."""
        post = Outpost(
            a_policy(
                a_limit("2/1h", name="small"),
                a_limit("100/1h", name="large", per=Per.CUSTOMER),
                rules={Reason.MESSAGE_EXCEEDS_LIMIT: RuleSettings(mode=Mode.MONITOR)},
            )
        )
        assert post.actions([a_transaction(ANNE, recipients=60)]) == [A]
        assert post.store.used(ANNE, "large", ANNE) == 60
        assert post.actions([a_transaction(ANNE, recipients=60)]) == [Q]

    def test_a_new_rate_does_not_empty_a_counter(self) -> None:
        """Its key does not hold the limit (rspamd's trap), and it drains faster now."""
        post = Outpost(a_policy(a_limit("10/1h")))
        mail = a_transaction(ANNE)
        assert post.actions([mail] * 11) == [A] * 10 + [Q]
        post.reload(a_policy(a_limit("60/1h")))
        assert post.actions([mail] * 51) == [A] * 50 + [Q]
        post.clock.now_us += MINUTE_US
        assert post.actions([mail, mail]) == [A, Q]

    def test_an_override_holds_at_once(self) -> None:
        """Live, without a reload; the reply names the rate in force."""
        post = Outpost(a_policy(a_limit("1/1h", action=Action.DEFER)))
        post.copy(an_entry(Order.LIMIT, ANNE, "recipients=3/1h by=bart busy"))
        assert post.actions([a_transaction(ANNE)] * 4) == [A, A, A, D]
        reply = post.seen[-1].disposition.reply
        assert reply is not None
        assert "3/1h recipients" in reply.text
        assert post.actions([a_transaction(MALLORY)] * 2) == [A, D]

    @fast
    @given(
        st.lists(st.integers(0, 20), max_size=30),
        st.integers(1, 8),
        st.integers(1, 8),
    )
    def test_a_raised_limit_never_rejects_more(
        self, minutes: list[int], count: int, more: int
    ) -> None:
        """Of any stream of single messages at least as many leave."""
        left = []
        for limit in (count, count + more):
            post = Outpost(a_policy(a_limit(f"{limit}/1h")))
            actions = []
            for step in minutes:
                post.clock.now_us += step * MINUTE_US
                actions.append(post.judge(a_transaction(ANNE)).disposition.action)
            left.append(actions.count(Action.ACCEPT))
        assert left[0] <= left[1]


class TestRecipients:
    """Internal, external, and aliases."""

    POLICY = a_policy(
        a_limit("10/1h"),
        a_limit("3/1h", count=Count.MESSAGES),
        a_limit("5/1h", count=Count.INTERNAL_RECIPIENTS, action=Action.DEFER),
        local=["local.example"],
        relay=["relay.example"],
        aliases={
            "everyone@example.net": 9,
            "all@local.example": 4,
            "big@x.example": 50,
        },
    )

    def test_internal_recipients_cost_nothing_outside(self) -> None:
        """They have a limit of their own."""
        post = Outpost(self.POLICY)
        inside = a_transaction(ANNE, recipients=["bart@local.example"])
        assert post.actions([inside] * 6) == [A, A, A, A, A, D]
        assert post.store.used(ANNE, LIMIT, ANNE) == 0
        assert post.store.used(ANNE, "messages-per-login", ANNE) == 0

    def test_an_operators_orders_hold_inside_too(self) -> None:
        """A bot must not mail its neighbours either."""
        post = Outpost(self.POLICY)
        post.order(Order.SUSPEND, ANNE)
        inside = a_transaction(ANNE, recipients=["bart@relay.example"])
        assert post.actions([inside]) == [R]

    def test_an_alias_costs_the_people_behind_it(self) -> None:
        """One RCPT, nine people; fifty are more than the limit holds."""
        post = Outpost(self.POLICY)
        alias = a_transaction(ANNE, recipients=["Everyone@example.net"])
        assert post.actions([alias, alias]) == [A, Q]
        assert post.store.used(ANNE, LIMIT, ANNE) == 9
        big = a_transaction(ANNE, recipients=["big@x.example"])
        assert post.judge(big).disposition.reason is Reason.MESSAGE_EXCEEDS_LIMIT

    def test_an_internal_alias_costs_internal_recipients(self) -> None:
        """At its size."""
        post = Outpost(self.POLICY)
        alias = a_transaction(ANNE, recipients=["all@local.example"])
        assert post.actions([alias, alias]) == [A, D]


class TestForwarders:
    """Forwarding is believed only from configured forwarders."""

    POLICY = a_policy(
        a_limit("2/1h", per=Per.CLIENT, action=Action.DEFER),
        a_limit("4/1h", per=Per.FORWARDER, action=Action.REJECT),
    )

    def test_a_forwarder_has_limits_of_its_own(self) -> None:
        """Its forwarded mail costs nothing else."""
        post = Outpost(self.POLICY)
        forwarded = a_transaction(client=FORWARDER, headers=SEALED)
        own = a_transaction(client=FORWARDER)
        assert post.actions([forwarded] * 5) == [A, A, A, A, R]
        assert post.actions([own] * 3) == [A, A, D]

    def test_others_are_not_believed(self) -> None:
        """A seal is a header like any other."""
        post = Outpost(self.POLICY)
        sealed = a_transaction(client=INSIDE, headers=SEALED)
        assert post.actions([sealed] * 3) == [A, A, D]

    @pytest.mark.parametrize(("recipients", "let_out"), [(1, 5_000), (10, 1_000)])
    def test_shipped_limits_bound_what_it_forwards(
        self, recipients: int, let_out: int
    ) -> None:
        """In messages and in recipients, since nothing else counts it."""
        post = Outpost(a_policy(shipped=True))
        forwarded = a_transaction(
            client=FORWARDER, headers=SEALED, recipients=recipients
        )
        actions = post.actions([forwarded] * (let_out + 1))
        assert all(action.lets_out for action in actions[:-1])
        assert actions[-1] is D

    def test_a_mailing_by_a_forwarder_is_one(self) -> None:
        """Signs of forwarding are the sender's, and excuse no crowd."""
        post = Outpost(a_policy(shipped=True))
        mailing = a_transaction(client=FORWARDER, headers=SEALED, recipients=51)
        assert post.actions([mailing]) == [Q]


class TestHoldQueue:
    """Quarantine is bounded."""

    def post(
        self, quarantine: QuarantineSettings, *, path: Path = Path.SMTP
    ) -> Outpost:
        post = Outpost(a_policy(quarantine=quarantine))
        post.order(Order.QUARANTINE, ANNE if path is Path.SMTP else "www")
        return post

    def test_beyond_the_cap_mail_is_deferred(self) -> None:
        """It is counted as held only where it is."""
        post = self.post(QuarantineSettings(cap=2))
        mail = a_transaction(ANNE, size=1000)
        assert post.actions([mail] * 4) == [Q, Q, D, D]
        assert [one.held_bytes for one in post.store.settled] == [1000, 1000, 0, 0]
        assert post.store.held == {ANNE: (2, 2000)}

    def test_on_the_local_path_it_is_rejected(self) -> None:
        """There is nowhere else to put it."""
        post = self.post(QuarantineSettings(cap=1), path=Path.LOCAL_SUBMISSION)
        mail = a_transaction(path=Path.LOCAL_SUBMISSION, local_user="www")
        assert post.actions([mail] * 3) == [Q, R, R]

    def test_bytes_are_capped_too(self) -> None:
        """Up to the cap, and not beyond."""
        settings = QuarantineSettings(cap_bytes=ByteSize(2500))
        post = self.post(settings)
        sizes = (1000, 1500, 1)
        assert post.actions(a_transaction(ANNE, size=size) for size in sizes) == [
            Q,
            Q,
            D,
        ]

    def test_a_full_disk_holds_nothing(self) -> None:
        """The MTA needs what is left."""
        post = self.post(QuarantineSettings())
        post.host.full = True
        assert post.actions([a_transaction(ANNE)]) == [D]
        post.host.full = False
        assert post.actions([a_transaction(ANNE)]) == [Q]


class TestStoreAway:
    """Who stands in for the store."""

    @pytest.mark.parametrize(
        ("source", "mode", "action"),
        [
            (Source.ACCEPT, Mode.ENFORCE, Action.ACCEPT),
            (Source.DEFER, Mode.ENFORCE, Action.DEFER),
            (Source.DEFER, Mode.MONITOR, Action.ACCEPT),
            (Source.LOCAL, Mode.ENFORCE, Action.ACCEPT),
        ],
    )
    def test_mail_goes_as_the_operator_wants(
        self, source: Source, mode: Mode, action: Action
    ) -> None:
        """Degraded, accepted, or deferred."""
        post = Outpost(a_policy(a_limit(), mode=mode))
        post.store.source = source
        decision = post.judge(a_transaction(ANNE))
        assert decision.disposition.action is action
        if source is Source.DEFER:
            assert decision.verdict.reasons == (Reason.STORE_UNAVAILABLE,)
            assert len(post.store.settled) == 1

    def test_limits_go_on_protecting(self) -> None:
        """By this host's own counters."""
        post = Outpost(a_policy(a_limit("2/1h")))
        post.store.source = Source.LOCAL
        assert post.actions([a_transaction(ANNE)] * 3) == [A, A, Q]

    @pytest.mark.parametrize("source", [Source.LOCAL, Source.ACCEPT])
    def test_the_last_known_orders_go_on_protecting(self, source: Source) -> None:
        """From the copy; what only the store knows is not known."""
        post = Outpost(a_policy())
        post.store.source = source
        post.order(Order.SUSPEND, MALLORY)
        post.copy(an_entry(Order.SUSPEND, ANNE))
        assert post.actions([a_transaction(ANNE), a_transaction(MALLORY)]) == [R, A]


class TestFail:
    """An exception of ours got in the way."""

    @pytest.mark.parametrize(
        ("mode", "rule", "path", "action"),
        [
            (Mode.ENFORCE, RuleSettings(), Path.SMTP, Action.DEFER),
            (Mode.ENFORCE, RuleSettings(), Path.LOCAL_SUBMISSION, Action.QUARANTINE),
            (
                Mode.ENFORCE,
                RuleSettings(action=Action.ACCEPT),
                Path.SMTP,
                Action.ACCEPT,
            ),
            (Mode.ENFORCE, RuleSettings(mode=Mode.MONITOR), Path.SMTP, Action.ACCEPT),
            (Mode.MONITOR, RuleSettings(), Path.SMTP, Action.ACCEPT),
        ],
        ids=["enforce", "local path", "accept", "rule on trial", "monitor"],
    )
    def test_it_is_answered_by_its_rule(
        self, mode: Mode, rule: RuleSettings, path: Path, action: Action
    ) -> None:
        """451 4.3.0, or as configured; nothing is asked or charged, all observe."""
        post = Outpost(a_policy(mode=mode, rules={Reason.INTERNAL_ERROR: rule}))
        decision = post.gate.fail(a_transaction(ANNE, path=path))
        assert decision.disposition.action is action
        assert decision.verdict.reasons == (Reason.INTERNAL_ERROR,)
        assert not post.store.asked
        assert post.seen == [decision]
        if action is Action.DEFER:
            assert decision.disposition.reply is not None
            assert str(decision.disposition.reply).startswith("451 4.3.0")

    def test_whose_message_it_was_is_told(self) -> None:
        """A failure of ours is looked into by its line in the log."""
        post = Outpost(a_policy())
        decision = post.gate.fail(a_transaction(ANNE, recipients=3))
        assert decision.accountable is not None
        assert decision.accountable.customer == ANNE
        assert decision.transaction.recipient_count == 3

    def test_an_inbound_message_stays_inbound(self) -> None:
        """Nothing of it is changed, in monitor mode either."""
        decision = Outpost(a_policy(mode=Mode.MONITOR)).gate.fail(a_transaction())
        assert decision.mail_class is MailClass.INBOUND
        assert decision.accountable is None

    def test_an_error_that_comes_again_is_answered_too(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """What fails may be to find out whose message it is."""
        post = Outpost(a_policy())

        def broken(*_: object) -> None:
            raise ZeroDivisionError

        monkeypatch.setattr(post.gate, "_resolve", broken)
        decision = post.gate.fail(a_transaction(ANNE))
        assert decision.disposition.action is Action.DEFER
        assert decision.accountable is None


class TestRefusal:
    """A suspended sender may be refused before the message was sent."""

    def test_only_the_copy_is_asked(self) -> None:
        """There is no round trip at MAIL or RCPT."""
        post = Outpost(a_policy())
        post.order(Order.SUSPEND, ANNE)
        assert post.gate.refusal(a_transaction(ANNE)) is None
        post.copy(an_entry(Order.SUSPEND, ANNE, "bot"))
        reply = post.gate.refusal(a_transaction(ANNE))
        assert reply is not None
        assert str(reply).startswith("550 5.7.1 Sending is suspended")
        assert not post.store.asked

    @pytest.mark.parametrize("mode", list(Mode))
    def test_it_is_told_like_any_other_decision(self, mode: Mode) -> None:
        """Or on-call would see nothing of a suspension that works."""
        post = Outpost(a_policy(mode=mode))
        post.copy(an_entry(Order.SUSPEND, ANNE, "bot"))
        reply = post.gate.refusal(a_transaction(ANNE, recipients=0))

        (decision,) = post.seen
        assert decision.verdict.action is decision.disposition.action is Action.REJECT
        assert decision.verdict.reasons == (Reason.SUSPENDED,)
        assert decision.disposition.reason is Reason.SUSPENDED
        assert decision.disposition.reply == reply
        assert decision.accountable is not None
        assert decision.accountable.customer == ANNE
        assert decision.answers is None

    def test_whoever_passes_is_judged_at_the_end(self) -> None:
        """Others, inbound mail, orders that ended."""
        post = Outpost(a_policy())
        post.copy(
            an_entry(Order.SUSPEND, ANNE, "until=2020-01-01T00:00:00Z"),
            an_entry(Order.QUARANTINE, MALLORY),
            an_entry(Order.SUSPEND, "198.51.100.9"),
        )
        for transaction in (
            a_transaction(ANNE),
            a_transaction(MALLORY),
            a_transaction(client="198.51.100.9"),
        ):
            assert post.gate.refusal(transaction) is None
        assert not post.seen

    def test_a_suspension_that_defers_waits_for_the_end(self) -> None:
        """Only a rejection is final enough to be told early."""
        rules = {Reason.SUSPENDED: RuleSettings(action=Action.DEFER)}
        post = Outpost(a_policy(rules=rules))
        post.copy(an_entry(Order.SUSPEND, ANNE))
        assert post.gate.refusal(a_transaction(ANNE)) is None
        assert post.actions([a_transaction(ANNE)]) == [A]
        post.order(Order.SUSPEND, ANNE)
        assert post.actions([a_transaction(ANNE)]) == [D]


class TestLocalUser:
    """Who called `sendmail` on this host."""

    @pytest.mark.parametrize(
        ("mta", "path", "local_user", "principal"),
        [
            ("sendmail", Path.LOCAL_SUBMISSION, "", "anne"),
            ("sendmail", Path.LOCAL_SUBMISSION, "www-data", "www-data"),
            ("postfix", Path.LOCAL_SUBMISSION, "", "unknown"),
            ("sendmail", Path.SMTP, "", INSIDE),
        ],
        ids=["believed", "the socket knows better", "Postfix hides its own", "SMTP"],
    )
    def test_the_received_line_is_believed_where_none_else_writes_it(
        self, mta: str, path: Path, local_user: str, principal: str
    ) -> None:
        """On Sendmail's own submission; everywhere else the sender may have."""
        client = INSIDE if path is Path.SMTP else ""
        decision = Outpost(a_policy()).judge(
            a_transaction(
                path=path,
                mta=mta,
                client=client,
                local_user=local_user,
                headers={"Received": SUBMITTED},
            )
        )
        assert decision.accountable is not None
        assert decision.accountable.principal == principal

    def test_without_that_line_the_user_is_unknown(self) -> None:
        """All such mail is one customer's."""
        decision = Outpost(a_policy()).judge(
            a_transaction(path=Path.LOCAL_SUBMISSION, mta="sendmail")
        )
        assert decision.accountable is not None
        assert decision.accountable.principal == "unknown"


def test_shipped_limits_hold_a_login_that_writes_to_all_of_us_again_and_again() -> None:
    """Four times 1,200 people an hour; the fifth message waits for somebody to look."""
    everyone = "everyone@example.org"
    policy = a_policy(shipped=True, local=["example.org"], aliases={everyone: 1200})
    post = Outpost(policy)
    message = a_transaction("anne@example.org", recipients=[everyone])
    assert post.actions([message] * 5) == [A] * 3 + [T, Q]
    charge = post.store.asked[-1].charges[-1]
    assert (charge.limit.name, charge.cost) == (
        "internal-recipients-per-login-hourly",
        1200,
    )


def test_shipped_limits_hold_what_runs_wild() -> None:
    """As a new installation in enforce mode would; readers are known by then."""
    post = Outpost(a_policy(shipped=True))
    actions = post.actions([a_transaction(ANNE)] * 5_001)
    assert actions == [A] * 3_999 + [T] * 1_001 + [Q]
    assert post.seen[-1].verdict.findings[-1].reason is Reason.LIMIT_EXCEEDED


def test_shipped_limits_hold_a_mailing_to_strangers() -> None:
    """Fifty of them have it, the last with a warning; a letter to a friend still leaves."""
    post = Outpost(a_policy(shipped=True))
    actions = post.actions(
        a_transaction(ANNE, recipients=[f"bart{number}@example.net"])
        for number in range(60)
    )
    assert actions == [A] * 39 + [T] * 11 + [Q] * 10
    assert post.judge(a_transaction(ANNE)).disposition.action is A


class TestStrangers:
    """Who was never mailed before."""

    LIMIT = a_limit("5/1d", count=Count.STRANGERS, name="strangers")

    def outpost(self, **settings: Any) -> Outpost:
        return Outpost(a_policy(self.LIMIT, **settings))

    def test_known_people_cost_nothing(self) -> None:
        """Five strangers, and from then on five friends."""
        post = self.outpost()
        assert post.actions([a_transaction(ANNE, recipients=5)] * 9) == [A] * 9
        others = a_transaction(ANNE, recipients=["new@example.net"])
        assert post.judge(others).disposition.action is Q

    def test_who_did_not_get_the_mail_stays_a_stranger(self) -> None:
        """Neither a refusal by another limit nor an order makes contacts."""
        post = Outpost(a_policy(self.LIMIT, a_limit("2/1h")))
        post.judge(a_transaction(ANNE, recipients=3))
        post.order(Order.QUARANTINE, ANNE)
        post.judge(a_transaction(ANNE, recipients=2))
        assert not post.store.contacts[ANNE].weeks

    def test_monitor_makes_contacts_of_whom_it_let_have_mail(self) -> None:
        """A gate that watches for a month knows the customers' contacts."""
        post = self.outpost(mode=Mode.MONITOR)
        decision = post.judge(a_transaction(ANNE, recipients=9))
        assert decision.disposition.action is A
        assert decision.verdict.action is Q
        assert len(post.store.met) == 1
        assert len(post.store.contacts[ANNE].weeks) == 9

    def test_whom_an_allowed_sender_mails_is_met(self) -> None:
        """His limits are full, and charge nothing; his readers are known all the same."""
        post = self.outpost()
        post.order(Order.ALLOW, ANNE)
        decision = post.judge(a_transaction(ANNE, recipients=9))
        assert decision.disposition.action is A
        assert len(post.store.met) == 1
        assert len(post.store.contacts[ANNE].weeks) == 9

    @pytest.mark.parametrize("order", [None, Order.QUARANTINE, Order.SUSPEND])
    def test_a_botnet_makes_no_contacts(self, order: Order | None) -> None:
        """Nor does whom an operator stops: what is known to be bad teaches nothing."""
        rules = {
            reason: RuleSettings(action=Action.TAG)
            for reason in (Reason.QUARANTINED, Reason.SUSPENDED)
        }
        post = self.outpost(mode=Mode.MONITOR, rules=rules)
        if order is None:
            post.store.neighbours = Neighbours(customers=9, strangers=90)
        else:
            post.order(order, ANNE)
        decision = post.judge(a_transaction(ANNE, recipients=9))
        assert decision.disposition.action.lets_out
        assert post.store.met == []

    @pytest.mark.parametrize(("today", "met"), [(1_991, 1), (1_992, 0)])
    def test_contacts_of_one_day_are_bounded(self, today: int, met: int) -> None:
        """Else a month of watching would know all that somebody bought."""
        post = self.outpost(mode=Mode.MONITOR)
        post.store.usual[ANNE] = (today, 0)
        post.judge(a_transaction(ANNE, recipients=9))
        assert len(post.store.met) == met

    @pytest.mark.parametrize("mode", [Mode.ENFORCE, Mode.MONITOR])
    def test_an_allowed_letter_teaches_all_its_readers(self, mode: Mode) -> None:
        """However many: an operator wanted it to reach them."""
        post = self.outpost(mode=mode)
        post.order(Order.ALLOW, ANNE)
        decision = post.judge(a_transaction(ANNE, recipients=3_000))
        assert decision.disposition.action.lets_out
        assert len(post.store.contacts[ANNE].weeks) == 3_000

    def test_what_another_rule_would_stop_is_no_allowed_letter(self) -> None:
        """The operator lifted a limit, and nothing else: it is only watched."""
        rules = {Reason.NULL_SENDER_ABUSE: RuleSettings(action=Action.REJECT)}
        post = self.outpost(mode=Mode.MONITOR, rules=rules)
        post.order(Order.ALLOW, ANNE)
        mail = a_transaction(ANNE, sender="", recipients=3_000)
        decision = post.judge(mail)
        assert decision.disposition.action is A
        assert Reason.NULL_SENDER_ABUSE in decision.verdict.reasons
        assert post.store.met == []

    def test_nobody_is_met_where_the_store_did_not_answer(self) -> None:
        """It would not hear of it, and the mail has to go on."""
        post = self.outpost(mode=Mode.MONITOR)
        post.store.source = Source.DEFER
        post.judge(a_transaction(ANNE, recipients=9))
        assert post.store.met == []

    def test_what_was_let_out_is_noted_for_other_customers(self) -> None:
        """Only where it went to strangers."""
        post = self.outpost()
        post.actions([a_transaction(ANNE, recipients=2)] * 3)
        assert len(post.store.introduced) == 1

    def test_what_was_held_is_not(self) -> None:
        """Nobody had it."""
        post = self.outpost()
        assert post.judge(a_transaction(ANNE, recipients=9)).disposition.action is Q
        assert post.store.introduced == []


class TestRegisteredList:
    """A list whose subscribers are registered."""

    HEADERS: ClassVar[dict[str, str]] = {
        "List-Id": "<members.choir.example>",
        "List-Unsubscribe": "<https://example.org/leave?t=Zm9v>, <mailto:leave@example.org>",
    }
    LIMIT = a_limit("5/1d", count=Count.STRANGERS, name="strangers")

    def outpost(self, *, subscribers: int, mode: Mode = Mode.ENFORCE) -> Outpost:
        lists = [ListSettings(id="Members.choir.example", customer="choir")]
        post = Outpost(
            a_policy(
                self.LIMIT,
                a_limit("20/1h"),
                customers=[a_customer("choir", ANNE)],
                lists=lists,
                rules={Reason.LIST_WITHOUT_CONSENT: RuleSettings(mode=Mode.MONITOR)},
                mode=mode,
            )
        )
        for number in range(subscribers):
            mailbox = f"bart{number}@example.net"
            post.store.keep("members.choir.example", mailbox, Record(grade=Grade.PAPER))
        return post

    def mail(self, recipients: int) -> Transaction:
        return a_transaction(ANNE, recipients=recipients, headers=self.HEADERS)

    def test_it_goes_to_all_who_asked(self) -> None:
        """However many; plain numbers of the customer are not meant for it."""
        post = self.outpost(subscribers=900)
        decision = post.judge(self.mail(900))
        assert decision.disposition.action is A
        assert post.store.used("choir", "recipients-per-login", ANNE) == 0
        # They asked for the list, and for nothing else.
        assert not post.store.contacts["choir"].weeks

    def test_who_did_not_ask_is_a_stranger(self) -> None:
        """Five of them have it, and are charged afterwards; six are too many."""
        post = self.outpost(subscribers=900)
        assert post.judge(self.mail(905)).disposition.action is A
        assert len(post.store.introduced) == 1
        held = self.outpost(subscribers=900).judge(self.mail(906))
        assert held.disposition.action is Q
        assert held.disposition.reason is Reason.BULK_TO_STRANGERS

    def test_watching_a_list_teaches_nobody(self) -> None:
        """Or a month of it would make contacts of all that somebody bought."""
        post = self.outpost(subscribers=3, mode=Mode.MONITOR)
        decision = post.judge(self.mail(900))
        assert decision.disposition.action is A
        assert Reason.BULK_TO_STRANGERS in decision.verdict.reasons
        assert not post.store.contacts["choir"].weeks

    def test_an_allowed_list_teaches_who_did_not_ask(self) -> None:
        """They had its mail because an operator wanted it."""
        post = self.outpost(subscribers=3)
        post.order(Order.ALLOW, ANNE)
        assert post.judge(self.mail(900)).disposition.action is A
        assert len(post.store.contacts["choir"].weeks) == 897

    def test_another_customers_list_id_is_no_list(self) -> None:
        """Who writes it into his mail gains nothing."""
        post = self.outpost(subscribers=900)
        mail = a_transaction(MALLORY, recipients=9, headers=self.HEADERS)
        assert post.judge(mail).disposition.action is Q

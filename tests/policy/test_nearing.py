"""Which limits come to their end, and what is said before they have."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outgate.model.gcra import Level
from outgate.model.limit import Count, Limit, Per
from outgate.model.units import Rate
from outgate.model.verdict import Action, Mode, Reason
from outgate.policy.exhausted import exceeded
from outgate.policy.list_settings import ListSettings
from outgate.policy.nearing import is_near, nearing
from outgate.policy.operator import Order
from outgate.policy.questions import Answers, Source, Spread
from outgate.policy.rule_settings import RuleSettings
from outgate.policy.rules import near_limit
from outgate.policy.settings import LimitSettings, StreamSettings, TagSettings
from policy.builders import (
    ANNE,
    Outpost,
    a_case,
    a_customer,
    a_finding,
    a_limit,
    a_policy,
    a_transaction,
    an_entry,
    fast,
)
from policy.ledger import NOW_US

A, T, D, Q, R = Action
LIST_ID = "members.choir.example"
RECIPIENTS = a_limit("100/1h", name="recipients", warn=80)
STRANGERS = a_limit("100/1d", count=Count.STRANGERS, name="strangers", warn=80)
CAMPAIGN = a_limit(
    "50/7d", count=Count.STRANGERS, per=Per.CAMPAIGN, name="campaign", share=60, warn=80
)


def a_declared(burst: int, warn: int) -> Limit:
    return Limit(
        name="one",
        per=Per.LOGIN,
        count=Count.MESSAGES,
        rate=Rate.parse("10/1h"),
        burst=burst,
        warn=warn,
    )


def near(
    *charges: tuple[LimitSettings, Level],
    campaign: LimitSettings | None = None,
    spread: Spread | None = None,
    unknown: int = 1,
    registered: bool = False,
    source: Source = Source.STORE,
) -> list[str]:
    """What is named after a message that the store answered so."""
    policy = a_policy(
        *(limit for limit, _ in charges),
        *([campaign] if campaign is not None else []),
        customers=[a_customer("choir", ANNE)],
        lists=[ListSettings(id=LIST_ID, customer="choir")] if registered else [],
    )
    headers = {"List-Id": f"<{LIST_ID}>"} if registered else None
    answers = Answers(
        now_us=NOW_US,
        source=source,
        levels=[level for _, level in charges],
        strangers=b"".join(b"%4d" % one for one in range(unknown)),
        spread=spread,
    )
    case = a_case(policy, a_transaction(ANNE, headers=headers), answers=answers)
    return [one.text for one in nearing(case.plan, answers)]


def used(number: int, charged: int | bytes = 1) -> Level:
    return Level(True, number, 0, charged)


class TestIsNear:
    """When so many units are worth a warning."""

    @pytest.mark.parametrize(
        ("burst", "warn", "first"),
        [
            pytest.param(100, 80, 80, id="eighty of a hundred"),
            pytest.param(7, 80, 6, id="never below the percentage"),
            pytest.param(5, 80, 4, id="four of five"),
            pytest.param(4, 80, 4, id="of few only the last"),
            pytest.param(4, 10, 4, id="of few only the last, however early"),
            pytest.param(2, 80, 2, id="the second of two"),
            pytest.param(100, 1, 1, id="at once"),
            pytest.param(100, 99, 99, id="at the end"),
        ],
    )
    def test_it_is_from_here_on(self, burst: int, warn: int, first: int) -> None:
        """And not one unit earlier."""
        limit = a_declared(burst, warn)
        assert is_near(limit, first, burst)
        assert not is_near(limit, first - 1, burst)

    def test_what_one_unit_fills_has_no_moment_before_its_end(self) -> None:
        """Each message would be warned of."""
        assert not is_near(a_declared(1, 80), 1, 1)

    def test_zero_is_never(self) -> None:
        """Full or not."""
        assert not is_near(a_declared(100, 0), 100, 100)

    @fast
    @given(
        st.integers(0, 2000),
        st.integers(1, 1000),
        st.integers(1, 99),
        st.integers(1, 99),
    )
    def test_a_higher_percentage_never_warns_more(
        self, units: int, burst: int, one: int, other: int
    ) -> None:
        """And never below what it says."""
        low, high = sorted((one, other))
        if is_near(a_declared(burst, high), units, burst):
            assert is_near(a_declared(burst, low), units, burst)
            assert units >= burst * high / 100

    @fast
    @given(st.integers(0, 1000), st.integers(1, 1000), st.integers(0, 99))
    def test_more_used_never_warns_less(
        self, units: int, burst: int, warn: int
    ) -> None:
        """Whoever was warned stays warned until it has drained."""
        limit = a_declared(burst, warn)
        assert is_near(limit, units, burst) <= is_near(limit, units + 1, burst)


class TestNearing:
    """Which limits are named."""

    def test_the_fullest_comes_first(self) -> None:
        """Those with room are not named."""
        few = a_limit("10/1h", name="few", count=Count.MESSAGES, warn=80)
        other = a_limit("10/1h", name="other", count=Count.BYTES, warn=80)
        found = near((RECIPIENTS, used(85)), (few, used(9)))
        assert found == ["few:9/10", "recipients:85/100"]
        assert near((RECIPIENTS, used(79)), (few, used(8))) == ["few:8/10"]
        assert near((other, used(9)), (RECIPIENTS, used(9))) == []

    @pytest.mark.parametrize("mode", Mode)
    def test_beyond_a_limit_nothing_is_near(self, mode: Mode) -> None:
        """Enforced or not: there is a finding already, or an operator lifted it."""
        full = a_limit("10/1h", name="full", count=Count.MESSAGES, mode=mode)
        assert near((RECIPIENTS, used(95)), (full, Level(False, 10, 60))) == []

    @pytest.mark.parametrize(
        "settings", [{"mode": Mode.MONITOR}, {"action": Action.TAG}]
    )
    def test_a_limit_that_stops_nothing_needs_no_warning(
        self, settings: dict[str, object]
    ) -> None:
        """It only reports, and does so at its end."""
        limit = a_limit("100/1h", warn=80, **settings)  # type: ignore[arg-type]
        assert near((limit, used(90))) == []

    def test_mail_to_acquaintances_uses_no_strangers(self) -> None:
        """However many of them there were."""
        assert near((STRANGERS, used(90)), unknown=1) == ["strangers:90/100"]
        assert near((STRANGERS, used(90, 0)), unknown=0) == []

    def test_so_it_is_with_different_ones(self) -> None:
        """The same client again says nothing new."""
        limit = a_limit(
            "10/1d", name="clients", count=Count.DISTINCT_RECIPIENTS, warn=80
        )
        assert near((limit, used(8, b"1234"))) == ["clients:8/10"]
        assert near((limit, used(8, b""))) == []

    @pytest.mark.parametrize("source", set(Source) - {Source.STORE})
    def test_who_stands_in_for_the_store_does_not_know(self, source: Source) -> None:
        """A host's own counters are a part, and there everybody is a stranger."""
        assert near((RECIPIENTS, used(90)), source=source) == []

    @pytest.mark.parametrize(
        ("spread", "expected"),
        [
            (Spread(True, 40, 0, 50), ["campaign:40/50"]),
            (Spread(True, 39, 0, 50), []),
            (Spread(True, 45, 0, 75), []),
            (Spread(True, 45, 0, 74), ["campaign:45/50"]),
            (Spread(False, 50, 60, 60), []),
        ],
        ids=["near", "room", "most are known", "just not", "beyond"],
    )
    def test_a_mailing_is_near_unless_most_of_its_readers_are_known(
        self, spread: Spread, expected: list[str]
    ) -> None:
        """That one goes on in any case."""
        assert near(campaign=CAMPAIGN, spread=spread) == expected

    def test_a_mailing_that_reaches_no_stranger_is_not(self) -> None:
        """It uses nothing."""
        assert near(campaign=CAMPAIGN, spread=Spread(True, 45, 0, 50), unknown=0) == []

    def test_of_a_registered_list_only_who_did_not_ask_counts(self) -> None:
        """Of the sender and of the mailing; they are charged afterwards."""
        spread = Spread(True, 30, 0, 5000)
        found = near(
            (STRANGERS, used(70, 0)),
            campaign=CAMPAIGN,
            spread=spread,
            unknown=15,
            registered=True,
        )
        assert found == ["campaign:45/50", "strangers:85/100"]

    def test_that_most_readers_asked_for_a_list_makes_no_room(self) -> None:
        """So the share does not keep the warning back, and nobody unknown does."""
        for unknown, expected in ((10, ["campaign:40/50"]), (9, []), (0, [])):
            found = near(
                campaign=CAMPAIGN,
                spread=Spread(True, 30, 0, 5000),
                unknown=unknown,
                registered=True,
            )
            assert found == expected

    def test_a_limit_that_follows_conduct_is_near_by_what_is_in_force(self) -> None:
        """A new customer has less, and comes to its end sooner."""
        policy = a_policy(STRANGERS, CAMPAIGN)
        answers = Answers(
            now_us=NOW_US,
            standing=20,
            levels=[used(16)],
            strangers=b"1234",
            spread=Spread(True, 8, 0, 9),
        )
        plan = a_case(policy, a_transaction(ANNE), answers=answers).plan
        assert plan.campaign is not None
        assert nearing(plan, answers) == []
        plan.charges = [replace(one, earned=True) for one in plan.charges]
        plan.campaign = replace(plan.campaign, earned=True)
        found = nearing(plan, answers)
        assert [one.text for one in found] == ["strangers:16/20", "campaign:8/10"]
        assert str(found[0].charge.rate) == "20/1d"

    def test_a_stream_warns_too(self) -> None:
        """As the shipped limits do."""
        stream = StreamSettings(
            name="receipts",
            customer="choir",
            sender=("example.com",),
            rate=Rate.parse("5/1d"),
        )
        policy = a_policy(
            STRANGERS, customers=[a_customer("choir", ANNE)], streams=[stream]
        )
        post = Outpost(policy)
        actions = [
            post.judge(
                a_transaction(
                    ANNE,
                    recipients=[f"bart{number}@example.net"],
                    headers={"From": ANNE},
                )
            ).disposition.action
            for number in range(6)
        ]
        assert actions == [A, A, A, T, T, Q]


class TestRule:
    """What becomes of the message."""

    def judge(self, *found: object, **policy: object) -> str:
        """Detail of the finding, "" for none, after others found this."""
        case = a_case(
            a_policy(RECIPIENTS, **policy),  # type: ignore[arg-type]
            a_transaction(ANNE),
            answers=Answers(now_us=NOW_US, levels=[used(90)]),
        )
        case.findings = found  # type: ignore[assignment]
        finding = near_limit.judge(case)
        return finding.detail if finding is not None else ""

    def test_it_names_the_limit_and_how_much_of_it_is_used(self) -> None:
        """In the log; in public it says nothing of that."""
        assert self.judge() == "recipients:90/100"
        case = a_case(
            a_policy(RECIPIENTS),
            a_transaction(ANNE),
            answers=Answers(now_us=NOW_US, levels=[used(90)]),
        )
        finding = near_limit.judge(case)
        assert finding is not None
        assert (finding.action, finding.binding) == (Action.TAG, True)
        assert finding.public == "A sending limit is nearly used up."

    def test_a_message_that_stays_here_has_its_reason_already(self) -> None:
        """Enforced, or by an operator's order."""
        for reason in (Reason.CAMPAIGN_ACROSS_CUSTOMERS, Reason.NULL_SENDER_ABUSE):
            assert not self.judge(a_finding(Q, reason=reason))
        order = a_finding(Q, reason=Reason.QUARANTINED, binding=False, always=True)
        assert not self.judge(order)

    @pytest.mark.parametrize(
        "reason",
        [
            Reason.LIMIT_EXCEEDED,
            Reason.MESSAGE_EXCEEDS_LIMIT,
            Reason.BULK_TO_STRANGERS,
            Reason.BULK_BY_DISTINCT_RECIPIENTS,
            Reason.MANY_SOURCES_PER_LOGIN,
        ],
    )
    def test_a_limit_that_is_used_up_is_told_once(self, reason: Reason) -> None:
        """Also where it only tags, or only reports."""
        assert not self.judge(a_finding(T, reason=reason))
        assert not self.judge(a_finding(Q, reason=reason, binding=False))

    def test_it_stands_beside_what_else_is_odd_about_a_message_that_leaves(
        self,
    ) -> None:
        """A tag, or a rule that only reports."""
        assert self.judge(a_finding(T, reason=Reason.MISSING_UNSUBSCRIBE))
        assert self.judge(
            a_finding(R, reason=Reason.MISSING_UNSUBSCRIBE, binding=False)
        )


def letters(post: Outpost, number: int) -> Sequence[Action]:
    return post.actions(a_transaction(ANNE) for _ in range(number))


class TestGate:
    """From the first message to the one that stays."""

    LIMIT = a_limit("10/1h", warn=80)

    def test_the_last_of_them_leave_with_a_tag(self) -> None:
        """And are charged like the others."""
        post = Outpost(a_policy(self.LIMIT))
        assert letters(post, 11) == [A] * 7 + [T] * 3 + [Q]
        assert post.seen[-1].verdict.reasons == (Reason.LIMIT_EXCEEDED,)
        assert len(post.store.settled) == 1

    def test_the_world_reads_no_reason(self) -> None:
        """Unless the operator shows it."""
        for show, tag in (
            (("class", "action"), "class=personal; action=tag"),
            (("reasons",), "reasons=near-limit"),
        ):
            post = Outpost(a_policy(self.LIMIT, tag=TagSettings(show=show)))
            letters(post, 8)
            assert post.seen[-1].disposition.tag == tag

    def test_monitor_mode_reports_the_same(self) -> None:
        """And adds nothing to mail."""
        post = Outpost(a_policy(self.LIMIT, mode=Mode.MONITOR))
        assert letters(post, 11) == [A] * 11
        assert [one.verdict.action for one in post.seen] == [A] * 7 + [T] * 3 + [Q]
        assert {one.disposition.tag for one in post.seen} == {""}

    @pytest.mark.parametrize(
        "rule",
        [RuleSettings(action=Action.ACCEPT), RuleSettings(mode=Mode.MONITOR)],
        ids=["accept", "monitor"],
    )
    def test_it_may_be_told_to_leave_the_mail_as_it_is(
        self, rule: RuleSettings
    ) -> None:
        """The finding remains."""
        post = Outpost(a_policy(self.LIMIT, rules={Reason.NEAR_LIMIT: rule}))
        assert letters(post, 11) == [A] * 10 + [Q]
        assert post.seen[9].verdict.reasons == (Reason.NEAR_LIMIT,)

    @pytest.mark.parametrize("words", ["", "rules=near-limit"])
    def test_an_operator_lifts_it(self, words: str) -> None:
        """By itself, or with the limits."""
        post = Outpost(a_policy(self.LIMIT))
        post.copy(an_entry(Order.ALLOW, ANNE, words))
        post.order(Order.ALLOW, ANNE, words)
        assert letters(post, 10) == [A] * 10

    def test_a_burst_in_force_is_what_counts(self) -> None:
        """An order for more makes room."""
        post = Outpost(a_policy(self.LIMIT))
        letters(post, 7)
        post.copy(an_entry(Order.LIMIT, ANNE, "recipients=100/1h"))
        assert letters(post, 2) == [A, A]

    def test_the_shipped_limits_warn(self) -> None:
        """At four fifths."""
        policy = a_policy(shipped=True)
        assert {one.limit.warn for one in policy.limits} == {80}


def names(post: Outpost) -> list[str]:
    decision = post.seen[-1]
    assert decision.plan is not None
    assert decision.answers is not None
    return [one.limit.name for one in exceeded(decision.plan, decision.answers)]


class TestExceeded:
    """Which limits had no room."""

    def test_all_of_them_are_named(self) -> None:
        """Whatever they ask for."""
        post = Outpost(
            a_policy(
                a_limit("1/1h", name="one"),
                a_limit("1/1h", name="other", mode=Mode.MONITOR),
                a_limit("9/1h", name="wide"),
            )
        )
        letters(post, 1)
        assert names(post) == []
        letters(post, 1)
        assert names(post) == ["one", "other"]

    def test_a_mailing_is_named(self) -> None:
        """It is no counter of its own."""
        post = Outpost(
            a_policy(
                a_limit(
                    "5/7d", per=Per.CAMPAIGN, count=Count.STRANGERS, name="campaign"
                )
            )
        )
        post.judge(a_transaction(ANNE, recipients=6))
        assert names(post) == ["campaign"]

    def test_who_did_not_ask_for_a_registered_list_is_named(self) -> None:
        """Though they are charged afterwards."""
        post = Outpost(
            a_policy(
                a_limit("5/1d", count=Count.STRANGERS, name="strangers"),
                customers=[a_customer("choir", ANNE)],
                lists=[ListSettings(id=LIST_ID, customer="choir")],
            )
        )
        post.judge(
            a_transaction(ANNE, recipients=6, headers={"List-Id": f"<{LIST_ID}>"})
        )
        assert names(post) == ["strangers"]

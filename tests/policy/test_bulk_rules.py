"""The rules about bulk mail, one by one: what each finds, and what it says."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from outgate.model.gcra import NEVER, Level
from outgate.model.limit import Count, Per
from outgate.model.verdict import Action, Finding, MailClass, Mode, Reason
from outgate.policy.case import Case
from outgate.policy.list_settings import ListSettings
from outgate.policy.questions import Answers, Neighbours, Spread
from outgate.policy.rule_settings import RuleSettings
from outgate.policy.rules import (
    bulk_by_distinct_recipients,
    bulk_to_strangers,
    campaign_across_customers,
    declared_bulk_unregistered,
    limit_exceeded,
    many_sources_per_login,
    message_exceeds_limit,
    null_sender_abuse,
    unusual_for_this_sender,
)
from outgate.policy.rules.unusual_for_this_sender import FACTOR, FLOOR
from outgate.policy.settings import CampaignSettings, LimitSettings, StreamSettings
from policy.builders import (
    ANNE,
    HOUR_US,
    INSIDE,
    MINUTE_US,
    a_case,
    a_customer,
    a_limit,
    a_policy,
    a_transaction,
)
from policy.ledger import NOW_US

FITS = Level(True, 1, 0)
LIST_ID = "members.choir.example"
BULK = {"Precedence": "bulk"}
OF_LIST = {"List-Id": f"<{LIST_ID}>"}


def full(retry_after_us: int = MINUTE_US, used: int = 10) -> Level:
    return Level(False, used, retry_after_us)


def strangers(number: int) -> bytes:
    return b"".join(b"%4d" % one for one in range(number))


def a_bulk_case(
    *charges: tuple[LimitSettings, Level],
    campaign: LimitSettings | None = None,
    spread: Spread | None = None,
    unknown: int = 0,
    recipients: int = 1,
    headers: dict[str, str] | None = None,
    registered: bool = False,
    rules: dict[Reason, RuleSettings] | None = None,
) -> Case:
    """A message against these limits, with these answers."""
    limits = [limit for limit, _ in charges]
    policy = a_policy(
        *limits,
        *([campaign] if campaign is not None else []),
        customers=[a_customer("choir", ANNE)],
        lists=[ListSettings(id=LIST_ID, customer="choir")] if registered else [],
        rules=rules,
    )
    answers = Answers(
        now_us=NOW_US,
        levels=[level for _, level in charges],
        strangers=strangers(unknown),
        spread=spread,
    )
    transaction = a_transaction(ANNE, recipients=recipients, headers=headers)
    return a_case(policy, transaction, answers=answers)


def found(finding: Finding | None) -> Finding:
    assert finding is not None
    return finding


STRANGERS = a_limit("10/1d", count=Count.STRANGERS, name="strangers")
CAMPAIGN = a_limit(
    "50/7d", count=Count.STRANGERS, per=Per.CAMPAIGN, name="campaign", share=60
)


def a_spread(
    *, fits: bool, strangers: int = 50, retry_after_us: int = HOUR_US
) -> Spread:
    return Spread(fits, strangers, 0 if fits else retry_after_us, 60)


class TestBulkToStrangers:
    """Too many who never heard from this customer."""

    def test_a_sender_that_reached_too_many_is_found(self) -> None:
        """The reply says when, and what a newsletter needs."""
        finding = found(bulk_to_strangers.judge(a_bulk_case((STRANGERS, full()))))
        assert finding.action is Action.QUARANTINE
        assert finding.retry_after_us == MINUTE_US
        assert finding.public == (
            "Too many recipients who never had mail from you; try again in 1 minute. "
            "Newsletters need a confirmed opt-in list."
        )
        assert finding.detail == "strangers 10/1d"

    def test_a_mailing_that_reached_too_many_is_found(self) -> None:
        """By its content, whoever had it."""
        case = a_bulk_case(campaign=CAMPAIGN, spread=a_spread(fits=False), unknown=1)
        finding = found(bulk_to_strangers.judge(case))
        assert finding.detail == "campaign 50/1w"
        assert finding.retry_after_us == HOUR_US

    def test_waiting_does_not_help_a_mailing_beyond_the_burst(self) -> None:
        """And the reply does not say that it would."""
        spread = a_spread(fits=False, retry_after_us=NEVER)
        finding = found(
            bulk_to_strangers.judge(a_bulk_case(campaign=CAMPAIGN, spread=spread))
        )
        assert "try again later" in finding.public
        assert finding.retry_after_us == 0

    def test_what_fits_is_not_found(self) -> None:
        """Neither by sender nor by content."""
        case = a_bulk_case(
            (STRANGERS, FITS), campaign=CAMPAIGN, spread=a_spread(fits=True)
        )
        assert bulk_to_strangers.judge(case) is None
        assert bulk_to_strangers.judge(a_bulk_case()) is None

    def test_the_severest_is_reported(self) -> None:
        """And one that is enforced before one that reports."""
        rejecting = a_limit(
            count=Count.STRANGERS, name="rejecting", action=Action.REJECT
        )
        watching = a_limit(
            count=Count.STRANGERS,
            name="watching",
            action=Action.REJECT,
            mode=Mode.MONITOR,
        )
        for limit, name in ((rejecting, "rejecting"), (watching, "campaign")):
            case = a_bulk_case(
                (limit, full()), campaign=CAMPAIGN, spread=a_spread(fits=False)
            )
            assert found(bulk_to_strangers.judge(case)).detail.startswith(name)

    def test_other_limits_are_other_rules_matter(self) -> None:
        """And this one's are not theirs."""
        case = a_bulk_case((a_limit(), full()), recipients=3)
        assert bulk_to_strangers.judge(case) is None
        case = a_bulk_case((STRANGERS, full()), recipients=11)
        assert limit_exceeded.judge(case) is None
        assert message_exceeds_limit.judge(case) is None


class TestBulkToStrangersOfAList:
    """A registered list: those are strangers who have not asked for it."""

    @pytest.mark.parametrize(
        ("used", "unknown", "retry_after_us"),
        [
            (0, 10, None),
            (5, 5, None),
            (5, 6, 24 * HOUR_US // 10),
            (0, 11, 0),
            (10, 1, 24 * HOUR_US // 10),
            (10, 0, None),
        ],
    )
    def test_they_are_compared_with_what_is_left(
        self, used: int, unknown: int, retry_after_us: int | None
    ) -> None:
        """Nothing was charged yet, so the level is what was used before."""
        case = a_bulk_case(
            (STRANGERS, Level(True, used, 0)),
            unknown=unknown,
            recipients=20,
            headers=OF_LIST,
            registered=True,
        )
        finding = bulk_to_strangers.judge(case)
        assert (finding is not None) is (retry_after_us is not None)
        if finding is not None:
            assert finding.retry_after_us == retry_after_us
            assert finding.binding

    def test_readers_make_no_room_for_others(self) -> None:
        """The share of a mailing does not count: a list has subscribers only."""
        case = a_bulk_case(
            campaign=CAMPAIGN,
            spread=Spread(True, 45, 0, 10_000),
            unknown=6,
            headers=OF_LIST,
            registered=True,
        )
        finding = found(bulk_to_strangers.judge(case))
        assert finding.detail == "campaign 50/1w"

    def test_without_a_registration_it_is_mail_like_any_other(self) -> None:
        """Its strangers were charged at once."""
        case = a_bulk_case((STRANGERS, Level(True, 10, 0)), unknown=6, headers=OF_LIST)
        assert bulk_to_strangers.judge(case) is None


class TestCampaignAcrossCustomers:
    """The same content from many customers."""

    def case(
        self, others: Neighbours | None, *, unknown: int = 1, registered: bool = False
    ) -> Case:
        case = a_bulk_case(
            campaign=CAMPAIGN,
            unknown=unknown,
            registered=registered,
            headers=OF_LIST if registered else None,
        )
        case.answers.neighbours = others
        return case

    @pytest.mark.parametrize(
        ("customers", "reached", "unknown", "hit"),
        [
            (4, 39, 1, True),
            (4, 38, 1, False),
            (3, 900, 9, False),
            (31, 900, 0, False),
            (4, 5, 35, True),
        ],
    )
    def test_enough_customers_and_enough_strangers(
        self, customers: int, reached: int, unknown: int, hit: bool
    ) -> None:
        """Five and forty, this message included; and it goes to strangers."""
        case = self.case(Neighbours(customers, reached), unknown=unknown)
        finding = campaign_across_customers.judge(case)
        assert (finding is not None) is hit
        if finding is not None:
            assert finding.action is Action.QUARANTINE
            assert finding.detail == (
                f"{customers + 1} customers, {reached + unknown} strangers"
            )

    def test_the_numbers_are_the_operators(self) -> None:
        """A small installation has fewer customers to lose."""
        policy = a_policy(CAMPAIGN, campaign=CampaignSettings(customers=2, strangers=3))
        answers = Answers(
            now_us=NOW_US, strangers=strangers(1), neighbours=Neighbours(1, 2)
        )
        case = a_case(policy, a_transaction(ANNE), answers=answers)
        finding = found(campaign_across_customers.judge(case))
        assert finding.detail == "2 customers, 3 strangers"

    def test_a_template_of_its_own_is_not_found(self) -> None:
        """Whoever copies it, and however many they are."""
        case = self.case(Neighbours(31, 900, familiar=True), unknown=9)
        assert campaign_across_customers.judge(case) is None

    def test_what_nobody_asked_about_is_not_found(self) -> None:
        """Texts of a few words, and whatever the store does not know."""
        assert campaign_across_customers.judge(self.case(None)) is None

    def test_a_registered_list_may_say_what_others_say(self) -> None:
        """Its readers asked for it."""
        case = self.case(Neighbours(9, 900), registered=True)
        assert campaign_across_customers.judge(case) is None


both_limits = pytest.mark.parametrize(
    ("judge", "count", "words"),
    [
        (
            bulk_by_distinct_recipients.judge,
            Count.DISTINCT_RECIPIENTS,
            "different recipients",
        ),
        (
            bulk_by_distinct_recipients.judge,
            Count.RECIPIENT_DOMAINS,
            "different recipients",
        ),
        (many_sources_per_login.judge, Count.NETWORKS, "networks"),
        (many_sources_per_login.judge, Count.CLIENTS, "networks"),
    ],
)


class TestDifferentOnes:
    """Limits on different recipients, domains, clients, networks."""

    @both_limits
    def test_a_limit_that_is_used_up_is_found(
        self, judge: Callable[[Case], Finding | None], count: Count, words: str
    ) -> None:
        """Its action is the limit's own, and the reply says when."""
        limit = a_limit("5/1d", count=count, name="mine", action=Action.DEFER)
        finding = found(judge(a_bulk_case((limit, full()))))
        assert finding.action is Action.DEFER
        assert finding.binding
        assert finding.detail == "mine 5/1d"
        assert words in finding.public
        assert "try again in 1 minute" in finding.public

    @both_limits
    def test_what_fits_is_not_found(
        self, judge: Callable[[Case], Finding | None], count: Count, words: str
    ) -> None:
        """Nor a limit of another kind."""
        limit = a_limit(count=count)
        assert judge(a_bulk_case((limit, FITS))) is None
        assert judge(a_bulk_case((a_limit(), full()))) is None
        assert judge(a_bulk_case((STRANGERS, full()))) is None

    @both_limits
    def test_it_is_found_once(
        self, judge: Callable[[Case], Finding | None], count: Count, words: str
    ) -> None:
        """No other rule speaks of it, whatever the message costs."""
        limit = a_limit("2/1d", count=count)
        case = a_bulk_case((limit, full(NEVER)), recipients=5)
        assert limit_exceeded.judge(case) is None
        assert message_exceeds_limit.judge(case) is None
        assert bulk_to_strangers.judge(case) is None
        assert found(judge(case)).retry_after_us == 0


class TestUnusualForThisSender:
    """An account that wakes up."""

    @pytest.mark.parametrize(
        ("today", "renewed", "peak", "hit"),
        [
            (FLOOR - 1, 1, 0, False),
            (FLOOR, 1, 0, True),
            (0, FLOOR + 1, 0, True),
            (300, 1, 30, True),
            (299, 1, 30, False),
            (2_000, 0, 300, False),
            (5_000, 0, 300, True),
        ],
    )
    def test_ten_times_the_busiest_day_and_more_than_200(
        self, today: int, renewed: int, peak: int, hit: bool
    ) -> None:
        """A busy day is no theft."""
        case = a_bulk_case()
        case.answers = Answers(now_us=NOW_US, today=today, renewed=renewed, peak=peak)
        finding = unusual_for_this_sender.judge(case)
        assert (finding is not None) is hit
        if finding is not None:
            assert finding.action is Action.TAG
            assert finding.detail == f"{today + renewed} today, {peak} on busy days"

    @pytest.mark.parametrize(
        "registered",
        [{"stream": MailClass.TRANSACTIONAL}, {"subscribed": "news.example.org"}],
        ids=["stream", "list"],
    )
    def test_what_is_registered_is_not_asked(self, registered: dict[str, Any]) -> None:
        """A program has a busy day without anybody's password being stolen."""
        case = a_bulk_case()
        case.answers = Answers(now_us=NOW_US, today=5_000, renewed=1, peak=1)
        assert unusual_for_this_sender.judge(case) is not None
        case.plan = replace(case.plan, **registered)
        assert unusual_for_this_sender.judge(case) is None

    def test_the_constants_are_those_of_the_manual(self) -> None:
        """Its text names them."""
        assert (FACTOR, FLOOR) == (10, 200)


class TestNullSenderAbuse:
    """A null sender, but no bounce and no automatic response."""

    @pytest.mark.parametrize(
        ("headers", "recipients", "hit"),
        [
            pytest.param({}, 1, True, id="a letter"),
            pytest.param({"Auto-Submitted": "auto-replied"}, 1, False, id="a reply"),
            pytest.param({"Auto-Submitted": "auto-replied"}, 2, False, id="to two"),
            pytest.param(
                {"Content-Type": "multipart/report; report-type=delivery-status"},
                1,
                False,
                id="a bounce",
            ),
            pytest.param(
                {"Content-Type": "multipart/report; report-type=delivery-status"},
                30,
                True,
                id="a bounce to thirty",
            ),
            pytest.param(BULK, 1, True, id="bulk"),
        ],
    )
    def test_only_answers_have_a_null_sender(
        self, headers: dict[str, str], recipients: int, hit: bool
    ) -> None:
        """Whoever writes a letter has a name."""
        transaction = a_transaction(
            client=INSIDE, sender="", recipients=recipients, headers=headers
        )
        finding = null_sender_abuse.judge(a_case(a_policy(), transaction))
        assert (finding is not None) is hit
        if finding is not None:
            assert finding.action is Action.TAG
            assert finding.detail == f"{recipients} recipients"

    def test_a_sender_with_a_name_is_not_found(self) -> None:
        """Nor mail that stays inside."""
        assert null_sender_abuse.judge(a_case(a_policy(), a_transaction(ANNE))) is None
        inside = a_transaction(ANNE, sender="", recipients=["bart@local.example"])
        case = a_case(a_policy(local=["local.example"]), inside)
        assert null_sender_abuse.judge(case) is None


class TestDeclaredBulkUnregistered:
    """Mail that calls itself bulk goes to strangers."""

    @pytest.mark.parametrize(
        ("headers", "unknown", "registered", "detail"),
        [
            pytest.param(BULK, 1, False, "no List-Id", id="bulk"),
            pytest.param(OF_LIST, 1, False, LIST_ID, id="an unregistered list"),
            pytest.param(OF_LIST, 1, True, "", id="a registered list"),
            pytest.param(BULK, 0, False, "", id="bulk to known people"),
            pytest.param({}, 9, False, "", id="a letter"),
        ],
    )
    def test_it_needs_a_registered_list(
        self, headers: dict[str, str], unknown: int, registered: bool, detail: str
    ) -> None:
        """Or readers who had mail before."""
        # Something must depend on who the recipients are, or nobody knows a list.
        case = a_bulk_case(
            (STRANGERS, FITS), headers=headers, unknown=unknown, registered=registered
        )
        finding = declared_bulk_unregistered.judge(case)
        assert (finding.detail if finding is not None else "") == detail
        if finding is not None:
            assert finding.action is Action.TAG

    def test_a_registered_stream_is_no_list(self) -> None:
        """Receipts go to strangers, and some call themselves bulk."""
        policy = a_policy(
            STRANGERS,
            customers=[a_customer("shop", ANNE)],
            streams=[
                StreamSettings(
                    name="receipts", customer="shop", sender=("orders@shop.example",)
                )
            ],
        )
        for address, hit in (("orders@shop.example", False), ("x@shop.example", True)):
            answers = Answers(now_us=NOW_US, strangers=strangers(1))
            transaction = a_transaction(ANNE, headers=BULK | {"From": address})
            case = a_case(policy, transaction, answers=answers)
            assert (declared_bulk_unregistered.judge(case) is not None) is hit


@pytest.mark.parametrize(
    ("reason", "judge", "answers", "headers"),
    [
        (
            Reason.CAMPAIGN_ACROSS_CUSTOMERS,
            campaign_across_customers.judge,
            Answers(
                now_us=NOW_US, strangers=strangers(1), neighbours=Neighbours(9, 99)
            ),
            {},
        ),
        (
            Reason.UNUSUAL_FOR_THIS_SENDER,
            unusual_for_this_sender.judge,
            Answers(now_us=NOW_US, today=999),
            {},
        ),
        (
            Reason.NULL_SENDER_ABUSE,
            null_sender_abuse.judge,
            Answers(now_us=NOW_US),
            {},
        ),
        (
            Reason.DECLARED_BULK_UNREGISTERED,
            declared_bulk_unregistered.judge,
            Answers(now_us=NOW_US, strangers=strangers(1)),
            BULK,
        ),
    ],
    ids=lambda value: value.value if isinstance(value, Reason) else "",
)
def test_a_rule_asks_for_what_is_configured(
    reason: Reason,
    judge: Callable[[Case], Finding | None],
    answers: Answers,
    headers: dict[str, str],
) -> None:
    """Its own action is only a default."""
    policy = a_policy(rules={reason: RuleSettings(action=Action.REJECT)})
    transaction = a_transaction(ANNE, sender="", headers=headers)
    finding = found(judge(a_case(policy, transaction, answers=answers)))
    assert (finding.reason, finding.action) == (reason, Action.REJECT)
    assert finding.public.isascii()

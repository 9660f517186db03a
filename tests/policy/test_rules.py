"""The rules, one by one: what each finds, and what it says."""

from collections.abc import Callable

import pytest

from outgate.model.gcra import NEVER, Level
from outgate.model.limit import Count
from outgate.model.transaction import MAX_RECIPIENTS_KEPT
from outgate.model.units import SECOND_US
from outgate.model.verdict import Action, Finding, MailClass, Mode, Reason
from outgate.policy.case import Case
from outgate.policy.list_settings import ListSettings
from outgate.policy.operator import Order
from outgate.policy.order import RULES, Rule
from outgate.policy.questions import Answers, Source
from outgate.policy.rule_settings import RuleSettings
from outgate.policy.rules import (
    limit_exceeded,
    message_exceeds_limit,
    missing_unsubscribe,
    quarantined,
    store_unavailable,
    suspended,
)
from outgate.policy.settings import LimitSettings, StreamSettings
from outgate.policy.snapshot import EMPTY, Snapshot
from policy.builders import (
    ANNE,
    HOUR_US,
    MINUTE_US,
    a_case,
    a_limit,
    a_policy,
    a_transaction,
    an_entry,
)
from policy.ledger import NOW_US

Judge = Callable[[Case], Finding | None]


class TestTable:
    """The order of the rules."""

    def test_it_is_as_the_manual_says(self) -> None:
        """Operators' orders, the store's trouble, limits, what is odd, lists."""
        assert [rule.reason.value for rule in RULES] == [
            "suspended",
            "quarantined",
            "store-unavailable",
            "message-exceeds-limit",
            "consent-withdrawn",
            "list-without-consent",
            "bulk-to-strangers",
            "campaign-across-customers",
            "subscription-bombing",
            "limit-exceeded",
            "bulk-by-distinct-recipients",
            "many-sources-per-login",
            "unusual-for-this-sender",
            "null-sender-abuse",
            "missing-unsubscribe",
            "declared-bulk-unregistered",
            "near-limit",
        ]

    @pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.reason)
    def test_a_rule_finds_nothing_in_plain_mail(self, rule: Rule) -> None:
        """What nobody complains about is accepted."""
        assert rule.summary
        assert rule.judge(a_case(a_policy(shipped=True), a_transaction(ANNE))) is None


both_orders = pytest.mark.parametrize(
    ("judge", "order", "action"),
    [
        (suspended.judge, Order.SUSPEND, Action.REJECT),
        (quarantined.judge, Order.QUARANTINE, Action.QUARANTINE),
    ],
    ids=["suspended", "quarantined"],
)


class TestOrders:
    """Suspended and quarantined: an operator said so."""

    def case(
        self,
        order: Order,
        *values: str,
        copy: Snapshot = EMPTY,
        source: Source = Source.STORE,
    ) -> Case:
        case = a_case(a_policy(), a_transaction(ANNE), copy=copy)
        case.answers = Answers(now_us=NOW_US, source=source)
        found: list[bytes | None] = [value.encode() for value in values]
        if order is Order.SUSPEND:
            case.answers.suspend = found
        else:
            case.answers.quarantine = found
        return case

    @both_orders
    def test_an_order_in_the_store_is_found(
        self, judge: Judge, order: Order, action: Action
    ) -> None:
        """It acts in both modes; the log says which and why."""
        finding = judge(self.case(order, "for=1h by=bart phished"))
        assert finding is not None
        assert finding.action is action
        assert finding.always
        assert finding.detail == "anne@example.com: phished"
        assert "phished" not in finding.public

    @both_orders
    def test_an_order_without_text_names_its_field(
        self, judge: Judge, order: Order, action: Action
    ) -> None:
        """That is all there is to say."""
        finding = judge(self.case(order, ""))
        assert finding is not None
        assert finding.action is action
        assert finding.detail == "anne@example.com"

    @both_orders
    def test_an_order_that_ended_is_not_found(
        self, judge: Judge, order: Order, action: Action
    ) -> None:
        """By the store's clock; another one behind it is."""
        ended = "until=2020-01-01T00:00:00Z"
        assert judge(self.case(order, ended)) is None
        finding = judge(self.case(order, ended, "still"))
        assert finding is not None
        assert finding.action is action
        assert finding.detail.endswith(": still")

    @both_orders
    def test_a_stale_copy_does_not_overrule_the_store(
        self, judge: Judge, order: Order, action: Action
    ) -> None:
        """Somebody typed HDEL, and the copy is a second old."""
        del action
        copy = Snapshot.build([an_entry(order, ANNE)])
        assert judge(self.case(order, copy=copy)) is None

    @both_orders
    @pytest.mark.parametrize("source", [Source.LOCAL, Source.ACCEPT, Source.DEFER])
    def test_the_copy_stands_in_for_the_store(
        self, judge: Judge, order: Order, action: Action, source: Source
    ) -> None:
        """The last known orders go on protecting."""
        copy = Snapshot.build([an_entry(order, ANNE)])
        finding = judge(self.case(order, copy=copy, source=source))
        assert finding is not None
        assert finding.action is action

    @both_orders
    def test_another_spelling_is_found_in_the_copy(
        self, judge: Judge, order: Order, action: Action
    ) -> None:
        """Also while the store answers: it was not asked for that."""
        copy = Snapshot.build([an_entry(order, "Anne@EXAMPLE.com", "why")])
        finding = judge(self.case(order, copy=copy))
        assert finding is not None
        assert finding.action is action
        assert finding.detail == "Anne@EXAMPLE.com: why"

    @both_orders
    def test_an_odd_order_that_ended_is_not_found(
        self, judge: Judge, order: Order, action: Action
    ) -> None:
        """The keeper removes it in its next round."""
        del action
        odd = an_entry(order, "Anne@EXAMPLE.com", "until=2020-01-01T00:00:00Z")
        assert judge(self.case(order, copy=Snapshot.build([odd]))) is None


class TestStoreUnavailable:
    """Nobody could answer, and the operator wants mail to wait."""

    @pytest.mark.parametrize("source", Source)
    def test_it_is_found_where_mail_shall_wait(self, source: Source) -> None:
        """Degraded and accept let it go on."""
        case = a_case(a_policy(), a_transaction(ANNE))
        case.answers = Answers(now_us=NOW_US, source=source, trouble="timeout")
        finding = store_unavailable.judge(case)
        assert (finding is not None) is (source is Source.DEFER)
        if finding is not None:
            assert finding.action is Action.DEFER
            assert finding.detail == "timeout"


def a_limited_case(
    *charges: tuple[LimitSettings, Level],
    recipients: int = 1,
    rules: dict[Reason, RuleSettings] | None = None,
) -> Case:
    return a_case(
        a_policy(*(limit for limit, _ in charges), rules=rules),
        a_transaction(ANNE, recipients=recipients),
        answers=Answers(now_us=NOW_US, levels=[level for _, level in charges]),
    )


FITS = Level(True, 1, 0)
TOO_LARGE = Level(False, 0, NEVER)


def full(retry_after_us: int = MINUTE_US) -> Level:
    return Level(False, 10, retry_after_us)


class TestLimitExceeded:
    """A limit is used up."""

    def test_it_says_which_limit_and_when_to_try_again(self) -> None:
        """The reply names the rate that is in force."""
        limit = a_limit("10/1h", name="mine", action=Action.DEFER)
        finding = limit_exceeded.judge(a_limited_case((limit, full())))
        assert finding is not None
        assert finding.action is Action.DEFER
        assert finding.retry_after_us == MINUTE_US
        assert finding.public == (
            "The sending limit of 10/1h recipients is used up; try again in 1 minute."
        )
        assert finding.detail == "mine 10/1h"

    @pytest.mark.parametrize(
        ("retry_after_us", "words"),
        [
            (1, "in 1 second"),
            (SECOND_US, "in 1 second"),
            (SECOND_US + 1, "in 2 seconds"),
            (59 * SECOND_US, "in 59 seconds"),
            (MINUTE_US, "in 1 minute"),
            (MINUTE_US + 1, "in 2 minutes"),
            (HOUR_US, "in 1 hour"),
            (HOUR_US + 1, "in 2 hours"),
            (NEVER, "later"),
        ],
    )
    def test_waiting_is_rounded_up(self, retry_after_us: int, words: str) -> None:
        """Who tries too early would be refused again."""
        finding = limit_exceeded.judge(
            a_limited_case((a_limit(), full(retry_after_us)))
        )
        assert finding is not None
        assert finding.public.endswith(f"try again {words}.")
        assert finding.retry_after_us == max(0, retry_after_us)

    @pytest.mark.parametrize(
        ("one", "other", "found"),
        [
            pytest.param(
                (a_limit(name="one"), FITS),
                (a_limit(name="other"), full()),
                "other",
                id="what fits is not found",
            ),
            pytest.param(
                (a_limit(name="one", action=Action.DEFER), full(HOUR_US)),
                (a_limit(name="other", action=Action.REJECT), full()),
                "other",
                id="the severest",
            ),
            pytest.param(
                (a_limit(name="one"), full(HOUR_US)),
                (a_limit(name="other"), full()),
                "one",
                id="among equals the slowest",
            ),
            pytest.param(
                (a_limit(name="one", action=Action.REJECT, mode=Mode.MONITOR), full()),
                (a_limit(name="other", action=Action.TAG), full()),
                "other",
                id="an enforced one before one that reports",
            ),
        ],
    )
    def test_of_several_one_is_reported(
        self,
        one: tuple[LimitSettings, Level],
        other: tuple[LimitSettings, Level],
        found: str,
    ) -> None:
        """The one that decides."""
        finding = limit_exceeded.judge(a_limited_case(one, other))
        assert finding is not None
        assert finding.detail.split()[0] == found

    @pytest.mark.parametrize("action", [Action.TAG, Action.QUARANTINE])
    def test_it_binds_where_the_limit_is_enforced(self, action: Action) -> None:
        """One that tags acts too, although it refuses nothing."""
        for mode in Mode:
            limit = a_limit(action=action, mode=mode)
            finding = limit_exceeded.judge(a_limited_case((limit, full())))
            assert finding is not None
            assert finding.binding is (mode is Mode.ENFORCE)

    def test_what_never_fits_is_the_other_rules_finding(self) -> None:
        """Waiting would not help."""
        case = a_limited_case((a_limit(), TOO_LARGE), recipients=11)
        assert limit_exceeded.judge(case) is None

    def test_what_is_above_this_hosts_share_may_wait(self) -> None:
        """While the store is away a host grants only its part of a limit."""
        case = a_limited_case((a_limit(), TOO_LARGE), recipients=10)
        finding = limit_exceeded.judge(case)
        assert finding is not None
        assert message_exceeds_limit.judge(case) is None

    def test_without_levels_nothing_is_known(self) -> None:
        """Nobody answered."""
        case = a_case(a_policy(a_limit()), a_transaction(ANNE))
        case.answers = Answers(now_us=NOW_US, source=Source.ACCEPT)
        assert limit_exceeded.judge(case) is None


class TestMessageExceedsLimit:
    """One message costs more than a whole limit."""

    def test_it_is_refused_for_good(self) -> None:
        """Even on an empty counter, and the reply says what to do."""
        case = a_limited_case((a_limit(name="mine"), TOO_LARGE), recipients=11)
        finding = message_exceeds_limit.judge(case)
        assert finding is not None
        assert finding.action is Action.REJECT
        assert finding.public == (
            "One message to 11 recipients is over the limit of 10. "
            "Please use a mailing list."
        )
        assert finding.detail == "mine:11/10"

    def test_a_message_as_large_as_the_limit_is_not_found(self) -> None:
        """It fits into an empty counter."""
        case = a_limited_case((a_limit(), FITS), recipients=10)
        assert message_exceeds_limit.judge(case) is None

    def test_an_enforced_limit_is_found_behind_one_that_reports(self) -> None:
        """Or a limit on trial would let pass what another one refuses."""
        trial = a_limit("5/1h", name="trial", mode=Mode.MONITOR)
        finding = message_exceeds_limit.judge(
            a_limited_case(
                (trial, TOO_LARGE), (a_limit(name="mine"), TOO_LARGE), recipients=11
            )
        )
        assert finding is not None
        assert finding.binding
        assert finding.detail == "mine:11/10"

    def test_a_limit_that_reports_only_reports(self) -> None:
        """The message goes out, and the log says what would have been."""
        trial = a_limit("5/1h", mode=Mode.MONITOR)
        case = a_limited_case((trial, TOO_LARGE), recipients=11)
        finding = message_exceeds_limit.judge(case)
        assert finding is not None
        assert not finding.binding

    @pytest.mark.parametrize("action", [Action.REJECT, Action.QUARANTINE])
    @pytest.mark.parametrize("listed", [False, True])
    def test_who_is_not_looked_at_does_not_pass(
        self, action: Action, *, listed: bool
    ) -> None:
        """Whatever the limits are, and whoever asked for the list."""
        lists = [ListSettings(id="news.choir", customer=ANNE)] if listed else []
        rules = {Reason.MESSAGE_EXCEEDS_LIMIT: RuleSettings(action=action)}
        transaction = a_transaction(ANNE, headers={"List-Id": "<news.choir>"})
        transaction.recipient_count = MAX_RECIPIENTS_KEPT + 1
        case = a_case(a_policy(lists=lists, rules=rules), transaction)
        finding = message_exceeds_limit.judge(case)
        assert finding is not None
        assert (finding.action, finding.binding) == (action, True)
        assert finding.public == (
            "One message may have 5000 recipients. "
            "Please send it in parts of at most so many."
        )
        assert finding.detail == "recipients:5001/5000"


class TestMissingUnsubscribe:
    """Mail that declares itself bulk, and gives nobody a way out."""

    USABLE = "<https://example.org/leave?t=Zm9v>, <mailto:leave@example.org>"

    @pytest.mark.parametrize(
        ("headers", "hit"),
        [
            pytest.param({}, False, id="personal mail"),
            pytest.param({"Precedence": "bulk"}, True, id="bulk without anything"),
            pytest.param({"List-Id": "<news.example.org>"}, True, id="a list without"),
            pytest.param(
                {"List-Id": "<news.example.org>", "List-Unsubscribe": USABLE},
                False,
                id="a list with it",
            ),
            pytest.param(
                {"Precedence": "bulk", "List-Unsubscribe": "write to us"},
                True,
                id="one that nobody can use",
            ),
        ],
    )
    def test_declared_bulk_needs_a_way_out(
        self, headers: dict[str, str], hit: bool
    ) -> None:
        """One that a recipient could use (RFC 2369, RFC 8058)."""
        case = a_case(a_policy(), a_transaction(ANNE, headers=headers))
        finding = missing_unsubscribe.judge(case)
        assert (finding is not None) is hit
        if finding is not None:
            assert finding.action is Action.TAG
            assert finding.detail

    @pytest.mark.parametrize("kind", ["transactional", "confirmation"])
    def test_a_registered_stream_needs_none(self, kind: str) -> None:
        """It answers somebody; other mail of its customer needs one."""
        stream = StreamSettings(
            name="mail", customer=ANNE, sender=("join@example.com",), kind=kind
        )
        policy = a_policy(streams=[stream])
        for author, hit in (("join@example.com", False), (ANNE, True)):
            headers = {"From": author, "Precedence": "bulk"}
            case = a_case(policy, a_transaction(ANNE, headers=headers))
            assert (missing_unsubscribe.judge(case) is not None) is hit

    def test_a_request_that_only_its_headers_tell_needs_one(self) -> None:
        """Its sender chooses them."""
        headers = {
            "From": f"news-confirm+{'0f' * 20}@lists.example.org",
            "Precedence": "bulk",
        }
        case = a_case(a_policy(), a_transaction(ANNE, headers=headers))
        assert case.facts.mail_class is MailClass.CONFIRMATION
        assert missing_unsubscribe.judge(case) is not None

    def test_mail_that_stays_inside_is_nobodys_business(self) -> None:
        """Bulk and list rules are for mail that leaves."""
        transaction = a_transaction(
            ANNE, recipients=["bart@local.example"], headers={"Precedence": "bulk"}
        )
        case = a_case(a_policy(local=["local.example"]), transaction)
        assert missing_unsubscribe.judge(case) is None


@pytest.mark.parametrize(
    ("reason", "judge", "case"),
    [
        (
            Reason.MESSAGE_EXCEEDS_LIMIT,
            message_exceeds_limit.judge,
            lambda rules: a_limited_case(
                (a_limit(), TOO_LARGE), recipients=11, rules=rules
            ),
        ),
        (
            Reason.MISSING_UNSUBSCRIBE,
            missing_unsubscribe.judge,
            lambda rules: a_case(
                a_policy(rules=rules),
                a_transaction(ANNE, headers={"Precedence": "bulk"}),
            ),
        ),
    ],
    ids=["message-exceeds-limit", "missing-unsubscribe"],
)
def test_a_rule_asks_for_what_is_configured(
    reason: Reason,
    judge: Judge,
    case: Callable[[dict[Reason, RuleSettings]], Case],
) -> None:
    """Its own action is only a default."""
    finding = judge(case({reason: RuleSettings(action=Action.QUARANTINE)}))
    assert finding is not None
    assert finding.action is Action.QUARANTINE


def test_a_limit_on_messages_says_messages() -> None:
    """The count word stands in the reply."""
    limit = a_limit("3/1h", count=Count.MESSAGES)
    finding = limit_exceeded.judge(a_limited_case((limit, full())))
    assert finding is not None
    assert "3/1h messages" in finding.public

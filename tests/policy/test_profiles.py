"""Profiles: whose limits they are, by settings and by order, and how conduct moves them."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from outgate.model.limit import Count, Per
from outgate.model.standing import Conduct, Growth
from outgate.model.units import Rate
from outgate.model.verdict import Action, Mode, Reason
from outgate.policy.compiled import merge_limits
from outgate.policy.operator import Order
from outgate.policy.questions import Neighbours, Plan
from outgate.policy.rule_settings import RuleSettings
from outgate.policy.settings import CustomerSettings, ProfileSettings, StreamSettings
from outgate.policy.shipped_profiles import (
    NORMAL,
    SHIPPED_PROFILES,
    kept_limits,
    merge_profiles,
)
from outgate.policy.snapshot import EMPTY, Snapshot
from policy.builders import (
    ANNE,
    Outpost,
    a_case,
    a_customer,
    a_limit,
    a_policy,
    a_transaction,
    an_entry,
)
from policy.ledger import NOW_US

A, T, D, Q, R = Action

DAY_US = 86_400_000_000
PER_LOGIN = "strangers-per-login"
PER_CUSTOMER = "strangers-per-customer"
LIMITS = (
    a_limit("20/1d", count=Count.STRANGERS),
    a_limit("40/1d", count=Count.STRANGERS, per=Per.CUSTOMER),
    a_limit("1000/1h", count=Count.MESSAGES),
)
CHOIR = a_customer("choir", ANNE)


def a_profile(name: str, *, strangers: str = "", **settings: Any) -> ProfileSettings:
    limits = {"strangers": Rate.parse(strangers)} if strangers else {}
    return ProfileSettings(name=name, limits=limits, **settings)


def plan_of(
    *orders: tuple[str, str],
    profiles: Iterable[ProfileSettings] = (),
    customers: Iterable[CustomerSettings] = (CHOIR,),
    allow: str | None = None,
    **settings: Any,
) -> Plan:
    entries = [an_entry(Order.LIMIT, name, value) for name, value in orders]
    if allow is not None:
        entries.append(an_entry(Order.ALLOW, ANNE, allow))
    policy = a_policy(*LIMITS, profiles=profiles, customers=customers, **settings)
    copy = Snapshot.build(entries) if entries else EMPTY
    return a_case(policy, a_transaction(ANNE), copy=copy).plan


def rates(plan: Plan) -> dict[str, str]:
    return {charge.limit.name: str(charge.rate) for charge in plan.charges}


class TestShipped:
    """What there is before anybody wrote a line."""

    def test_their_limits_exist(self) -> None:
        """Nothing would tell that a name is wrong."""
        known = {limit.name for limit in merge_limits(())}
        for profile in SHIPPED_PROFILES:
            assert profile.limits.keys() <= known

    def test_normal_changes_nothing(self) -> None:
        """It is everybody's, also without a `[[customer]]`, and conduct moves nothing."""
        for customers in ((), (CHOIR,)):
            plan = plan_of(customers=customers)
            assert rates(plan) == {
                PER_LOGIN: "20/1d",
                PER_CUSTOMER: "40/1d",
                "messages-per-login": "1000/1h",
            }
            assert (plan.profile, plan.conduct) == (NORMAL, None)
            assert not any(charge.earned for charge in plan.charges)

    @pytest.mark.parametrize(
        ("name", "lower"), [("probation", True), ("trusted", False)]
    )
    def test_a_customer_has_less_or_more(self, name: str, lower: bool) -> None:
        """Of each limit that the profile names."""
        own = {limit.name: limit.rate for limit in merge_limits(())}
        profile = merge_profiles(())[name]
        assert profile.limits
        for limit, rate in profile.limits.items():
            assert rate.period == own[limit].period
            assert (rate.count < own[limit].count) is lower

    def test_each_limits_the_strangers_of_a_customer(self) -> None:
        """However many logins, addresses or certificates it has."""
        name = "strangers-per-customer-daily"
        (own,) = [limit for limit in merge_limits(()) if limit.name == name]
        rates = {one.name: one.limits.get(name) for one in SHIPPED_PROFILES}
        assert (str(own.rate), own.action) == ("2000/1d", Q)
        assert {profile: str(rate) for profile, rate in rates.items() if rate} == {
            "probation": "200/1d",
            "trusted": "8000/1d",
        }

    def test_a_list_hosts_strangers_are_normal(self) -> None:
        """Who asked for a list is none of them."""
        limits = merge_profiles(())["list-host"].limits
        assert not [name for name in limits if name.startswith("strangers")]

    def test_a_configured_one_of_the_name_is_in_force(self) -> None:
        """And a new name is one more."""
        merged = merge_profiles((a_profile("probation"), a_profile("shop")))
        assert merged["probation"] == a_profile("probation")
        assert list(merged) == ["normal", "probation", "trusted", "list-host", "shop"]

    def test_what_is_not_given_is_kept(self) -> None:
        """A rate replaces its own, a count word all of its count."""
        kept = kept_limits(
            "probation", {"strangers": "5/1d", "messages-per-login-hourly": 1}
        )
        assert sorted(kept) == [
            "messages-per-client-hourly",
            "messages-per-local-user-hourly",
            "recipients-per-customer-daily",
        ]
        assert kept_limits("shop", {}) == {}

    def test_a_new_customers_first_friends_pass(self) -> None:
        """Fifteen of them, and not the sixteenth stranger of one content."""
        customers = [a_customer("choir", ANNE, profile="probation")]
        post = Outpost(a_policy(shipped=True, customers=customers))
        actions = post.actions(
            a_transaction(ANNE, recipients=[f"bart{number}@example.net"])
            for number in range(20)
        )
        assert actions == [A] * 11 + [T] * 4 + [Q] * 5


class TestOrder:
    """`profile=` in the hash `limit`."""

    PROFILES = (
        a_profile("small", strangers="5/1d"),
        a_profile("large", strangers="90/1d"),
    )

    def rates(self, *orders: tuple[str, str], profile: str = "small") -> list[str]:
        """Per login, per customer."""
        found = rates(
            plan_of(
                *orders,
                profiles=self.PROFILES,
                customers=[a_customer("choir", ANNE, profile=profile)],
            )
        )
        return [found[PER_LOGIN], found[PER_CUSTOMER]]

    def test_it_stands_in_place_of_the_customers(self) -> None:
        """Whatever the customer is called."""
        assert self.rates() == ["5/1d", "5/1d"]
        for name in ("choir", "Choir"):
            assert self.rates((name, "profile=large")) == ["90/1d", "90/1d"]

    def test_normal_ends_what_was_configured(self) -> None:
        """The limits' own rates are back."""
        assert self.rates(("choir", "profile=normal")) == ["20/1d", "40/1d"]

    @pytest.mark.parametrize("name", [ANNE, "example.com"])
    def test_one_for_a_login_leaves_what_the_customer_shares(self, name: str) -> None:
        """Also where the customer has another order."""
        assert self.rates((name, "profile=large")) == ["90/1d", "5/1d"]
        orders = ((name, "profile=large"), ("choir", "profile=normal"))
        assert self.rates(*orders) == ["90/1d", "40/1d"]

    @pytest.mark.parametrize("holder", [ANNE, "choir"])
    def test_a_rate_wins(self, holder: str) -> None:
        """In the same order, or in a less telling one."""
        value = f"profile=large {PER_LOGIN}=7/1d"
        assert self.rates((holder, value))[0] == "7/1d"
        orders = ((ANNE, "profile=large"), (holder, f"{PER_LOGIN}=7/1d"))
        assert self.rates(*orders)[0] == "7/1d"

    def test_one_that_does_not_exist_changes_nothing(self) -> None:
        """Its rates hold all the same, and so does the next order's profile."""
        assert self.rates(("choir", "profile=larg")) == ["5/1d", "5/1d"]
        value = f"profile=larg {PER_CUSTOMER}=7/1d"
        assert self.rates(("choir", value)) == ["5/1d", "7/1d"]
        orders = ((ANNE, "profile=larg"), ("example.com", "profile=large"))
        assert self.rates(*orders) == ["90/1d", "5/1d"]

    def test_one_that_ended_changes_nothing(self) -> None:
        """By this machine's clock."""
        value = "until=2020-01-01T00:00:00Z profile=large"
        assert self.rates(("choir", value)) == ["5/1d", "5/1d"]

    def test_the_plan_names_it(self) -> None:
        """For `outgate check`: the customer's, or an order's for it."""
        orders = (("choir", "profile=large"),)
        assert plan_of(*orders, profiles=self.PROFILES).profile == "large"


GROWTH = Growth(20, 300, 10 * DAY_US)
MOVING = a_profile(NORMAL, start=20, most=300, warm_up=timedelta(days=10))


class TestConduct:
    """What is asked about conduct."""

    def test_limits_on_strangers_follow(self) -> None:
        """Plain ones only bound a machine."""
        plan = plan_of(profiles=[MOVING])
        assert plan.conduct == Conduct(GROWTH)
        assert {one.limit.name: one.earned for one in plan.charges} == {
            PER_LOGIN: True,
            PER_CUSTOMER: True,
            "messages-per-login": False,
        }

    def test_a_campaigns_limit_follows(self) -> None:
        """By name or by content: it tells bulk mail."""
        plan = plan_of(profiles=[MOVING], shipped=True)
        assert plan.campaign is not None
        assert plan.campaign.earned

    def test_what_an_operator_ordered_stands(self) -> None:
        """A rate was meant as it was typed."""
        plan = plan_of((ANNE, "strangers=7/1d"), profiles=[MOVING])
        assert {one.limit.name: one.earned for one in plan.charges} == {
            PER_LOGIN: False,
            PER_CUSTOMER: True,
            "messages-per-login": False,
        }

    def test_a_stream_stands(self) -> None:
        """The operator registered it with its rate."""
        stream = StreamSettings(name="shop", customer="choir", sender=("example.com",))
        policy = a_policy(
            *LIMITS, profiles=[MOVING], customers=[CHOIR], streams=[stream]
        )
        transaction = a_transaction(ANNE, headers={"From": ANNE})
        plan = a_case(policy, transaction).plan
        assert plan.stream
        assert [charge.earned for charge in plan.charges] == [False, False]

    def test_the_customers_profile_bounds_it(self) -> None:
        """An order for one login has no say in what the customer shares."""
        assert plan_of((ANNE, "profile=trusted"), profiles=[MOVING]).conduct is not None
        assert plan_of(("choir", "profile=trusted"), profiles=[MOVING]).conduct is None

    @pytest.mark.parametrize(
        ("since", "expected"),
        [
            (None, 0),
            (datetime(2025, 1, 1, tzinfo=UTC), 1_735_689_600_000_000),
            (datetime(1960, 1, 1, tzinfo=UTC), 1),
        ],
    )
    def test_since_when_the_operator_knows_it(
        self, since: datetime | None, expected: int
    ) -> None:
        """Longer than computers count is long enough."""
        customer = CustomerSettings(name="choir", match=(ANNE,), since=since)
        conduct = plan_of(profiles=[MOVING], customers=[customer]).conduct
        assert conduct is not None
        assert conduct.since_us == expected

    @pytest.mark.parametrize(
        ("value", "noted"),
        [
            ("", False),
            ("rules=bulk-to-strangers", False),
            ("rules=missing-unsubscribe", True),
            ("until=2020-01-01T00:00:00Z", True),
        ],
    )
    def test_whom_an_operator_frees_from_limits_they_do_not_stop(
        self, value: str, noted: bool
    ) -> None:
        """Nothing is counted against him meanwhile."""
        conduct = plan_of(profiles=[MOVING], allow=value).conduct
        assert conduct is not None
        assert conduct.noted is noted


def post_of(*profiles: ProfileSettings, **settings: Any) -> Outpost:
    return Outpost(a_policy(*LIMITS, profiles=profiles or (MOVING,), **settings))


def some_strangers(count: int, first: int = 0, **words: Any) -> Any:
    people = [f"bart{number}@example.net" for number in range(first, first + count)]
    return a_transaction(ANNE, recipients=people, **words)


class TestStanding:
    """How a customer fares."""

    def test_it_begins_low_and_grows(self) -> None:
        """Four of twenty at first, all after ten days, sixty after twenty."""
        post = post_of()
        first = 0
        for days, room in ((0, 4), (5, 12), (10, 20), (20, 60)):
            post.clock.now_us = NOW_US + days * DAY_US
            assert post.judge(some_strangers(room, first)).disposition.action is A
            first += room

    def test_what_was_stopped_takes_it_back(self) -> None:
        """The limit in force is named to the operator and to the sender."""
        post = post_of(
            ProfileSettings(name=NORMAL, start=20, warm_up=timedelta(days=10)),
        )
        post.judge(some_strangers(1))
        post.clock.now_us += 30 * DAY_US
        held = post.judge(some_strangers(21, 100))
        (finding,) = held.verdict.findings
        assert finding.detail == f"{PER_LOGIN} 20/1d"
        again = post.judge(some_strangers(5, 200))
        assert again.disposition.action is Q
        (finding,) = again.verdict.findings
        assert finding.detail == f"{PER_LOGIN} 4/1d, 20% of 20/1d"
        assert "of whom you may reach 4/1d now" in finding.public

    def test_monitor_mode_counts_what_enforce_would_have_stopped(self) -> None:
        """So that its report is true."""
        post = post_of(mode=Mode.MONITOR)
        post.clock.now_us += DAY_US
        decision = post.judge(some_strangers(9))
        assert decision.disposition.action is A
        assert post.store.records[ANNE].stopped_us == post.clock.now_us

    def test_another_rule_counts(self) -> None:
        """A hijacked account is no good conduct."""
        post = post_of()
        post.store.neighbours = Neighbours(9, 99)
        held = post.judge(some_strangers(1))
        assert held.verdict.reasons == (Reason.CAMPAIGN_ACROSS_CUSTOMERS,)
        assert post.store.records[ANNE].stopped_us == NOW_US

    @pytest.mark.parametrize("rule", [{"mode": Mode.MONITOR}, {"action": T}])
    def test_a_rule_that_lets_out_does_not(self, rule: dict[str, Any]) -> None:
        """It stopped nothing."""
        reason = Reason.CAMPAIGN_ACROSS_CUSTOMERS
        post = post_of(rules={reason: RuleSettings(**rule)})
        post.store.neighbours = Neighbours(9, 99)
        assert post.judge(some_strangers(1)).disposition.action.lets_out
        assert post.store.records[ANNE].stopped_us == 0

    @pytest.mark.parametrize("order", [Order.QUARANTINE, Order.SUSPEND])
    def test_an_operators_order_does_not(self, order: Order) -> None:
        """It says nothing about conduct."""
        post = post_of()
        post.order(order, ANNE)
        assert not post.judge(some_strangers(1)).disposition.action.lets_out
        assert post.store.settled
        assert post.store.records[ANNE].stopped_us == 0

    def test_raised_bounds_stop_nothing_more(self) -> None:
        """On the next message, with what was used."""
        post = post_of()
        post.judge(some_strangers(4))
        assert post.judge(some_strangers(1, 50)).disposition.action is Q
        post.reload(a_policy(*LIMITS))
        assert post.judge(some_strangers(1, 50)).disposition.action is A

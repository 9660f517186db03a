"""Settings made ready for the hot path."""

from datetime import timedelta
from ipaddress import ip_network

import attrs
import pytest

from outgate.model.client import parse_client
from outgate.model.limit import Count, Per
from outgate.model.units import Rate
from outgate.model.verdict import Action, Mode, Reason
from outgate.policy.compiled import Policy, Profile, merge_limits, within
from outgate.policy.declared import setting, table
from outgate.policy.rule_settings import (
    RuleSettings,
    RulesSettings,
    allowed_actions,
    rule_field,
)
from outgate.policy.settings import (
    CustomerSettings,
    LimitSettings,
    PolicySettings,
    ProfileSettings,
    QuarantineSettings,
)
from outgate.policy.shipped import SHIPPED_LIMITS
from policy.builders import HOUR_US, a_limit, a_policy


class TestShipped:
    """What holds before anybody wrote a line of configuration."""

    def test_monitor_is_the_mode(self) -> None:
        """Nothing is stopped before an operator says so."""
        assert Policy.build(PolicySettings()).mode is Mode.MONITOR

    @pytest.mark.parametrize(
        ("count", "actions"),
        [
            (
                Count.STRANGERS,
                {
                    Per.CAMPAIGN: Action.QUARANTINE,
                    Per.CUSTOMER: Action.QUARANTINE,
                    Per.LOGIN: Action.QUARANTINE,
                    Per.LOCAL_USER: Action.QUARANTINE,
                    Per.CLIENT: Action.QUARANTINE,
                },
            ),
            (
                Count.MESSAGES,
                {
                    Per.LOGIN: Action.QUARANTINE,
                    Per.LOCAL_USER: Action.QUARANTINE,
                    Per.CLIENT: Action.DEFER,
                    Per.FORWARDER: Action.DEFER,
                },
            ),
            (
                Count.RECIPIENTS,
                {
                    Per.LIST: Action.QUARANTINE,
                    Per.CUSTOMER: Action.QUARANTINE,
                    Per.FORWARDER: Action.DEFER,
                },
            ),
            (Count.NETWORKS, {Per.LOGIN: Action.TAG}),
        ],
    )
    def test_every_kind_of_sender_has_a_limit(
        self, count: Count, actions: dict[Per, Action]
    ) -> None:
        """On strangers, and on what a machine that runs wild can do."""
        shipped = [limit for limit in SHIPPED_LIMITS if limit.count is count]
        assert {limit.per: limit.action for limit in shipped} == actions

    def test_no_other_count_is_shipped(self) -> None:
        """The table above is complete."""
        assert {limit.count for limit in SHIPPED_LIMITS} == {
            Count.STRANGERS,
            Count.MESSAGES,
            Count.RECIPIENTS,
            Count.INTERNAL_RECIPIENTS,
            Count.NETWORKS,
        }

    def test_names_are_unique(self) -> None:
        """They stand in the keys of counters."""
        names = [limit.name for limit in SHIPPED_LIMITS]
        assert len(set(names)) == len(names)


class TestLimits:
    """Shipped limits, changed and extended by configured ones."""

    def test_a_new_name_adds_a_limit(self) -> None:
        """Any number of them, several windows for one thing."""
        merged = merge_limits(
            (a_limit("5/1m", name="mine"), a_limit("9/1d", name="my"))
        )
        assert [limit.name for limit in merged[-2:]] == ["mine", "my"]
        assert len(merged) == len(SHIPPED_LIMITS) + 2

    def test_a_shipped_name_changes_the_shipped_limit(self) -> None:
        """Whole: what is not said is the default."""
        name = SHIPPED_LIMITS[0].name
        merged = {limit.name: limit for limit in merge_limits((a_limit(name=name),))}
        assert len(merged) == len(SHIPPED_LIMITS)
        assert str(merged[name].rate) == "10/1h"

    def test_off_removes_a_limit(self) -> None:
        """Nothing is looked up for it."""
        shipped = SHIPPED_LIMITS[0]
        off = LimitSettings(
            name=shipped.name, per=shipped.per, count=shipped.count, rate=None
        )
        assert shipped.name not in {limit.name for limit in merge_limits((off,))}

    @pytest.mark.parametrize(("burst", "expected"), [(None, 10), (3, 3), (30, 30)])
    def test_the_burst_is_the_rates_count_unless_it_is_said(
        self, burst: int | None, expected: int
    ) -> None:
        """At most twice the count in the first period."""
        assert merge_limits((a_limit(burst=burst),))[-1].burst == expected

    def test_an_override_may_name_each_limit(self) -> None:
        """And no other."""
        assert a_policy(a_limit(name="mine")).limit_names() == {"mine"}
        assert a_policy(shipped=True).limit_names() == {
            limit.name for limit in SHIPPED_LIMITS
        }

    def test_what_a_content_may_reach_is_no_counter(self) -> None:
        """It is asked of the table of contents, and only where it is limited."""
        policy = a_policy(shipped=True)
        assert policy.campaign is not None
        assert policy.campaign.limit.name == "strangers-per-campaign"
        assert policy.campaign not in policy.limits
        assert a_policy().campaign is None

    @pytest.mark.parametrize("count", Count)
    def test_recipients_are_told_apart_only_where_something_depends_on_it(
        self, count: Count
    ) -> None:
        """Whoever limits plain numbers alone does not pay for more."""
        people = {Count.STRANGERS, Count.DISTINCT_RECIPIENTS, Count.RECIPIENT_DOMAINS}
        policy = a_policy(a_limit(count=count))
        assert policy.knows_people is (count in people)
        assert a_policy(shipped=True).knows_people


class TestRules:
    """What each rule does under a configuration."""

    @pytest.mark.parametrize("reason", Reason)
    def test_every_reason_has_a_rule_with_an_action_of_its_own(
        self, reason: Reason
    ) -> None:
        """The first that it is allowed to have, enforced, with our own words."""
        rule = a_policy().rules[reason]
        assert rule.action is allowed_actions(reason)[0]
        assert rule.mode is Mode.ENFORCE
        assert not rule.reply

    def test_a_configured_rule_does_as_it_is_told(self) -> None:
        """Action, mode and reply."""
        settings = RuleSettings(
            action=Action.REJECT, mode=Mode.MONITOR, reply="Write to us."
        )
        rule = a_policy(rules={Reason.MISSING_UNSUBSCRIBE: settings}).rules[
            Reason.MISSING_UNSUBSCRIBE
        ]
        assert (rule.action, rule.mode, rule.reply) == (
            Action.REJECT,
            Mode.MONITOR,
            "Write to us.",
        )

    def test_every_reason_has_its_table_in_the_configuration(self) -> None:
        """One word for rule, reason, label and table."""
        names = {rule_field(reason).name for reason in Reason}
        assert names == set(attrs.fields_dict(RulesSettings))


class TestPolicy:
    """The rest of it."""

    def test_names_are_canonical(self) -> None:
        """Domains and aliases as recipients are compared."""
        policy = a_policy(
            local=["Bücher.example"],
            relay=["Example.NET."],
            aliases={"All@Bücher.example": 12},
        )
        assert policy.internal_domains == {"xn--bcher-kva.example", "example.net"}
        assert policy.aliases == {"all@xn--bcher-kva.example": 12}

    def test_profiles_are_found_by_name(self) -> None:
        """Of a customer that names one."""
        limits = {"recipients": Rate.parse("1/h")}
        policy = a_policy(profiles=[ProfileSettings(name="small", limits=limits)])
        assert policy.profiles["small"] == Profile("small", limits)

    def test_mail_is_held_as_long_as_configured(self) -> None:
        """In microseconds, as the store counts time."""
        quarantine = QuarantineSettings(keep=timedelta(hours=2))
        assert a_policy(quarantine=quarantine).keep_us == 2 * HOUR_US

    @pytest.mark.parametrize(
        ("address", "inside"),
        [("192.0.2.7", True), ("192.0.3.7", False), ("2001:db8::1", False)],
    )
    def test_a_client_is_within_a_network_or_not(
        self, address: str, inside: bool
    ) -> None:
        """An IPv6 client is in no IPv4 network."""
        client = parse_client(address)
        assert client is not None
        assert within(client, (ip_network("192.0.2.0/24"),)) is inside
        assert not within(client, ())


class TestDeclarations:
    """How settings are declared."""

    @pytest.mark.parametrize("default", [[], {}])
    def test_a_default_that_could_change_is_refused(self, default: object) -> None:
        """All settings would share it."""
        with pytest.raises(TypeError, match="shared"):
            setting("doc", default)

    def test_a_table_may_be_left_out(self) -> None:
        """Each configuration gets one of its own then, with all its defaults."""
        kind = attrs.make_class("Kind", {"some": table("doc", QuarantineSettings)})
        assert kind().some == QuarantineSettings()
        assert kind().some is not kind().some

    @pytest.mark.parametrize(
        "kind", [CustomerSettings, LimitSettings, ProfileSettings, QuarantineSettings]
    )
    def test_every_key_explains_itself(self, kind: type) -> None:
        """The configuration reference is printed from these texts."""
        for field in attrs.fields(kind):
            assert field.metadata["doc"].endswith(".")
            assert field.metadata["example"]

    def test_every_rule_explains_itself(self) -> None:
        """And names its own action first."""
        for reason in Reason:
            assert rule_field(reason).metadata["doc"].endswith(".")
            assert allowed_actions(reason)

    def test_every_count_can_be_configured(self) -> None:
        """For each kind of identity."""
        for per in Per:
            for count in Count:
                limit = merge_limits((a_limit(per=per, count=count, name="x"),))[-1]
                assert (limit.per, limit.count) == (per, count)

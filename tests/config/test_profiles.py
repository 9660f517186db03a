"""Profiles and customers as a file changes them."""

from datetime import UTC, datetime, timedelta

import pytest

from outgate.config.reader import parse
from outgate.config.reference import reference, show
from outgate.model.errors import ConfigError
from outgate.model.standing import Growth
from outgate.model.units import Rate
from outgate.policy.compiled import Policy, Profile, merge_limits
from outgate.policy.shipped import SHIPPED_LIMITS
from outgate.policy.shipped_profiles import SHIPPED_PROFILES, merge_profiles


def problems(text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        parse(text)
    return str(caught.value)


SHIPPED = merge_profiles(())["probation"].limits


def profiles(text: str) -> dict[str, Profile]:
    return dict(Policy.build(parse(text).for_policy()).profiles)


class TestShippedLimits:
    """A limit with a shipped name is the shipped one, with a change."""

    @pytest.mark.parametrize("name", [limit.name for limit in SHIPPED_LIMITS])
    def test_its_name_alone_changes_nothing(self, name: str) -> None:
        """No field of it is lost, whichever it may have one day."""
        given = parse(f'[[limit]]\nname = "{name}"\n').for_policy().limits
        assert merge_limits(given) == merge_limits(())

    def test_another_rate_leaves_the_share_rule(self) -> None:
        """A club that raises the campaign's limit keeps its new members."""
        text = '[[limit]]\nname = "strangers-per-campaign"\nrate = "100/7d"\n'
        (limit,) = parse(text).for_policy().limits
        assert (limit.rate, limit.share) == (Rate.parse("100/7d"), 60)


class TestShipped:
    """A profile with a shipped name is the shipped one, with a change."""

    def test_what_is_not_given_stays(self) -> None:
        """Who changes one rate loosens no other."""
        found = profiles(
            '[[profile]]\nname = "probation"\n'
            'limits = { strangers-per-campaign = "5/7d", bytes = "1000000/1d" }\n'
        )
        assert found["probation"].limits == {
            **SHIPPED,
            "strangers-per-campaign": Rate.parse("5/7d"),
            "bytes": Rate.parse("1000000/1d"),
        }

    def test_limits_stay_where_only_bounds_change(self) -> None:
        """And the bounds where only limits do."""
        found = profiles('[[profile]]\nname = "probation"\nstart = 50\n')["probation"]
        assert found.limits == SHIPPED
        assert found.growth == Growth(50, 100, 30 * 86_400_000_000)

    def test_a_count_word_replaces_all_of_its_count(self) -> None:
        """Or the shipped names would hide it."""
        found = profiles(
            '[[profile]]\nname = "probation"\nlimits = { strangers = "9/1d" }\n'
        )
        limits = found["probation"].limits
        assert limits["strangers"] == Rate.parse("9/1d")
        assert not [name for name in limits if name.startswith("strangers-")]
        assert "recipients-per-customer-daily" in limits

    def test_a_shipped_limit_may_be_off(self) -> None:
        """The profile names it all the same."""
        settings = parse(
            '[[limit]]\nname = "strangers-per-campaign"\nrate = "off"\n'
            '[[profile]]\nname = "probation"\nstart = 50\n'
        )
        assert settings.profile[0].limits == SHIPPED

    def test_another_name_is_another_profile(self) -> None:
        """Nothing is kept of any."""
        found = profiles('[[profile]]\nname = "shop"\nlimits = { messages = "9/1h" }\n')
        assert found["shop"] == Profile("shop", {"messages": Rate.parse("9/1h")})
        assert found.keys() > {one.name for one in SHIPPED_PROFILES}

    @pytest.mark.parametrize("limits", ["3", "[]", '"x"'])
    def test_limits_are_a_table(self, limits: str) -> None:
        """Whatever the name is."""
        text = f'[[profile]]\nname = "probation"\nlimits = {limits}\n'
        assert "profile[0].limits: got" in problems(text)

    def test_a_customer_may_have_one_that_nobody_wrote(self) -> None:
        """They are there."""
        for profile in SHIPPED_PROFILES:
            parse(
                '[[customer]]\nname = "choir"\nmatch = ["@choir.example"]\n'
                f'profile = "{profile.name}"\n'
            )

    def test_the_reference_has_them_all(self) -> None:
        """Each rate, under its limit and its name."""
        page = reference().partition("## Shipped profiles")[2]
        for profile in SHIPPED_PROFILES:
            assert f"`{profile.name}`" in page
            for name, rate in profile.limits.items():
                (row,) = [line for line in page.splitlines() if f"| `{name}` |" in line]
                assert f" `{rate}` |" in row


class TestSince:
    """Since when an operator knows a customer."""

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("2025-01-01", datetime(2025, 1, 1, tzinfo=UTC)),
            ('"2025-01-01"', datetime(2025, 1, 1, tzinfo=UTC)),
            ("2025-01-01T12:00:00Z", datetime(2025, 1, 1, 12, tzinfo=UTC)),
            ("2025-01-01 12:00:00.5+02:00", datetime(2025, 1, 1, 10, tzinfo=UTC)),
            ('"2025-01-01T12:00:00+02:00"', datetime(2025, 1, 1, 10, tzinfo=UTC)),
            ("1969-01-01", datetime(1969, 1, 1, tzinfo=UTC)),
        ],
    )
    def test_a_date_or_a_time_is_read(self, text: str, expected: datetime) -> None:
        """And shown in a form that is read again."""
        file = f'[[customer]]\nname = "choir"\nmatch = ["@choir.example"]\nsince = {text}\n'
        settings = parse(file)
        assert settings.customer[0].since == expected
        assert parse(show(settings)).customer == settings.customer

    @pytest.mark.parametrize(
        "text",
        ["12:00:00", "true", '""', '"2025-13-01"', "9999-12-31T23:59:59-23:59", "[]"],
    )
    def test_anything_else_is_a_problem(self, text: str) -> None:
        """Of that key."""
        file = f'[[customer]]\nname = "choir"\nmatch = ["@choir.example"]\nsince = {text}\n'
        assert "customer[0].since: got" in problems(file)


def test_bounds_are_read_and_shown() -> None:
    """With the unit."""
    settings = parse(
        '[[profile]]\nname = "normal"\nstart = 20\nmost = 200\nwarm-up = "132h"\n'
    )
    assert settings.profile[0].warm_up == timedelta(hours=132)
    shown = show(settings)
    assert 'start = 20\nmost = 200\nwarm-up = "132h"\n' in shown
    assert parse(shown) == settings

"""What an operator typed into Redis, and what is made of it."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.strategies import domains, names
from outgate.model.address import parse_address
from outgate.model.units import SECOND_US, Rate
from outgate.model.verdict import Reason
from outgate.policy.operator import (
    ALLOWABLE,
    ALLOWED_BY_DEFAULT,
    MAX_VALUE_BYTES,
    Entry,
    Order,
    canonical_name,
    format_moment,
    parse_entry,
    parse_moment_us,
    unknown_profile,
    unknown_rates,
)
from policy.builders import (
    HOUR_US,
    an_entry,
    fast,
)
from policy.ledger import NOW_US

# What values are made of.
_PIECES = ["for=", "until=", "by=", "rules=", "recipients=", "=", "/", "1h", "9", "Z"]
NOON_US = int(datetime(2026, 11, 24, 12, tzinfo=UTC).timestamp()) * SECOND_US


class TestWords:
    """Optional words, then free text."""

    @pytest.mark.parametrize(
        ("order", "value", "expected"),
        [
            pytest.param(
                Order.QUARANTINE,
                "for=1h by=anne phished, ticket 4711",
                {"for_us": HOUR_US, "by": "anne", "text": "phished, ticket 4711"},
                id="words and text",
            ),
            pytest.param(Order.SUSPEND, "", {}, id="nothing at all"),
            pytest.param(Order.SUSPEND, "  bot  ", {"text": "bot"}, id="text alone"),
            pytest.param(
                Order.QUARANTINE,
                "until=2026-11-24T12:00:00Z by=anne",
                {"until_us": NOON_US, "by": "anne"},
                id="words alone",
            ),
            pytest.param(
                Order.QUARANTINE,
                "by=anne  until=2026-11-24T13:00:00+01:00   why not",
                {"until_us": NOON_US, "by": "anne", "text": "why not"},
                id="in any order, with any number of spaces",
            ),
            pytest.param(
                Order.QUARANTINE,
                "until=2026-11-24T12:00:00Z for=1h",
                {"until_us": NOON_US},
                id="an end beats a duration",
            ),
            pytest.param(
                Order.QUARANTINE,
                "see a=b, url=https://x.example/?for=1h&until=2 (ticket=4711)",
                {
                    "text": "see a=b, url=https://x.example/?for=1h&until=2 (ticket=4711)"
                },
                id="words end where text begins, and text may hold a link",
            ),
            pytest.param(
                Order.ALLOW,
                "https://x.example/?ticket=4711 for the unit=7 of user=anne",
                {"text": "https://x.example/?ticket=4711 for the unit=7 of user=anne"},
                id="a link is no word",
            ),
            pytest.param(
                Order.QUARANTINE, "by=a=b", {"by": "a=b"}, id="a value may hold ="
            ),
            pytest.param(
                Order.ALLOW,
                "rules=missing-unsubscribe,limit-exceeded for=1h newsletter",
                {
                    "rules": {Reason.MISSING_UNSUBSCRIBE, Reason.LIMIT_EXCEEDED},
                    "for_us": HOUR_US,
                    "text": "newsletter",
                },
                id="allow has a scope",
            ),
            pytest.param(
                Order.LIMIT,
                "recipients=5000/1d messages-per-login-hourly=9/h by=anne busy",
                {
                    "rates": {
                        "recipients": Rate.parse("5000/1d"),
                        "messages-per-login-hourly": Rate.parse("9/1h"),
                    },
                    "by": "anne",
                    "text": "busy",
                },
                id="limit names limits or counts",
            ),
            pytest.param(
                Order.LIMIT,
                "profile=probation by=anne new",
                {"profile": "probation", "by": "anne", "text": "new"},
                id="limit names a profile",
            ),
            pytest.param(
                Order.LIMIT,
                "recipients=5/1d profile=trusted",
                {"profile": "trusted", "rates": {"recipients": Rate.parse("5/1d")}},
                id="limit names both",
            ),
        ],
    )
    def test_a_value_is_read(
        self, order: Order, value: str, expected: dict[str, Any]
    ) -> None:
        """Word by word, and the rest is why."""
        entry = an_entry(order, "anne", value)
        assert entry == Entry(order=order, name="anne", value=value.strip(), **expected)

    @pytest.mark.parametrize(
        ("order", "value", "complaint"),
        [
            (Order.QUARANTINE, "for=1 hour", "for=1: expected a number"),
            (Order.QUARANTINE, "for=", "for=: expected a number"),
            (Order.QUARANTINE, "for=0h", "for=0h: expected more than no time"),
            (Order.QUARANTINE, "for=999999999999999w", "longer than 3660d"),
            (Order.QUARANTINE, "until=noon", "until=noon: expected a time such as"),
            (Order.QUARANTINE, "until=2026-11-24T12:00:00", "the time needs a zone"),
            (Order.QUARANTINE, "until=1795485600000", "expected a time such as"),
            (Order.QUARANTINE, "until=9999-12-31T23:59:59-23:59", "expected a time"),
            (Order.LIMIT, "profile=", "profile=: expected the name of a profile"),
            (Order.LIMIT, "by=anne busy", "as recipients=5000/1d, or profile="),
            (Order.QUARANTINE, "profile=probation", "profile=: no such word"),
            (Order.ALLOW, "rules=", "expected some of bulk-by-distinct-recipients"),
            (
                Order.ALLOW,
                "rules=suspended",
                "expected some of bulk-by-distinct-recipients",
            ),
            (Order.ALLOW, "rules=limit-exceeded,all", "expected some of"),
            (Order.LIMIT, "", "expected a limit or a count and a rate"),
            (Order.LIMIT, "generous", "expected a limit or a count and a rate"),
            (Order.LIMIT, "recipients=many", "recipients=many: expected a count"),
        ],
    )
    def test_what_cannot_be_read_is_reported(
        self, order: Order, value: str, complaint: str
    ) -> None:
        """With the word as it was typed, and what was expected."""
        entry = an_entry(order, "anne", value)
        assert any(complaint in problem for problem in entry.problems)

    @pytest.mark.parametrize(
        ("value", "complaint"),
        [
            (
                "rule=missing-unsubscribe for=1h",
                "rule=: no such word; did you mean rules",
            ),
            ("For=1h by=anne", "For=: no such word; did you mean for=?"),
            (
                "untill=2026-12-01T00:00:00Z",
                "untill=: no such word; did you mean until",
            ),
            ("fro=1h", "fro=: no such word; did you mean for=?"),
            ("ticket=4711 for=1h", "ticket=: no such word; expected for=, until=, by="),
            ("newsletter week for=2h", "for= stands in the text"),
            ("newsletter week, Until=tomorrow", "Until= stands in the text: until="),
            ("newsletter (for=2h)", "for= stands in the text"),
            ("newsletter for = 2h", "for= stands in the text"),
            ("newsletter\nfor=2h", "for= stands in the text"),
            ("by=anne,for=2h newsletter", "for= stands in the text"),
            ("newsletter rule=limit-exceeded", "rule= stands in the text: rules="),
        ],
    )
    def test_a_word_that_nobody_would_read_is_reported(
        self, value: str, complaint: str
    ) -> None:
        """Or its order would never end: one that loosens does not hold at all."""
        allow = an_entry(Order.ALLOW, "anne", value)
        assert any(complaint in problem for problem in allow.problems)
        assert not allow.in_force(NOW_US)
        if "rule" not in value:
            for order in (Order.QUARANTINE, Order.SUSPEND):
                entry = an_entry(order, "anne", value)
                assert entry.problems
                assert entry.in_force(NOW_US)

    @pytest.mark.parametrize(
        ("value", "complaint"),
        [
            ("recipients=9/1h busy for=1h", "for= stands in the text"),
            ("recipients=9/1h busy messages=9/1h", "messages= stands in the text"),
            ("recipients=9/1h untill=2026-12-01T00:00:00Z", "untill="),
        ],
    )
    def test_a_limit_with_such_a_word_does_not_hold(
        self, value: str, complaint: str
    ) -> None:
        """Other rates for ever are not what was ordered."""
        entry = an_entry(Order.LIMIT, "anne", value)
        assert any(complaint in problem for problem in entry.problems)
        assert not entry.in_force(NOW_US)

    def test_an_unknown_word_hides_no_other(self) -> None:
        """It stays in the text, and what follows it counts."""
        entry = an_entry(Order.QUARANTINE, "anne", "ticket=4711 for=1h by=bea phished")
        assert (entry.for_us, entry.by) == (HOUR_US, "bea")
        assert entry.text == "ticket=4711 phished"

    def test_rules_is_a_word_of_allow_alone(self) -> None:
        """A suspension holds for everything."""
        entry = an_entry(Order.SUSPEND, "anne", "rules=limit-exceeded")
        assert entry.problems == ("rules=: no such word; expected for=, until=, by=",)

    def test_a_megabyte_is_cut(self) -> None:
        """A person types a sentence."""
        entry = parse_entry(Order.SUSPEND, "anne", b"x" * 1_000_000)
        assert len(entry.text) == MAX_VALUE_BYTES

    @fast
    @given(
        st.sampled_from(Order),
        st.one_of(
            st.binary(max_size=60),
            st.lists(st.sampled_from(_PIECES) | st.text(max_size=4), max_size=8).map(
                lambda parts: "".join(parts).encode("utf-8", "replace")
            ),
        ),
    )
    def test_any_bytes_are_read(self, order: Order, raw: bytes) -> None:
        """Whatever was typed, there is an entry, and it holds or not."""
        entry = parse_entry(order, "anne", raw)
        assert entry.in_force(NOW_US) in {True, False}
        if entry.until_us:
            assert parse_moment_us(format_moment(entry.until_us)) == entry.until_us


class TestInForce:
    """Whether an order holds at a moment."""

    @pytest.mark.parametrize(
        ("value", "now_us", "holds"),
        [
            ("", NOON_US, True),
            ("for=1h", NOON_US, True),
            ("until=2026-11-24T12:00:00Z", NOON_US - 1, True),
            ("until=2026-11-24T12:00:00Z", NOON_US, False),
            ("until=2026-11-24T12:00:00Z", NOON_US + HOUR_US, False),
        ],
    )
    def test_it_holds_until_its_end(self, value: str, now_us: int, holds: bool) -> None:
        """`for=` counts from when the keeper sees it; until then the order holds."""
        assert an_entry(Order.SUSPEND, "anne", value).in_force(now_us) is holds

    @pytest.mark.parametrize(
        ("order", "holds"),
        [
            (Order.QUARANTINE, True),
            (Order.SUSPEND, True),
            (Order.ALLOW, False),
            (Order.LIMIT, False),
        ],
    )
    def test_broken_words_protect_but_never_loosen(
        self, order: Order, holds: bool
    ) -> None:
        """A typing error at 3 a.m. must not free a spammer, nor let one go on."""
        entry = an_entry(order, "anne", "for=1our recipients=5/1h")
        assert entry.problems
        assert entry.in_force(NOW_US) is holds


class TestScope:
    """What `allow` may lift."""

    def test_without_rules_it_frees_from_limits_only(self) -> None:
        """Other rules have to be named."""
        assert an_entry(Order.ALLOW, "anne", "busy").rules == ALLOWED_BY_DEFAULT
        assert Reason.MISSING_UNSUBSCRIBE not in ALLOWED_BY_DEFAULT

    @pytest.mark.parametrize(
        "reason", [reason for reason in Reason if reason not in ALLOWABLE]
    )
    def test_some_rules_nobody_lifts(self, reason: Reason) -> None:
        """Other operators' orders, and troubles of our own."""
        entry = an_entry(Order.ALLOW, "anne", f"rules={reason}")
        assert not entry.in_force(NOW_US)


class TestMoment:
    """Times with a zone."""

    @pytest.mark.parametrize(
        "text",
        [
            "2026-11-24T12:00:00Z",
            "2026-11-24T13:00:00+01:00",
            "20261124T120000Z",
            "2026-11-24 12:00:00Z",
            str(NOON_US // SECOND_US),
        ],
    )
    def test_rfc_3339_or_seconds_are_read(self, text: str) -> None:
        """As `date -Is` and `date +%s` give them."""
        assert parse_moment_us(text) == NOON_US

    @fast
    @given(st.integers(0, 253_402_300_799))
    def test_what_is_printed_is_read_back(self, second: int) -> None:
        """To the second."""
        assert parse_moment_us(format_moment(second * SECOND_US)) == second * SECOND_US


class TestNames:
    """A field is whatever a person would type."""

    @pytest.mark.parametrize(
        ("typed", "canonical"),
        [
            (" Alice@Example.ORG ", "alice@example.org"),
            ("alice@Bücher.example", "alice@xn--bcher-kva.example"),
            ("@Example.org", "example.org"),
            ("Example.org", "example.org"),
            ("Bücher.example", "xn--bcher-kva.example"),
            ("Änne", "änne"),
            ("WWW-Data", "www-data"),
            ("Choir & Friends", "choir & friends"),
            ("News.Example.Org", "news.example.org"),
            ("203.0.113.9", "203.0.113.9"),
            ("::FFFF:203.0.113.9", "203.0.113.9"),
            ("2001:DB8:0::1", "2001:db8::1"),
            ("203.0.113.77/24", "203.0.113.0/24"),
            ("2001:DB8::1/48", "2001:db8::/48"),
            ("CN=Mail/O=Choir", "cn=mail/o=choir"),
        ],
    )
    def test_it_is_looked_up_in_one_form(self, typed: str, canonical: str) -> None:
        """Logins, addresses, domains, networks, lists, users, customers."""
        assert canonical_name(typed) == canonical

    @fast
    @given(
        st.one_of(
            st.builds("{}@{}".format, names, domains),
            domains,
            domains.map("@{}".format),
            st.ip_addresses().map(str),
            st.builds("{}/{}".format, st.ip_addresses(), st.integers(0, 32)),
        )
    )
    def test_a_canonical_name_stays_as_it_is(self, typed: str) -> None:
        """Twice is once, or a canonical entry would be taken for an odd one."""
        once = canonical_name(typed)
        assert canonical_name(once) == once

    @fast
    @given(names, domains)
    def test_an_address_is_named_as_it_is_asked_for(
        self, local: str, domain: str
    ) -> None:
        """The canonical name of an address is what a message with it looks up."""
        address = f"{local}@{domain}"
        assert canonical_name(address) == str(parse_address(address))


def test_unknown_limits_are_named() -> None:
    """An override of a limit that does not exist would be ignored in silence."""
    entry = an_entry(Order.LIMIT, "anne", "recipients=1/h hourly=1/h z=1/h mine=1/h")
    assert unknown_rates(entry, frozenset({"mine"})) == ("hourly", "z")


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ("profile=probation", ""),
        ("recipients=5/1d", ""),
        (
            "profile=probaton",
            "profile=probaton: no such profile; did you mean probation?",
        ),
        (
            "profile=x recipients=5/1d",
            "profile=x: no such profile; expected one of normal, probation",
        ),
    ],
)
def test_an_unknown_profile_is_named(value: str, problem: str) -> None:
    """It would be ignored in silence."""
    entry = an_entry(Order.LIMIT, "anne", value)
    assert unknown_profile(entry, {"probation", "normal"}) == problem


@pytest.mark.parametrize(
    "name",
    [
        "",
        "by=anne",
        "<mary@example.org>",
        "*@example.org",
        "203.0.113.300",
        "mary@example.org, bob@example.org",
    ],
)
def test_a_name_that_no_message_can_have_is_told(name: str) -> None:
    """It would lie there, and whoever typed it believed that it acts."""
    assert parse_entry(Order.QUARANTINE, name, b"by=anne").problems


@pytest.mark.parametrize(
    "name",
    ["mary", "a=b@example.org", "203.0.113.9", "/CN=relay, O=Choir", "choir club"],
)
def test_odd_names_that_somebody_may_have_are_not(name: str) -> None:
    """Logins, VERP, certificates and customers have such ones."""
    assert not parse_entry(Order.QUARANTINE, name, b"by=anne").problems

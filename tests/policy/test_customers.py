"""From principal to customer: the most specific match wins."""

import pytest

from outgate.model.client import parse_client
from outgate.model.identity import PrincipalKind
from outgate.policy.customers import CustomerMap, Match, Specificity, ties
from policy.builders import a_customer

LOGIN = PrincipalKind.LOGIN
USER = PrincipalKind.LOCAL_USER
CERTIFICATE = PrincipalKind.CERTIFICATE
NETWORK = PrincipalKind.NETWORK


class TestMatch:
    """One entry of `[[customer]] match`."""

    @pytest.mark.parametrize(
        ("pattern", "expected"),
        [
            ("anne", Match(LOGIN, Specificity.EXACT, "anne")),
            ("login:anne", Match(LOGIN, Specificity.EXACT, "anne")),
            (" Anne@Example.ORG ", Match(LOGIN, Specificity.EXACT, "anne@example.org")),
            ("login:192.0.2.1", Match(LOGIN, Specificity.EXACT, "192.0.2.1")),
            ("@Example.org", Match(LOGIN, Specificity.DOMAIN, "example.org")),
            (
                "@Bücher.example",
                Match(LOGIN, Specificity.DOMAIN, "xn--bcher-kva.example"),
            ),
            ("user:www-data", Match(USER, Specificity.EXACT, "www-data")),
            ("user:web*", Match(USER, Specificity.PATTERN, "web*")),
            ("cert:CN=Mail", Match(CERTIFICATE, Specificity.EXACT, "CN=Mail")),
            ("cert:CN=*", Match(CERTIFICATE, Specificity.PATTERN, "CN=*")),
            ("192.0.2.77/24", Match(NETWORK, Specificity.PREFIX, "192.0.2.0/24")),
            ("192.0.2.1", Match(NETWORK, Specificity.PREFIX, "192.0.2.1/32")),
            ("2001:DB8::/48", Match(NETWORK, Specificity.PREFIX, "2001:db8::/48")),
            ("Web*", Match(LOGIN, Specificity.PATTERN, "web*")),
            (
                "*@Bücher.example",
                Match(LOGIN, Specificity.PATTERN, "*@xn--bcher-kva.example"),
            ),
            ("@*.example.org", Match(LOGIN, Specificity.PATTERN, "*@*.example.org")),
        ],
    )
    def test_a_pattern_says_what_it_names_and_how_exactly(
        self, pattern: str, expected: Match
    ) -> None:
        """In the canonical form of what it is compared with."""
        assert Match.parse(pattern) == expected

    @pytest.mark.parametrize("pattern", ["", " ", "user:", "cert:", "login:", "@"])
    def test_a_pattern_that_names_nobody_is_refused(self, pattern: str) -> None:
        """It would be a customer without mail."""
        with pytest.raises(ValueError, match="expected a login"):
            Match.parse(pattern)


CUSTOMERS = CustomerMap.build(
    [
        a_customer("exact", "anne@choir.example", "user:choir", "cert:CN=mx"),
        a_customer("domain", "@choir.example"),
        a_customer("long", "192.0.2.0/28", "2001:db8:a::/64"),
        a_customer("short", "192.0.2.0/24", "2001:db8:a::/48"),
        a_customer("longer-pattern", "news-*"),
        a_customer("pattern", "*", "user:web*", "cert:CN=*"),
    ]
)


class TestMap:
    """All patterns of all customers."""

    @pytest.mark.parametrize(
        ("kind", "name", "customer"),
        [
            (LOGIN, "anne@choir.example", "exact"),
            (LOGIN, "bart@choir.example", "domain"),
            (LOGIN, "news-choir", "longer-pattern"),
            (LOGIN, "bart@other.example", "pattern"),
            (USER, "choir", "exact"),
            (USER, "web17", "pattern"),
            (USER, "root", None),
            (CERTIFICATE, "CN=mx", "exact"),
            (CERTIFICATE, "CN=other", "pattern"),
            (CERTIFICATE, "cn=mx", None),
        ],
    )
    def test_exact_beats_domain_beats_pattern(
        self, kind: PrincipalKind, name: str, customer: str | None
    ) -> None:
        """And of two patterns the longer one wins."""
        found = CUSTOMERS.of_name(kind, name)
        assert (found and found.name) == customer

    @pytest.mark.parametrize(
        ("kind", "name"),
        [
            (USER, "anne@choir.example"),
            (CERTIFICATE, "CN=x/emailAddress=anne@choir.example"),
            (CERTIFICATE, "anne@choir.example"),
        ],
    )
    def test_a_domain_names_logins_alone(self, kind: PrincipalKind, name: str) -> None:
        """Who chose the words of a certificate did not log in by them."""
        logins = CustomerMap.build([a_customer("choir", "@choir.example")])
        assert logins.of_name(kind, name) is None
        assert logins.of_name(LOGIN, "anne@choir.example") is not None

    @pytest.mark.parametrize(
        ("address", "network", "customer"),
        [
            ("192.0.2.7", "192.0.2.0/28", "long"),
            ("192.0.2.77", "192.0.2.0/24", "short"),
            ("2001:db8:a::1", "2001:db8:a::/64", "long"),
            ("2001:db8:a:1::1", "2001:db8:a::/48", "short"),
        ],
    )
    def test_the_longest_prefix_wins(
        self, address: str, network: str, customer: str
    ) -> None:
        """Whatever the order in the configuration."""
        client = parse_client(address)
        assert client is not None
        found = CUSTOMERS.of_client(client)
        assert found is not None
        assert (str(found[0]), found[1].name) == (network, customer)

    def test_a_client_of_no_network_has_no_customer(self) -> None:
        """Patterns with `*` name logins, never addresses."""
        client = parse_client("203.0.113.9")
        assert client is not None
        assert CUSTOMERS.of_client(client) is None

    def test_without_customers_nobody_is_one(self) -> None:
        """The principal answers for itself."""
        assert CustomerMap().of_name(LOGIN, "anne") is None


class TestTies:
    """Two customers that match equally well are an error."""

    @pytest.mark.parametrize(
        ("one", "other"),
        [
            ("anne", "login:ANNE"),
            ("@choir.example", "@Choir.Example"),
            ("192.0.2.0/24", "192.0.2.99/24"),
            ("192.0.2.1", "192.0.2.1/32"),
            ("user:web*", "user:web*"),
            ("@*.example.org", "*@*.example.org"),
        ],
    )
    def test_one_thing_named_twice_is_found(self, one: str, other: str) -> None:
        """However it is spelled."""
        found = ties([a_customer("choir", one), a_customer("shop", other)])
        assert found == [(other, "choir", "shop")]

    def test_one_customer_may_name_a_thing_twice(self) -> None:
        """And two may name things of two kinds alike."""
        assert not ties(
            [
                a_customer("choir", "anne", "login:anne", ""),
                a_customer("shop", "user:anne", "cert:anne", ""),
            ]
        )

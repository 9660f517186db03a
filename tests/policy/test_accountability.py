"""Who answers for a message, and does it leave the network at all."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outgate.model.client import parse_client
from outgate.model.identity import Accountable, Direction, Path, PrincipalKind
from outgate.policy.accountability import Accountability, canonical_login
from outgate.policy.naming import UNKNOWN_CLIENT, UNKNOWN_USER
from outgate.policy.settings import CustomerSettings
from policy.builders import (
    ANNE,
    FORWARDER,
    INSIDE,
    OUTSIDE,
    a_customer,
    a_policy,
    fast,
)

CUSTOMERS = (
    a_customer("choir", "@choir.example", "user:choir", "cert:CN=choir"),
    a_customer("shop", "192.0.2.128/25", "198.51.100.0/28", profile="newsletter"),
)


def resolve(
    login: str = "",
    *,
    realm: str = "",
    local_user: str = "",
    certificate: str = "",
    client: str | None = OUTSIDE,
    path: Path = Path.SMTP,
) -> tuple[Direction, Accountable | None]:
    return Accountability(a_policy(customers=CUSTOMERS)).resolve(
        login,
        realm,
        local_user,
        certificate,
        parse_client(client) if client is not None else None,
        path,
    )


def outbound(login: str = "", **session: Any) -> Accountable:
    direction, accountable = resolve(login, **session)
    assert direction is Direction.OUTBOUND
    assert accountable is not None
    return accountable


class TestWho:
    """The first present of login, local user, certificate, network, client."""

    @pytest.mark.parametrize(
        ("session", "kind", "principal", "customer"),
        [
            pytest.param(
                {"login": "anne@choir.example", "certificate": "CN=mx"},
                PrincipalKind.LOGIN,
                "anne@choir.example",
                "choir",
                id="a login beats a certificate",
            ),
            pytest.param(
                {"login": "anne@example.com", "client": "192.0.2.200"},
                PrincipalKind.LOGIN,
                "anne@example.com",
                "anne@example.com",
                id="a login beats its client's network",
            ),
            pytest.param(
                {
                    "path": Path.LOCAL_SUBMISSION,
                    "client": None,
                    "local_user": "Choir",
                    "certificate": "CN=mx",
                },
                PrincipalKind.LOCAL_USER,
                "choir",
                "choir",
                id="a local user",
            ),
            pytest.param(
                {"path": Path.LOCAL_SUBMISSION, "client": None},
                PrincipalKind.LOCAL_USER,
                UNKNOWN_USER,
                UNKNOWN_USER,
                id="a local user that the MTA does not tell",
            ),
            pytest.param(
                {"certificate": "CN=choir", "client": "192.0.2.200"},
                PrincipalKind.CERTIFICATE,
                "CN=choir",
                "choir",
                id="a certificate beats its client's network",
            ),
            pytest.param(
                {"client": "192.0.2.200"},
                PrincipalKind.NETWORK,
                "192.0.2.128/25",
                "shop",
                id="a customer's network",
            ),
            pytest.param(
                {"client": "198.51.100.1"},
                PrincipalKind.NETWORK,
                "198.51.100.0/28",
                "shop",
                id="a customer's network outside of ours",
            ),
            pytest.param(
                {"client": INSIDE},
                PrincipalKind.CLIENT,
                INSIDE,
                INSIDE,
                id="a client of ours answers for itself",
            ),
            pytest.param(
                {"client": None},
                PrincipalKind.CLIENT,
                UNKNOWN_CLIENT,
                UNKNOWN_CLIENT,
                id="a unix socket is one of ours",
            ),
        ],
    )
    def test_the_best_evidence_names_who_answers(
        self,
        session: dict[str, Any],
        kind: PrincipalKind,
        principal: str,
        customer: str,
    ) -> None:
        """Unmapped, the principal is its own customer."""
        accountable = outbound(**session)
        assert accountable.kind is kind
        assert accountable.principal == principal
        assert accountable.customer == customer

    def test_a_customer_may_have_its_content_left_alone(self) -> None:
        """Anybody else's is compared."""
        quiet = CustomerSettings(name="quiet", match=(ANNE,), fingerprints=False)
        resolve = Accountability(a_policy(customers=[quiet])).resolve
        for login, fingerprints in ((ANNE, False), ("bart@example.com", True)):
            _, found = resolve(login, "", "", "", None, Path.SMTP)
            assert found is not None
            assert found.fingerprints is fingerprints

    def test_a_mapped_customer_brings_profile_and_contact(self) -> None:
        """From the configuration, and nowhere else."""
        shop = outbound(client="192.0.2.200")
        assert (shop.profile, shop.contact) == ("newsletter", "post@shop.example")
        nobody = outbound(client=INSIDE)
        assert (nobody.profile, nobody.contact) == ("", "")

    @pytest.mark.parametrize(
        ("session", "login", "local_user"),
        [
            ({"login": "anne"}, "anne", ""),
            ({"path": Path.LOCAL_SUBMISSION, "local_user": "www"}, "", "www"),
            ({"client": INSIDE}, "", ""),
        ],
    )
    def test_login_and_local_user_stand_only_where_they_are_the_evidence(
        self, session: dict[str, Any], login: str, local_user: str
    ) -> None:
        """A limit per login applies to logins alone."""
        accountable = outbound(**session)
        assert (accountable.login, accountable.local_user) == (login, local_user)

    @pytest.mark.parametrize(
        ("client", "forwarder"), [(FORWARDER, True), (INSIDE, False), (None, False)]
    )
    def test_only_configured_hosts_are_forwarders(
        self, client: str | None, forwarder: bool
    ) -> None:
        """By their address."""
        assert outbound(client=client).forwarder is forwarder

    def test_a_login_on_a_forwarding_host_is_no_forwarder(self) -> None:
        """Whoever proved who he is writes for himself."""
        assert outbound("anne", client=FORWARDER).forwarder is False

    def test_ipv6_clients_of_one_site_answer_together(self) -> None:
        """Per /48; their counters are those of their /64."""
        accountable = outbound(client="2001:db8:b:1::1")
        assert accountable.client is not None
        assert accountable.kind is PrincipalKind.CLIENT
        assert accountable.customer == "2001:db8:b::/48"
        assert accountable.client.counted == "2001:db8:b:1::/64"


class TestNames:
    """Nobody answers for somebody else because of a name."""

    @pytest.mark.parametrize(
        ("session", "customer", "names"),
        [
            pytest.param(
                {"login": "anne@example.com", "client": None},
                "anne@example.com",
                ("anne@example.com", "anne@example.com", "example.com"),
                id="a login is its own name",
            ),
            pytest.param(
                {"login": "Choir", "client": None},
                "login:choir",
                ("login:choir", "login:choir"),
                id="a login that is called like a customer",
            ),
            pytest.param(
                {"path": Path.LOCAL_SUBMISSION, "local_user": "shop", "client": None},
                "user:shop",
                ("user:shop", "user:shop"),
                id="a system user that is called like a customer",
            ),
            pytest.param(
                {"login": "shop@choir.example", "client": None},
                "choir",
                ("choir", "shop@choir.example", "choir.example"),
                id="a login of a customer",
            ),
            pytest.param(
                {"login": "unknown", "client": None},
                "login:unknown",
                ("login:unknown", "login:unknown"),
                id="a login called unknown",
            ),
            pytest.param(
                {"path": Path.LOCAL_SUBMISSION, "client": None},
                "unknown",
                ("unknown", "unknown"),
                id="a local user that nobody names",
            ),
            pytest.param(
                {"client": None},
                "client:unknown",
                ("client:unknown", "client:unknown"),
                id="a session without an address",
            ),
            pytest.param(
                {"login": "192.0.2.7", "client": None},
                "login:192.0.2.7",
                ("login:192.0.2.7", "login:192.0.2.7"),
                id="a login called like a client",
            ),
            pytest.param(
                {"login": "client:unknown", "client": None},
                "login:client:unknown",
                ("login:client:unknown", "login:client:unknown"),
                id="a login called like one of these",
            ),
        ],
    )
    def test_a_name_that_is_somebody_elses_gets_its_kind(
        self, session: dict[str, Any], customer: str, names: tuple[str, ...]
    ) -> None:
        """Counters and orders of the one are not the other's."""
        accountable = outbound(**session)
        assert accountable.customer == customer
        assert accountable.names == names

    @pytest.mark.parametrize(
        ("login", "names", "bare"),
        [
            pytest.param("Anne", ("anne@example.org", "anne"), "anne", id="a login"),
            pytest.param(
                "anne@example.com", ("anne@example.com",), "", id="a realm of its own"
            ),
            pytest.param("Choir", ("choir@example.org",), "", id="a customer's name"),
            pytest.param("192.0.2.7", ("192.0.2.7@example.org",), "", id="an address"),
            pytest.param("unknown", ("unknown@example.org",), "", id="nobody's name"),
            pytest.param(
                "user:www", ("login:user:www@example.org",), "", id="a name with a kind"
            ),
            pytest.param(
                "anne.meier",
                ("anne.meier@example.org",),
                "anne.meier",
                id="what may be a domain",
            ),
        ],
    )
    def test_a_login_keeps_its_name_where_a_realm_was_appended(
        self, login: str, names: tuple[str, ...], bare: str
    ) -> None:
        """Operators type what people log in with; nobody gets another one's name."""
        accountable = outbound(login, realm="example.org", client=None)
        domain = accountable.customer.rpartition("@")[2]
        assert accountable.names == (accountable.customer, *names, domain)
        assert accountable.bare_login == bare

    def test_a_customer_may_be_called_like_its_only_login(self) -> None:
        """The plain name means both, which is the same."""
        policy = a_policy(customers=[a_customer("anne", "anne")])
        _, anne = Accountability(policy).resolve("anne", "", "", "", None, Path.SMTP)
        assert anne is not None
        assert anne.names == ("anne", "anne")

    def test_a_login_of_one_customer_is_not_another_one(self) -> None:
        """What an operator orders about that customer does not reach it."""
        policy = a_policy(
            customers=[a_customer("choir", "shop"), a_customer("shop", "bart")]
        )
        _, shop = Accountability(policy).resolve("shop", "", "", "", None, Path.SMTP)
        assert shop is not None
        assert shop.customer == "choir"
        assert shop.names == ("choir", "login:shop")


class TestDirection:
    """Outbound mail is judged, inbound mail passes."""

    @pytest.mark.parametrize(
        ("session", "direction"),
        [
            pytest.param({}, Direction.INBOUND, id="a stranger's host"),
            pytest.param({"login": "anne"}, Direction.OUTBOUND, id="a login"),
            pytest.param({"client": INSIDE}, Direction.OUTBOUND, id="our network"),
            pytest.param({"client": "127.0.0.1"}, Direction.OUTBOUND, id="loopback"),
            pytest.param({"client": FORWARDER}, Direction.OUTBOUND, id="a forwarder"),
            pytest.param({"client": "198.51.100.1"}, Direction.OUTBOUND, id="customer"),
            pytest.param({"client": None}, Direction.OUTBOUND, id="a unix socket"),
            pytest.param(
                {"certificate": "CN=choir"}, Direction.OUTBOUND, id="our certificate"
            ),
            pytest.param(
                {"certificate": "CN=mx.example.net"},
                Direction.INBOUND,
                id="another server's certificate",
            ),
            pytest.param(
                {"path": Path.LOCAL_SUBMISSION}, Direction.OUTBOUND, id="local path"
            ),
            pytest.param(
                {"realm": "example.org"}, Direction.INBOUND, id="a realm alone"
            ),
            pytest.param(
                {"local_user": "anne"}, Direction.INBOUND, id="a user on the SMTP path"
            ),
        ],
    )
    def test_it_depends_on_what_the_sender_cannot_choose(
        self, session: dict[str, Any], direction: Direction
    ) -> None:
        """Who is not one of us sends inbound mail."""
        found, accountable = resolve(**session)
        assert found is direction
        assert (accountable is None) is (direction is Direction.INBOUND)

    @fast
    @given(st.text(max_size=20), st.text(max_size=20), st.text(max_size=20))
    def test_any_words_have_an_answer(
        self, login: str, certificate: str, user: str
    ) -> None:
        """Nothing raises, and one session has one answer."""
        session: dict[str, Any] = {"certificate": certificate, "local_user": user}
        assert resolve(login, **session) == resolve(login, **session)


class TestLogin:
    """One account is one login, however it is spelled."""

    @pytest.mark.parametrize(
        ("login", "realm", "expected"),
        [
            ("anne", "", "anne"),
            ("anne", "example.org", "anne@example.org"),
            ("Anne", "Example.ORG", "anne@example.org"),
            ("anne@example.com", "example.org", "anne@example.com"),
            ("ANNE@Bücher.example", "", "anne@xn--bcher-kva.example"),
        ],
    )
    def test_a_login_without_realm_gets_that_of_its_daemon(
        self, login: str, realm: str, expected: str
    ) -> None:
        """Two daemons may know two people called anne."""
        assert canonical_login(login, realm) == expected

"""Nobody's mail is signed as a domain that is not his to use."""

import pytest

from outgate.model.address import parse_address
from outgate.policy.accountability import Accountability
from outgate.policy.dkim_rights import Rights
from outgate.policy.dkim_settings import SignatureSettings
from policy.builders import a_customer, a_policy, a_transaction

CUSTOMERS = [
    a_customer("choir", "@choir.example", "user:choir", "192.0.2.0/28"),
    a_customer("shop", "@*.shop.example", "shop@hoster.example"),
]


def may(
    domain: str,
    login: str = "",
    *signatures: SignatureSettings,
    client: str = "192.0.2.99",
    realm: str = "",
    sender: str = "",
) -> bool:
    policy = a_policy(customers=CUSTOMERS)
    transaction = a_transaction(login, client=client, realm=realm)
    session = transaction.session
    _, accountable = Accountability(policy).resolve(
        login, realm, "", "", session.client, session.path
    )
    assert accountable is not None
    rights = Rights(policy.customers, signatures)
    return rights.may_sign(
        domain, accountable, login, parse_address(sender or f"anne@{domain}")
    )


@pytest.mark.parametrize(
    ("domain", "login", "allowed"),
    [
        # A domain with a customer: that one, and nobody else.
        ("choir.example", "anne@choir.example", True),
        ("choir.example", "bart@band.example", False),
        ("choir.example", "shop@hoster.example", False),
        ("a.shop.example", "shop@hoster.example", True),
        ("a.shop.example", "anne@choir.example", False),
        # Without one: logins of that very domain.
        ("band.example", "bart@band.example", True),
        ("band.example", "bart@x.band.example", False),
        ("x.band.example", "bart@band.example", False),
        ("band.example", "anne@choir.example", False),
        ("band.example", "bart", False),
        ("band.example", "", False),
    ],
)
def test_who_owns_a_domain_has_its_signature(
    domain: str, login: str, allowed: bool
) -> None:
    """Header From alone gives no right."""
    assert may(domain, login) is allowed


def test_a_customers_networks_sign_as_its_domains() -> None:
    """All that is accountable to it is its mail."""
    assert may("choir.example", client="192.0.2.3")
    assert not may("choir.example", client="192.0.2.99")


def test_a_realm_that_we_append_is_no_domain_of_the_login() -> None:
    """It is on everybody's login: all customers would sign as the hoster."""
    assert not may("hoster.example", "web123", realm="hoster.example")
    assert may("hoster.example", "ceo@hoster.example", realm="hoster.example")


def test_a_table_replaces_what_the_customers_say() -> None:
    """Names without regard to case; a star for everybody."""
    named = SignatureSettings(domain="choir.example", customers=("Shop",))
    everybody = SignatureSettings(domain="choir.example", customers=("*",))

    assert may("choir.example", "shop@hoster.example", named)
    assert not may("choir.example", "anne@choir.example", named)
    assert may("choir.example", "bart@band.example", everybody)


def test_the_most_specific_table_counts() -> None:
    """Exact, then the longest `*.`, then `*`."""
    tables = (
        SignatureSettings(domain="*", sign=False),
        SignatureSettings(domain="*.example", customers=("*",)),
        SignatureSettings(domain="*.a.example", sign=False),
        SignatureSettings(domain="b.a.example", customers=("*",)),
    )
    assert may("b.a.example", "x", *tables)
    assert not may("c.a.example", "x", *tables)
    assert may("a.example", "x", *tables)
    assert not may("x.invalid", "y@x.invalid", *tables)


def test_senders_bound_who_writes_as_the_domain() -> None:
    """Addresses, or domains of header From."""
    only = SignatureSettings(
        domain="choir.example",
        customers=("*",),
        senders=("news@choir.example", "lists.choir.example"),
    )
    assert may("choir.example", "x", only, sender="News@choir.example")
    assert may("choir.example", "x", only, sender="a@lists.choir.example")
    assert not may("choir.example", "x", only, sender="ceo@choir.example")

"""Which registered list a message is of, whatever its sender leaves out or puts in."""

import pytest

from outgate.message.facts import read_facts
from outgate.model.transaction import Transaction
from outgate.policy.list_of_mail import as_registered
from outgate.policy.list_settings import ListSettings
from policy.builders import ANNE, a_customer, a_limit, a_policy, a_transaction
from policy.test_permission import LIST, Q, R, a_house, bart, mail

POLICY = a_policy(
    a_limit("20/1d"),
    customers=[a_customer("choir", ANNE)],
    lists=[
        ListSettings(id=LIST, customer="choir", bounces="news-bounces@choir.example")
    ],
)


def found(transaction: Transaction, customer: str = "choir") -> str:
    facts = read_facts(transaction)
    return as_registered(transaction, facts, customer, POLICY).list_id


def with_ids(*values: bytes, sender: str = ANNE, recipients: int = 2) -> Transaction:
    transaction = a_transaction(sender, recipients=recipients)
    if values:
        transaction.headers["list-id"] = list(values)
    return transaction


OWN, OTHER = f"<{LIST}>".encode(), b"<other.example.org>"


@pytest.mark.parametrize(
    ("values", "list_id"),
    [
        ((OWN,), LIST),
        ((OTHER, OWN), LIST),
        ((b"no brackets", OTHER, OWN), LIST),
        ((OTHER,), "other.example.org"),
        ((OTHER,) * 8 + (OWN,), "other.example.org"),
        ((), ""),
    ],
)
def test_any_list_id_of_the_customers_counts(
    values: tuple[bytes, ...], list_id: str
) -> None:
    """Another one before it hides nothing; one behind so many nobody reads."""
    assert found(with_ids(*values)) == list_id


@pytest.mark.parametrize(
    "sender",
    [
        "news-bounces@choir.example",
        "news-bounces+bart=example.net@choir.example",
        "prvs=1234567890=news-bounces@choir.example",
    ],
)
def test_the_bounce_address_says_it_too(sender: str) -> None:
    """Not of a letter to one person, nor for another customer."""
    assert found(with_ids(sender=sender)) == LIST
    assert found(with_ids(b"broken", sender=sender)) == LIST
    assert found(with_ids(sender=sender, recipients=1)) == ""
    assert found(with_ids(sender=sender), "shop") == ""


def test_who_withdrew_is_none_of_its_readers_any_more() -> None:
    """A second List-Id does not bring him the mail."""
    house = a_house(known=0, withdrawn=range(3))
    transaction = mail([bart(number) for number in range(3)])
    transaction.headers["list-id"].insert(0, OTHER)
    assert house.judge(transaction).disposition.action is R
    fresh = mail([bart(number) for number in range(50, 60)])
    fresh.headers["list-id"].insert(0, OTHER)
    assert house.judge(fresh).disposition.action is Q

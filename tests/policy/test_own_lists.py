"""Which List-Ids are a customer's."""

import pytest

from outgate.message.listcheck.list_id import OwnLists
from outgate.policy.list_settings import ListSettings
from outgate.policy.own_lists import own_lists
from outgate.policy.settings import CustomerSettings, PolicySettings

_SETTINGS = PolicySettings(
    customers=(
        CustomerSettings(
            name="choir",
            match=(
                "@Choir.example",
                "anne@gmail.example",
                "user:choir",
                "192.0.2.0/28",
                "@*.example",
            ),
        ),
    ),
    lists=(
        ListSettings(id="Members.Choir.test", customer="choir"),
        ListSettings(id="news.shop.test", customer="shop"),
    ),
)


@pytest.mark.parametrize(
    ("customer", "own"),
    [
        (
            "choir",
            OwnLists(frozenset({"members.choir.test"}), frozenset({"choir.example"})),
        ),
        ("shop", OwnLists(frozenset({"news.shop.test"}))),
        ("nobody", None),
    ],
)
def test_registered_ones_and_those_of_own_domains(
    customer: str, own: OwnLists | None
) -> None:
    """A single login, a pattern or a network gives no right to a domain."""
    assert own_lists(_SETTINGS, customer) == own

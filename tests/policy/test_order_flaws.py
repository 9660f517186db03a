"""Orders that reach no limit, because others share it."""

import pytest

from outgate.policy.operator import Order, parse_entry
from outgate.policy.order_flaws import Flaws, flaws
from outgate.policy.settings import CustomerSettings
from policy.builders import a_policy

_CHOIR = CustomerSettings(
    name="choir", match=("@choir.example", "user:www", "www", "carol", "192.0.2.7")
)
_POLICY = a_policy(customers=[_CHOIR], shipped=True)


def found(name: str, words: str) -> Flaws:
    """What is said of an order in `outgate:limit`."""
    entry = parse_entry(Order.LIMIT, name, words.encode())
    return flaws(entry, _POLICY.limit_names(), _POLICY.profiles, _POLICY)


@pytest.mark.parametrize("name", ["anne@choir.example", "www", "192.0.2.7"])
def test_a_limit_of_the_whole_customer_is_not_one_persons(name: str) -> None:
    """The campaign's limit is the choir's; Anne's own limits are hers."""
    shared = found(name, "strangers-per-campaign=100/1w")

    assert not shared.acts
    (problem,) = shared.problems
    assert problem == (
        "strangers-per-campaign=: is all of customer choir's: name that customer; "
        "the order does nothing"
    )
    assert found(name, "recipients=100/1w") == Flaws((), True)
    (part,) = found(name, "strangers-per-campaign=9/1w recipients=9/1d").problems
    assert part.endswith("; the rest of the order acts")


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("choir", id="the customer"),
        pytest.param("Choir", id="the customer, as somebody writes it"),
        pytest.param("bart@example.org", id="nobody's login"),
        pytest.param("carol", id="perhaps a system user"),
        pytest.param("192.0.2.8", id="nobody's address"),
        pytest.param("192.0.2.0/24", id="a network"),
    ],
)
def test_who_may_be_a_customer_has_all_limits(name: str) -> None:
    """Nothing is said of an order that acts."""
    assert found(name, "strangers-per-campaign=100/1w") == Flaws((), True)


def test_a_word_that_stands_twice_is_told() -> None:
    """Only one of two profiles could be meant."""
    twice = found("bart@example.org", "profile=probation profile=trusted")

    assert twice == Flaws(("profile= stands twice; the order does nothing",), False)

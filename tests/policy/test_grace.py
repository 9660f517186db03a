"""When lists begin to need consents."""

from hypothesis import given
from hypothesis import strategies as st

from outgate.policy.grace import MOST_IN_GRACE, Deadline, deadlines

DAY_US = 86_400_000_000
BEGIN_US = 1_000 * DAY_US
MONTH_US = 30 * DAY_US


def until(first_us: int, enforced_us: int = BEGIN_US) -> int:
    key = ("choir", "news.choir.example")
    return deadlines(enforced_us, {key: first_us}, {}, MONTH_US)[key].until_us


def test_who_was_there_before_has_a_month_from_the_beginning() -> None:
    """However long before."""
    assert until(BEGIN_US - 400 * DAY_US) == until(BEGIN_US) == BEGIN_US + MONTH_US


def test_who_comes_in_the_month_has_one_of_its_own() -> None:
    """The last day of it included."""
    assert until(BEGIN_US + DAY_US) == BEGIN_US + DAY_US + MONTH_US
    assert until(BEGIN_US + MONTH_US) == BEGIN_US + 2 * MONTH_US


def test_who_comes_later_has_none() -> None:
    """Whoever registers a list then knows the rule."""
    late_us = BEGIN_US + MONTH_US + 1
    assert until(late_us) == late_us


def test_an_order_counts_before_all() -> None:
    """And remembers when the list was first seen."""
    key = ("choir", "news.choir.example")
    ordered = {key: Deadline(7, "anne")}
    found = deadlines(BEGIN_US, {key: BEGIN_US}, ordered, MONTH_US)
    assert found[key] == Deadline(7, "anne", BEGIN_US)


@given(st.lists(st.integers(0, 200), max_size=60), st.integers(0, 100))
def test_a_customer_has_so_many(days: list[int], begin_day: int) -> None:
    """The first ones; another customer's lists change nothing."""
    enforced_us = begin_day * DAY_US
    first = {
        (customer, f"l{number}"): (day + 1) * DAY_US
        for number, day in enumerate(days)
        for customer in ("choir", "shop")
    }
    found = deadlines(enforced_us, first, {}, MONTH_US)
    for customer in ("choir", "shop"):
        own = {key: one for key, one in found.items() if key[0] == customer}
        assert {key[1]: one for key, one in own.items()} == {
            key[1]: one for key, one in found.items() if key[0] == "choir"
        }
        graced = [one for one in own.values() if one.until_us > one.first_us]
        assert len(graced) <= MOST_IN_GRACE
        assert all(one.until_us <= enforced_us + 2 * MONTH_US for one in graced)

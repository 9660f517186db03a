"""The local copy of operator state, as the keeper last saw it."""

from collections.abc import Mapping, Sequence

import pytest

from outgate.model.client import parse_client
from outgate.model.units import Rate
from outgate.policy.operator import Entry, Order
from outgate.policy.snapshot import EMPTY, Snapshot
from policy.builders import (
    an_entry,
)
from policy.ledger import NOW_US

ALICE = "alice@example.org"
CLIENT = parse_client("203.0.113.9")


def rates_of(orders: Sequence[Entry]) -> list[Mapping[str, Rate]]:
    return [order.rates for order in orders]


def names_found(
    entries: list[str], asked: list[str], *, only_odd: bool, client: bool = True
) -> list[str]:
    snapshot = Snapshot.build(an_entry(Order.QUARANTINE, name) for name in entries)
    found = snapshot.find(
        Order.QUARANTINE, asked, CLIENT if client else None, only_odd=only_odd
    )
    return [entry.name for entry in found]


class TestFind:
    """Entries for any of a message's names."""

    @pytest.mark.parametrize(
        ("entry", "asked", "with_all", "only_odd"),
        [
            pytest.param(ALICE, ALICE, True, False, id="canonical: the store knows"),
            pytest.param("Alice@Example.ORG", ALICE, True, True, id="another case"),
            pytest.param("@example.org", "example.org", True, True, id="with an @"),
            pytest.param("bart@example.org", ALICE, False, False, id="another name"),
            pytest.param("203.0.113.0/24", "203.0.113.0/24", True, False, id="/24"),
            pytest.param("203.0.113.0/28", "", True, True, id="a network between"),
            pytest.param("203.0.113.99/28", "", False, False, id="another network"),
            pytest.param("203.0.113.9/32", "", True, True, id="one address by prefix"),
            pytest.param("203.0.113.9/24", "", True, True, id="with host bits"),
            pytest.param("::ffff:203.0.113.9", "203.0.113.9", True, True, id="mapped"),
            pytest.param("2001:db8::/32", "", False, False, id="of another version"),
        ],
    )
    def test_where_the_store_answered_only_odd_spellings_count(
        self, entry: str, asked: str, with_all: bool, only_odd: bool
    ) -> None:
        """What the look-up asks for itself is newer than this copy."""
        everything = names_found([entry], [asked], only_odd=False)
        assert (entry in everything) is with_all
        odd = names_found([entry], [asked], only_odd=True)
        assert (entry in odd) is only_odd

    def test_longer_prefixes_come_first(self) -> None:
        """Behind the names, in the order that was asked for."""
        entries = ["203.0.0.0/8", "203.0.113.0/28", "Bart", "Anne", "203.0.113.8/30"]
        assert names_found(entries, ["anne", "bart"], only_odd=True) == [
            "Anne",
            "Bart",
            "203.0.113.8/30",
            "203.0.113.0/28",
            "203.0.0.0/8",
        ]

    def test_without_a_client_no_network_matches(self) -> None:
        """A local user has no address."""
        assert not names_found(["203.0.113.0/28"], ["x"], only_odd=True, client=False)

    def test_the_kinds_of_orders_are_kept_apart(self) -> None:
        """A suspension is no quarantine."""
        snapshot = Snapshot.build([an_entry(Order.SUSPEND, ALICE)])
        assert list(snapshot.find(Order.SUSPEND, [ALICE], None, only_odd=False))
        assert not list(snapshot.find(Order.QUARANTINE, [ALICE], None, only_odd=False))

    def test_an_empty_copy_knows_nothing(self) -> None:
        """And at least one host shares the limits: this one."""
        assert not list(EMPTY.find(Order.SUSPEND, [ALICE], CLIENT, only_odd=False))
        assert Snapshot.build([], hosts=0).hosts == EMPTY.hosts == 1
        assert Snapshot.build([], hosts=3).hosts == 3


class TestRates:
    """Overrides of limits."""

    def test_orders_in_force_come_in_the_order_of_the_names(self) -> None:
        """A login's before its domain's; one that ended or is broken is passed over."""
        snapshot = Snapshot.build(
            [
                an_entry(
                    Order.LIMIT, "anne", "until=2020-01-01T00:00:00Z messages=1/h"
                ),
                an_entry(Order.LIMIT, "bart", "messages=2/h for=soon"),
                an_entry(Order.LIMIT, "Carl", "messages=3/h"),
                an_entry(Order.LIMIT, "dora", "messages=4/h"),
            ]
        )
        names = ["anne", "bart", "carl", "dora"]
        assert rates_of(snapshot.limits(names, None, NOW_US)) == [
            {"messages": Rate.parse("3/h")},
            {"messages": Rate.parse("4/h")},
        ]
        assert rates_of(snapshot.limits(names[:2], None, NOW_US)) == []

    def test_a_network_of_the_client_counts_behind_all_names(self) -> None:
        """It may be any network, not only those that are asked for by name."""
        snapshot = Snapshot.build(
            [
                an_entry(Order.LIMIT, "203.0.113.0/28", "messages=1/h"),
                an_entry(Order.LIMIT, "anne", "messages=2/h"),
            ]
        )
        one, two = {"messages": Rate.parse("1/h")}, {"messages": Rate.parse("2/h")}
        assert rates_of(snapshot.limits(["bart"], CLIENT, NOW_US)) == [one]
        assert rates_of(snapshot.limits(["anne"], CLIENT, NOW_US)) == [two, one]
        assert rates_of(snapshot.limits(["bart"], None, NOW_US)) == []

    def test_without_orders_there_are_none(self) -> None:
        """The limits are those of the configuration."""
        assert not EMPTY.limits(["anne"], CLIENT, NOW_US)

"""The local copy of all operator state, as the keeper last saw it.

Three uses: overrides of limits; spellings and networks that the per-message look-up
does not ask for; and all of it while the store is away.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Self

from outgate.model.client import Client, Network, parse_network
from outgate.policy.grace import NO_DEADLINES, Deadline, ListKey
from outgate.policy.operator import Entry, Order, canonical_name
from outgate.policy.optin_keys import OptinKey


@dataclass(frozen=True, slots=True)
class _Orders:
    """The entries of one hash."""

    exact: Mapping[str, Entry]
    odd: Mapping[str, Entry]
    networks: tuple[tuple[Network, Entry], ...]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All entries, ready for look-ups.

    Attributes:
        hosts: how many hosts share the store, at least 1.
        optin_keys: those that can be used, by name.
        deadlines: from when on each list needs consents; a list that is missing was
            not seen yet.
    """

    orders: Mapping[Order, _Orders] = field(default_factory=dict)
    hosts: int = 1
    optin_keys: Mapping[str, OptinKey] = field(default_factory=dict)
    deadlines: Mapping[ListKey, Deadline] = field(default_factory=dict)

    @classmethod
    def build(
        cls,
        entries: Iterable[Entry],
        hosts: int = 1,
        optin_keys: Iterable[OptinKey] = (),
        deadlines: Mapping[ListKey, Deadline] = NO_DEADLINES,
    ) -> Self:
        """Sort the entries by how they are found."""
        by_order: dict[Order, list[Entry]] = {order: [] for order in Order}
        for entry in entries:
            by_order[entry.order].append(entry)
        return cls(
            {order: _sort(found) for order, found in by_order.items() if found},
            max(1, hosts),
            {key.name: key for key in optin_keys if not key.problems},
            deadlines,
        )

    def has_optin_key(self, customer: str, list_id: str, now_us: int) -> bool:
        """Whether tokens may speak for the recipients of a list."""
        return any(
            key.customer == customer
            and list_id in key.lists
            and not 0 < key.revoked_us <= now_us
            and not 0 < key.not_after_us <= now_us
            for key in self.optin_keys.values()
        )

    def find(
        self,
        order: Order,
        names: Iterable[str],
        client: Client | None,
        *,
        only_odd: bool,
    ) -> Iterator[Entry]:
        """Entries for any of these names.

        Args:
            order: which hash.
            names: canonical names.
            client: whose networks are searched.
            only_odd: leave out what the per-message look-up asks for itself: where
                the store answered, its answer is newer than this copy.
        """
        orders = self.orders.get(order)
        if orders is None:
            return
        for name in names:
            if (entry := orders.odd.get(name)) is not None:
                yield entry
            if not only_odd and (entry := orders.exact.get(name)) is not None:
                yield entry
        if client is not None:
            for network, entry in orders.networks:
                asked = only_odd and entry.name in client.spellings
                if not asked and client.address in network:
                    yield entry

    def limits(
        self, names: Iterable[str], client: Client | None, now_us: int
    ) -> Sequence[Entry]:
        """All orders about limits in force for these names, or the client.

        They are not merged here: an order's count word stands for all limits of that
        count, and so for what a less telling order says of one of them.

        Args:
            names: canonical names, the most telling first.
            client: whose networks are searched after all names.
            now_us: microseconds since the epoch.
        """
        if Order.LIMIT not in self.orders:
            return ()
        return [
            entry
            for entry in self.find(Order.LIMIT, names, client, only_odd=False)
            if entry.in_force(now_us)
        ]


def _sort(entries: list[Entry]) -> _Orders:
    exact: dict[str, Entry] = {}
    odd: dict[str, Entry] = {}
    networks: list[tuple[Network, Entry]] = []
    for entry in entries:
        canonical = canonical_name(entry.name)
        if canonical == entry.name:
            exact[canonical] = entry
        else:
            odd[canonical] = entry
        if "/" in canonical and (network := parse_network(canonical)) is not None:
            networks.append((network, entry))
    networks.sort(key=lambda pair: -pair[0].prefixlen)
    return _Orders(exact, odd, tuple(networks))


EMPTY = Snapshot()

"""Streams: mail of programs that a customer registered.

A stream is told by header From, which the sender chooses; so it is bound to a customer,
and what it is spared (the other limits on strangers) it pays for with a limit of its own.
"""

from collections.abc import Iterable

from outgate.model.address import Address, canonical_domain, parse_address
from outgate.model.limit import Count, Limit, Per
from outgate.model.verdict import Action
from outgate.policy.settings import StreamSettings


class Streams:
    """Registered streams by customer and header From."""

    def __init__(self, streams: Iterable[StreamSettings]) -> None:
        self._limits: dict[tuple[str, str], Limit] = {}
        for stream in streams:
            limit = Limit(
                name=f"stream-{stream.name}",
                per=Per.STREAM,
                count=Count.STRANGERS,
                rate=stream.rate,
                burst=stream.rate.count,
                action=Action.QUARANTINE,
            )
            for sender in stream.sender:
                name = str(parse_address(sender)) if "@" in sender else ""
                key = name or canonical_domain(sender)
                self._limits[stream.customer, key] = limit

    @property
    def limit_names(self) -> frozenset[str]:
        """Names of their limits, which an override may use."""
        return frozenset(limit.name for limit in self._limits.values())

    def limit(
        self, customer: str, header_from: Address | None, recipients: int
    ) -> Limit | None:
        """The limit of the stream that a message belongs to, None for none."""
        if not self._limits or header_from is None or recipients != 1:
            return None
        return self._limits.get((customer, str(header_from))) or self._limits.get(
            (customer, header_from.domain)
        )

"""Streams: mail of programs that a customer registered.

A stream is told by header From, which the sender chooses; so it is bound to a customer,
and what it is spared (the other limits on strangers) it pays for with a limit of its own.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from outgate.model.address import Address, canonical_domain, parse_address
from outgate.model.limit import Count, Limit, Per
from outgate.model.units import Rate
from outgate.model.verdict import Action, MailClass
from outgate.policy.settings import StreamSettings

# Few lists grow by a thousand readers a day; many shops have as many buyers.
DEFAULT_RATES: Mapping[MailClass, Rate] = {
    MailClass.TRANSACTIONAL: Rate.parse("2000/1d"),
    MailClass.CONFIRMATION: Rate.parse("1000/1d"),
}


class Stream(NamedTuple):
    """A registered stream.

    Attributes:
        mail_class: of its mail, `transactional` or `confirmation`.
        limit: on the strangers that it may reach.
    """

    mail_class: MailClass
    limit: Limit


class Streams:
    """Registered streams by customer and header From."""

    def __init__(self, streams: Iterable[StreamSettings]) -> None:
        self._streams: dict[tuple[str, str], Stream] = {}
        for one in streams:
            stream = _stream(one)
            for sender in one.sender:
                name = str(parse_address(sender)) if "@" in sender else ""
                key = name or canonical_domain(sender)
                self._streams[one.customer, key] = stream

    @property
    def limit_names(self) -> frozenset[str]:
        """Names of their limits, which an override may use."""
        return frozenset(limit.name for limit in self.limits)

    @property
    def limits(self) -> list[Limit]:
        """The limit of each, as often as it has senders."""
        return [stream.limit for stream in self._streams.values()]

    def find(
        self, customer: str, header_from: Address | None, recipients: int
    ) -> Stream | None:
        """The stream that a message belongs to, None for none."""
        if not self._streams or header_from is None or recipients != 1:
            return None
        return self._streams.get((customer, str(header_from))) or self._streams.get(
            (customer, header_from.domain)
        )


def _stream(settings: StreamSettings) -> Stream:
    mail_class = MailClass(settings.kind)
    rate = settings.rate or DEFAULT_RATES[mail_class]
    limit = Limit(
        name=f"stream-{settings.name}",
        per=Per.STREAM,
        count=Count.STRANGERS,
        rate=rate,
        burst=rate.count,
        action=Action.QUARANTINE,
    )
    return Stream(mail_class, limit)

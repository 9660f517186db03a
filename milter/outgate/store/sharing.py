"""Contents that many customers send: a botnet on hijacked accounts.

Shared by all customers, so each band of a content has a key and a slot of its own, read
by plain GET beside the limits and written afterwards: what is in flight meanwhile is not
seen. A few bands suffice: of the messages of one mailing, most share them.
"""

import struct
from collections.abc import Iterator, Sequence
from functools import lru_cache

from outgate.model.content import HOUR_US
from outgate.model.sharing import Company, Sharer, company_of
from outgate.policy.questions import Neighbours, Plan
from outgate.store.hashes import Hashes
from outgate.store.keys import Keys
from outgate.store.resp import command, known, word
from outgate.store.scripts import Script
from outgate.store.wire import Reply

# Of the twelve; more would find a few messages more, and cost memory for each.
_PLACES = (0, 3, 6, 9)
# Longer than any record counts; the script's time decides that.
_TTL_S = 10 * 86_400
_CUSTOMER_BYTES = 3
_RECORD = struct.Struct(">3sBH")
# Hours are kept modulo this. Who is ahead of us has a clock that is.
_HOURS = 65_536
_HOURS_AHEAD = 1024
_GET = known("GET")
_EVAL_WORDS = 8


class Sharing:
    """Asks who else sends a content, and notes that somebody does."""

    def __init__(self, keys: Keys, hashes: Hashes) -> None:
        self._keys = keys
        self._hashes = hashes
        self._eval = (
            known("EVAL") + known(Script.load("share").text.decode()) + known("1")
        )
        self._ttl = known(str(_TTL_S))
        self._customer = lru_cache(maxsize=8192)(self._make_customer)

    def ask(self, plan: Plan) -> list[bytes]:
        """One command for each band that is shared."""
        return [command(2, _GET, key) for key in self._bands(plan)]

    def read(
        self, plan: Plan, replies: Sequence[Reply], now_us: int
    ) -> Neighbours | None:
        """The most that any band knows about other customers.

        Args:
            plan: what was asked.
            replies: one for each command.
            now_us: the store's time, microseconds since the epoch.
        """
        own, hour = self._customer(plan.customer), now_us // HOUR_US
        found = [_company(reply, own, hour) for reply in replies]
        if not found:
            return None
        most = max(found)
        # One band is enough to know a customer's own template again.
        familiar = any(one.familiar for one in found)
        return Neighbours(most.customers, most.strangers, familiar)

    def note(self, plan: Plan, strangers: int, now: str) -> list[bytes]:
        """One command for each band that is shared.

        Args:
            plan: of the message that was let out.
            strangers: how many it reached.
            now: microseconds since the epoch; "" for the server's time.
        """
        rest = b"".join(
            (
                known(now),
                word(self._customer(plan.customer)),
                known(str(strangers)),
                self._ttl,
            )
        )
        return [
            command(_EVAL_WORDS, self._eval, key, rest) for key in self._bands(plan)
        ]

    def _bands(self, plan: Plan) -> Iterator[bytes]:
        if len(plan.bands) <= max(_PLACES):
            # A few words, or pictures: too little to say that two customers agree.
            return
        for place in _PLACES:
            band = self._hashes.shared_band(place, plan.bands[place])
            yield word(self._keys.shared(band.hex()).encode())

    def _make_customer(self, name: str) -> bytes:
        return self._hashes.item(name)[:_CUSTOMER_BYTES]


def _company(reply: Reply, own: bytes, hour: int) -> Company:
    if not isinstance(reply, bytes) or len(reply) % _RECORD.size:
        return Company(0, 0, familiar=False)
    return company_of(own, _sharers(reply, hour), hour)


def _sharers(value: bytes, hour: int) -> Iterator[Sharer]:
    for customer, strangers, first in _RECORD.iter_unpack(value):
        age_h = (hour - first) % _HOURS
        if age_h >= _HOURS - _HOURS_AHEAD:
            age_h = 0
        yield Sharer(customer, strangers, hour - age_h)

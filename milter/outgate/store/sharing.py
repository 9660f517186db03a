"""Contents that many customers send: a botnet on hijacked accounts.

Shared by all customers, so each band of a content has a key and a slot of its own, read
by plain GET beside the limits and written afterwards: what is in flight meanwhile is not
seen. A few bands suffice: of the messages of one mailing, most share them.
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache

from outgate.policy.questions import Neighbours, Plan
from outgate.store.hashes import Hashes
from outgate.store.keys import Keys
from outgate.store.resp import command, known, word
from outgate.store.scripts import Script
from outgate.store.wire import Reply

# Of the twelve; more would find a few messages more, and cost memory for each.
_PLACES = (0, 3, 6, 9)
_TTL_S = 3 * 86_400
_CUSTOMER_BYTES = 3
_RECORD_BYTES = 4
_GET = known("GET")
_EVAL_WORDS = 7


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

    def read(self, plan: Plan, replies: Sequence[Reply]) -> Neighbours | None:
        """The most that any band knows about other customers."""
        own = self._customer(plan.customer)
        return max((_others(reply, own) for reply in replies), default=None)

    def note(self, plan: Plan, strangers: int) -> list[bytes]:
        """One command for each band that is shared."""
        customer = word(self._customer(plan.customer))
        number = known(str(strangers))
        return [
            command(_EVAL_WORDS, self._eval, key, customer, number, self._ttl)
            for key in self._bands(plan)
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


def _others(reply: Reply, own: bytes) -> Neighbours:
    if not isinstance(reply, bytes):
        return Neighbours(0, 0)
    records = [
        reply[at : at + _RECORD_BYTES] for at in range(0, len(reply), _RECORD_BYTES)
    ]
    others = [one for one in records if one[:_CUSTOMER_BYTES] != own]
    return Neighbours(len(others), sum(one[-1] for one in others))

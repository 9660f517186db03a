"""Limits that are met quickly, and what stands in the store about one customer."""

from collections.abc import Iterator
from contextlib import contextmanager

from lab.redis import RedisServer
from outgate.store.client import connect
from outgate.store.keys import Keys, safe
from store.dumps import Dump, dump
from store.running import Store, endpoint, narrow_wire

# All that counts; attempts and what is held are kept for other purposes.
KINDS = ("count", "distinct", "contacts", "content", "usual")


LIMITS = {
    "strangers": "strangers-per-login-daily",
    "different": "different-per-login-daily",
    "campaign": "strangers-per-campaign",
}
_ROOMY = {
    "strangers-per-campaign": ("campaign", "strangers"),
    "strangers-per-login-daily": ("login", "strangers"),
    "different-per-login-daily": ("login", "distinct-recipients"),
    "strangers-per-local-user-daily": ("local-user", "strangers"),
}


MTAS = ("postfix", "sendmail")


def narrowly(narrow: int) -> str:
    """Roomy limits, and for each a customer of each MTA for whom it alone is narrow.

    Args:
        narrow: how many are let out there; twice as many of the local user `www-data`.
    """
    tables = [
        f'[[limit]]\nname = "{name}"\nper = "{per}"\ncount = "{count}"\n'
        f'rate = "1000/7d"\naction = "defer"\n'
        for name, (per, count) in _ROOMY.items()
    ]
    for word, name in LIMITS.items():
        tables.append(
            f'[[profile]]\nname = "{word}"\nlimits = {{ {name} = "{narrow}/7d" }}\n'
        )
        tables += [
            f'[[customer]]\nname = "{mta}-{word}"\nprofile = "{word}"\n'
            f'match = ["{mta}-{word}*"]\n'
            for mta in MTAS
        ]
    tables.append(
        '[[profile]]\nname = "local"\n'
        f'limits = {{ strangers-per-local-user-daily = "{2 * narrow}/7d" }}\n'
        '[[customer]]\nname = "www-data"\nprofile = "local"\n'
        'match = ["user:www-data"]\n'
    )
    # One worker, so that an order is in force for all mail at the same time.
    tables.append("[campaign]\nstrangers = 1000000\n[workers]\ncount = 1\n")
    return "".join(tables)


class Counted:
    """Looks at the counters of customers."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._keys = Keys("outgate")

    def bytes_of(self, customer: str) -> dict[str, bytes]:
        """Every counter of a customer, as the server writes it down."""
        tag = f"{{{safe(customer)}}}"
        return {
            name: self._store.client.dump(f"{self._keys.namespace}:{name}")
            for name in self._store.names(self._keys)
            if name.partition(":")[0] in KINDS and tag in name
        }

    def numbers_of(self, customer: str) -> Dump:
        """What is counted of people, whenever it was: no plain numbers of messages."""
        tag = f"{{{safe(customer)}}}"
        found = dump(self._store, self._keys, 0)
        plain = [name for name in found.counters if "}:strangers-" not in name]
        for name in plain:
            del found.counters[name]
        for part in (found.counters, found.different, found.usual):
            for name in [name for name in part if tag not in name]:
                del part[name]
        return found


@contextmanager
def counted(server: RedisServer) -> Iterator[Counted]:
    """Look into a server that a daemon uses."""
    target = endpoint(server)
    wire = narrow_wire(target)
    try:
        with connect(target) as client:
            yield Counted(Store(server, client, wire))
    finally:
        wire.close()

"""What the store keeps of a sender, in memory of a real server."""

from collections import Counter

from bench.report import say
from lab.redis import RedisServer
from scenarios.run import store_of
from store.builders import Clock
from store.remembered import (
    count_strangers,
    send_for_a_year,
    send_to_a_crowd,
    sizes_of,
)
from store.running import new_keys

_CROWD = 100_000
_UNKNOWN = 10_000


def show_memory() -> None:
    """Measure and print."""
    with RedisServer() as server, store_of(server) as store:
        keys, clock = new_keys(), Clock()
        send_for_a_year(store.counters(keys, clock), clock)
        _say(
            "an ordinary sender after a year (50 recipients a day, 400 contacts)",
            sizes_of(store, keys),
        )
        keys = new_keys()
        counters = store.counters(keys, Clock())
        send_to_a_crowd(counters, _CROWD)
        _say(f"a sender with {_CROWD:,} contacts", sizes_of(store, keys))
        known = _UNKNOWN - count_strangers(counters, _UNKNOWN)
        say(f"  of {_UNKNOWN:,} strangers, {known} are taken for known")


def _say(what: str, sizes: Counter[str]) -> None:
    told = ", ".join(f"{kind} {size:,}" for kind, size in sizes.most_common())
    say(f"store, {what}: {sizes.total() / 1024:.1f} KiB ({told} bytes)")

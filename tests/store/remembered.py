"""What senders leave behind: the memory of an ordinary one, and of one with a crowd."""

from collections import Counter

from outgate.store.counters import Counters
from outgate.store.keys import Keys
from store.builders import (
    DAY_US,
    Clock,
    a_campaign,
    a_charge,
    a_plan,
    of_different,
    of_strangers,
    some_bands,
    some_people,
)
from store.running import Store

# Recipients of the messages of one day: 50 in all.
_DAY = (*[1] * 34, *[2] * 3, *[5] * 2)
_CONTACTS = 400
_YEAR_DAYS = 365
_BATCH = 1_000


def send_for_a_year(counters: Counters, clock: Clock) -> None:
    """50 recipients a day, 400 contacts, and a circular to 300 of them each month."""
    sent = person = 0

    def send(people: int, content: int) -> None:
        nonlocal sent, person
        sent, person = sent + 1, (person + people) % (_CONTACTS - people)
        counters.look_up(
            a_plan(
                a_charge(name="messages-hourly", interval_us=720_000, burst=5_000),
                a_charge(name="recipients-daily", cost=people, burst=50_000),
                of_strangers(burst=500, interval_us=432_000_000, most=people),
                of_different("network", name="networks-daily", limit=20),
                people=some_people(people, first=person),
                campaign=a_campaign(burst=500),
                bands=some_bands(content),
                message=b"%d" % sent,
            )
        )

    start_us = clock.now_us
    for day in range(_YEAR_DAYS):
        clock.now_us = start_us + day * DAY_US
        for people in _DAY:
            clock.now_us += DAY_US // 100
            send(people, content=sent)
        if day % 30 == 0:
            for _ in range(10):
                send(30, content=1_000_000 + day)


def send_to_a_crowd(counters: Counters, number: int) -> None:
    """So many recipients, a thousand a message."""
    for first in range(0, number, _BATCH):
        counters.look_up(a_plan(people=some_people(_BATCH, first=first)))


def count_strangers(counters: Counters, number: int) -> int:
    """How many of so many people who were never mailed are strangers."""
    unknown = [f"nobody{one}@example.com" for one in range(number)]
    return counters.look_up(a_plan(people=unknown), commit=False).stranger_count


def sizes_of(store: Store, keys: Keys) -> Counter[str]:
    """Bytes of memory, by kind of key."""
    sizes: Counter[str] = Counter()
    for name in store.names(keys):
        full = f"{keys.namespace}:{name}"
        used = store.ask("MEMORY", "USAGE", full, "SAMPLES", 0)
        sizes[name.partition(":")[0]] += int(used)
    return sizes

"""The days of lists, on a real server."""

from datetime import UTC, datetime, timedelta

from outgate.store.keys import Keys
from outgate.store.listdays import ListDays
from store.running import Store

NEWS = ("a b", "news.choir.example")
DAY_US = 86_400_000_000


def test_messages_of_a_day_are_added_up(store: Store, keys: Keys) -> None:
    """Each day apart; one that is too old is not asked for."""
    counters = store.counters(keys)
    now_us = store.client.time()[0] * 1_000_000
    for moment_us in (now_us, now_us, now_us - DAY_US, now_us - 100 * DAY_US):
        counters.add_to_list_day(NEWS, moment_us, {"messages": 1, "recipients": 5})
    # Posted commands are done before what is asked behind them.
    today = datetime.fromtimestamp(now_us // 1_000_000, UTC).date()
    place = keys.list_day(*NEWS, today.isoformat())
    ttl_s = store.ask("TTL", place)

    days = ListDays(store.client, keys).read(NEWS)

    assert [(day, dict(one.counts)) for day, one in days.items()] == [
        (today, {"messages": 2, "recipients": 10}),
        (today - timedelta(days=1), {"messages": 1, "recipients": 5}),
    ]
    assert isinstance(ttl_s, int)
    assert 91 * 86_400 < ttl_s <= 92 * 86_400


def test_what_a_person_wrote_there_counts_if_it_is_a_number(
    store: Store, keys: Keys
) -> None:
    today = datetime.fromtimestamp(store.client.time()[0], UTC).date()
    place = keys.list_day(*NEWS, today.isoformat())
    store.client.hset(place, mapping={"messages": "many", "recipients": "4"})
    store.client.hset(place, b"\xff", "1")
    assert ListDays(store.client, keys).read(NEWS)[today].counts == {
        "recipients": 4,
        "�": 1,
    }

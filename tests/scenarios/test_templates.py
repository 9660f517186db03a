"""One template of many customers, before the real gate and a real store."""

from collections.abc import Iterator
from contextlib import ExitStack
from random import Random

import pytest

from lab.redis import RedisServer
from lab.skips import or_skip
from outgate.config.reader import parse
from outgate.model.verdict import Reason
from outgate.policy.decision import Decision
from scenarios.gatehouse import Gatehouse
from scenarios.habits import to_each
from scenarios.mail import DAY_S, HOUR_S, Content, Heading, Traffic, compose, together
from scenarios.mailings import personalised
from scenarios.people import crowd, first_name
from scenarios.run import store_of
from scenarios.scenario import NETWORK, at_home
from scenarios.words import NOUNS, TOWNS
from store.running import Store, new_keys

SHOPS = [f"orders@shop{number}.example" for number in range(8)]
ORDERS_A_DAY = 15


@pytest.fixture(scope="module")
def store() -> Iterator[Store]:
    """To a server that only these tests use."""
    with ExitStack() as stack:
        with or_skip():
            server = stack.enter_context(RedisServer())
        yield stack.enter_context(store_of(server))


def order(rng: Random, heading: Heading) -> Content:
    """What the same program writes to the buyers of each shop."""
    name, thing = first_name(heading.readers[0]), rng.choice(NOUNS)
    price = rng.randint(10, 99)
    return compose(
        heading,
        "Your order has been received",
        f"Thank you for your order\n\nHi {name},\n\nJust to let you know that we have "
        f"received your order {rng.randint(1000, 9999)}, and it is now being processed:"
        f"\n\nProduct Quantity Price\n{thing} 1 {price}.00\nSubtotal: {price}.00\n"
        "Shipping: free shipping\nPayment method: direct bank transfer\n"
        f"Total: {price}.00\n\nBilling address\n{name}\n{rng.choice(TOWNS)}\n\n"
        "Thanks for shopping with us! Built with a shop system that many use\n",
    )


def orders(days: range) -> Traffic:
    """Of all shops, at any time of the day, to people who never had mail from them."""
    return together(*[_orders_of(place, days) for place in range(len(SHOPS))])


def _orders_of(place: int, days: range) -> Traffic:
    shop = SHOPS[place]
    for day in days:
        rng = Random(f"{shop} {day}")
        times = sorted(
            day * DAY_S + rng.uniform(0, 20 * HOUR_S) for _ in range(ORDERS_A_DAY)
        )
        buyers = crowd(rng, ORDERS_A_DAY)
        yield from to_each(rng, times, at_home(shop, 60 + place), shop, buyers, order)


def adverts(day: int) -> Traffic:
    """The same advert from the same eight accounts, ten strangers each."""
    rng = Random("advert")
    for number, reader in enumerate(crowd(rng, 80)):
        place = number % len(SHOPS)
        yield from to_each(
            rng,
            [day * DAY_S + 21 * HOUR_S + number],
            at_home(SHOPS[place], 60 + place),
            SHOPS[place],
            [reader],
            personalised,
        )


def play(
    house: Gatehouse, traffic: Traffic, *, watching: bool = False
) -> list[Decision]:
    return [house.offer(message, watching=watching) for message in traffic]


def test_shops_with_one_template_are_no_botnet(store: Store) -> None:
    """After a week in monitor mode; and an advert from the same accounts still is one."""
    settings = parse(
        f'mode = "enforce"\n{NETWORK}\n[[limit]]\nname = "strangers-per-campaign"\n'
        # What a shop's own receipts cost is another question: it would be a stream.
        'rate = "1000/7d"\n'
    )
    house = Gatehouse(store, new_keys(), settings)
    play(house, orders(range(7)), watching=True)
    decisions = play(house, orders(range(7, 10)))
    assert len(decisions) == 3 * len(SHOPS) * ORDERS_A_DAY
    assert [one.verdict.reasons for one in decisions if one.verdict.reasons] == []

    spam = play(house, adverts(10))
    let_out = sum(one.disposition.action.lets_out for one in spam)
    # Not every copy shares one of the four bands with every other.
    assert 40 <= let_out <= 60
    assert spam[-1].verdict.reasons == (Reason.CAMPAIGN_ACROSS_CUSTOMERS,)

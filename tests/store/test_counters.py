"""One look-up a message: what it asks, and what it makes of the answers."""

from concurrent.futures import ThreadPoolExecutor
from unittest.mock import patch

import pytest

from outgate.model.errors import ScriptError
from outgate.model.gcra import Level
from outgate.policy.operator import Order
from outgate.policy.questions import Source
from outgate.store.counters import Counters
from outgate.store.keys import Keys
from outgate.store.wire import Endpoint, Reply, Wire
from store.builders import (
    ANNE,
    a_campaign,
    a_charge,
    a_plan,
    of_different,
    plain,
    some_bands,
    some_people,
)
from store.running import PATIENCE_S, SECRET, Store, endpoint
from store.talker import Talker


def test_orders_come_back_beside_their_names(store: Store, keys: Keys) -> None:
    """Raw values in the order of the names, None where nobody typed anything."""
    for order, name, value in (
        (Order.QUARANTINE, ANNE, "for=1h phished"),
        (Order.SUSPEND, "example.com", "bot"),
        (Order.ALLOW, "choir", "rules=limit-exceeded"),
        (Order.LIMIT, ANNE, "recipients=5000/1d"),
    ):
        store.ask("HSET", keys.order(order), name, value)
    plan = a_plan(names=("choir", "example.com"), own_names=("choir",))

    answers = store.counters(keys).look_up(plan)

    assert answers.source is Source.STORE
    assert answers.quarantine == [b"for=1h phished", None, None]
    assert answers.suspend == [None, None, b"bot"]
    assert answers.allow == [None, b"rules=limit-exceeded"]


def test_a_store_that_was_never_used_answers(store: Store, keys: Keys) -> None:
    """No key exists: nothing is ordered, nothing was used, nothing is held."""
    answers = store.counters(keys).look_up(a_plan(a_charge()))

    assert answers.allowed
    assert plain(answers) == [Level(True, 1, 0)]
    assert (answers.suspend, answers.quarantine, answers.allow) == ([None],) * 3
    assert (answers.attempts, answers.held_messages, answers.held_bytes) == (0, 0, 0)


@pytest.mark.parametrize("order", [Order.SUSPEND, Order.QUARANTINE, Order.ALLOW])
def test_a_hash_of_another_type_holds_no_orders(
    store: Store, keys: Keys, order: Order
) -> None:
    """`SET outgate:suspend …` by mistake: mail goes on, other hashes still act."""
    for other in Order:
        store.ask("HSET", keys.order(other), ANNE, "by=anne")
    store.ask("SET", keys.order(order), "203.0.113.9")

    answers = store.counters(keys).look_up(a_plan(a_charge()))

    assert plain(answers) == [Level(True, 1, 0)]
    values = {
        Order.SUSPEND: answers.suspend,
        Order.QUARANTINE: answers.quarantine,
        Order.ALLOW: answers.allow,
    }
    assert values.pop(order) == [None]
    assert list(values.values()) == [[b"by=anne"]] * 2


_KINDS = ("count", "distinct", "seen", "holding", "contacts", "content", "usual")


@pytest.mark.parametrize("kind", _KINDS)
def test_a_key_of_another_type_is_a_script_error(
    store: Store, keys: Keys, kind: str
) -> None:
    """The script stops before it writes: the customer's other counters stay."""
    counters = store.counters(keys)
    plan = a_plan(
        a_charge(name="fine"),
        a_charge(name="broken"),
        of_different("one", name="broken"),
        people=some_people(2),
        campaign=a_campaign(),
        bands=some_bands(1),
    )
    name = {
        "count": keys.count(ANNE, "broken", ANNE),
        "distinct": keys.distinct(ANNE, "broken", ANNE),
        "contacts": keys.contacts(ANNE),
        "content": keys.content(ANNE),
        "usual": keys.usual(ANNE, ANNE),
        "seen": keys.seen(ANNE, counters.retry_id(plan)),
        "holding": keys.holding(ANNE),
    }[kind]
    store.ask("RPUSH", name, "a list")
    before = store.writes()

    with pytest.raises(ScriptError, match="WRONGTYPE"):
        counters.look_up(plan)

    assert store.writes() == before


def test_a_retry_is_known_by_a_keyed_hash(store: Store, keys: Keys) -> None:
    """The key on the server tells nothing, and another secret makes another one."""
    plan = a_plan(message=b"anne@example.com to bart@example.net: dinner")
    ours = store.counters(keys)
    theirs = Counters(store.wire, keys, b"\x01" * 32)

    assert ours.retry_id(plan) != theirs.retry_id(plan)
    assert ours.retry_id(plan) == store.counters().retry_id(plan)
    assert len(ours.retry_id(plan)) == 24
    assert ours.retry_id(a_plan(message=b"")) != ours.retry_id(plan)


def test_customers_do_not_share_counters(store: Store, keys: Keys) -> None:
    """The same login under two customers has two counters."""
    counters = store.counters(keys)
    for customer in ("choir", "orchestra", "two words {of course}"):
        plan = a_plan(a_charge(identity="two words"), customer=customer)
        assert counters.look_up(plan).levels[0].used == 1


@pytest.mark.parametrize(
    "answer",
    [
        b"+OK\r\n" * 4,
        b"*0\r\n" * 4,
        b"$-1\r\n" * 4,
        b"*1\r\n$-1\r\n" * 3 + b":1\r\n",
        b"*1\r\n$-1\r\n" * 3 + b"*2\r\n:1\r\n:1\r\n",
        b"*1\r\n$-1\r\n" * 3 + b"-ERR user_script:44: oh\r\n",
        b"-ERR unknown command 'HMGET', with args beginning with: 'x'\r\n" * 4,
    ],
)
def test_an_answer_of_another_shape_is_a_script_error(
    talker: Talker, answer: bytes
) -> None:
    """Something that speaks Redis and is none: a typed error, never a traceback."""
    talker.answers = [answer]
    wire = Wire(talker.endpoint(timeout_s=5.0))

    with pytest.raises(ScriptError):
        Counters(wire, Keys(), SECRET).look_up(a_plan(a_charge()))
    wire.close()


def test_no_more_than_the_limit_gets_through_a_crowd(store: Store, keys: Keys) -> None:
    """2,000 look-ups, 200 threads, four workers, one limit of 700: 700 are let out."""
    wires = [Wire(endpoint(store.server)) for _ in range(4)]
    workers = [Counters(wire, keys, SECRET) for wire in wires]
    # Nothing drains while they come.
    limit = a_charge(interval_us=3_600_000_000, burst=700)

    def send(number: int) -> int:
        counters = workers[number % len(workers)]
        plan = a_plan(limit, message=b"%d" % number)
        return sum(counters.look_up(plan).allowed for _ in range(10))

    # Whoever waits for a connection may wait for a busy machine, too.
    patience = patch("outgate.store.wire._MAX_QUEUE_S", PATIENCE_S)
    with patience, ThreadPoolExecutor(200) as threads:
        allowed = sum(threads.map(send, range(200)))

    assert allowed == 700
    assert store.counters(keys).look_up(a_plan(limit)).levels[0].used == 700
    for wire in wires:
        wire.close()


class Listening(Wire):
    """Passes everything on, and notes who waited for an answer."""

    def __init__(self, target: Wire) -> None:
        super().__init__(Endpoint(url="unix:///nowhere"))
        self.target = target
        self.waited: list[int] = []
        self.posted: list[int] = []

    def call(self, commands: bytes, count: int) -> list[Reply]:
        self.waited.append(count)
        return self.target.call(commands, count)

    def post(self, commands: bytes, count: int) -> None:
        self.posted.append(count)
        self.target.post(commands, count)


@pytest.mark.parametrize("subscribed", ["", "members.choir.example"])
def test_one_round_trip_is_waited_for(
    store: Store, keys: Keys, subscribed: str
) -> None:
    """Orders, limits, contacts, content, neighbours, consents: all in one buffer.

    What is given back, introduced or met goes out behind it, and nobody waits.
    """
    wire = Listening(store.wire)
    counters = Counters(wire, keys, SECRET)
    store.counters(keys).look_up(a_plan())
    plan = a_plan(
        a_charge(),
        of_different("one", "two"),
        people=some_people(3),
        campaign=a_campaign(),
        bands=some_bands(*range(12)),
        subscribed=subscribed,
    )

    answers = counters.look_up(plan)

    # Three hashes of orders, the script, four bands; a consent for each recipient.
    assert (wire.waited, wire.posted) == ([8 + 3 * bool(subscribed)], [])
    counters.introduce(plan, answers)
    counters.settle(plan, answers, held_bytes=0)
    counters.meet(plan)
    assert len(wire.waited) == 1
    assert wire.posted == [4 + bool(subscribed), 1, 1]
    assert store.ask("PING") == b"PONG"

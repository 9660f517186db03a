"""Strangers, different recipients and mailings are counted once, by real MTAs.

Whatever an MTA offers again, and whatever was refused, counts nothing; two MTAs with
one store count as one.
"""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import pytest

from lab.milters import Milter
from lab.outgate import SOCKET_GROUP, Outgate
from lab.postfix import Postfix
from lab.redis import RedisServer
from lab.sendmail import Sendmail
from lab.sink import Sink
from lab.skips import or_skip
from lab.smtp import Result, send
from lab.waiting import wait_until
from system.counted import KINDS, LIMITS, MTAS, Counted, counted, narrowly
from system.messages import letter
from system.observing import delivered

pytestmark = pytest.mark.mta

ANNE = "anne@example.org"
_LISTEN = f"""
[[listen]]
address = "unix:{{directory}}/outgate.sock"
group = "{SOCKET_GROUP}"
[[listen]]
address = "unix:{{directory}}/local.sock"
group = "{SOCKET_GROUP}"
path = "local-submission"
local-user = "www-data"
"""


@dataclass(frozen=True)
class House:
    """A daemon with a store of its own, and who asks it."""

    gate: Outgate
    postfix: Postfix
    sendmail: Sendmail
    counted: Counted
    sink: Sink

    def offer(self, mta: str, login: str, people: list[str], subject: str) -> Result:
        """Send one message, by the MTA of that name."""
        message = letter(subject)
        if mta == "sendmail":
            user = (login, "secret")
            return send(self.sendmail.port, message, ANNE, people, auth=user)
        login = f"{login}@mx.local.example"
        return send(self.postfix.port, message, ANNE, people, login=login)

    def submit(self, people: list[str], subject: str) -> None:
        """Hand one message to Postfix's sendmail(1)."""
        self.postfix.submit_local(letter(subject), "www@example.org", people)


@pytest.fixture(scope="module")
def house() -> Iterator[House]:
    """Both MTAs in front of one daemon; limits of six are narrow."""
    with ExitStack() as stack:
        with or_skip():
            redis = stack.enter_context(RedisServer(tcp=True))
        gate = Outgate(settings=narrowly(6), listen=_LISTEN, store=redis.url)
        stack.enter_context(gate)
        sink = stack.enter_context(Sink())
        milters, local = [Milter(gate.socket)], [Milter(gate.local_socket)]
        users = {f"sendmail-{word}": "secret" for word in LIMITS}
        with or_skip():
            postfix = stack.enter_context(
                Postfix(milters=milters, local_milters=local, sink=sink.port)
            )
            sendmail = stack.enter_context(
                Sendmail(milters=milters, sink=sink.port, users=users)
            )
        look = stack.enter_context(counted(redis))
        yield House(gate, postfix, sendmail, look, sink)


def people(count: int, first: int = 0) -> list[str]:
    return [f"r{number}@example.net" for number in range(first, first + count)]


@pytest.mark.parametrize("word", LIMITS)
@pytest.mark.parametrize("mta", MTAS)
def test_only_what_was_let_out_counts(house: House, mta: str, word: str) -> None:
    """Refused, tried again and again, then let out; and once more, by mistake."""
    customer = f"{mta}-{word}"
    assert house.offer(mta, customer, people(4), customer).accepted
    before = house.counted.bytes_of(customer)
    assert {name.partition(":")[0] for name in before} == set(KINDS)

    again = [house.offer(mta, customer, people(4, 4), customer) for _ in range(4)]
    assert [result.final.code for result in again] == [451] * 4
    assert house.counted.bytes_of(customer) == before

    order = f"{LIMITS[word]}=9/7d by=bea"
    house.gate.redis("HSET", "outgate:limit", customer, order)
    wait_until(
        lambda: house.offer(mta, customer, people(4, 4), customer).accepted,
        "the order is in force",
    )
    after = house.counted.numbers_of(customer)
    assert list(after.usual.values()) == [8]
    assert 8 in map(len, after.different.values())

    # The connection broke before the client read that it was accepted. (Plain limits
    # count what leaves, and so they count this.)
    for _ in range(3):
        assert house.offer(mta, customer, people(4, 4), customer).accepted
    assert house.counted.numbers_of(customer) == after

    # Eight were counted, and so there is room for one.
    last = [house.offer(mta, customer, people(1, one), customer) for one in (8, 9)]
    assert [result.final.code for result in last] == [250, 451]


def test_what_postfix_holds_counts_nothing(house: House) -> None:
    """sendmail(1): refused for the time being is held, and not offered again."""
    customer = "www-data"
    house.submit(people(4), "local-first")
    wait_until(lambda: delivered(house.sink, "local-first"), "the delivery")
    before = house.counted.bytes_of(customer)

    house.submit(people(9, 100), "local-second")
    wait_until(house.postfix.held, "a hold")
    assert house.counted.bytes_of(customer) == before

    (held,) = house.postfix.held()
    house.postfix.release(held["queue_id"])
    wait_until(lambda: delivered(house.sink, "local-second"), "the delivery")
    # Released mail is not shown to milters: it stays uncounted.
    assert house.counted.bytes_of(customer) == before


def test_what_waits_in_the_maildrop_counts_once(house: House) -> None:
    """While the gate is away, Postfix offers a file again each time it looks."""
    house.submit(people(4, 1_000), "drop-before")
    wait_until(lambda: delivered(house.sink, "drop-before"), "the delivery")
    customer = "www-data"
    before = house.counted.numbers_of(customer)

    house.gate.terminate()
    for number in range(5):
        house.submit(people(3, 1_004), f"drop-{number}")
    maildrop = house.postfix.queue_directory / "maildrop"
    wait_until(
        lambda: house.postfix.log().count("milter-reject") >= 5, "it was offered"
    )
    assert len(list(maildrop.iterdir())) == 5
    assert house.counted.numbers_of(customer) == before

    house.gate.launch()
    wait_until(lambda: len(house.gate.events("ready")) == 2, "ready again")
    house.submit(people(1, 1_004), "drop-last")
    wait_until(lambda: not list(maildrop.iterdir()), "an empty maildrop", seconds=90)
    wait_until(
        lambda: all(delivered(house.sink, f"drop-{number}") for number in range(5)),
        "all deliveries",
    )
    after = house.counted.numbers_of(customer)
    (sent,), (now,) = before.usual.values(), after.usual.values()
    assert now - sent == 3

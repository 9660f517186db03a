"""Two hosts, each with a Postfix and a gate, and one store: they count as one."""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest

from lab.milters import Milter
from lab.outgate import Outgate
from lab.postfix import Postfix
from lab.redis import RedisServer
from lab.sink import Sink
from lab.skips import or_skip
from lab.smtp import Session
from lab.waiting import wait_until
from system.counted import LIMITS, narrowly
from system.messages import letter
from system.observing import delivered

pytestmark = pytest.mark.mta

_LIMIT = 50
_EACH = 30


@pytest.fixture(scope="module")
def sink() -> Iterator[Sink]:
    """Where both deliver."""
    with Sink() as server:
        yield server


@pytest.fixture(scope="module")
def hosts(sink: Sink) -> Iterator[list[Postfix]]:
    """Two Postfixes, each with a gate of its own, on one store."""
    with ExitStack() as stack:
        with or_skip():
            redis = stack.enter_context(RedisServer(tcp=True))
        hosts = []
        for _ in range(2):
            gate = Outgate(settings=narrowly(_LIMIT), store=redis.url)
            stack.enter_context(gate)
            postfix = Postfix(milters=[Milter(gate.socket)], sink=sink.port)
            with or_skip():
                hosts.append(stack.enter_context(postfix))
        yield hosts


@pytest.mark.parametrize("word", LIMITS)
def test_exactly_as_many_get_out_as_through_one(
    hosts: list[Postfix], sink: Sink, word: str
) -> None:
    """30 strangers through each, at the same time, under a limit of 50."""

    def send(host: int) -> Counter[int]:
        # A mailing counts for a customer, whoever of it sends it.
        user = f"-{host}" if word == "campaign" else ""
        login = f"postfix-{word}{user}@example.org"
        with Session(hosts[host].port, login=login) as session:
            return Counter(
                session.send(
                    letter(f"both-{word}"),
                    "anne@example.org",
                    [f"{word}{host}-{number}@example.net"],
                ).final.code
                for number in range(_EACH)
            )

    with ThreadPoolExecutor(2) as pool:
        codes = sum(pool.map(send, range(2)), Counter())

    assert codes == {250: _LIMIT, 451: 2 * _EACH - _LIMIT}
    wait_until(lambda: len(delivered(sink, f"both-{word}")) >= _LIMIT, "the deliveries")
    assert len(delivered(sink, f"both-{word}")) == _LIMIT

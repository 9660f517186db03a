"""What a message to a thousand readers of a registered list costs, and one of no list.

    make bench-list

Both go through a gate with a real Redis, with limits on strangers and on different
recipients. Of the readers of the registered list 50 have not asked for it and are taken
out. The two take turns, so that whatever else the machine does meets both; what counts is
time from end-of-message to the decision, and the ratio of the medians.

Exit status: 0; 1 with `--gate` where the list's 99th per cent is 15 ms or more; 2 where
it cannot run.
"""

import argparse
import statistics
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from bench.report import say
from lab.errors import LabError, LabUnavailable
from lab.redis import RedisServer
from outgate.model.consent import Grade
from outgate.model.limit import Count
from outgate.model.optin import Record
from outgate.model.optin_order import pack
from outgate.policy.gate import Gate
from outgate.policy.list_settings import ListSettings
from outgate.store.client import connect
from outgate.store.consents import place_of
from outgate.store.counters import Counters
from outgate.store.hashes import Hashes
from outgate.store.wire import Wire
from policy.builders import ANNE, Host, a_customer, a_limit, a_policy, a_transaction
from policy.test_permission import HEADERS, LIST, Reports
from store.running import SECRET, endpoint, new_keys

BOUND_MS = 15.0
_READERS, _OTHERS = 950, 50
_PEOPLE = [
    *(f"reader{one}@dest{one % 40}.example" for one in range(_READERS)),
    *(f"other{one}@dest.example" for one in range(_OTHERS)),
]
_WARM_UP = 20
_RUNS = 300
_FAILED = 1
_UNAVAILABLE = 2


def main(arguments: list[str] | None = None) -> int:
    """Measure, print, judge."""
    parser = argparse.ArgumentParser(
        prog="bench.thousand", description=__doc__.split("\n")[0]
    )
    parser.add_argument("--runs", type=int, default=_RUNS, help="of each message")
    parser.add_argument("--gate", action="store_true", help="fail beyond the bound")
    options = parser.parse_args(arguments)
    try:
        with _gates() as gates:
            listed, plain = _measure(gates, options.runs)
    except (LabUnavailable, LabError) as error:
        sys.stderr.write(f"bench: {error}\n")
        return _UNAVAILABLE
    say(f"{'milliseconds, 1,000 recipients':32} {'median':>8} {'p99':>8}")
    for name, spent in (("of a registered list", listed), ("of no list", plain)):
        say(f"{name:32} {statistics.median(spent):8.2f} {_p99(spent):8.2f}")
    ratio = statistics.median(listed) / statistics.median(plain)
    say(f"{'ratio of the medians':32} {ratio:8.2f}")
    beyond = _p99(listed) >= BOUND_MS
    if beyond:
        say(f"beyond {BOUND_MS:g} ms")
    return _FAILED if beyond and options.gate else 0


@contextmanager
def _gates() -> Iterator[Sequence[Gate]]:
    """One that knows the list, and one that does not; each with its own keys."""
    with RedisServer() as server:
        target, gates = endpoint(server), []
        for lists in ([ListSettings(id=LIST, customer="choir")], []):
            keys = new_keys()
            if lists:
                hashes, record = Hashes(SECRET), pack(Record(grade=Grade.PAPER))
                with connect(target) as client:
                    for mailbox in _PEOPLE[:_READERS]:
                        place = place_of(hashes, "choir", LIST, mailbox)
                        key = keys.optin(LIST, place.bucket)
                        client.hset(key, place.field, record)
            policy = a_policy(
                a_limit("1000000/1d", count=Count.STRANGERS, name="strangers"),
                a_limit(
                    "1000000/1d", count=Count.DISTINCT_RECIPIENTS, name="different"
                ),
                customers=[a_customer("choir", ANNE)],
                lists=lists,
            )
            counters = Counters(Wire(target), keys, SECRET)
            gates.append(Gate(policy, counters, Host(), _now_us, reporter=Reports()))
        yield gates


def _measure(gates: Sequence[Gate], runs: int) -> tuple[list[float], list[float]]:
    """Milliseconds of each decision, by gate."""
    spent: tuple[list[float], list[float]] = ([], [])
    for number in range(_WARM_UP + runs):
        for gate, figures, gone in zip(gates, spent, (_OTHERS, 0), strict=True):
            mail = a_transaction(
                ANNE, recipients=_PEOPLE, headers=HEADERS | {"Subject": f"no. {number}"}
            )
            began_ns = time.perf_counter_ns()
            decision = gate.judge(mail)
            took_ns = time.perf_counter_ns() - began_ns
            if len(decision.disposition.removed) != gone:
                raise LabError("another decision than was expected")
            if number >= _WARM_UP:
                figures.append(took_ns / 1e6)
    return spent


def _p99(spent: Sequence[float]) -> float:
    return sorted(spent)[len(spent) * 99 // 100]


def _now_us() -> int:
    return time.time_ns() // 1_000


if __name__ == "__main__":
    sys.exit(main())

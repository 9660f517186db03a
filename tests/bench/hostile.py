"""What a message costs that was made to be costly: nobody may stop the gate with one.

    make bench-hostile

Each goes through the gate of a worker with a real Redis, from an account that has a
hundred thousand contacts and all the contents that are kept. What counts is CPU time of
this process and of the store together, from MAIL until the store has done everything;
beyond 8 ms it is marked. Limits leave room for everything, since what is let out is
written down and so costs more than a refusal.

Envelopes are told apart, with the shipped limits too: whatever becomes of a message, the
MTA sends a command for each recipient, and each has to be read. 1,000 are as many as
Postfix takes (`smtpd_recipient_limit`); of 100,000, ten thousand are looked at.

Exit status: 0; 1 with `--gate` where a message is beyond; 2 where it cannot run.
"""

import argparse
import statistics
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from random import Random

from bench.hotpath import HotPath, open_hot_path
from bench.report import say
from lab.errors import LabError, LabUnavailable
from message.hostile import hostile_mail
from message.mailings import letter
from message.monsters import CHUNK_BYTES, Monster, hostile_headers, monsters
from outgate.mta.session import MilterSession, Socket, wanted_headers
from outgate.policy.gate import Gate
from outgate.policy.shipped import SHIPPED_LIMITS
from outgate.store.client import connect
from outgate.store.trouble import Client
from store.running import endpoint

BOUND_MS = 8.0
# As many as Postfix takes; of more, the bound is not promised.
_PROMISED = 1_000
_ENVELOPES = (1, 100, 1_000, 10_000, 100_000)
_RUNS = 9
# Of the many: how often each is tried, and how many of the costliest are told.
_QUICK_RUNS = 3
_WORST = 5
_CONTACTS = 100_000
_CONTENTS = 64
_LOGIN = "old@choir.example"
_FAILED = 1
_UNAVAILABLE = 2
_MS = 1e-6
_WIDTH = 52
_ROOMY = "".join(
    f'[[limit]]\nname = "{limit.name}"\nrate = "1000000/1h"\n'
    for limit in SHIPPED_LIMITS
)


@dataclass(frozen=True, slots=True)
class Cost:
    """What one message took, in milliseconds.

    Attributes:
        callbacks: CPU time of this process until end-of-message.
        judging: CPU time of this process from then on.
        store: CPU time of the store.
        wall: from MAIL until the answer.
    """

    callbacks: float
    judging: float
    store: float
    wall: float

    @property
    def total(self) -> float:
        """CPU time in all."""
        return self.callbacks + self.judging + self.store


class Account:
    """Who sends the messages, and to whom."""

    def __init__(self, path: HotPath, client: Client) -> None:
        self._path = path
        self._client = client
        self._clock = _clock_of(path.redis.pid)
        self._wanted = wanted_headers(path.own_header)
        self._met = 0
        self._greeted = 0
        self._messages = 0

    def grow_old(self, gate: Gate) -> None:
        """Give the account its memory."""
        for _ in range(_CONTACTS // 1_000):
            self.send(gate, Monster(name="contacts", recipients=1_000))
        random = Random(1)
        for _ in range(_CONTENTS):
            body = letter(random, 100).encode()
            self.send(gate, Monster(name="contents", body=body, recipients=100))

    def send(self, gate: Gate, monster: Monster, *, known: bool = False) -> Cost:
        """Send one, in a session of its own.

        Args:
            gate: judges it.
            monster: the message.
            known: whether it goes to contacts, and not to strangers.
        """
        self._messages += 1
        paths = self._contacts(monster) if known else self._strangers(monster)
        places = range(0, len(monster.body), CHUNK_BYTES)
        chunks = [monster.body[place : place + CHUNK_BYTES] for place in places]
        session = MilterSession(Socket(), gate, self._wanted, self._path.own_header)
        session.connect("198.51.100.7", "Postfix 3.7.11", "mx.relay.example")
        store_ns = self._store_ns()
        began_ns, cpu_ns = time.perf_counter_ns(), time.process_time_ns()
        session.mail((b"<old@choir.example>", b"SIZE=4096"), _LOGIN, "")
        for one in paths:
            session.recipient((one,))
        for name, value in monster.headers:
            session.header(name, value)
        for chunk in chunks:
            session.body(chunk)
        read_ns = time.process_time_ns()
        session.end_of_message(f"{self._messages:08X}")
        judged_ns, ended_ns = time.process_time_ns(), time.perf_counter_ns()
        if self._path.troubles:
            raise LabError(f"the store did not answer: {self._path.troubles[0]}")
        return Cost(
            callbacks=(read_ns - cpu_ns) * _MS,
            judging=(judged_ns - read_ns) * _MS,
            store=(self._store_ns() - store_ns) * _MS,
            wall=(ended_ns - began_ns) * _MS,
        )

    def _strangers(self, monster: Monster) -> list[bytes]:
        first, self._greeted = self._greeted, self._greeted + monster.recipients
        return _paths(range(first, self._greeted))

    def _contacts(self, monster: Monster) -> list[bytes]:
        # Not those of the message before: this process remembers how they are written.
        first, self._met = self._met, self._met + monster.recipients
        return _paths(number % _CONTACTS for number in range(first, self._met))

    def _store_ns(self) -> int:
        # An answer comes after all that was posted before.
        self._client.ping()
        return time.clock_gettime_ns(self._clock)


def main(arguments: list[str] | None = None) -> int:
    """Measure, print, judge."""
    options = _options(arguments)
    try:
        with (
            open_hot_path(_ROOMY, "") as path,
            connect(endpoint(path.redis)) as client,
        ):
            roomy, shipped = path.gates
            account = Account(path, client)
            account.grow_old(roomy)
            beyond = [
                *_show_monsters(account, roomy, options.runs),
                *_show_crowds(account, roomy),
                *_show_envelopes(account, roomy, shipped, options.runs),
            ]
    except (LabUnavailable, LabError) as error:
        sys.stderr.write(f"bench: {error}\n")
        return _UNAVAILABLE
    if beyond:
        say(f"beyond {BOUND_MS:g} ms: {', '.join(beyond)}")
    return _FAILED if beyond and options.gate else 0


def _show_monsters(account: Account, gate: Gate, runs: int) -> Iterator[str]:
    """Print a line for each; gives the names of those beyond the bound."""
    say(
        f"{'milliseconds of CPU, medians':{_WIDTH}} {'callbacks':>9} {'judging':>8} "
        f"{'store':>8} {'in all':>8} {'worst':>8} {'wall':>8}"
    )
    ordinary = Monster(name="a letter", body=letter(Random(7), 100).encode())
    for monster in (ordinary, *monsters()):
        costs = [account.send(gate, monster) for _ in range(runs)]
        say(_line(monster.name, costs))
        if _is_beyond(costs):
            yield monster.name


def _show_crowds(account: Account, gate: Gate) -> Iterator[str]:
    """The same for the costliest of many."""
    for title, crowd in (("bodies", _bodies()), ("headers", hostile_headers())):
        found = [(one.name, _quickly(account, gate, one)) for one in crowd]
        found.sort(key=lambda one: _median(one[1]), reverse=True)
        say(f"\nthe costliest of {len(found)} {title}, each full of one thing")
        for name, costs in found[:_WORST]:
            say(_line(name, costs))
        for name, costs in found:
            if _is_beyond(costs):
                yield name


def _show_envelopes(
    account: Account, roomy: Gate, shipped: Gate, runs: int
) -> Iterator[str]:
    """The same by number of recipients."""
    for title, gate, known in (
        ("contacts, shipped limits", shipped, True),
        ("strangers, shipped limits", shipped, False),
        ("strangers, with room for all", roomy, False),
    ):
        say(f"\nto {title}")
        for number in _ENVELOPES:
            monster = Monster(name=f"{number:,} recipients", recipients=number)
            costs = [account.send(gate, monster, known=known) for _ in range(runs)]
            say(_line(monster.name, costs))
            promised = gate is shipped and number <= _PROMISED
            if promised and _is_beyond(costs):
                yield f"{number:,} {title}"


def _bodies() -> Iterator[Monster]:
    for name, (headers, body) in hostile_mail(CHUNK_BYTES):
        values = ((key, one) for key, values in headers.items() for one in values)
        yield Monster(name=name, headers=tuple(values), body=body)


def _quickly(account: Account, gate: Gate, monster: Monster) -> list[Cost]:
    return [account.send(gate, monster) for _ in range(_QUICK_RUNS)]


def _paths(numbers: Iterable[int]) -> list[bytes]:
    return [b"<reader%d@dest%d.example>" % (one, one % 100) for one in numbers]


def _median(costs: Sequence[Cost]) -> float:
    return statistics.median(cost.total for cost in costs)


def _is_beyond(costs: Sequence[Cost]) -> bool:
    return _median(costs) > BOUND_MS


def _line(name: str, costs: Sequence[Cost]) -> str:
    figures = (
        statistics.median(cost.callbacks for cost in costs),
        statistics.median(cost.judging for cost in costs),
        statistics.median(cost.store for cost in costs),
        _median(costs),
        max(cost.total for cost in costs),
        statistics.median(cost.wall for cost in costs),
    )
    told = " ".join(f"{figure:8.2f}" for figure in figures)
    mark = "  beyond" if _is_beyond(costs) else ""
    return f"{name[:_WIDTH]:{_WIDTH}}  {told}{mark}"


def _clock_of(pid: int) -> int:
    """The CPU clock of another process, as clock_getcpuclockid(3) makes it."""
    return (~pid << 3) | 2


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="bench.hostile", description=__doc__.split("\n")[0]
    )
    parser.add_argument("--runs", type=int, default=_RUNS, help="of each message")
    parser.add_argument("--gate", action="store_true", help="fail beyond the bound")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())

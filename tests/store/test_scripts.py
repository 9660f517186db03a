"""What the Lua files promise in their first comment, and what they and we do."""

import hashlib
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

import hiredis
import pytest
from redis.crc import key_slot

import outgate.store
from lab.errors import LabUnavailable
from lab.skips import or_skip
from outgate.model.gcra import Level
from outgate.policy.operator import Order
from outgate.policy.questions import Answers, Plan
from outgate.store.counters import Counters
from outgate.store.keys import Keys
from outgate.store.orders import Orders
from outgate.store.resp import pack
from outgate.store.scripts import NAMES, Script
from outgate.store.wire import Endpoint, Reply, Wire
from store.builders import ANNE, START_US, a_charge, a_plan
from store.running import SECRET, Store

_FOLDER = Path(outgate.store.__file__).parent / "lua"
_MAX_LINES = 60
_KEY = re.compile(r"KEYS\[(\d+)(\.\.)?\] +(string|hash) +\S")
_ARGUMENT = re.compile(r"ARGV\[(\d+)\] +(\w+) +\S")
_WORDS = {"two": 2, "four": 4}


@dataclass(frozen=True)
class Contract:
    """What the header of a script says.

    Attributes:
        keys: how many are always there.
        repeats: whether any number of counters follows.
        arguments: names of those that are always there.
        group: names of those that each counter has.
        returns: the sentence about the answer.
    """

    keys: int
    repeats: bool
    arguments: list[str]
    group: list[str]
    returns: str
    body: str

    @classmethod
    def read(cls, name: str) -> Self:
        text = (_FOLDER / f"{name}.lua").read_text()
        found = re.fullmatch(rf"--\[\[ {name}: (.+?) \]\]\n(.+)", text, re.DOTALL)
        assert found, "the file begins with its contract"
        header, returns = re.split(r"\nreturns ", found[1])
        keys = _KEY.findall(header)
        numbers = [int(number) for number, _, _ in keys]
        assert numbers == list(range(1, len(keys) + 1))
        repeats = [bool(dots) for _, dots, _ in keys]
        assert not any(repeats[:-1])
        arguments = _ARGUMENT.findall(header)
        assert [int(number) for number, _ in arguments] == [
            *range(1, len(arguments) + 1)
        ]
        group = re.findall(r"\n  (\w+)  ", header)
        if group:
            (word,) = re.findall(r"\nthen (\w+) for each counter:", header)
            assert _WORDS[word] == len(group)
        return cls(
            keys=len(keys) - repeats[-1],
            repeats=repeats[-1],
            arguments=[name for _, name in arguments],
            group=group,
            returns=returns,
            body=found[2],
        )


@pytest.fixture(params=NAMES)
def contract(request: pytest.FixtureRequest) -> Contract:
    return Contract.read(request.param)


def test_every_file_is_a_known_script() -> None:
    """No Lua file lies around that nobody loads, and none is missing."""
    assert sorted(path.stem for path in _FOLDER.iterdir()) == sorted(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_script_is_known_by_its_digest(store: Store, name: str) -> None:
    """The server calculates the same name."""
    script = Script.load(name)
    assert store.ask("SCRIPT", "LOAD", script.text.decode()) == script.sha
    assert script.sha.decode() == hashlib.sha1(script.text).hexdigest()


def test_the_body_uses_the_keys_of_its_header(contract: Contract) -> None:
    """Each fixed key is used, no other is, and counters begin where it says."""
    fixed = {int(index) for index in re.findall(r"KEYS\[(\d+)\]", contract.body)}
    assert fixed == set(range(1, contract.keys + 1))
    offsets = {
        int(offset) for offset in re.findall(r"KEYS\[i \+ (\d+)\]", contract.body)
    }
    counted = {int(number) for number in re.findall(r"#KEYS - (\d+)", contract.body)}
    # Counter 1 is the first behind the fixed ones.
    assert offsets == counted == ({contract.keys} if contract.repeats else set())
    known = len(re.findall(r"KEYS\[\d+\]|KEYS\[i \+ \d+\]|#KEYS - \d+", contract.body))
    assert contract.body.count("KEYS") == known
    # And no command names a key of its own.
    for call in _calls(contract.body):
        assert re.match(r"'TIME'$|'[A-Z]+', KEYS\[[^\]]+\](?:,|$)", call)


def test_the_body_uses_the_arguments_of_its_header(contract: Contract) -> None:
    """Each fixed argument is used, and each of a counter's, at its place."""
    fixed = {int(index) for index in re.findall(r"ARGV\[(\d+)\]", contract.body)}
    assert fixed == set(range(1, len(contract.arguments) + 1))
    places = set()
    for factor, offset in re.findall(
        r"ARGV\[(\d+) \* i(?: \+ (\d+))?\]", contract.body
    ):
        assert int(factor) == len(contract.group)
        places.add(int(factor) + int(offset or 0))
    first = len(contract.arguments) + 1
    assert places == set(range(first, first + len(contract.group)))
    known = len(re.findall(r"ARGV\[\d+(?: \* i(?: \+ \d+)?)?\]", contract.body))
    assert contract.body.count("ARGV") == known


def test_a_script_is_short(contract: Contract) -> None:
    """At most sixty lines of code: more cannot be judged at a glance."""
    lines = [line for line in contract.body.splitlines() if line.strip()]
    assert len(lines) <= _MAX_LINES


def test_what_a_script_sets_has_a_life_time(contract: Contract) -> None:
    """No SET without PX or EX, no INCR without EXPIRE: nothing piles up."""
    for call in _calls(contract.body):
        if call.startswith("'SET'"):
            assert "'PX'" in call or "'EX'" in call
        if call.startswith("'INCR'"):
            key = re.findall(r"KEYS\[.+?\]", call)[0]
            assert f"redis.call('EXPIRE', {key}" in contract.body


def test_a_script_reads_before_it_writes(contract: Contract) -> None:
    """A key of a wrong type stops it while nothing is changed yet."""
    commands = [call.split("'")[1] for call in _calls(contract.body)]
    reads = {"TIME", "GET", "HGET", "HMGET"}
    writes = {"SET", "DEL", "INCR", "EXPIRE", "HSET", "HDEL", "HINCRBY"}
    assert set(commands) <= reads | writes
    if "commit" in contract.arguments:
        first_write = next(i for i, word in enumerate(commands) if word in writes)
        assert not reads & set(commands[first_write:])


def _calls(body: str) -> Iterator[str]:
    for part in body.split("redis.call(")[1:]:
        depth = 1
        for end, character in enumerate(part):
            depth += {"(": 1, ")": -1}.get(character, 0)
            if depth == 0:
                yield part[:end]
                break


def test_luacheck_finds_nothing() -> None:
    """The linter of Debian's lua-check, with Redis's three globals."""
    with or_skip():
        if shutil.which("luacheck") is None:
            raise LabUnavailable("no luacheck here: apt-get install lua-check")
    options = ["--no-config", "--no-color", "--std", "lua51"]
    names = ["--read-globals", "redis", "KEYS", "ARGV", "--"]
    done = subprocess.run(
        ["luacheck", *options, *names, *_FOLDER.iterdir()],
        env={**os.environ, "LC_ALL": "C"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


class Recorder(Wire):
    """A wire that keeps the commands, and answers as an empty store."""

    def __init__(self) -> None:
        super().__init__(Endpoint(url="unix:///nowhere"))
        self.commands: list[list[bytes]] = []

    def call(self, commands: bytes, count: int) -> list[Reply]:
        reader = hiredis.Reader()
        reader.feed(commands)
        sent: list[list[bytes]] = [reader.gets() for _ in range(count)]
        assert reader.gets() is False
        self.commands += sent
        return [_answer(command) for command in sent]

    def post(self, commands: bytes, count: int) -> None:
        self.call(commands, count)


def _answer(command: list[bytes]) -> Reply:
    if command[0] == b"HMGET":
        return [None] * (len(command) - 2)
    counters = int(command[2]) - 2
    return [0, 1, 0, 0, 0] + [1, 0, 0] * counters


@dataclass
class Call:
    """An EVALSHA or EVAL, taken apart."""

    script: bytes
    keys: list[str]
    arguments: list[bytes]

    @classmethod
    def of(cls, command: list[bytes]) -> Self:
        assert command[0] in {b"EVAL", b"EVALSHA"}
        count = int(command[2])
        keys = [key.decode() for key in command[3 : 3 + count]]
        return cls(command[1], keys, command[3 + count :])


def _sent(plan: Plan, keys: Keys | None = None) -> tuple[Call, Call, list[list[bytes]]]:
    """What a look-up and its settlement send: two scripts, and the rest."""
    wire = Recorder()
    counters = Counters(wire, keys or Keys(), SECRET)
    answers = counters.look_up(plan)
    counters.settle(plan, answers, held_bytes=700)
    *rest, charge, settle = wire.commands
    return Call.of(charge), Call.of(settle), rest


_CHARGES = (
    a_charge(name="one", interval_us=11, burst=12, cost=13),
    a_charge(name="two", identity="bart", interval_us=21, burst=22, binding=False),
)


def test_charge_is_called_as_its_header_says() -> None:
    """Keys in order, then the fixed arguments, then each counter's own."""
    contract = Contract.read("charge")
    call, _, _ = _sent(a_plan(*_CHARGES))

    assert call.script == Script.load("charge").sha
    kinds = [key.removeprefix("outgate:").split(":")[0] for key in call.keys]
    assert kinds == ["seen", "holding", "count", "count"]
    fixed = dict(zip(contract.arguments, call.arguments, strict=False))
    assert fixed == {"now_us": b"", "commit": b"1", "ttl_s": b"86400"}
    assert _groups(contract, call) == [
        {"interval_us": b"11", "burst": b"12", "cost": b"13", "binding": b"1"},
        {"interval_us": b"21", "burst": b"22", "cost": b"1", "binding": b"0"},
    ]


def test_settle_is_called_as_its_header_says() -> None:
    """The same keys in the same order, and what was charged."""
    contract = Contract.read("settle")
    charge, call, _ = _sent(a_plan(*_CHARGES))

    assert call.script == Script.load("settle").text
    assert call.keys == charge.keys
    fixed = dict(zip(contract.arguments, call.arguments, strict=False))
    assert fixed == {
        "now_us": b"",
        "attempts": b"1",
        "ttl_s": b"86400",
        "held_bytes": b"700",
        "held_ttl_s": b"7776000",
    }
    assert _groups(contract, call) == [
        {"interval_us": b"11", "cost": b"13"},
        {"interval_us": b"21", "cost": b"1"},
    ]


def test_a_refusal_gives_nothing_back() -> None:
    """It charged nothing, and counted the attempt by itself: settle leaves both."""
    wire = Recorder()
    counters = Counters(wire, Keys(), SECRET)
    plan = a_plan(*_CHARGES)
    refusal = replace(counters.look_up(plan), allowed=False, attempts=3)
    counters.settle(plan, refusal, held_bytes=700)
    call = Call.of(wire.commands[-1])

    assert [key.split(":")[1] for key in call.keys] == ["seen", "holding"]
    assert call.arguments == [b"", b"0", b"86400", b"700", b"7776000"]


def test_settle_says_how_many_counters_it_changed(store: Store, keys: Keys) -> None:
    """A counter that has expired meanwhile has nothing to give back."""
    counters = store.counters(keys, lambda: START_US)
    charges = (a_charge(name="one"), a_charge(name="two"))
    counters.look_up(a_plan(*charges))
    names = [keys.count(ANNE, charge.limit.name, ANNE) for charge in charges]
    store.ask("DEL", names[0])
    text = Script.load("settle").text.decode()
    fixed = (keys.seen(ANNE, "0"), keys.holding(ANNE))
    arguments = (START_US, 0, 60, 0, 60, 1_000_000, 1, 1_000_000, 1)

    assert store.ask("EVAL", text, 4, *fixed, *names, *arguments) == 1
    assert store.names(keys) == set()


def _groups(contract: Contract, call: Call) -> list[dict[str, bytes]]:
    """The arguments of each counter by name; all of them are named."""
    size = len(contract.group)
    rest = call.arguments[len(contract.arguments) :]
    counters = len(call.keys) - contract.keys
    assert len(rest) == size * counters
    return [
        dict(zip(contract.group, rest[at : at + size], strict=True))
        for at in range(0, len(rest), size)
    ]


def test_replace_order_is_called_as_its_header_says(store: Store, keys: Keys) -> None:
    """One key, then field, value as read, new value."""
    contract = Contract.read("replace_order")
    sent: list[tuple[object, ...]] = []

    class Client:
        def eval(self, *words: object) -> int:
            sent.append(words)
            return 1

        def __getattr__(self, name: str) -> object:
            return getattr(store.client, name)

    store.ask("HSET", keys.order(Order.QUARANTINE), ANNE, "for=1h phished")
    orders = Orders(Client(), keys)
    orders.tend(orders.read(frozenset()))

    ((text, count, *words),) = sent
    assert text == Script.load("replace_order").text.decode()
    assert count == contract.keys == 1
    assert words[0] == keys.order(Order.QUARANTINE)
    fixed = dict(zip(contract.arguments, words[1:], strict=True))
    assert (fixed["name"], fixed["old"]) == (ANNE, b"for=1h phished")
    assert str(fixed["new"]).startswith("b'until=")


def test_the_answer_of_charge_has_the_length_its_header_says(store: Store) -> None:
    """Five integers, then three for each counter, and all of them integers."""
    contract = Contract.read("charge")
    fixed, group = contract.returns.split("then three for each counter:")
    assert len(re.findall(r"[a-z][^,]+", fixed.removeprefix("integers: "))) == 5
    assert [word in group for word in ("fits", "used", "retry_after_us")] == [True] * 3

    wire = Recorder()
    Counters(wire, Keys("contract"), SECRET).look_up(a_plan(*_CHARGES))
    call = Call.of(wire.commands[-1])
    words = (b"%d" % len(call.keys), *(key.encode() for key in call.keys))
    text = Script.load("charge").text
    (result,) = store.wire.call(pack((b"EVAL", text, *words, *call.arguments)), 1)

    assert len(result) == 5 + 3 * len(_CHARGES)
    assert {type(value) for value in result} == {int}


_ODD_CUSTOMERS = [
    ANNE,
    "",
    "choir",
    "{",
    "}",
    "{}",
    "}{",
    "a}b",
    "{a}b",
    "100 %",
    "%7B",
    " ",
    "two words",
    "line\nbreak",
    "Größe@bücher.example",
    "合唱団",
    "\N{LINE SEPARATOR}28",
    "2001:db8:a::/48",
    "CN=mail {host}",
]


@pytest.mark.parametrize("customer", _ODD_CUSTOMERS)
def test_one_customers_keys_share_a_cluster_slot(customer: str) -> None:
    """Whatever the name holds: a script's keys have one tag, and none is empty."""
    plan = a_plan(*_CHARGES, a_charge(identity=customer), customer=customer)
    charge, settle, rest = _sent(plan)

    for call in (charge, settle):
        assert len({key_slot(key.encode()) for key in call.keys}) == 1
        for key in call.keys:
            tag = re.findall(r"\{(.*?)\}", key, re.DOTALL)
            assert len(tag) == 1
            assert not re.search(r"\s", key)
    # Operator state stands alone: a plain HMGET for each hash.
    assert [command[0] for command in rest] == [b"HMGET"] * 3


def test_other_customers_have_other_keys() -> None:
    """No two names are escaped to the same: nobody pays for another."""
    names = [*_ODD_CUSTOMERS, "%20", "\N{LINE SEPARATOR}", " 28", "% 7B"]
    seen = [_sent(a_plan(customer=name))[0].keys[1] for name in names]
    assert len(set(seen)) == len(names)


def test_a_flushed_script_is_sent_again(store: Store, keys: Keys) -> None:
    """After SCRIPT FLUSH or a restart the first look-up brings the source, once."""
    counters = store.counters(keys)
    store.ask("SCRIPT", "FLUSH")
    plan = a_plan(a_charge())

    first = counters.look_up(plan)
    second = counters.look_up(plan)

    assert (first.levels, second.levels[0].used) == ([Level(True, 1, 0)], 2)
    assert store.ask("SCRIPT", "EXISTS", Script.load("charge").sha.decode()) == [1]


def test_a_settlement_needs_no_cached_script(store: Store, keys: Keys) -> None:
    """Nobody reads its answer, so it brings its source along."""
    counters = store.counters(keys)
    plan = a_plan(a_charge(interval_us=3_600_000_000))
    answers: Answers = counters.look_up(plan)
    store.ask("SCRIPT", "FLUSH")

    counters.settle(plan, answers, held_bytes=0)

    assert store.names(keys) == {f"seen:{{{ANNE}}}:{counters.retry_id(plan)}"}

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
from outgate.model.standing import Conduct, Growth
from outgate.policy.operator import Order
from outgate.policy.questions import Answers, Plan
from outgate.store.counters import Counters
from outgate.store.durability import Flushing
from outgate.store.erasure import Kind, arguments
from outgate.store.hashes import Hashes
from outgate.store.keys import Keys
from outgate.store.orders import Orders
from outgate.store.resp import pack
from outgate.store.scripts import NAMES, PARTS, Script
from outgate.store.steps import Mode, Step
from outgate.store.subscriptions import Subscriptions
from outgate.store.wire import Endpoint, Reply, Wire
from store.builders import (
    ANNE,
    START_US,
    a_campaign,
    a_charge,
    a_plan,
    of_different,
    of_strangers,
    plain,
    some_bands,
    some_people,
)
from store.running import SECRET, Store

_FOLDER = Path(outgate.store.__file__).parent / "lua"
_MAX_LINES = 140
_MAX_FUNCTION_LINES = 60
_KEY = re.compile(r"KEYS\[(\d+)(\.\.)?\] +(string|hash) +\S")
_ARGUMENT = re.compile(r"ARGV\[(\d+)\] +(\w+) +\S")
_GROUP = re.compile(r"\nthen (\w+) for (the content|each counter):((?:\n  .+)+)")
_WORDS = {"three": 3, "four": 4, "five": 5}
_PARTS = sorted({part for parts in PARTS.values() for part in parts})


def _read(name: str) -> tuple[str, str]:
    """Header and body of a file."""
    text = (_FOLDER / f"{name}.lua").read_text()
    found = re.fullmatch(rf"--\[\[ {name}: (.+?) \]\]\n(.+)", text, re.DOTALL)
    assert found, "the file begins with what it is"
    return found[1], found[2]


@dataclass(frozen=True)
class Contract:
    """What the header of a script says.

    Attributes:
        keys: how many are always there.
        repeats: whether any number of counters follows.
        arguments: names of those that are always there, those of the content too.
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
        text, body = _read(name)
        header, returns = re.split(r"\nreturns[: ]", text)
        keys = _KEY.findall(header)
        numbers = [int(number) for number, _, _ in keys]
        assert numbers == list(range(1, len(keys) + 1))
        repeats = [bool(dots) for _, dots, _ in keys]
        assert not any(repeats[:-1])
        arguments = _ARGUMENT.findall(header)
        assert [int(number) for number, _ in arguments] == [
            *range(1, len(arguments) + 1)
        ]
        groups: dict[str, list[str]] = {}
        for word, whose, lines in _GROUP.findall(header):
            groups[whose] = re.findall(r"\n  (\w+) +\S", lines)
            assert _WORDS[word] == len(groups[whose])
        assert list(groups) == sorted(groups, reverse=True), "the content comes first"
        return cls(
            keys=len(keys) - repeats[-1],
            repeats=repeats[-1],
            arguments=[name for _, name in arguments] + groups.get("the content", []),
            group=groups.get("each counter", []),
            returns=returns,
            body=body,
        )


@pytest.fixture(params=NAMES)
def contract(request: pytest.FixtureRequest) -> Contract:
    return Contract.read(request.param)


def test_every_file_is_a_known_script_or_part() -> None:
    """No Lua file lies around that nobody loads, and none is missing."""
    assert sorted(path.stem for path in _FOLDER.iterdir()) == sorted([*NAMES, *_PARTS])


@pytest.mark.parametrize("part", _PARTS)
def test_a_part_knows_no_key_and_no_argument(part: str) -> None:
    """Functions get what they need; only the scripts know the caller's order."""
    header, body = _read(part)
    assert not re.search(r"KEYS|ARGV", header + body)
    # Nothing runs by itself: constants and functions alone.
    for line in body.splitlines():
        assert re.match(r"local |  |end$|--", line)
    for call in _calls(body):
        assert re.match(r"'[A-Z]+', key\b", call)


@pytest.mark.parametrize("name", NAMES)
def test_a_script_is_its_parts_and_itself(name: str) -> None:
    """In this order, since Lua knows what stood before."""
    paths = [_FOLDER / f"{part}.lua" for part in (*PARTS[name], name)]
    assert Script.load(name).text == b"".join(path.read_bytes() for path in paths)


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
        assert re.match(r"'TIME'$|'[A-Z]+', (?:KEYS\[[^\]]+\]|key)(?:,|$)", call)


def test_the_body_uses_the_arguments_of_its_header(contract: Contract) -> None:
    """Each fixed argument is used, and each of a counter's, at its place."""
    body, size = contract.body, len(contract.group)
    fixed = {int(index) for index in re.findall(r"ARGV\[(\d+)\]", body)}
    assert fixed == set(range(1, len(contract.arguments) + 1))
    begins = re.findall(r"local at(?:, key)? = (\d+) \+ (\d+) \* i\b", body)
    places = {
        int(offset or 0) for offset in re.findall(r"ARGV\[at(?: \+ (\d+))?\]", body)
    }
    assert places == set(range(size))
    # Those of counter 1 stand behind the fixed ones.
    first = len(contract.arguments) + 1
    assert begins == ([(str(first - size), str(size))] if size else [])
    known = len(re.findall(r"ARGV\[(?:\d+|at(?: \+ \d+)?)\]", body))
    assert body.count("ARGV") == known


@pytest.mark.parametrize("name", [*NAMES, *_PARTS])
def test_a_script_is_short(name: str) -> None:
    """What cannot be judged at a glance is two files, or two functions."""
    _, body = _read(name)
    lines = [line for line in body.splitlines() if line.strip()]
    assert len(lines) <= _MAX_LINES
    for function in re.findall(
        r"^local function .*?^end$", body, re.DOTALL | re.MULTILINE
    ):
        assert len(function.splitlines()) <= _MAX_FUNCTION_LINES


@pytest.mark.parametrize("name", [*NAMES, *_PARTS])
def test_what_a_script_sets_has_a_life_time(name: str) -> None:
    """No SET without PX or EX, no INCR without EXPIRE: nothing piles up."""
    _, body = _read(name)
    for call in _calls(body):
        if call.startswith("'SET'"):
            assert re.search(r"'(?:PX|EX|KEEPTTL)'", call)
        if call.startswith(("'INCR'", "'HINCRBY'", "'HSET'")) and name in _WITH_TTL:
            key = re.findall(r"KEYS\[.+?\]|\bkey\b", call)[0]
            assert f"redis.call('EXPIRE', {key}" in body


# An operator's order has no end of its own, nor has a consent, nor what is known of all
# challenges of a list; what is erased leaves the
# rest as it was.
_WITH_TTL = {*NAMES, *_PARTS} - {"replace_order", "erase", "optin", "coverage"}
_READS = {"TIME", "GET", "HGET", "HMGET", "HLEN"}
_WRITES = {"SET", "DEL", "INCR", "EXPIRE", "HSET", "HDEL", "HINCRBY"}


def test_charge_reads_before_it_writes() -> None:
    """A key of a wrong type stops it while nothing is changed yet."""
    _, body = _read("charge")
    writing = "for i = 1, #writes do writes[i]() end"
    assert body.count(writing) == 1
    before, after = body.split(writing)
    assert not {call.split("'")[1] for call in _calls(after)} & _READS
    assert {call.split("'")[1] for call in _calls(after)} <= _WRITES
    # What stands before it is noted down, and done after all reading.
    noted = re.sub(
        r"write = function\(\).*?^ +end$", "", before, flags=re.DOTALL | re.MULTILINE
    )
    assert {call.split("'")[1] for call in _calls(noted)} <= _READS


def _calls(body: str) -> Iterator[str]:
    for part in body.split("redis.call(")[1:]:
        depth = 1
        for end, character in enumerate(part):
            depth += {"(": 1, ")": -1}.get(character, 0)
            if depth == 0:
                yield part[:end]
                break


@pytest.mark.parametrize("name", NAMES)
def test_luacheck_finds_nothing(name: str) -> None:
    """The linter of Debian's lua-check, with Redis's three globals."""
    with or_skip():
        if shutil.which("luacheck") is None:
            raise LabUnavailable("no luacheck here: apt-get install lua-check")
    options = ["--no-config", "--no-color", "--std", "lua51", "--no-unused"]
    names = ["--read-globals", "redis", "struct", "KEYS", "ARGV", "--"]
    done = subprocess.run(
        ["luacheck", *options, *names, "-"],
        input=Script.load(name).text.decode(),
        env={**os.environ, "LC_ALL": "C"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


def test_every_function_of_a_part_is_used() -> None:
    """By itself, by another part, or by a script."""
    text = "".join(path.read_text() for path in _FOLDER.iterdir())
    for name in re.findall(r"^local function (\w+)", text, re.MULTILINE):
        assert len(re.findall(rf"\b{name}\(", text)) > 1


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
    if command[0] not in {b"EVAL", b"EVALSHA"}:
        return None
    if command[3].startswith(b"outgate:challenge"):
        return [1, 0, 0, 0, 0, b""]
    counters = int(command[2]) - _FIXED_KEYS
    return [*_EMPTY, *([1, 0, 0, 1] * counters)]


# Five strangers, all of them renewed, and a content that reached two of them before.
_FIXED_KEYS = 6
_STRANGERS = b"aaaabbbbccccddddeeee"
_HALF = 50
_EMPTY: list[Reply] = [
    *(0, 1, 0, 0, 0, _STRANGERS, 5, 0, 0, _HALF),
    *(1, 5, 0, 5, b"ccccddddeeee"),
]


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
    *rest, settle = wire.commands
    charge = next(sent for sent in rest if sent[0] == b"EVALSHA")
    rest.remove(charge)
    return Call.of(charge), Call.of(settle), rest


_CHARGES = (
    a_charge(name="one", interval_us=11, burst=12, cost=13),
    a_charge(name="two", identity="bart", interval_us=21, burst=22, binding=False),
    of_strangers(name="three", interval_us=31, burst=32, most=5),
    replace(of_strangers(name="grown", interval_us=61, burst=62), earned=True),
    of_different("x", "y", name="four", window_us=41, limit=42),
)
_PLAN = a_plan(
    *_CHARGES,
    people=some_people(5),
    campaign=replace(a_campaign(interval_us=51, burst=52, share=53), earned=True),
    bands=some_bands(1),
    conduct=Conduct(Growth(20, 300, 71), since_us=81, noted=False),
)
_HASHES = Hashes(SECRET)
_FIXED_KINDS = ["seen", "holding", "contacts", "content", "usual", "standing"]


def test_charge_is_called_as_its_header_says() -> None:
    """Keys in order, then the fixed arguments, then each counter's own."""
    contract = Contract.read("charge")
    call, _, _ = _sent(_PLAN)

    assert call.script == Script.load("charge").sha
    kinds = [key.removeprefix("outgate:").split(":")[0] for key in call.keys]
    assert kinds == [*_FIXED_KINDS, *["count"] * 4, "distinct"]
    assert list(zip(contract.arguments, call.arguments, strict=False)) == [
        ("now_us", b""),
        ("commit", b"1"),
        ("ttl_s", b"432000"),
        ("people", _HASHES.items(_PLAN.people)),
        ("greeting", b"1"),
        ("conduct", b"20 300 71 81 0"),
        ("bands", _HASHES.bands(_PLAN.bands)),
        ("interval_us", b"51"),
        ("burst", b"52"),
        ("share", b"53"),
        ("binding", b"1"),
        ("earned", b"1"),
    ]
    names = ("kind", "interval", "burst", "cost", "binding")
    assert _groups(contract, call) == [
        dict(zip(names, values, strict=True))
        for values in (
            (b"rate", b"11", b"12", b"13", b"1"),
            (b"rate", b"21", b"22", b"1", b"0"),
            (b"strangers", b"31", b"32", b"5", b"1"),
            (b"earned", b"61", b"62", b"1", b"1"),
            (b"distinct", b"41", b"42", _HASHES.items(["x", "y"]), b"1"),
        )
    ]


def test_what_counts_no_content_says_so() -> None:
    """No bounds, empty bands, and numbers that nothing is calculated with."""
    call, _, _ = _sent(a_plan(people=some_people(5)))
    assert call.arguments[5:12] == [b"", b"", b"1", b"0", b"0", b"0", b"0"]


def test_settle_is_called_as_its_header_says() -> None:
    """The same keys in the same order, and what was charged."""
    contract = Contract.read("settle")
    charge, call, _ = _sent(_PLAN)

    assert call.script == Script.load("settle").text
    assert call.keys == charge.keys
    fixed = dict(zip(contract.arguments, call.arguments, strict=False))
    assert fixed == {
        "now_us": b"",
        "attempts": b"1",
        "ttl_s": b"432000",
        "held_bytes": b"700",
        "held_ttl_s": b"7776000",
        "strangers": _STRANGERS,
        "recipients": b"5",
        "bands": _HASHES.bands(_PLAN.bands),
        "people": b"ccccddddeeee",
        "interval_us": b"102",
        "stopped": b"0",
    }
    groups = _groups(contract, call)
    assert [group["kind"] for group in groups] == [b"rate"] * 4 + [b"distinct"]
    # That of a limit of which a half is in force is twice as long.
    intervals = [group["interval_us"] for group in groups]
    assert intervals == [b"11", b"21", b"31", b"122", b"41"]
    # As the answer said what was charged.
    assert {group["cost"] for group in groups} == {b"1"}


def test_a_refusal_gives_nothing_back() -> None:
    """It charged nothing, and counted the attempt by itself: settle leaves both."""
    wire = Recorder()
    counters = Counters(wire, Keys(), SECRET)
    refusal = replace(counters.look_up(_PLAN), allowed=False, attempts=3)
    counters.settle(_PLAN, refusal, held_bytes=700)
    call = Call.of(wire.commands[-1])

    assert [key.split(":")[1] for key in call.keys] == _FIXED_KINDS
    assert call.arguments[:5] == [b"", b"0", b"432000", b"700", b"7776000"]
    assert call.arguments[5:] == [b"", b"0", b"", b"", b"102", b"0"]


def test_settle_says_how_many_counters_it_changed(store: Store, keys: Keys) -> None:
    """A counter that has expired meanwhile has nothing to give back."""
    counters = store.counters(keys, lambda: START_US)
    charges = (a_charge(name="one"), a_charge(name="two"))
    counters.look_up(a_plan(*charges))
    names = [keys.count(ANNE, charge.limit.name, ANNE) for charge in charges]
    store.ask("DEL", names[0])
    text = Script.load("settle").text.decode()
    fixed = (
        keys.seen(ANNE, "0"),
        keys.holding(ANNE),
        keys.contacts(ANNE),
        keys.content(ANNE),
        keys.usual(ANNE, ANNE),
        keys.standing(ANNE),
    )
    nothing = (START_US, 0, 60, 0, 60, "", 0, "", "", 1, 0)
    group = ("rate", 1_000_000, 1)

    assert store.ask("EVAL", text, 8, *fixed, *names, *nothing, *group, *group) == 1
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


def test_erase_is_called_as_its_header_says() -> None:
    """One key, and its arguments by name."""
    contract = Contract.read("erase")
    given = arguments(Kind.CONTACTS, b"bart", commit=False)

    assert contract.keys == 1
    assert dict(zip(contract.arguments, given, strict=True)) == {
        "kind": "contacts",
        "one": b"bart",
        "commit": "0",
    }


def test_optin_is_called_as_its_header_says() -> None:
    """Both keys of one bucket, and its arguments by name."""
    contract = Contract.read("optin")
    sent: list[tuple[object, ...]] = []

    class Recorder:
        def pipeline(self, *, transaction: bool) -> "Recorder":
            return self

        def eval(self, *words: object) -> None:
            sent.append(words)

        def evalsha(self) -> None:
            raise NotImplementedError

        def execute(self, *, raise_on_error: bool) -> list[list[object]]:
            assert not raise_on_error
            return [[1, b""]]

        def config_get(self, _: str) -> dict[str, str]:
            return {"appendonly": "no"}

    keys, client = Keys(), Recorder()
    writer = Subscriptions(client, keys, Flushing(client, keys))
    writer.run_batch([Step("news", 5, b"field", b"record", b"sealed")], Mode.APPLY)

    ((text, count, *words),) = sent
    assert text == Script.load("optin").text
    assert count == contract.keys == 2
    places = [keys.optin("news", 5), keys.evidence("news", 5)]
    assert words[:2] == [one.encode() for one in places]
    assert dict(zip(contract.arguments, words[2:], strict=True)) == {
        "now_us": b"",
        "mode": b"apply",
        "field": b"field",
        "record": b"record",
        "evidence": b"sealed",
        "ahead_us": b"600000000",
    }


def test_the_answer_of_charge_has_the_length_its_header_says(store: Store) -> None:
    """Ten, then five for the content, then four for each counter."""
    contract = Contract.read("charge")
    returns = re.sub(
        r"\(.*?\)", "", contract.returns.partition("\nTwin")[0], flags=re.DOTALL
    )
    parts = re.split(r"then (?:for the content|four for each counter):", returns)
    lengths = [len(re.findall(r"\w[^,]*", part)) for part in parts]
    assert lengths == [10, 5, 4]

    wire = Recorder()
    Counters(wire, Keys("contract"), SECRET).look_up(_PLAN)
    call = Call.of(next(sent for sent in wire.commands if sent[0] == b"EVALSHA"))
    words = (b"%d" % len(call.keys), *(key.encode() for key in call.keys))
    text = Script.load("charge").text
    (result,) = store.wire.call(pack((b"EVAL", text, *words, *call.arguments)), 1)

    assert len(result) == 10 + 5 + 4 * len(_CHARGES)
    hashes = [place for place, value in enumerate(result) if isinstance(value, bytes)]
    # Strangers; whom the content had not reached; what is new in the last counter.
    assert hashes == [5, 14, 34]
    assert {type(value) for value in result} == {int, bytes}


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
    plan = replace(
        _PLAN,
        customer=customer,
        principal=customer,
        charges=[*_CHARGES, a_charge(identity=customer)],
    )
    charge, settle, rest = _sent(plan)

    for call in (charge, settle):
        assert len({key_slot(key.encode()) for key in call.keys}) == 1
        for key in call.keys:
            tag = re.findall(r"\{(.*?)\}", key, re.DOTALL)
            assert len(tag) == 1
            assert not re.search(r"\s", key)
    # What others share stands alone: a plain HMGET for each hash of orders, and a
    # plain GET for each band of a content.
    assert [command[0] for command in rest] == [b"HMGET"] * 3 + [b"GET"] * 4


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

    assert (plain(first), second.levels[0].used) == ([Level(True, 1, 0)], 2)
    assert store.ask("SCRIPT", "EXISTS", Script.load("charge").sha.decode()) == [1]


def test_a_settlement_needs_no_cached_script(store: Store, keys: Keys) -> None:
    """Nobody reads its answer, so it brings its source along."""
    counters = store.counters(keys)
    plan = a_plan(a_charge(interval_us=3_600_000_000))
    answers: Answers = counters.look_up(plan)
    store.ask("SCRIPT", "FLUSH")

    counters.settle(plan, answers, held_bytes=0)

    assert store.names(keys) == {f"seen:{{{ANNE}}}:{counters.retry_id(plan)}"}

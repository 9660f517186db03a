"""The registry out of one store and into another: nothing is lost, nothing taken back."""

import json
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outgate.model.consent import Grade
from outgate.model.errors import EvidenceError, OutgateError, StartError
from outgate.model.optin import Record, State
from outgate.signing.vault import Vault
from outgate.store.consents import BUCKETS
from outgate.store.hashes import Hashes
from outgate.store.keys import Keys
from outgate.store.registry import Found, Registry
from outgate.store.transfer import MAX_LINE_BYTES, Restore, export
from outgate.store.trouble import Client
from store.builders import START_US, Clock, some_people
from store.optins import LIST, WITHDRAWN, an_optin
from store.running import SECRET, Store, fast, new_keys

CHOIR = "choir"
BART, CORA, DAN = some_people(3)
ID = "5e"


def open_registry(client: Client, keys: Keys) -> Registry:
    return Registry(
        client, keys, Hashes(SECRET), sealer=Vault(SECRET), test_now_us=Clock()
    )


def exported(client: Client, keys: Keys) -> list[bytes]:
    lists = open_registry(client, keys).lists()
    return list(export(client, keys, lists, ID, pytest.fail))


def restored(client: Client, keys: Keys, lines: list[bytes]) -> Registry:
    registry = open_registry(client, keys)
    Restore(registry, ID).run(lines)
    return registry


@contextmanager
def refused(text: str) -> Iterator[None]:
    with pytest.raises(EvidenceError, match=text):
        yield


@pytest.fixture
def filled(client: Client, keys: Keys) -> Registry:
    """One of each: evidence, withdrawal with evidence, an erasure, an operator's word."""
    registry = open_registry(client, keys)
    registry.register(
        an_optin(START_US - 9, customer=CHOIR, mailbox=one, evidence=True)
        for one in (BART, CORA)
    )
    registry.withdraw(CHOIR, LIST, [CORA], WITHDRAWN)
    registry.load(CHOIR, "news.example", some_people(500, first=10), Grade.PAPER)
    return registry


def test_what_comes_out_goes_in(filled: Registry, client: Client, keys: Keys) -> None:
    """Into an empty store: the same bytes, and evidence that opens."""
    lines, theirs = exported(client, keys), new_keys()

    other = restored(client, theirs, lines)

    assert exported(client, theirs) == lines
    assert other.count(LIST) == filled.count(LIST)
    assert other.lists() == {(CHOIR, LIST), (CHOIR, "news.example")}
    for mailbox in (BART, CORA):
        assert other.find(CHOIR, LIST, mailbox) == filled.find(CHOIR, LIST, mailbox)
        words = (CHOIR, LIST, mailbox)
        shown = filled.evidence(*words, actor="dora", why="test")
        assert shown is not None
        assert other.evidence(*words, actor="dora", why="test") == shown


def test_again_does_no_harm(filled: Registry, client: Client, keys: Keys) -> None:
    """Everything is kept as it is."""
    lines = exported(client, keys)
    registry = open_registry(client, keys)
    tally = Restore(registry, ID).run(lines)
    assert (tally.rows, tally.kept) == (502, 502)
    assert exported(client, keys) == lines


def test_an_old_export_takes_nothing_back(
    filled: Registry, client: Client, keys: Keys
) -> None:
    """Neither a withdrawal since then nor an erasure; nor does evidence come back."""
    lines = exported(client, keys)
    filled.withdraw(CHOIR, LIST, [BART], WITHDRAWN)
    mark = Record(state=State.ERASED, time_us=START_US)
    filled.withdraw(CHOIR, LIST, [CORA], mark)

    other = restored(client, keys, lines)

    assert other.find(CHOIR, LIST, BART) == Found(WITHDRAWN, has_evidence=True)
    assert other.find(CHOIR, LIST, CORA) == Found(mark, has_evidence=False)


def test_what_nobody_can_read_is_left_out(
    filled: Registry, client: Client, keys: Keys
) -> None:
    """And told, with its place: an export that cannot be restored would be none."""
    lines, field = exported(client, keys), b"8 octets"
    client.hset(keys.optin(LIST, 7), field, b"paper")
    client.hset(keys.optin(LIST, 8), b"short", b"1\0\0\0\0\0\x01\x02x0")
    told: list[str] = []
    assert list(export(client, keys, filled.lists(), ID, told.append)) == lines
    assert told == [
        f"{keys.optin(LIST, 7)} {field.hex()}",
        f"{keys.optin(LIST, 8)} {b'short'.hex()}",
    ]


class TestRefusal:
    """A file is somebody's: each line is checked, and its end is looked for."""

    def test_one_that_was_cut_off(
        self, filled: Registry, client: Client, keys: Keys
    ) -> None:
        """Or lost a line, or has one too many."""
        lines = exported(client, keys)
        with refused("ends after 502 rows, before its end"):
            restored(client, new_keys(), lines[:-1])
        with refused("does not fit the 501 rows before it"):
            restored(client, new_keys(), [*lines[:7], *lines[8:]])
        with refused(r"line 505: stands behind the last one"):
            restored(client, new_keys(), [*lines, lines[3]])

    def test_one_of_another_secret(self, client: Client, keys: Keys) -> None:
        """Its hashes would name nobody here."""
        lines = list(export(client, keys, [(CHOIR, LIST)], "a5", pytest.fail))
        with pytest.raises(StartError, match="made under another secret") as refusal:
            restored(client, keys, lines)
        assert refusal.value.exit_code == 78

    @pytest.mark.parametrize(
        ("line", "why"),
        [
            (b"", "no JSON object"),
            (b"[]", "no JSON object"),
            (b"[" * MAX_LINE_BYTES, "no JSON object"),
            (b" " * (MAX_LINE_BYTES + 1), "longer than"),
            (b'{"outgate-optin":2,"secret-id":"5e","lists":[]}', "version 2"),
            (b'{"lists":[]}', "no export"),
            (b'{"outgate-optin":1,"secret-id":"5e"}', "pairs of names"),
            (b'{"outgate-optin":1,"secret-id":"5e","lists":[["a"]]}', "pairs of"),
            (b'{"outgate-optin":1,"secret-id":"5e","lists":[[1,2]]}', "pairs of"),
        ],
    )
    def test_a_first_line_that_is_none(
        self, client: Client, keys: Keys, line: bytes, why: str
    ) -> None:
        """Told with what was expected."""
        with refused(f"line 1: .*{why}"):
            restored(client, keys, [line])

    @pytest.mark.parametrize(
        "changes",
        [
            {"list": "other.example"},
            {"list": 5},
            {"bucket": BUCKETS},
            {"bucket": "5"},
            {"bucket": 1.5},
            {"field": "AAAA"},
            {"field": "?"},
            {"field": None},
            {"record": ""},
            {"record": "eWVz"},
            {"evidence": "AAAA"},
            {"evidence": 7},
        ],
    )
    def test_a_row_that_is_none(
        self, filled: Registry, client: Client, keys: Keys, changes: dict[str, object]
    ) -> None:
        """Whatever is wrong with it."""
        lines = exported(client, keys)
        lines[2] = json.dumps(json.loads(lines[2]) | changes).encode()
        with refused("line 3: is no subscription"):
            restored(client, new_keys(), lines)

    @fast
    @given(st.lists(st.binary(max_size=60), max_size=4), st.data())
    def test_whatever_stands_there(
        self, store: Store, rows: list[bytes], data: st.DataObject
    ) -> None:
        """Rows or a typed error."""
        head = b'{"outgate-optin":1,"secret-id":"5e","lists":[["choir","a"]]}'
        value = (
            st.none() | st.integers(-9, 9) | st.text(max_size=9) | st.lists(st.none())
        )
        names = st.sampled_from(
            ["list", "bucket", "field", "record", "evidence", "rows"]
        )
        objects = data.draw(st.lists(st.dictionaries(names, value), max_size=3))
        lines = [head, *rows, *(json.dumps(one).encode() for one in objects)]
        with pytest.raises(OutgateError):
            restored(store.client, new_keys(), lines)


def test_a_field_and_a_bucket_go_together(client: Client, keys: Keys) -> None:
    """What is restored is found: the bucket is told, since the field does not show it."""
    open_registry(client, keys).load(CHOIR, LIST, some_people(50), Grade.PAPER)
    theirs = new_keys()
    other = restored(client, theirs, exported(client, keys))
    assert all(other.find(CHOIR, LIST, one) for one in some_people(50))

"""The file through which keeper and workers share operators' state."""

import json
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outgate.policy.operator import Order, parse_entry
from outgate.policy.snapshot import EMPTY, Snapshot
from outgate.store.localcopy import LocalCopy
from store.builders import ANNE, START_US
from store.running import fast

HASHES = {
    Order.QUARANTINE: {ANNE: b"for=1h phished"},
    Order.SUSPEND: {"203.0.113.0/24": b"bot", "Größe": b"Gr\xf6\xdfe"},
    Order.ALLOW: {},
    Order.LIMIT: {"choir": b"recipients=5000/1d"},
}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "operator.json"


def snapshot_of(path: Path) -> Snapshot:
    copy = LocalCopy(path)
    copy.refresh()
    return copy.snapshot()


def test_what_the_keeper_writes_a_worker_reads(path: Path) -> None:
    """Names, values to the byte, and the number of hosts."""
    LocalCopy(path).write(HASHES, 3)
    snapshot = snapshot_of(path)

    assert snapshot.hosts == 3
    assert snapshot == Snapshot.build(
        [
            parse_entry(order, name, value)
            for order, fields in HASHES.items()
            for name, value in fields.items()
        ],
        3,
    )
    found = snapshot.find(Order.QUARANTINE, [ANNE], None, only_odd=False)
    assert [entry.text for entry in found] == ["phished"]
    (order,) = snapshot.limits(["choir"], None, START_US)
    assert str(order.rates["recipients"]) == "5000/1d"


@fast
@given(
    hashes=st.dictionaries(
        st.sampled_from(list(Order)),
        st.dictionaries(st.text(max_size=12), st.binary(max_size=24), max_size=4),
    ),
    hosts=st.integers(1, 99),
)
def test_nothing_is_lost_on_the_way(
    tmp_path_factory: pytest.TempPathFactory,
    hashes: dict[Order, dict[str, bytes]],
    hosts: int,
) -> None:
    """Any names, any bytes, and the file is text."""
    path = tmp_path_factory.mktemp("copy") / "operator.json"
    LocalCopy(path).write(hashes, hosts)
    assert path.read_bytes().isascii()
    assert snapshot_of(path) == Snapshot.build(
        (
            parse_entry(order, name, value)
            for order in sorted(hashes)
            for name, value in sorted(hashes[order].items())
        ),
        hosts,
    )


def test_a_copy_that_was_never_read_is_empty(path: Path) -> None:
    """No file: no orders, one host; no error either."""
    copy = LocalCopy(path)
    assert not copy.refresh()
    assert copy.snapshot() is EMPTY


def test_a_file_is_read_when_it_has_changed(path: Path) -> None:
    """Four times a second is looked, and hardly ever read."""
    keeper, worker = LocalCopy(path), LocalCopy(path)
    keeper.write(HASHES, 1)
    assert worker.refresh()
    before = worker.snapshot()
    assert not worker.refresh()
    keeper.write(HASHES, 2)
    assert worker.refresh()
    assert (before.hosts, worker.snapshot().hosts) == (1, 2)


def test_the_same_state_is_not_written_again(path: Path) -> None:
    """A quiet hour costs the disk nothing."""
    LocalCopy(path).write(HASHES, 1)
    before = path.stat()
    LocalCopy(path).write(dict(reversed(HASHES.items())), 1)
    assert (path.stat().st_ino, path.stat().st_mtime_ns) == (
        before.st_ino,
        before.st_mtime_ns,
    )


def test_a_change_within_one_tick_of_the_clock_is_seen(path: Path) -> None:
    """The file is a new one each time, whatever its time says."""
    worker = LocalCopy(path)
    for hosts in (1, 2, 3):
        LocalCopy(path).write(HASHES, hosts)
        os.utime(path, ns=(START_US, START_US))
        worker.refresh()
        assert worker.snapshot().hosts == hosts


@pytest.mark.parametrize(
    "broken",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"\xff\xfe",
        b'{"hosts": 1}',
        b'{"hosts": 1, "orders": []}',
        b'{"hosts": "many", "orders": {}}',
        b'{"hosts": Infinity, "orders": {}}',
        b'{"hosts": NaN, "orders": {}}',
        b'{"hosts": 1, "orders": {"throttle": {"anne": ""}}}',
        b'{"hosts": 1, "orders": {"suspend": {"anne": "%%%"}}}',
        b'{"hosts": 1, "orders": {"suspend": {"anne": "a"}}}',
        b'{"hosts": 1, "orders": {"suspend": {"anne": 7}}}',
        b'{"hosts": 1, "orders": {"suspend": "anne"}}',
    ],
)
def test_a_broken_file_keeps_the_last_good_copy(path: Path, broken: bytes) -> None:
    """Half written, garbled, by another version: who was held stays held."""
    worker = LocalCopy(path)
    worker.refresh()
    LocalCopy(path).write(HASHES, 2)
    worker.refresh()
    good = worker.snapshot()
    path.write_bytes(broken)
    assert not worker.refresh()
    assert worker.snapshot() is good
    path.unlink()
    assert not worker.refresh()
    assert worker.snapshot() is good
    # And the keeper makes it whole again.
    path.write_bytes(broken)
    LocalCopy(path).write(HASHES, 5)
    assert worker.refresh()
    assert worker.snapshot().hosts == 5


@fast
@given(
    said=st.binary(max_size=80) | st.text(max_size=40).map(json.dumps).map(str.encode)
)
def test_any_bytes_in_the_file_raise_nothing(
    tmp_path_factory: pytest.TempPathFactory, said: bytes
) -> None:
    """The control thread of a worker must not die of a file."""
    path = tmp_path_factory.mktemp("copy") / "operator.json"
    path.write_bytes(said)
    copy = LocalCopy(path)
    assert not copy.refresh()
    assert copy.snapshot() is EMPTY


def test_a_reader_never_sees_half_a_file(path: Path) -> None:
    """It is renamed into its place: always one whole state or the other."""
    keeper, worker = LocalCopy(path), LocalCopy(path)
    for round_number in range(100):
        fields = {f"{ANNE}{number}": b"x" * 99 for number in range(round_number)}
        keeper.write({Order.SUSPEND: fields}, 1)
        assert worker.refresh()
    assert [file.name for file in path.parent.iterdir()] == ["operator.json"]


def test_a_directory_that_cannot_be_written_is_the_keepers_problem(
    tmp_path: Path,
) -> None:
    """An OSError, and the old file is as it was."""
    with pytest.raises(OSError, match="No such file"):
        LocalCopy(tmp_path / "none" / "operator.json").write(HASHES, 1)

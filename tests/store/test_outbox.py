"""Records that must be kept: on disk first, then in the store."""

import errno
import fcntl
import os
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import BinaryIO
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outgate.model.errors import StoreUnavailable
from outgate.store.outbox import Outbox, Record, _count
from store import crowd
from store.running import fast


@pytest.fixture
def outbox(tmp_path: Path) -> Outbox:
    return Outbox(tmp_path)


def drained(outbox: Outbox, stamp: str = "1") -> list[Record]:
    records: list[Record] = []
    assert outbox.drain(records.append, stamp) == len(records)
    return records


def test_what_was_written_is_applied_in_order(outbox: Outbox) -> None:
    """Once, and then the disk is empty."""
    records: list[Record] = [{"kind": "held", "size": n, "text": "ü\n"} for n in (1, 2)]
    for record in records:
        outbox.append(record)
    assert outbox.waiting() == 2

    assert drained(outbox) == records
    assert (outbox.waiting(), drained(outbox, "2")) == (0, [])


def test_an_empty_outbox_is_nothing_to_do(outbox: Outbox, tmp_path: Path) -> None:
    """No file, nothing applied, nothing made."""
    assert drained(outbox) == []
    assert list(tmp_path.iterdir()) == []


@fast
@given(
    records=st.lists(
        st.dictionaries(
            st.text(max_size=8), st.text(max_size=8) | st.integers(), max_size=3
        ),
        max_size=4,
    )
)
def test_any_text_comes_back_as_it_was(
    tmp_path_factory: pytest.TempPathFactory, records: list[Record]
) -> None:
    """Line ends and quotes inside of a record do not end it."""
    outbox = Outbox(tmp_path_factory.mktemp("outbox"))
    for record in records:
        outbox.append(record)
    assert drained(outbox) == records


class TestTrouble:
    """The store or the machine goes away."""

    def test_a_store_that_fails_keeps_the_records(self, outbox: Outbox) -> None:
        """Those applied already are applied again: twice is as good as once."""
        for number in range(3):
            outbox.append({"number": number})
        applied: list[Record] = []

        def fail_at_the_third(record: Record) -> None:
            if record["number"] == 2:
                raise StoreUnavailable("connection refused")
            applied.append(record)

        for stamp in "12":
            with pytest.raises(StoreUnavailable):
                outbox.drain(fail_at_the_third, stamp)
            outbox.append({"number": 2, "after": stamp})

        assert outbox.waiting() == 5
        assert [one["number"] for one in applied] == [0, 1, 0, 1]
        assert [one.get("after") for one in drained(outbox, "3")] == [
            None,
            None,
            None,
            "1",
            "2",
        ]
        assert outbox.waiting() == 0

    @pytest.mark.parametrize("torn", [b'{"number": 7', b'\n{"numb', b"\xff\x00", b"\n"])
    def test_a_torn_line_costs_no_other_record(
        self, outbox: Outbox, tmp_path: Path, torn: bytes
    ) -> None:
        """The machine died while it was written; what comes next is kept."""
        outbox.append({"number": 1})
        with (tmp_path / "records.jsonl").open("ab") as file:
            file.write(torn)
        assert outbox.waiting() == 1
        outbox.append({"number": 2})

        assert drained(outbox) == [{"number": 1}, {"number": 2}]

    def test_a_full_disk_is_told_and_costs_one_record(self, outbox: Outbox) -> None:
        """Half a line fits: the caller hears of it, the next record is whole."""
        outbox.append({"number": 1})
        real = os.write

        def half(descriptor: int, line: bytes) -> int:
            return real(descriptor, line[: len(line) // 2])

        with (
            patch("outgate.store.outbox.os.write", half),
            pytest.raises(OSError, match="No space left") as error,
        ):
            outbox.append({"number": 2})
        outbox.append({"number": 3})

        assert error.value.errno == errno.ENOSPC
        assert drained(outbox) == [{"number": 1}, {"number": 3}]

    @pytest.mark.parametrize("line", [b"[1, 2]", b'"text"', b"null", b"17"])
    def test_a_line_that_is_no_record_is_left_out(
        self, outbox: Outbox, tmp_path: Path, line: bytes
    ) -> None:
        """JSON, but nothing of ours."""
        (tmp_path / "records.jsonl").write_bytes(b"\n" + line + b"\n")
        outbox.append({"number": 1})
        assert drained(outbox) == [{"number": 1}]

    def test_a_directory_that_is_gone_is_an_os_error(self, tmp_path: Path) -> None:
        """The worker logs that a record is lost, and goes on."""
        with pytest.raises(OSError, match="No such file"):
            Outbox(tmp_path / "none").append({"number": 1})

    def test_what_a_dead_keeper_left_is_applied_by_the_next(
        self, outbox: Outbox, tmp_path: Path
    ) -> None:
        """Moved aside, not applied, killed: oldest first, then the rest."""
        for number in (1, 2):
            outbox.append({"number": number})
            (tmp_path / "records.jsonl").rename(tmp_path / f"records.{number}.taken")
        outbox.append({"number": 3})

        assert outbox.waiting() == 3
        assert [one["number"] for one in drained(outbox, "3")] == [1, 2, 3]


class TestLocks:
    """A session of mail waits for the lock, so nobody keeps it."""

    def test_counting_needs_none(self, outbox: Outbox, tmp_path: Path) -> None:
        """Though a writer hangs while it has it."""
        outbox.append({"number": 1})
        with (tmp_path / "records.jsonl").open("rb") as held:
            fcntl.flock(held, fcntl.LOCK_EX)
            assert outbox.waiting() == 1

    def test_applying_needs_none(self, outbox: Outbox, tmp_path: Path) -> None:
        """The store may be slow; a writer that lost its file must see that now."""
        for number in range(3):
            outbox.append({"number": number})
        free: list[bool] = []

        def apply(_: Record) -> None:
            free.append(_is_free(tmp_path / "records.1.taken"))

        assert outbox.drain(apply, "1") == 3
        assert free == [True] * 3

    def test_nobody_waits_for_the_disk_of_others(
        self, outbox: Outbox, tmp_path: Path
    ) -> None:
        """A record is written under the lock, and then taken to the disk without."""
        free: list[bool] = []

        def fsync(_: int) -> None:
            free.append(_is_free(tmp_path / "records.jsonl"))

        with patch("outgate.store.outbox.os.fsync", fsync):
            outbox.append({"number": 1})
        assert free == [True]


def _is_free(file: Path) -> bool:
    with file.open("rb") as lines:
        try:
            fcntl.flock(lines, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    return True


class TestCount:
    """A gauge, asked for each second."""

    def test_only_what_is_new_is_read(self, outbox: Outbox, tmp_path: Path) -> None:
        """Also of a file that was moved aside, as it is while the store is away."""
        for number in range(3):
            outbox.append({"number": number})
        assert outbox.waiting() == 3
        (tmp_path / "records.jsonl").rename(tmp_path / "records.1.taken")
        outbox.append({"number": 3})
        read: list[int] = []

        def count(lines: BinaryIO, offset: int, records: int) -> tuple[int, int]:
            end, records = _count(lines, offset, records)
            read.append(end - offset)
            return end, records

        with patch("outgate.store.outbox._count", count):
            assert outbox.waiting() == 4
        assert read == [0, len(b'\n{"number": 3}\n')]

    def test_a_line_under_way_is_counted_when_it_is_whole(
        self, outbox: Outbox, tmp_path: Path
    ) -> None:
        """And once."""
        with (tmp_path / "records.jsonl").open("ab", buffering=0) as file:
            for part, records in ((b'\n{"num', 0), (b'ber": 1}', 0), (b"\n", 1)):
                file.write(part)
                assert outbox.waiting() == outbox.waiting() == records

    def test_after_a_drain_it_counts_anew(self, outbox: Outbox) -> None:
        """The next file may have the last one's inode."""
        for count in (5, 2, 9):
            for number in range(count):
                outbox.append({"number": number})
            assert outbox.waiting() == count
            drained(outbox, str(count))
            assert outbox.waiting() == 0


class TestAtOnce:
    """Many write, one reads, or two for a moment."""

    def test_nothing_is_lost_between_writers_and_a_keeper(
        self, outbox: Outbox, tmp_path: Path
    ) -> None:
        """Four processes write 1,200 records; the keeper drains all the time."""
        written = threading.Event()
        applied: list[Record] = []

        def drain() -> None:
            rounds = 0
            while not written.is_set():
                outbox.drain(applied.append, f"{rounds:06}")
                rounds += 1

        keeper = threading.Thread(target=drain)
        keeper.start()
        try:
            count = sum(crowd.run(crowd.append_records, tmp_path, 4))
        finally:
            written.set()
            keeper.join()
        outbox.drain(applied.append, "last")

        seen = Counter((one["writer"], one["record"]) for one in applied)
        assert len(seen) == count == 1_200
        assert set(seen.values()) == {1}
        # What one worker wrote is applied in its order.
        for writer in range(4):
            own = [one["record"] for one in applied if one["writer"] == writer]
            assert own == sorted(own)
        assert list(tmp_path.iterdir()) == []

    def test_two_keepers_lose_nothing_and_disturb_nobody(self, tmp_path: Path) -> None:
        """During a reload both drain: some records twice, each at least once."""
        writing = threading.Event()
        writing.set()

        def write() -> None:
            outbox = Outbox(tmp_path)
            for number in range(400):
                outbox.append({"number": number})
            writing.clear()

        def drain(keeper: int) -> list[Record]:
            outbox, applied = Outbox(tmp_path), list[Record]()
            rounds = 0
            while writing.is_set() or outbox.waiting():
                outbox.drain(applied.append, f"{rounds:06}-{keeper}")
                rounds += 1
            return applied

        with ThreadPoolExecutor(3) as threads:
            keepers = [threads.submit(drain, number) for number in range(2)]
            threads.submit(write).result()
            applied = [one for keeper in keepers for one in keeper.result()]
        assert {one["number"] for one in applied} == set(range(400))

    def test_a_writer_whose_file_was_taken_writes_into_the_next(
        self, outbox: Outbox, tmp_path: Path
    ) -> None:
        """The keeper moves the file between a worker's open and its lock."""
        outbox.append({"number": 1})
        real = os.open
        raced: list[bool] = []

        def open_and_lose(path: Path, flags: int, mode: int) -> int:
            descriptor = real(path, flags, mode)
            if not raced:
                raced.append(True)
                assert drained(outbox) == [{"number": 1}]
            return descriptor

        with patch("outgate.store.outbox.os.open", open_and_lose):
            outbox.append({"number": 2})

        assert raced
        assert drained(outbox, "2") == [{"number": 2}]

"""A log that nobody reads costs lines, and nobody's time."""

import fcntl
import os
import select
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from unittest.mock import patch

import pytest

from lab.waiting import wait_until
from log.logfmt import NOW_US, read
from outgate.daemon import children
from outgate.log.lines import Log
from outgate.log.outlet import Outlet

# What a write takes that does not wait, on a machine that is busy.
_PATIENT_S = 5.0


@dataclass
class Channel:
    """Two ends; the reading one is drained when a test wants it."""

    reading: int
    writing: int

    def drain(self) -> list[dict[str, str]]:
        """Everything that can be read now, as lines."""
        raw = b""
        while select.select([self.reading], [], [], 0)[0]:
            if not (more := os.read(self.reading, 1 << 20)):
                break
            raw += more
        return [dict(read(line)) for line in raw.decode().splitlines(keepends=True)]

    def close(self) -> None:
        for end in (self.reading, self.writing):
            with suppress(OSError):
                os.close(end)


def a_pipe() -> Channel:
    return Channel(*os.pipe())


def a_socket() -> Channel:
    reading, writing = socket.socketpair()
    return Channel(reading.detach(), writing.detach())


@pytest.fixture(params=[a_pipe, a_socket])
def channel(request: pytest.FixtureRequest) -> Iterator[Channel]:
    """As a shell makes it, and as systemd does."""
    made: Channel = request.param()
    yield made
    made.close()


@pytest.fixture
def pipe() -> Iterator[Channel]:
    made = a_pipe()
    yield made
    made.close()


@pytest.fixture
def foreign() -> Iterator[Channel]:
    """A pipe that another user made: it cannot be opened once more."""
    made = a_pipe()
    refuse = patch("outgate.log.outlet.os.open", side_effect=PermissionError(13, "no"))
    with refuse:
        yield made
    made.drain()
    made.close()


def a_log(channel: Channel) -> Log:
    return Log(lambda: NOW_US, descriptor=channel.writing)


def fill(log: Log, lines: int = 3000) -> None:
    """More than anything takes."""
    began_s = monotonic()
    for number in range(lines):
        log.info("message", number=number, sender="x" * 200)
    assert monotonic() - began_s < _PATIENT_S
    assert log.lost_total > 0


def settled(said: list[dict[str, str]], log: Log) -> None:
    """Lines are whole and in order; where some are missing, their number is told."""
    number = 0
    for line in said:
        if line["event"] == "log-lines-lost":
            number += int(line["count"])
        else:
            assert int(line["number"]) == number
            number += 1
    assert sum(int(line.get("count", 0)) for line in said) == log.lost_total


class TestFull:
    """Nobody reads."""

    def test_lines_are_lost_and_counted(self, channel: Channel) -> None:
        """As soon as there is room: how many, in their place, and then the next."""
        log = a_log(channel)
        fill(log)
        said = channel.drain()
        log.info("message", number=3000)
        said += channel.drain()

        settled(said, log)
        assert [line["event"] for line in said[-2:]] == ["log-lines-lost", "message"]
        assert said[-2]["level"] == "warning"

    def test_it_goes_on_as_if_nothing_had_been(self, channel: Channel) -> None:
        """What was told is not told again."""
        log = a_log(channel)
        fill(log)
        channel.drain()
        for number in range(3):
            log.info("message", number=number)

        assert [line["event"] for line in channel.drain()] == [
            "log-lines-lost",
            *["message"] * 3,
        ]

    def test_other_writers_may_wait_if_they_like(self, channel: Channel) -> None:
        """The descriptor is shared: what we do to it we would do to them."""
        before = fcntl.fcntl(channel.writing, fcntl.F_GETFL)
        fill(a_log(channel))

        assert fcntl.fcntl(channel.writing, fcntl.F_GETFL) == before
        assert not before & os.O_NONBLOCK

    def test_threads_lose_no_count(self, channel: Channel) -> None:
        """Many write while nobody reads, then somebody does."""
        log = a_log(channel)
        threads = [threading.Thread(target=fill, args=(log, 1000)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        said = channel.drain()
        log.info("end")
        said += channel.drain()

        assert sum(line["event"] == "message" for line in said) == 4000 - log.lost_total
        assert sum(int(one.get("count", 0)) for one in said) == log.lost_total

    def test_a_reader_that_is_gone_costs_no_time(self, pipe: Channel) -> None:
        """Before the log is opened, or afterwards."""
        log = a_log(pipe)
        os.close(pipe.reading)
        fill(log)
        late = a_log(pipe)
        fill_quietly(late)
        late.flush()

    def test_its_own_descriptors_are_closed(self, channel: Channel) -> None:
        """With the log; the one that was given stays open."""
        before = len(list(Path("/proc/self/fd").iterdir()))
        for _ in range(10):
            a_log(channel).info("message")
        assert len(list(Path("/proc/self/fd").iterdir())) == before
        assert len(channel.drain()) == 10


def fill_quietly(log: Log) -> None:
    for number in range(2000):
        log.info("message", number=number)


class TestRelay:
    """Where a write may wait, a thread does."""

    def test_lines_are_written_in_order(self, foreign: Channel) -> None:
        """All of them, and what is queued is written before the end."""
        log = a_log(foreign)
        for number in range(50):
            log.info("message", number=number)
        log.flush(_PATIENT_S)

        settled(said := foreign.drain(), log)
        assert len(said) == 50

    def test_a_full_queue_loses_lines(self, foreign: Channel) -> None:
        """And counts them, as without a thread."""
        log = a_log(foreign)
        fill(log, 5000)
        said = foreign.drain()

        def all_is_said() -> bool:
            log.flush(0.05)
            said.extend(foreign.drain())
            return log._outlet._relay is not None and not (
                log._outlet._relay._lines.unfinished_tasks
            )

        wait_until(all_is_said, "the queue is empty")
        log.info("message", number=5000)
        log.flush(_PATIENT_S)
        said += foreign.drain()

        settled(said, log)
        assert said[-1]["number"] == "5000"

    def test_a_flush_waits_for_no_reader(self, foreign: Channel) -> None:
        """The process ends, whoever does not read."""
        log = a_log(foreign)
        fill(log, 5000)
        began_s = monotonic()
        log.flush(0.05)
        assert monotonic() - began_s < _PATIENT_S

    def test_a_forked_process_has_a_thread_of_its_own(self, foreign: Channel) -> None:
        """And none of its parent's lines."""
        log = a_log(foreign)
        log.info("message", number=0)
        log.flush(_PATIENT_S)
        pid = os.fork()
        if not pid:
            log.info("message", number=1)
            log.flush(_PATIENT_S)
            os._exit(0)
        assert os.waitpid(pid, 0)[1] == 0

        settled(said := foreign.drain(), log)
        assert len(said) == 2

    def test_last_words_of_a_child_are_written(self, foreign: Channel) -> None:
        """It ends at once, and nobody else has its queue."""

        def fail(_: socket.socket) -> None:
            raise RuntimeError("a bug")

        log = Log(lambda: NOW_US, descriptor=foreign.writing)
        for _ in range(5):
            pid, control = children.start(
                "outgate-test",
                fail,
                lambda: None,
                lambda text: log.error("start-failed", traceback=text),
            )
            os.waitpid(pid, 0)
            control.close()

        told = foreign.drain()
        assert [one["event"] for one in told] == ["start-failed"] * 5
        assert all("a bug" in one["traceback"] for one in told)

    def test_without_a_thread_lines_are_lost(self, foreign: Channel) -> None:
        """A machine that is out of processes serves mail all the same."""
        log = a_log(foreign)
        with patch("threading.Thread.start", side_effect=RuntimeError("can't start")):
            log.info("message")
        assert log.lost_total == 1

    def test_a_reader_that_is_gone_ends_nothing(self, foreign: Channel) -> None:
        """The thread goes on; it has nobody to tell."""
        log = a_log(foreign)
        os.close(foreign.reading)
        for _ in range(5):
            log.info("message")
        log.flush(_PATIENT_S)
        foreign.reading, spare = os.pipe()
        os.close(spare)


class TestOdd:
    """What else may stand where standard error should be."""

    def test_a_file_keeps_its_place(self, tmp_path: Path) -> None:
        """It is written as it is, after what others wrote."""
        with (tmp_path / "log").open("wb", buffering=0) as file:
            file.write(b"before\n")
            outlet = Outlet(file.fileno())
            assert outlet.write(b"line\n")
            file.write(b"after\n")
        assert (tmp_path / "log").read_bytes() == b"before\nline\nafter\n"

    def test_a_full_disk_and_no_descriptor_lose_lines(self) -> None:
        """Counted as others are."""
        with Path("/dev/full").open("wb") as full:
            for descriptor in (full.fileno(), 10_000):
                log = Log(lambda: NOW_US, descriptor=descriptor)
                log.info("message")
                assert log.lost_total == 1

    @pytest.mark.parametrize("taken", [0, 3])
    def test_after_a_torn_line_a_new_one_begins(
        self, pipe: Channel, taken: int
    ) -> None:
        """A terminal took a part."""
        outlet = Outlet(pipe.writing)
        real: Callable[[int, bytes], int] = os.write
        with patch("outgate.log.outlet.os.write", lambda d, b: real(d, b[:taken])):
            assert not outlet.write(b"abcdef\n")
        assert outlet.write(b"next\n")

        assert os.read(pipe.reading, 100) == b"abc"[:taken] + b"\nnext\n"

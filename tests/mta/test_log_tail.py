"""The end of a log that is rotated, truncated, and written while nobody reads."""

import shutil
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Protocol

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outgate.model.errors import MtaError
from outgate.mta.log_tail import MAX_LINE_BYTES, LogTail


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "mail.log"
    append(path, "first", "second")
    return path


def append(path: Path, *lines: str) -> None:
    with path.open("a") as file:
        file.writelines(f"{line}\n" for line in lines)


class Open(Protocol):
    def __call__(self, log: Path, *, from_start: bool = True) -> LogTail: ...


@pytest.fixture
def tail() -> Iterator[Open]:
    """Readers whose files are closed when the test ends."""
    with ExitStack() as stack:

        def opened(log: Path, *, from_start: bool = True) -> LogTail:
            reader = LogTail(log, log.with_name("position"), from_start=from_start)
            return stack.enter_context(closing(reader))

        yield opened


def take(reader: LogTail, limit: int = 10_000) -> list[str]:
    found = [line.decode() for line in reader.lines(limit)]
    reader.commit()
    return found


class TestReading:
    """Whole lines, each once where all goes well."""

    def test_what_is_new(self, log: Path, tail: Open) -> None:
        """And nothing twice."""
        reader = tail(log)

        assert take(reader) == ["first", "second"]
        assert take(reader) == []
        append(log, "third")
        assert take(reader) == ["third"]

    def test_without_a_position_it_begins_at_the_end(
        self, log: Path, tail: Open
    ) -> None:
        """A log of last year is no news."""
        reader = tail(log, from_start=False)

        assert take(reader) == []
        append(log, "third")
        assert take(reader) == ["third"]

    def test_half_a_line_waits(self, log: Path, tail: Open) -> None:
        """Until its end is written."""
        reader = tail(log)
        take(reader)
        with log.open("a") as file:
            file.write("thi")
        assert take(reader) == []
        append(log, "rd")
        assert take(reader) == ["third"]

    def test_a_limit(self, log: Path, tail: Open) -> None:
        """The rest comes the next time, after a restart too."""
        assert take(tail(log), 1) == ["first"]
        assert take(tail(log)) == ["second"]

    def test_what_was_not_committed_comes_again(self, log: Path, tail: Open) -> None:
        """At least once."""
        reader = tail(log)
        assert len(list(reader.lines())) == 2

        assert take(tail(log)) == ["first", "second"]

    def test_a_line_of_no_size(self, log: Path, tail: Open) -> None:
        """Is passed over."""
        append(log, "x" * (5 * MAX_LINE_BYTES), "third")

        assert take(tail(log)) == ["first", "second", "third"]

    def test_no_log_yet(self, tmp_path: Path, tail: Open) -> None:
        """It may come."""
        path = tmp_path / "mail.log"
        reader = tail(path, from_start=False)
        assert take(reader) == []
        append(path, "first")

        assert take(reader) == ["first"]

    def test_a_position_that_is_none(self, log: Path, tail: Open) -> None:
        """Is named, and nothing is read in silence."""
        log.with_name("position").write_text("{}")

        with pytest.raises(MtaError, match="position"):
            tail(log)


class TestRotation:
    """Under the reader's eyes."""

    def test_rename_and_create(self, log: Path, tail: Open) -> None:
        """The old one is read to its end, also what is written late."""
        reader = tail(log)
        take(reader)
        append(log, "third")
        log.rename(log.with_name("mail.log.1"))
        log.touch()
        append(log.with_name("mail.log.1"), "late")
        assert take(reader) == ["third", "late"]
        append(log.with_name("mail.log.1"), "later")
        append(log, "new")

        assert take(reader) == ["later", "new"]
        assert reader.lost == 0

    def test_rename_without_create(self, log: Path, tail: Open) -> None:
        """Until there is a new one, the old one goes on."""
        reader = tail(log)
        take(reader)
        log.rename(log.with_name("mail.log.1"))
        append(log.with_name("mail.log.1"), "late")

        assert take(reader) == ["late"]

    def test_copytruncate(self, log: Path, tail: Open) -> None:
        """What was written before the copy is found there."""
        reader = tail(log)
        take(reader)
        append(log, "third")
        shutil.copy(log, log.with_name("mail.log.1"))
        log.write_text("")
        append(log, "new")

        assert take(reader) == ["third", "new"]
        assert reader.lost == 0

    def test_copytruncate_and_grown_beyond(self, log: Path, tail: Open) -> None:
        """The log is longer than it was, and another."""
        reader = tail(log)
        take(reader)
        shutil.copy(log, log.with_name("mail.log.1"))
        log.write_text("")
        append(log, *(f"new {number}" for number in range(20)))

        assert take(reader) == [f"new {number}" for number in range(20)]


class TestGaps:
    """While the daemon was down."""

    def test_written_meanwhile(self, log: Path, tail: Open) -> None:
        """Read on where it stopped."""
        take(tail(log))
        append(log, "third")

        assert take(tail(log)) == ["third"]

    def test_rotated_twice(self, log: Path, tail: Open) -> None:
        """All that lie between, in order."""
        take(tail(log))
        append(log, "third")
        log.rename(log.with_name("mail.log.2"))
        append(log, "fourth")
        log.rename(log.with_name("mail.log.1"))
        append(log, "fifth")
        reader = tail(log)

        assert take(reader) == ["third", "fourth", "fifth"]
        assert take(tail(log)) == []
        assert reader.lost == 0

    def test_copied_and_truncated(self, log: Path, tail: Open) -> None:
        """The copy has another inode and the same beginning."""
        take(tail(log))
        append(log, "third")
        shutil.copy(log, log.with_name("mail.log-20261124"))
        log.write_text("")
        append(log, "new")

        assert take(tail(log)) == ["third", "new"]

    def test_gone(self, log: Path, tail: Open) -> None:
        """What cannot be found is counted as lost, and the present log is read."""
        take(tail(log))
        log.unlink()
        append(log, "another beginning", "new")
        reader = tail(log)

        assert take(reader) == ["another beginning", "new"]
        assert reader.lost == 1

    def test_an_inode_that_is_used_again(self, log: Path, tail: Open) -> None:
        """Content decides, not the number."""
        take(tail(log))
        log.write_text("other 1\nother 2\nother 3\n")
        reader = tail(log)

        assert take(reader) == ["other 1", "other 2", "other 3"]
        assert reader.lost == 1

    def test_other_files_beside_it(self, log: Path, tail: Open) -> None:
        """Compressed ones, and those of other names, are left alone."""
        take(tail(log))
        log.with_name("mail.log.2.gz").write_bytes(b"\x1f\x8b")
        log.with_name("mail.log.bak").write_text("first\nsecond\nbackup\n")
        append(log, "third")

        assert take(tail(log)) == ["third"]

    def test_rotated_twice_before_its_eyes(self, log: Path, tail: Open) -> None:
        """Between two looks."""
        reader = tail(log)
        take(reader)
        append(log, "third")
        log.rename(log.with_name("mail.log.2"))
        append(log, "fourth")
        log.rename(log.with_name("mail.log.1"))
        append(log, "fifth")

        assert take(reader) == ["third", "fourth", "fifth"]


_STEPS = st.lists(
    st.sampled_from(["write", "write", "read", "some", "rename", "copy", "restart"]),
    max_size=30,
)


class TestAnyOrder:
    """Of writing, reading, rotating and restarting."""

    @settings(deadline=None)  # files
    @given(_STEPS)
    def test_each_line_once_and_in_order(self, steps: list[str]) -> None:
        """As long as logs are kept and lines are committed."""
        with TemporaryDirectory() as folder, ExitStack() as stack:
            log = Path(folder) / "mail.log"
            written = ["first"]
            append(log, "first")

            def opened() -> LogTail:
                reader = LogTail(log, Path(folder) / "position", from_start=True)
                return stack.enter_context(closing(reader))

            reader = opened()
            found = take(reader)
            for number, step in enumerate(steps):
                if step == "write":
                    written.append(f"line {number} " + "x" * (number * 7 % 90))
                    append(log, written[-1])
                elif step == "read":
                    found += take(reader)
                elif step == "some":
                    found += take(reader, 1)
                elif step == "restart":
                    reader = opened()
                else:
                    _rotate(log, copy=step == "copy")
            found += take(reader)
            found += take(reader)

            assert found == written
            assert reader.lost == 0


def _rotate(log: Path, *, copy: bool) -> None:
    """As logrotate does, with numbers; an empty log is left (`notifempty`)."""
    if not log.exists() or not log.stat().st_size:
        return
    for number in range(40, 0, -1):
        old = log.with_name(f"mail.log.{number}")
        if old.exists():
            old.rename(log.with_name(f"mail.log.{number + 1}"))
    if copy:
        shutil.copy(log, log.with_name("mail.log.1"))
        log.write_text("")
    else:
        log.rename(log.with_name("mail.log.1"))
        log.touch()

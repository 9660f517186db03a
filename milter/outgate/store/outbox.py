"""Records that must be kept: on disk first, then in the store.

Workers append a line; the keeper moves the file aside, applies its records and deletes
it. A store that is away only makes the file grow: nothing is lost, and nobody waits. A
record may be applied twice (a crash between applying and deleting), so each is written
to say the same again.
"""

import errno
import fcntl
import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from outgate.model.errors import ScriptError

Record = Mapping[str, str | int]


class Outbox:
    """One directory.

    `records.jsonl` grows, `records.*.taken` is being applied, `records.bad` keeps what
    the store would not take, for a person to look at.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._file = directory / "records.jsonl"
        # By device and inode: how far a file was counted, and what was found.
        self._counted: dict[tuple[int, int], tuple[int, int]] = {}

    def append(self, record: Record) -> None:
        """Write one record.

        Raises:
            OSError: the disk does not take it.
        """
        # On a line of its own, also after one that was torn.
        line = b"\n%b\n" % json.dumps(record, sort_keys=True).encode()
        while True:
            descriptor = os.open(
                self._file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o640
            )
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX)
                # The keeper may have moved the file aside since it was opened.
                if not self._is_current(descriptor):
                    continue
                if os.write(descriptor, line) < len(line):
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
                # Other sessions need not wait for the disk, too.
                fcntl.flock(descriptor, fcntl.LOCK_UN)
                os.fsync(descriptor)
                return
            finally:
                os.close(descriptor)

    def drain(self, apply: Callable[[Record], None], stamp: str) -> int:
        """Apply all records and delete them; gives their number.

        Args:
            apply: puts one record into the store. A record that it cannot use, or that
                the store refuses (`ScriptError`), is put aside; any other `StoreError`
                stops the drain, and what was not deleted is applied again next time.
            stamp: makes the taken file's name unique.

        Raises:
            OSError: the disk does not work.
        """
        # During a reload, another keeper may be faster, here and below.
        with suppress(FileNotFoundError):
            self._file.rename(self._directory / f"records.{stamp}.taken")
        done = 0
        for taken in self._taken():
            for record in _records(taken):
                try:
                    apply(record)
                except (KeyError, TypeError, ValueError, ScriptError) as error:
                    self._put_aside(record, error)
                done += 1
            taken.unlink(missing_ok=True)
            # The next file may get its inode.
            self._counted.clear()
        return done

    def _put_aside(self, record: Record, error: Exception) -> None:
        reason = f"{type(error).__name__}: {error}"
        with (self._directory / "records.bad").open("a") as file:
            file.write(json.dumps({"error": reason, "record": dict(record)}) + "\n")

    def waiting(self) -> int:
        """How many records are on disk; takes no lock, and reads only what is new."""
        counted = {}
        for file in (*self._taken(), self._file):
            with suppress(FileNotFoundError), file.open("rb") as lines:
                status = os.fstat(lines.fileno())
                inode = status.st_dev, status.st_ino
                counted[inode] = _count(lines, *self._counted.get(inode, (0, 0)))
        self._counted = counted
        return sum(records for _, records in counted.values())

    def records(self) -> Iterator[Record]:
        """What is on disk and not yet in the store, oldest first.

        Raises:
            OSError: it is somebody else's.
        """
        for file in (*self._taken(), self._file):
            yield from _records(file)

    def _taken(self) -> list[Path]:
        return sorted(self._directory.glob("records.*.taken"))

    def _is_current(self, descriptor: int) -> bool:
        try:
            current = self._file.stat()
        except FileNotFoundError:
            return False
        own = os.fstat(descriptor)
        return (own.st_ino, own.st_dev) == (current.st_ino, current.st_dev)


def _count(lines: BinaryIO, offset: int, records: int) -> tuple[int, int]:
    """Count on from where it was left; a line that is not whole is for the next time."""
    lines.seek(offset)
    for line in lines:
        if not line.endswith(b"\n"):
            break
        offset += len(line)
        records += line.startswith(b"{") and line.endswith(b"}\n")
    return offset, records


def _records(file: Path) -> Iterator[Record]:
    """Records of a file; a torn line (the machine died) is left out."""
    try:
        lines = file.open("rb")
    except FileNotFoundError:
        return
    with lines:
        # Whoever still writes into a file that was moved aside holds its lock. Who gets
        # it later sees that the file has gone, so it need not be kept.
        fcntl.flock(lines, fcntl.LOCK_SH)
        fcntl.flock(lines, fcntl.LOCK_UN)
        for line in lines:
            try:
                record = json.loads(line)
            except ValueError:
                continue
            if isinstance(record, dict):
                yield record

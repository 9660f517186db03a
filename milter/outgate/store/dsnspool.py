"""What is to be told to envelope senders, on disk until it is.

One file for each delivery status notification, with plain addresses in it: nobody can
be told of a keyed hash. So the files are for the daemon's account alone, and go as soon
as they are sent. Workers write them before the MTA hears of the removal; the keeper
sends them, with no need of the store.
"""

import errno
import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

Notification = dict[str, Any]

MOST_WAITING = 10_000
"""Then nobody is taken out of a message any more, until some of them have left."""

_READY, _WRITING = ".json", ".tmp"


class DsnSpool:
    """One directory, mode 0700."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def put(self, name: str, notification: Notification) -> None:
        """Keep one until it is sent; on disk when this returns.

        Args:
            name: unique, a plain file name.
            notification: what JSON can hold.

        Raises:
            OSError: the disk does not take it, or too many wait.
        """
        self._directory.mkdir(mode=0o700, exist_ok=True)
        if self.waiting() >= MOST_WAITING:
            raise OSError(errno.ENOSPC, f"{MOST_WAITING} notifications wait")
        writing = self._directory / (name + _WRITING)
        descriptor = os.open(writing, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "w", encoding="ascii") as file:
                json.dump(notification, file)
                file.flush()
                os.fsync(file.fileno())
            writing.rename(self._directory / (name + _READY))
        except OSError:
            writing.unlink(missing_ok=True)
            raise
        _sync(self._directory)

    def waiting(self) -> int:
        """How many there are."""
        return len(self.names())

    def names(self) -> list[str]:
        """File names, oldest first."""
        try:
            found = [one.name for one in self._directory.iterdir()]
        except FileNotFoundError:
            return []
        return sorted(name for name in found if name.endswith(_READY))

    @contextmanager
    def take(self, name: str) -> Iterator[Notification | None]:
        """Read one that nobody else is sending; None if there is none.

        During a reload two keepers look at the same files.
        """
        path = self._directory / name
        try:
            file = path.open("rb")
        except FileNotFoundError:
            yield None
            return
        with file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield None
                return
            if not os.fstat(file.fileno()).st_nlink:
                yield None
                return
            yield _read(file.read())

    def drop(self, name: str) -> None:
        """Forget one: it was sent, or never will be."""
        with suppress(FileNotFoundError):
            (self._directory / name).unlink()


def _read(raw: bytes) -> Notification:
    """What stands in a file; {} if that is not what a worker wrote."""
    try:
        found = json.loads(raw)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _sync(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

"""What is to be told to envelope senders, on disk until it is.

    dsn/<customer>/<name>.json    waits to be sent
    dsn/<customer>/sent/<name>    was sent: a retry of its message is told no more
    dsn/<customer>/.day           how many there were today
    dsn/unread/<name>             cannot be read or written out

One file for each delivery status notification, with plain addresses in it: nobody can
be told of a keyed hash. So the files are for the daemon's account alone, and go as soon
as they are sent. Workers write them before the MTA hears of the removal; the keeper
sends them, with no need of the store.
"""

import fcntl
import json
import os
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from itertools import zip_longest
from pathlib import Path
from typing import Any

Notification = dict[str, Any]

MOST_A_DAY = 500
"""Of one customer; then nobody is taken out of its messages until the next day."""

KEPT_S = 6 * 24 * 3600
"""How long it is known what was sent: longer than an MTA tries."""

_READY, _WRITING, _DAY, _SENT, _UNREAD = ".json", ".tmp", ".day", "sent", "unread"
_MAX_DAY_BYTES = 64


class DsnSpool:
    """One directory, mode 0700."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def put(
        self, customer: str, notifications: Mapping[str, Notification], day: int
    ) -> bool:
        """Keep all or none until they are sent; on disk when this returns.

        What is there, or was sent, is not written again. The time that it takes does
        not depend on how many wait.

        Args:
            customer: whose, a plain file name.
            notifications: what JSON can hold, by plain file names.
            day: today's number.

        Returns:
            Whether they are kept; not where the customer had `MOST_A_DAY`.

        Raises:
            OSError: the disk does not take it.
        """
        home = self._directory / customer
        for one in (self._directory, home):
            one.mkdir(mode=0o700, exist_ok=True)
        new = [name for name in notifications if not _is_known(home, name)]
        if not new:
            return True
        if not _take_share(home / _DAY, day, len(new)):
            return False
        for name in new:
            _write(home, name, notifications[name])
        _sync(home)
        return True

    def names(self) -> list[str]:
        """Those that wait: oldest first, one of each customer in turn."""
        turns = zip_longest(*(_waiting(home) for home in self._homes()))
        return [
            str(path.relative_to(self._directory))
            for turn in turns
            for path in turn
            if path is not None
        ]

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
        """Forget one, and remember that it was: it was sent, or never will be."""
        path = self._directory / name
        sent = path.parent / _SENT
        with suppress(FileNotFoundError):
            sent.mkdir(mode=0o700, exist_ok=True)
            (sent / path.stem).touch(mode=0o600)
            path.unlink()

    def set_aside(self, name: str) -> None:
        """Put one out of the way that cannot be sent, for a person to look at."""
        unread = self._directory / _UNREAD
        unread.mkdir(mode=0o700, exist_ok=True)
        with suppress(FileNotFoundError):
            (self._directory / name).rename(unread / name.replace("/", "-"))

    def tidy(self, now_s: float) -> None:
        """Forget what is older than `KEPT_S`, and what a crash left half written."""
        for home in self._homes():
            _drop_old(home / _SENT, now_s)
            _drop_old(home, now_s, only=_WRITING)
        _drop_old(self._directory / _UNREAD, now_s)

    def _homes(self) -> list[Path]:
        """Customers' directories; what an earlier version wrote stands beside them."""
        try:
            found = sorted(self._directory.iterdir())
        except FileNotFoundError:
            return []
        return [
            self._directory,
            *(one for one in found if one.is_dir() and one.name != _UNREAD),
        ]


def _is_known(home: Path, name: str) -> bool:
    return (home / (name + _READY)).exists() or (home / _SENT / name).exists()


def _take_share(file: Path, day: int, number: int) -> bool:
    """Count some more of today; False where they are too many."""
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        words = os.read(descriptor, _MAX_DAY_BYTES).split()
        had = 0
        if len(words) == 2 and words[0] == b"%d" % day and words[1].isdigit():  # noqa: PLR2004
            had = int(words[1])
        if had + number > MOST_A_DAY:
            return False
        os.pwrite(descriptor, b"%d %d\n" % (day, had + number), 0)
        return True
    finally:
        os.close(descriptor)


def _write(home: Path, name: str, notification: Notification) -> None:
    # Two workers may have a message and its retry at once.
    writing = home / f"{name}-{uuid.uuid4().hex}{_WRITING}"
    descriptor = os.open(writing, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            json.dump(notification, file)
            file.flush()
            os.fsync(file.fileno())
        writing.rename(home / (name + _READY))
    except OSError:
        writing.unlink(missing_ok=True)
        raise


def _waiting(home: Path) -> list[Path]:
    """Files of one customer, oldest first."""
    found: list[tuple[int, Path]] = []
    for path in home.glob("*" + _READY):
        with suppress(FileNotFoundError):
            found.append((path.stat().st_mtime_ns, path))
    return [path for _, path in sorted(found)]


def _drop_old(directory: Path, now_s: float, *, only: str = "") -> None:
    for path in directory.glob("*" + only):
        with suppress(FileNotFoundError, IsADirectoryError):
            if path.stat().st_mtime + KEPT_S < now_s:
                path.unlink()


def _read(raw: bytes) -> Notification:
    """What stands in a file; {} if that is not what a worker wrote."""
    try:
        found = json.loads(raw)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _sync(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

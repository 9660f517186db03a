"""The folder of what a person has to read: nothing that came in is lost."""

import hashlib
import os
import re
from collections.abc import Iterator
from pathlib import Path

from outgate.model.errors import EX_TEMPFAIL, StartError

MAX_FILED_BYTES = 8 * 1024 * 1024
"""Of one report; what is behind it is dropped, and the file ends there."""

_NAME = re.compile(r"\d+-(?P<reason>[a-z-]+)-[0-9a-f]{16}\.eml")


def folder_in(state: Path) -> "UnreadFolder":
    """The one of a state directory."""
    return UnreadFolder(state / "complaints" / "unread")


class UnreadFolder:
    """A directory with one file for each."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @property
    def path(self) -> Path:
        """Where it is."""
        return self._path

    def add(self, raw: bytes, reason: str, now_us: int) -> Path:
        """File one; the same bytes again are one file.

        Args:
            raw: the report as it came.
            reason: why, in one word.
            now_us: microseconds since the epoch.

        Raises:
            StartError: it cannot be written, so whoever handed it over must keep it.
        """
        raw = raw[:MAX_FILED_BYTES]
        digest = hashlib.sha256(raw).hexdigest()[:16]
        try:
            self._path.mkdir(parents=True, exist_ok=True, mode=0o700)
            for known in self._path.glob(f"*-{digest}.eml"):
                return known
            target = self._path / f"{now_us // 1_000_000}-{reason}-{digest}.eml"
            # Named by the process: two deliveries of one report must not share a file.
            part = self._path / f".{target.name}.{os.getpid()}"
            descriptor = os.open(part, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(raw)
                file.flush()
                os.fsync(file.fileno())
            part.rename(target)
        except OSError as error:
            raise StartError(
                f"{self._path}: {error.strerror or error}: the report was not filed",
                EX_TEMPFAIL,
            ) from error
        return target

    def all(self) -> Iterator[tuple[Path, str]]:
        """Files and why they are there, the oldest first.

        Raises:
            OSError: the folder cannot be read.
        """
        if not self._path.is_dir():
            return
        for file in sorted(self._path.iterdir()):
            found = _NAME.fullmatch(file.name)
            if found:
                yield file, found["reason"]

    def count(self) -> int:
        """How many there are.

        Raises:
            OSError: the folder cannot be read.
        """
        return sum(1 for _ in self.all())

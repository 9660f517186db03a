"""Rows that could not be read, in the shape of their file, to be mended and brought again.

A table gets the reason as first column, an object as one more name, a block as one more
key, a log line as a line before it. All of them are passed over when the file comes back.
Texts whose headers differ go to files of their own: `FILE`, `FILE.2`, …
"""

import os
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from outgate.model.errors import EX_CANTCREAT, StartError


class Rejects:
    """Files of rejects, made when the first row is rejected; readable by their owner."""

    def __init__(
        self,
        path: Path,
        lengths: dict[str, int] | None = None,
        made: Callable[[str], None] | None = None,
    ) -> None:
        """Begin, or go on.

        Args:
            path: of the first file.
            lengths: by hash of the head, how much of each file counts: what an import
                wrote after its last step is written again.
            made: is told the hash of the head of each file that is made, before anything
                is in it.
        """
        self._path = path
        self._made = made
        self._files: dict[str, IO[str]] = {}
        # Of the texts' heads, since a file without a header may have a person's there.
        self._names: dict[str, str] = {}
        self._empty = {name for name, length in (lengths or {}).items() if not length}
        for number, (name, length) in enumerate((lengths or {}).items(), 1):
            self._files[name] = _file(_numbered(path, number), length)

    def __enter__(self) -> Self:
        """Give itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Write everything."""
        for file in self._files.values():
            file.close()

    def write(self, head: str, text: str) -> None:
        """Keep one row.

        Raises:
            StartError: there is such a file already, or it cannot be written.
        """
        name = self._names.get(head)
        if name is None:
            name = self._names[head] = sha256(head.encode("utf-8")).hexdigest()[:16]
        file = self._files.get(name)
        if file is None:
            file = _file(_numbered(self._path, len(self._files) + 1), None)
            self._files[name] = file
            if self._made:
                self._made(name)
            file.write(head)
        elif name in self._empty:
            file.write(head)
        self._empty.discard(name)
        file.write(text)

    def lengths(self) -> dict[str, int]:
        """How long each file is, by the hash of its head."""
        for file in self._files.values():
            file.flush()
        return {
            name: os.fstat(one.fileno()).st_size for name, one in self._files.items()
        }

    @property
    def paths(self) -> list[Path]:
        """Of all files that there are."""
        return [_numbered(self._path, number + 1) for number in range(len(self._files))]


def _numbered(path: Path, number: int) -> Path:
    return path if number == 1 else path.with_name(f"{path.name}.{number}")


def _file(path: Path, length: int | None) -> IO[str]:
    flags = os.O_WRONLY
    try:
        # An empty one was made by an import that was killed at once.
        if length is None and not (path.exists() and not path.stat().st_size):
            flags |= os.O_CREAT | os.O_EXCL
        descriptor = os.open(path, flags, 0o600)
        if length is not None:
            os.ftruncate(descriptor, length)
            os.lseek(descriptor, 0, os.SEEK_END)
    except OSError as error:
        raise StartError(
            f"{path} cannot be written: {error.strerror}", EX_CANTCREAT
        ) from error
    return os.fdopen(descriptor, "w", encoding="utf-8", newline="")

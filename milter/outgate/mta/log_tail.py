"""The end of a mail log, read on over rotation and restarts.

Where reading stopped is kept in a small file: device, inode, offset, and a fingerprint of
the log's first bytes and of those before the offset. After a gap the log that has
them is looked for: the same file, one that was renamed beside it (`mail.log.1`,
`mail.log-20261124`), or the copy that `copytruncate` left. What came behind it is then
read in order; where it cannot be found, what lies between is lost, and `lost` says so.

Each line is given at least once: `commit` after it has been dealt with. Compressed logs
are not opened; logrotate's `delaycompress` keeps the last one readable.
"""

import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from io import FileIO
from pathlib import Path

from outgate.model.errors import MtaError

# A line of syslog with its stamp: no two logs begin alike.
_HEAD_BYTES = 256
_TAIL_BYTES = 128
# Longer lines are nobody's: they are passed over.
MAX_LINE_BYTES = 64 * 1024
_BLOCK_BYTES = 256 * 1024
_COMPRESSED = (".gz", ".xz", ".bz2", ".zst")


@dataclass(frozen=True, slots=True)
class Position:
    """Where reading stopped: behind a whole line of one file.

    Attributes:
        head: fingerprint of the first `head_bytes` of the file.
        tail: fingerprint of the last bytes before `offset`.
    """

    device: int
    inode: int
    offset: int
    head_bytes: int
    head: str
    tail: str


class LogTail:
    """Reads lines that were added since the last time.

    Attributes:
        lost: how many times lines lie between that could not be found.
    """

    def __init__(
        self, log: Path, position_file: Path, *, from_start: bool = False
    ) -> None:
        """Prepare to read `log`, which need not exist yet.

        Args:
            log: as its writer names it; rotated ones lie beside it.
            position_file: ours alone, in a folder that we may write.
            from_start: without a position, begin with what is there already.

        Raises:
            MtaError: the position cannot be read.
        """
        self._log = log
        self._position_file = position_file
        self._from_start = from_start
        # Without a buffer, which would go on showing what was truncated.
        self._file: FileIO | None = None
        self._offset = 0
        # How the open file begins, as far as it was read: a copytruncate changes it.
        self._begins = b""
        self.lost = 0
        self._position = self._load()
        self._is_started = False

    def lines(self, limit: int = 10_000) -> Iterator[bytes]:
        """Give up to `limit` whole lines that are new, without their ends.

        Raises:
            MtaError: a log is there and cannot be read.
        """
        given = 0
        try:
            if not self._is_started:
                self._start()
                if self._file is not None:
                    self._remember(self._file, self._offset)
            elif self._file is not None and not self._begins_alike(self._file):
                self._truncated()
            while given < limit:
                if self._file is None and not self._open_log():
                    return
                for line in self._read(limit - given):
                    given += 1
                    yield line
                if given < limit and not self._move_on():
                    return
        except OSError as error:
            raise MtaError(f"{self._log}: {error.strerror or error}") from error

    def commit(self) -> None:
        """Remember, durably, that all lines given so far were dealt with.

        Raises:
            MtaError: the position cannot be written.
        """
        if self._file is None:
            return
        try:
            self._position = _position(self._file, self._offset)
            temporary = self._position_file.with_name(self._position_file.name + ".new")
            with temporary.open("w", encoding="ascii") as file:
                json.dump(asdict(self._position), file)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(self._position_file)
        except OSError as error:
            raise MtaError(
                f"{self._position_file}: {error.strerror or error}"
            ) from error

    def close(self) -> None:
        """Close the log; the position stays as it was committed."""
        if self._file is not None:
            self._file.close()
            self._file = None
        self._begins = b""

    def _load(self) -> Position | None:
        try:
            value = json.loads(self._position_file.read_text(encoding="ascii"))
            return Position(**value)
        except FileNotFoundError:
            return None
        except (OSError, ValueError, TypeError) as error:
            raise MtaError(f"{self._position_file}: no position: {error}") from error

    def _start(self) -> None:
        self._is_started = True
        position = self._position
        if position is None:
            self._begin()
            return
        family = self._family()
        found = next((path for path in family if _has(path, position)), None)
        if found is None:
            self.lost += 1
            # Older ones may be known from long ago: only the present one is sure.
            return
        self._file = found.open("rb", buffering=0)
        self._offset = position.offset

    def _begin(self) -> None:
        with suppress(FileNotFoundError):
            self._file = self._log.open("rb", buffering=0)
            if not self._from_start:
                self._offset = _last_line_end(self._file)

    def _family(self) -> list[Path]:
        """The log and what was rotated away from it, oldest first."""
        rotated = [
            path
            for path in self._log.parent.glob(f"{self._log.name}[.-]*")
            if path.suffix not in _COMPRESSED
            and path.is_file()
            and path != self._position_file
            and path.name[len(self._log.name) + 1 :].replace("-", "").isdigit()
        ]
        rotated.sort(key=lambda path: _age(path.name[len(self._log.name) + 1 :]))
        return [*rotated, self._log] if self._log.exists() else rotated

    def _open_log(self) -> bool:
        with suppress(FileNotFoundError):
            self._file = self._log.open("rb", buffering=0)
            self._offset = 0
            return True
        return False

    def _read(self, limit: int) -> Iterator[bytes]:
        file = self._file
        given = 0
        while file is not None and given < limit:
            file.seek(self._offset)
            block = file.read(_BLOCK_BYTES)
            end = block.rfind(b"\n")
            if end < 0:
                if len(block) < MAX_LINE_BYTES or not self._pass_over(file, block):
                    return
                continue
            self._remember(file, self._offset + end + 1)
            for line in block[:end].split(b"\n"):
                self._offset += len(line) + 1
                if len(line) <= MAX_LINE_BYTES:
                    given += 1
                    yield line
                    if given >= limit:
                        return

    def _remember(self, file: FileIO, until: int) -> None:
        wanted = min(_HEAD_BYTES, until)
        if len(self._begins) < wanted:
            file.seek(0)
            self._begins = file.read(wanted)

    def _begins_alike(self, file: FileIO) -> bool:
        file.seek(0)
        return file.read(len(self._begins)) == self._begins

    def _pass_over(self, file: FileIO, block: bytes) -> bool:
        """Go behind a line that is too long, once it has an end."""
        at = self._offset + len(block)
        while block:
            block = file.read(_BLOCK_BYTES)
            end = block.find(b"\n")
            if end >= 0:
                self._offset = at + end + 1
                return True
            at += len(block)
        return False

    def _move_on(self) -> bool:
        """At the end of a file: whether there is more to read, here or in the next."""
        file = self._file
        if file is None:
            return False
        here = os.fstat(file.fileno())
        later = self._after(here)
        if not later:
            # copytruncate: what was not yet read is in the copy, if anywhere.
            return here.st_size < self._offset and self._truncated()
        if self._offset < here.st_size and _ends_whole(file):
            return True
        if later == [self._log] and not _size(self._log):
            # Who writes it has not yet turned to the new one.
            return False
        following = later[0].open("rb", buffering=0)
        if self._after(here)[:1] != later[:1] or not _is(following, later[0]):
            following.close()  # rotated at this very moment: look again
            return True
        self.close()
        self._file, self._offset = following, 0
        return True

    def _after(self, here: os.stat_result) -> list[Path]:
        """What was begun after a file that was renamed; only the log if it is gone."""
        family = self._family()
        for number, path in enumerate(family):
            with suppress(FileNotFoundError):
                if os.path.samestat(path.stat(), here):
                    return family[number + 1 :]
        return [self._log] if self._log.exists() else []

    def _truncated(self) -> bool:
        """Find the copy, where there is one, and what came after it."""
        self.close()
        position = self._position
        family = self._family()
        copies = (
            []
            if position is None
            else [path for path in family if path != self._log and _has(path, position)]
        )
        if position is None or not copies:
            self.lost += 1
            self._offset = 0
            return self._open_log()
        self._file = copies[-1].open("rb", buffering=0)
        # What was given and not committed is in the copy, too.
        size = copies[-1].stat().st_size
        self._offset = max(position.offset, min(self._offset, size))
        self._remember(self._file, self._offset)
        return True


def _age(suffix: str) -> tuple[int, int, str]:
    """Order of rotated logs, oldest first: by date, or by a number that grows."""
    number = suffix.replace("-", "")
    if len(number) < len("261124"):
        return 1, -int(number), ""
    return 0, 0, suffix


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _is(file: FileIO, path: Path) -> bool:
    with suppress(FileNotFoundError):
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    return False


def _position(file: FileIO, offset: int) -> Position:
    stat = os.fstat(file.fileno())
    head_bytes = min(_HEAD_BYTES, offset)
    head, tail = _fingerprints(file, head_bytes, offset)
    return Position(stat.st_dev, stat.st_ino, offset, head_bytes, head, tail)


def _fingerprints(file: FileIO, head_bytes: int, offset: int) -> tuple[str, str]:
    file.seek(0)
    head = file.read(head_bytes)
    file.seek(max(0, offset - _TAIL_BYTES))
    tail = file.read(min(_TAIL_BYTES, offset))
    return tuple(hashlib.sha256(one).hexdigest()[:32] for one in (head, tail))  # type: ignore[return-value] # two


def _has(path: Path, position: Position) -> bool:
    """Whether a file has what was read, by its content; an inode may be used again."""
    try:
        with path.open("rb", buffering=0) as file:
            stat = os.fstat(file.fileno())
            if stat.st_size < position.offset:
                return False
            if position.offset == 0:
                return stat.st_ino == position.inode and stat.st_dev == position.device
            found = _fingerprints(file, position.head_bytes, position.offset)
            return found == (position.head, position.tail)
    except OSError:
        return False


def _last_line_end(file: FileIO) -> int:
    size = os.fstat(file.fileno()).st_size
    start = max(0, size - MAX_LINE_BYTES)
    file.seek(start)
    end = file.read(MAX_LINE_BYTES).rfind(b"\n")
    return start + end + 1 if end >= 0 else start


def _ends_whole(file: FileIO) -> bool:
    size = os.fstat(file.fileno()).st_size
    file.seek(max(0, size - 1))
    return file.read(1) == b"\n"

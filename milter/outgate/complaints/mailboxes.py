"""Reports in a Maildir or an mbox."""

import mailbox
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from outgate.complaints.unread import MAX_FILED_BYTES
from outgate.model.errors import EX_NOINPUT, StartError


def maildir_new(path: Path) -> Iterator[tuple[Path, bytes]]:
    """Messages that nobody has read yet: files of `new`.

    Raises:
        StartError: it cannot be read, or is no Maildir.
    """
    try:
        for file in sorted((path / "new").iterdir()):
            with file.open("rb") as opened:
                yield file, opened.read(MAX_FILED_BYTES + 1)
    except OSError as error:
        raise _unreadable(path, error) from error


def mark_seen(path: Path, file: Path) -> None:
    """Move a message of `new` to `cur`, as read.

    Raises:
        StartError: it cannot be moved.
    """
    try:
        target = path / "cur" / f"{file.name.partition(':')[0]}:2,S"
        target.parent.mkdir(exist_ok=True)
        file.rename(target)
    except OSError as error:
        raise _unreadable(path, error) from error


def mbox_messages(path: Path) -> Iterator[bytes]:
    """All messages of an mbox, which stays as it is.

    Raises:
        StartError: it cannot be read.
    """
    try:
        with closing(mailbox.mbox(path, create=False)) as box:
            for key in box.iterkeys():
                with closing(box.get_file(key)) as opened:
                    yield opened.read(MAX_FILED_BYTES + 1)
    except (OSError, mailbox.Error) as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: Exception) -> StartError:
    return StartError(f"{path}: {getattr(error, 'strerror', '') or error}", EX_NOINPUT)

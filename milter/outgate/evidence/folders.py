"""Folders of evidence in the state directory: private, and the daemon's account's.

Root may run a command; what it makes must not be in the way of whoever runs the next one.
"""

import os
from pathlib import Path

from outgate.model.errors import EX_CANTCREAT, StartError

_PRIVATE = 0o700


class Folder:
    """One folder, and the account that it and all in it belong to."""

    def __init__(self, state: Path, *names: str) -> None:
        """Nothing is made yet.

        Args:
            state: the state directory: whose it is, the folder is.
            names: of folders in it, each inside of the one before.
        """
        self._state = state
        self._names = names
        self.path = state.joinpath(*names)

    def make(self) -> None:
        """Make what is absent, and mend what another account had made.

        Raises:
            StartError: that cannot be done.
        """
        try:
            self._state.mkdir(mode=0o750, parents=True, exist_ok=True)
            owner = self._owner()
            path = self._state
            for name in self._names:
                path = path / name
                path.mkdir(mode=_PRIVATE, exist_ok=True)
                _mend(path, owner)
        except OSError as error:
            raise StartError(
                f"{self.path} cannot be written: {error.strerror}", EX_CANTCREAT
            ) from error

    def own(self, descriptor: int) -> None:
        """Give away a new file in it, as long as nobody else has its name.

        Raises:
            OSError: that cannot be done.
        """
        if owner := self._owner():
            os.fchown(descriptor, *owner)

    def _owner(self) -> tuple[int, int] | None:
        """None where nothing can be given away: only root can."""
        if os.geteuid() != 0:
            return None
        found = self._state.stat()
        return found.st_uid, found.st_gid


def _mend(path: Path, owner: tuple[int, int] | None) -> None:
    """By descriptor: whoever owns the folder around it could put a link there."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        found = os.fstat(descriptor)
        if owner and (found.st_uid, found.st_gid) != owner:
            os.fchown(descriptor, *owner)
        if found.st_mode & 0o777 != _PRIVATE and found.st_uid in {0, os.geteuid()}:
            os.fchmod(descriptor, _PRIVATE)
    finally:
        os.close(descriptor)

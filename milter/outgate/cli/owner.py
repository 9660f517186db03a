"""Whom a file of the daemon is to belong to, when root makes it."""

import os
from pathlib import Path


def owner_of(state: Path) -> tuple[int, int] | None:
    """User and group of the state directory: they say whom the daemon runs as.

    None where nothing is to be given away: who runs this is not root, or there is no
    such directory yet.
    """
    if os.geteuid() != 0:
        return None
    try:
        found = state.stat()
    except FileNotFoundError:
        return None
    return found.st_uid, found.st_gid

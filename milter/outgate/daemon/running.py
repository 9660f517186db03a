"""Whether a daemon runs on this state, and what it says of itself: for who looks from outside.

Nothing is taken and nothing is changed, so that a look never keeps a daemon from its
start: the lock is looked up in the kernel's table, not tried.
"""

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any, Self

import attrs

from outgate.config.settings import Settings
from outgate.daemon.compose import Places

_LOCKS = Path("/proc/locks")
_DIGEST_BYTES = 8


@dataclass(frozen=True, slots=True)
class ServedSocket:
    """One listening socket, as the supervisor sees it.

    Attributes:
        listen: its address as configured.
        address: with the real port where 0 is configured.
        passed: whether it is systemd's, with its mode and group.
        ready: workers of the configuration in force that serve it.
        wanted: how many there should be.
    """

    listen: str
    address: str
    passed: bool
    ready: int
    wanted: int


@dataclass(frozen=True, slots=True)
class Standing:
    """What a supervisor says of itself.

    Attributes:
        serving: whether its last start or reload is through.
        in_force: table of the configuration to its digest.
        refused: problems of the last reload, none where it was not refused.
        restarts: processes that died so far, by role.
    """

    serving: bool
    in_force: Mapping[str, str]
    refused: tuple[str, ...]
    restarts: Mapping[str, int]
    sockets: tuple[ServedSocket, ...]

    @classmethod
    def read(cls, told: Mapping[str, Any]) -> Self:
        """Read what `Tally` wrote.

        Raises:
            ValueError: another version wrote it.
        """
        try:
            return cls(
                serving=told["serving"],
                in_force=dict(told["in-force"]),
                refused=tuple(told["refused"]),
                restarts=dict(told["restarts"]),
                sockets=tuple(ServedSocket(**one) for one in told["sockets"]),
            )
        except (KeyError, TypeError) as error:
            raise ValueError("written by another version") from error


def digests(settings: Settings) -> dict[str, str]:
    """A digest for each table: two configurations say the same where these are equal."""
    return {
        field.name: blake2b(
            repr(getattr(settings, field.name)).encode(), digest_size=_DIGEST_BYTES
        ).hexdigest()
        for field in attrs.fields(Settings)
    }


def running_pid(places: Places) -> int:
    """The process id of the supervisor on this state, 0 where none runs.

    Raises:
        PermissionError: the state is another account's.
    """
    try:
        held = places.lock.stat().st_ino
        pid = int(places.lock.read_text())
    except (FileNotFoundError, ValueError):
        return 0
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return 0
    except PermissionError:
        # It lives, and is another account's.
        pass
    try:
        locks = _LOCKS.read_text().splitlines()
    except OSError:
        return pid
    # proc(5): number, kind, mode, access, process, device and inode, range.
    holds = any(
        words[1] == "FLOCK" and words[4] == str(pid) and words[5].endswith(f":{held}")
        for line in locks
        if len(words := line.split()) > 5 and words[1] != "->"  # noqa: PLR2004
    )
    return pid if holds else 0


def standing(places: Places) -> Standing | None:
    """What the supervisor says, None where it has not spoken yet.

    Raises:
        PermissionError: its runtime directory is another account's.
        ValueError: another version wrote it.
    """
    with suppress(FileNotFoundError):
        return Standing.read(json.loads(places.supervisor.read_text()))
    return None

"""Whether what was written is on disk before it is called written.

A server with `appendfsync always` answers when it is. Others have WAITAOF (Redis 7.2,
Valkey), which waits for it. The embedded server may have neither: it is ours, so it is
told to write at once for as long as one batch takes; a gate's counters need no such
care, and a disk that is busy with mail would make every look-up wait. Where nothing
helps, what is written counts as unconfirmed, and everybody is told.

Only this server's disk is meant: a failover may lose what a replica had not got yet.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Any

import redis

from outgate.model.errors import StoreRefused, StoreTimeout
from outgate.store.keys import Keys
from outgate.store.trouble import Client, run

PATIENCE_S = 15.0
"""For a batch; `everysec` flushes once a second, a busy disk later."""

_FLUSH_MS = 10_000


class Durability(StrEnum):
    """What is known of a batch that the server answered."""

    CONFIRMED = "confirmed"
    UNCONFIRMED = "unconfirmed"


class Way(StrEnum):
    """How the server says that a batch is on disk."""

    ALWAYS = "appendfsync always"
    WAITAOF = "WAITAOF"
    FORCED = "appendfsync always for each batch"
    NONE = "none"

    @property
    def durability(self) -> Durability:
        """What a batch is that went this way."""
        return Durability.UNCONFIRMED if self is Way.NONE else Durability.CONFIRMED


def find_way(client: Client, *, is_embedded: bool) -> Way:
    """How this server says it.

    Raises:
        redis.RedisError: the server did not answer.
    """
    settings = _settings(client)
    if settings.get("appendonly") == "no":
        return Way.NONE
    if settings.get("appendfsync") == "always":
        return Way.ALWAYS
    try:
        # Returns at once: this connection has written nothing yet, or it is done.
        client.execute_command("WAITAOF", 1, 0, 1)
    except redis.ResponseError:
        # Unknown, forbidden, or without a file to append to.
        return Way.FORCED if is_embedded and settings else Way.NONE
    return Way.WAITAOF


def _settings(client: Client) -> dict[str, str]:
    try:
        found = client.config_get("append*")
    except redis.ResponseError:
        # Hosted servers and tight ACLs hide their configuration.
        return {}
    return {str(name): str(value) for name, value in found.items()}


def _lock_in(directory: Path) -> int:
    """Open the lock; it belongs to whoever the directory does, also when root makes it.

    Raises:
        StoreRefused: it belongs to another account.
    """
    path = directory / "flush.lock"
    flags = os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW
    try:
        try:
            lock = os.open(path, flags | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            lock = os.open(path, flags)
        if os.geteuid() == 0:
            _give(lock, directory)
    except OSError as error:
        raise StoreRefused(
            f"{path} cannot be opened: {error.strerror}: it must belong to the account "
            "that the daemon runs as"
        ) from error
    return lock


def _give(lock: int, directory: Path) -> None:
    """To whoever the directory belongs to."""
    found, owner = os.fstat(lock), directory.stat()
    # A file with another name elsewhere is not ours to give away.
    if found.st_uid != owner.st_uid and found.st_nlink == 1:
        os.fchown(lock, owner.st_uid, owner.st_gid)


class Flushing:
    """Runs batches of one server, each until it is on disk."""

    def __init__(
        self, client: Client, keys: Keys, directory: Path | None = None
    ) -> None:
        """Nothing is sent yet.

        Args:
            client: with a patience of `PATIENCE_S`.
            keys: of our namespace.
            directory: files of the embedded server; None for any other.
        """
        self._client = client
        self._keys = keys
        self._directory = directory
        self._way: Way | None = None

    @property
    def way(self) -> Way:
        """How the server says it; looked up once.

        Raises:
            redis.RedisError: the server did not answer.
        """
        if self._way is None:
            embedded = self._directory is not None
            self._way = find_way(self._client, is_embedded=embedded)
        return self._way

    def run(self, pipeline: Client) -> list[Any]:
        """Send a batch; gives its replies when it is on disk, where that can be known.

        Raises:
            redis.RedisError: the server did not answer, or refused a command.
            StoreTimeout: it is not on disk after ten seconds.
        """
        match self.way:
            case Way.WAITAOF:
                # In the same flush, and so on the connection that has written.
                pipeline.execute_command("WAITAOF", 1, 0, _FLUSH_MS)
                *replies, (local, _) = run(pipeline)
                if local < 1:
                    raise StoreTimeout(
                        f"does not say that it is on disk after {_FLUSH_MS} ms"
                    )
                return replies
            case Way.FORCED:
                with self._forcing(self._directory or Path()):
                    pipeline.config_set("appendfsync", "always")
                    # Some write has to follow, or nothing is flushed.
                    pipeline.hincrby(self._keys.schema, "flushes", 1)
                    return run(pipeline)[:-2]
            case Way.ALWAYS | Way.NONE:
                return run(pipeline)

    @contextmanager
    def _forcing(self, directory: Path) -> Iterator[None]:
        """One at a time: another one's end must not end ours."""
        lock = _lock_in(directory)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            try:
                yield
            finally:
                self._client.config_set("appendfsync", "everysec")
        finally:
            os.close(lock)

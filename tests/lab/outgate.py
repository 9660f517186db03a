"""The daemon as an operator runs it: a process of its own, under an account of its own.

Started by root, it runs as `nobody` in group `list`, the account of the lab's Postfix,
so that permissions are those of real life. Where Python itself lives in a directory that
only root may enter, the process keeps the one capability to read, none to write.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from lab.ports import free_port
from lab.processes import Server, children, end, guard, members
from lab.service import Service
from lab.waiting import wait_until

_ACCOUNT = "nobody"
_GROUP = "nogroup"
SOCKET_GROUP = "list"
_WORD = re.compile(r'([a-z-]+)=(?:"((?:[^"\\]|\\.)*)"|(\S+))')
_SAMPLE = re.compile(r"(\w+)(?:\{(.*)\})? (\S+)")


class Outgate(Service):
    """One daemon; start and stop it, or use it as a context manager.

    Args:
        mode: `monitor` or `enforce`.
        settings: more TOML, after the lab's own tables.
        listen: TOML of the sockets; by default one unix socket, `socket`.
        store: a Redis URL; by default the embedded store.
        directory: holds everything and is kept; by default a temporary one.
        account: who runs it; None for the account of the tests themselves.
    """

    def __init__(
        self,
        *,
        mode: str = "enforce",
        settings: str = "",
        listen: str | None = None,
        store: str = "",
        directory: Path | None = None,
        account: str | None = _ACCOUNT,
    ) -> None:
        self.mode = mode
        self.settings = settings
        self.store = store
        self.store_timeout = "200ms"
        self.secret = "5e" * 32
        self.metrics_port = free_port()
        self._listen = listen
        self._given_directory = directory
        self._account = account if os.geteuid() == 0 else None
        self._directory: Path | None = None
        self._server: Server | None = None

    @property
    def directory(self) -> Path:
        """Configuration, state, sockets and log."""
        if self._directory is None:
            raise RuntimeError("Outgate is not started")
        return self._directory

    @property
    def socket(self) -> Path:
        """Where MTAs reach it."""
        return self.directory / "outgate.sock"

    @property
    def local_socket(self) -> Path:
        """Where MTAs hand in local submissions, if a test configures it."""
        return self.directory / "local.sock"

    @property
    def address(self) -> str:
        """The socket, as a milter client is told."""
        return f"unix:{self.socket}"

    @property
    def config(self) -> Path:
        """The configuration file."""
        return self.directory / "outgate.toml"

    @property
    def pid(self) -> int:
        """The supervisor."""
        if self._server is None:
            raise RuntimeError("Outgate is not started")
        return self._server.pid

    def start(self) -> None:
        """Come up, and return when all workers serve."""
        self.launch()
        wait_until(self._is_up, "Outgate serves")

    def launch(self) -> None:
        """Start the process, whatever becomes of it."""
        if self._directory is None:
            self._directory = self._given_directory or Path(
                tempfile.mkdtemp(prefix="outgate-lab-", dir="/var/lib")
            )
            self._directory.chmod(0o755)
            if self._account:
                shutil.chown(self._directory, self._account, SOCKET_GROUP)
        self.write_config()
        with (self._directory / "log").open("ab") as log:
            self._server = subprocess.Popen(
                [*_as_account(self._account), *_outgate(), "run"],
                env=self.environment,
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        guard(self._server)

    def write_config(self) -> None:
        """Write the configuration file as the attributes say."""
        listen = self._listen
        if listen is None:
            listen = f'[[listen]]\naddress = "unix:{self.socket}"\ngroup = "{SOCKET_GROUP}"\n'
        listen = listen.replace("{directory}", str(self.directory))
        if not self._account:
            listen = listen.replace(f'group = "{SOCKET_GROUP}"\n', "")
        store = ""
        if self.store:
            # A shared store needs a secret that was made once and copied.
            secret = self.directory / "secret"
            if self.secret:
                secret.write_text(self.secret)
            store = (
                f'[store]\nurl = "{self.store}"\ntimeout = "{self.store_timeout}"\n'
                f'[secrets]\nfile = "{secret}"\n'
            )
        self.config.write_text(
            f'mode = "{self.mode}"\n{listen}{store}'
            f'[paths]\nstate = "{self.directory}/state"\n'
            f'runtime = "{self.directory}/run"\n'
            f'[metrics]\nlisten = "127.0.0.1:{self.metrics_port}"\n'
            f"{self.settings}"
        )

    @property
    def environment(self) -> Mapping[str, str]:
        """For the daemon, and for commands that speak to it."""
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.directory),
            "OUTGATE_CONFIG": str(self.config),
        }

    def stop(self) -> None:
        """End every process of it and remove a temporary directory."""
        server, self._server = self._server, None
        if server is not None:
            if server.poll() is None:
                server.send_signal(signal.SIGTERM)
                with suppress(subprocess.TimeoutExpired):
                    server.wait(timeout=15)
            end(server)
            self._end_orphans()
        if self._given_directory is None and self._directory is not None:
            shutil.rmtree(self._directory, ignore_errors=True)
            self._directory = None

    def terminate(self) -> int:
        """Ask it to stop; gives its exit code."""
        if self._server is None:
            raise RuntimeError("Outgate is not started")
        self._server.send_signal(signal.SIGTERM)
        return self._server.wait(timeout=60)

    def wait_exit(self) -> int:
        """Wait for a daemon that ends by itself; gives its exit code."""
        if self._server is None:
            raise RuntimeError("Outgate is not started")
        return self._server.wait(timeout=60)

    def reload(self) -> None:
        """Send SIGHUP."""
        os.kill(self.pid, signal.SIGHUP)

    def workers(self) -> list[int]:
        """Process ids of the workers."""
        return self.processes("outgate-worker")

    def processes(self, name: str) -> list[int]:
        """Process ids of the supervisor's children of one name."""
        return [pid for pid in children(self.pid) if _name(pid) == name]

    def cli(self, *arguments: str, check: bool = True) -> str:
        """Run `outgate …` against this daemon; gives standard output."""
        done = self.command(*arguments)
        if check and done.returncode != 0:
            raise RuntimeError(f"outgate {arguments}: {done.stderr}")
        return done.stdout

    def command(
        self, *arguments: str, given: str = ""
    ) -> "subprocess.CompletedProcess[str]":
        """Run `outgate …` against this daemon; gives everything.

        Args:
            arguments: after the program's name.
            given: on standard input.
        """
        return subprocess.run(
            [*_outgate(), *arguments],
            input=given,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    def redis(self, *words: str) -> list[str]:
        """Send one command to its store; gives the reply, line by line."""
        return self.cli("store", "cli", *words).splitlines()

    @property
    def log(self) -> str:
        """Everything that it wrote."""
        return (self.directory / "log").read_text(errors="replace")

    def events(self, event: str | None = None) -> list[dict[str, str]]:
        """Lines of the log, read; those of one event, or all."""
        lines = [read_logfmt(line) for line in self.log.splitlines()]
        return [line for line in lines if event is None or line.get("event") == event]

    def messages(self) -> list[dict[str, str]]:
        """The canonical lines."""
        return self.events("message")

    def message(self, queue_id: str) -> dict[str, str]:
        """The canonical line of one message."""
        (found,) = [one for one in self.messages() if one.get("queue-id") == queue_id]
        return found

    def metrics(self) -> dict[str, float]:
        """All samples by `name{label="word"}`, labels in the order of the names."""
        with urllib.request.urlopen(
            f"http://127.0.0.1:{self.metrics_port}/metrics", timeout=10
        ) as answer:
            text = answer.read().decode()
        samples = {}
        for line in text.splitlines():
            if found := _SAMPLE.fullmatch(line):
                labels = ",".join(sorted(filter(None, (found[2] or "").split(","))))
                name = f"{found[1]}{{{labels}}}" if labels else found[1]
                samples[name] = float(found[3])
        return samples

    def held(self) -> list[dict[str, str]]:
        """Records of held messages, oldest first."""
        lines = self.cli("queue", "list", "--json").splitlines()
        return [json.loads(line) for line in lines]

    def wait_for_records(self) -> None:
        """Wait until the keeper has put every record of a hold into the store."""
        spool = self.directory / "state/spool"
        wait_until(lambda: not any(spool.iterdir()), "an empty outbox")

    def status(self) -> dict[str, object]:
        """What the supervisor says of its children."""
        document: dict[str, object] = json.loads(
            (self.directory / "run/supervisor.json").read_text()
        )
        return document

    def _is_up(self) -> bool:
        if self._server is not None and self._server.poll() is not None:
            raise RuntimeError(f"Outgate ended: {self.log}")
        return bool(self.events("ready"))

    def _end_orphans(self) -> None:
        """The embedded store leads a session of its own."""
        if self._directory is None:
            return
        with suppress(OSError, ValueError):
            pid = int((self._directory / "state/store/store.pid").read_text())
            for one in members(pid):
                os.kill(one, signal.SIGKILL)


def read_logfmt(line: str) -> dict[str, str]:
    """Read one line of logfmt."""
    return {
        found[1]: found[3]
        if found[3] is not None
        else found[2].replace('\\"', '"').replace("\\\\", "\\")
        for found in _WORD.finditer(line)
    }


def _outgate() -> list[str]:
    return [sys.executable, "-m", "outgate"]


def _as_account(account: str | None) -> list[str]:
    if not account:
        return []
    command = ["setpriv", "--reuid", account, "--regid", _GROUP]
    command += ["--groups", SOCKET_GROUP]
    if not _readable_by_all(Path(sys.executable)):
        command += ["--inh-caps", "+dac_read_search"]
        command += ["--ambient-caps", "+dac_read_search"]
    return [*command, "--"]


def _readable_by_all(path: Path) -> bool:
    places = [path, path.resolve()]
    return all(
        parent.stat().st_mode & 0o005 == 0o005
        for place in places
        for parent in (place, *place.parents)
    )


def _name(pid: int) -> str:
    with suppress(OSError):
        return Path(f"/proc/{pid}/comm").read_text().strip()
    return ""

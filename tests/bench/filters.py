"""The filters under load: the null milter, and Outgate as an operator runs it.

Both serve a unix socket and are bound to a CPU: Outgate's worker to the one that it
chose, the null milter to the same. The daemon of the bench asks an external Redis,
keeps its metrics, writes its log to a file and enforces three limits that nobody
reaches: what a message costs, not what a refusal costs.
"""

import os
import shutil
import sys
import tempfile
from abc import abstractmethod
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from lab.errors import LabError
from lab.outgate import Outgate
from lab.processes import Server, children, end, spawn
from lab.service import Service
from lab.waiting import wait_until
from outgate.policy.settings import LimitSettings
from outgate.policy.shipped import SHIPPED_LIMITS

# Plain numbers, the envelope and the headers alone: three limits, no bodies.
_PLAIN = frozenset(
    {
        "messages-per-login-hourly",
        "recipients-per-customer-daily",
    }
)
# A header in each message, and a record of it: what the other rows measure, too.
_NO_TRACE = '[trace]\nheader = false\nkeep = "0s"'
_THIRD = """\
[[limit]]
name = "recipients-per-login"
per = "login"
count = "recipients"
rate = "1000000/1h"
"""
_WITHOUT_BODIES = """\
[[listen]]
address = "unix:{directory}/outgate.sock"
bodies = false
"""
# Mail passes in the degraded mode too, but is judged by other means.
_ERRORS = ("outgate_store_errors_total", "outgate_callback_errors_total")
# The load generator's customers; each has five of its hundred logins.
_CUSTOMERS = 20


class Filter(Service):
    """One filter under load."""

    @property
    @abstractmethod
    def target(self) -> str:
        """Its socket, as an MTA writes it."""

    @property
    @abstractmethod
    def processes(self) -> list[int]:
        """Those that serve the socket."""

    @property
    def helpers(self) -> dict[str, int]:
        """Processes beside them, by name."""
        return {}

    def memory_kib(self) -> list[tuple[int, int]]:
        """Resident and private memory of each serving process."""
        return [_memory(pid) for pid in self.processes]

    def errors(self) -> dict[str, float]:
        """What it counted as going wrong since it was started."""
        return {}


class NullFilter(Filter):
    """`bench.nullmilter`, in a process of its own."""

    def __init__(self, cpu: int) -> None:
        self._cpu = cpu
        self._directory: Path | None = None
        self._server: Server | None = None

    @property
    def target(self) -> str:
        return f"unix:{self._directory}/null.sock"

    @property
    def processes(self) -> list[int]:
        return [self._server.pid] if self._server is not None else []

    def start(self) -> None:
        self._directory = _make_directory()
        script = Path(__file__).with_name("nullmilter.py")
        server = self._server = spawn(
            [sys.executable, script, self.target],
            cwd=self._directory,
            output=self._directory / "log",
        )
        # At once: the threads of libmilter inherit it.
        os.sched_setaffinity(server.pid, {self._cpu})
        socket = Path(self.target.removeprefix("unix:"))
        wait_until(
            lambda: socket.exists() or server.poll() is not None,
            "the null milter serves",
        )

    def stop(self) -> None:
        if self._server is not None:
            end(self._server)
            self._server = None
        if self._directory is not None:
            shutil.rmtree(self._directory, ignore_errors=True)


class OutgateFilter(Filter):
    """`outgate run` under a configuration of the bench."""

    def __init__(
        self, store: str, *, workers: int = 1, level: str = "info", plain: bool = False
    ) -> None:
        """Configure one.

        Args:
            store: URL of the Redis that all daemons of the bench share.
            workers: how many processes.
            level: of the log; `warning` leaves out the line of each message.
            plain: without bodies, strangers and contents: three plain limits.
        """
        self._plain = plain
        self._store = store
        self._workers = workers
        self._level = level
        self._daemon: Outgate | None = None
        self._directory: Path | None = None
        self._serving: list[int] = []

    @property
    def daemon(self) -> Outgate:
        """The daemon of the lab."""
        if self._daemon is None:
            raise RuntimeError("Outgate is not started")
        return self._daemon

    @property
    def target(self) -> str:
        return self.daemon.address

    @property
    def processes(self) -> list[int]:
        return self._serving

    @property
    def helpers(self) -> dict[str, int]:
        (keeper,) = set(children(self.daemon.pid)) - set(self._serving)
        return {"keeper": keeper, "supervisor": self.daemon.pid}

    @property
    def cpu(self) -> int:
        """Where its first worker runs."""
        return min(os.sched_getaffinity(self._serving[0]))

    def start(self) -> None:
        directory = self._directory = _make_directory()
        daemon = self._daemon = Outgate(
            settings=configuration(
                workers=self._workers, level=self._level, plain=self._plain
            ),
            listen=_WITHOUT_BODIES if self._plain else None,
            store=self._store,
            directory=directory,
            account=None,
        )
        daemon.launch()
        # Not by its log, which may be off.
        try:
            wait_until(lambda: _is_serving(daemon), "Outgate serves")
        except TimeoutError as error:
            raise LabError(f"{error}; it said:\n{daemon.log}") from error
        self._serving = sorted(pid for pid in children(daemon.pid) if _counts(pid))

    def errors(self) -> dict[str, float]:
        return {
            name: value
            for name, value in self.daemon.metrics().items()
            if name.startswith(_ERRORS)
        }

    def stop(self) -> None:
        if self._daemon is not None:
            self._daemon.stop()
        if self._directory is not None:
            shutil.rmtree(self._directory, ignore_errors=True)


def configuration(*, workers: int, level: str, plain: bool) -> str:
    """Give the tables of the bench, in TOML."""
    tables = [
        f'[workers]\ncount = {workers}\npin = "auto"',
        f'[log]\nlevel = "{level}"',
        # One newsletter from twenty customers: it would be held as what it looks like.
        "[campaign]\nstrangers = 1000000000",
    ]
    tables += [
        f'[[customer]]\nname = "customer{number}"\n'
        f'match = ["@customer{number}.example"]'
        for number in range(_CUSTOMERS)
    ]
    tables += [
        f'[[limit]]\nname = "{limit.name}"\nrate = "{_rate(limit, plain=plain)}"'
        for limit in SHIPPED_LIMITS
    ]
    if plain:
        tables += [_THIRD, _NO_TRACE]
    return "\n".join(tables) + "\n"


def _rate(limit: LimitSettings, *, plain: bool) -> str:
    """A rate that no run comes near, "off" for what is not asked."""
    if plain and limit.name not in _PLAIN:
        return "off"
    return "1000000/1h"


def _is_serving(daemon: Outgate) -> bool:
    with suppress(FileNotFoundError):
        return bool(daemon.status()["serving"])
    return False


def _make_directory() -> Path:
    # The path of a unix socket has at most 107 bytes.
    return Path(tempfile.mkdtemp(prefix="outgate-bench-"))


def _counts(pid: int) -> bool:
    """Whether a process holds the counters of a worker."""
    with suppress(OSError):
        return "/metrics/counter_" in Path(f"/proc/{pid}/maps").read_text()
    return False


def _memory(pid: int) -> tuple[int, int]:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    sizes = {line.split(":")[0]: line.split()[1] for line in lines[1:]}
    private = _sum(sizes, ("Private_Clean", "Private_Dirty"))
    return int(sizes["Rss"]), private


def _sum(sizes: dict[str, str], names: Sequence[str]) -> int:
    return sum(int(sizes[name]) for name in names)

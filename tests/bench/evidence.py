"""How fast evidence is imported, and in how much memory.

    python -m bench.evidence [ROWS]

A plain CSV with everything that a row can have is judged alone (a dry run), and then
imported into a Redis of its own. Each measurement is a process of its own, so that its
memory is; a tenth of the rows beside shows whether memory grows with them. Nothing is
judged here: what must hold is in `evidence/test_speed.py`.
"""

import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from functools import partial
from pathlib import Path

from bench.report import say
from evidence.builders import LIST, order
from lab.redis import RedisServer
from outgate.cli.evidence_sink import RegistrySink
from outgate.cli.optin_open import Opened
from outgate.evidence.folders import Folder
from outgate.evidence.importing import Outlets, run
from outgate.evidence.progress import ProgressFile
from outgate.signing.vault import Vault
from outgate.store.client import connect
from outgate.store.durability import PATIENCE_S, Flushing
from outgate.store.hashes import Hashes
from outgate.store.keys import Keys
from outgate.store.registry import Registry
from outgate.store.wire import Endpoint
from store.running import SECRET

ROWS = 1_000_000
_BEGIN = datetime(2020, 1, 1, tzinfo=timezone(timedelta(hours=1)))


@dataclass(frozen=True)
class Figure:
    """What one process needed."""

    rows: int
    wall_s: float
    cpu_s: float
    peak_mib: float


def main(arguments: Sequence[str]) -> int:
    """Measure and print; or be one of the processes that are measured."""
    if arguments[:1] == ["--one"]:
        _one(Path(arguments[1]), Path(arguments[2]) if arguments[2:] else None)
        return 0
    rows = int(arguments[0]) if arguments else ROWS
    for title, figure in measure(rows):
        say(
            f"{title:28} {figure.rows:8} rows {figure.wall_s:6.1f} s "
            f"{figure.cpu_s:6.1f} s CPU {figure.peak_mib:5.0f} MiB"
        )
    return 0


def measure(rows: int) -> list[tuple[str, Figure]]:
    """Judge a tenth and all of them, then import all of them."""
    found = []
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        small = _written(directory / "small.csv", rows // 10)
        whole = _written(directory / "whole.csv", rows)
        found.append(("judged", _measured(small)))
        found.append(("judged", _measured(whole)))
        settings = {"appendonly": "yes", "appendfsync": "everysec"}
        with RedisServer("valkey", settings=settings) as server:
            found.append(("imported", _measured(whole, server.socket)))
    return found


def _measured(file: Path, socket: Path | None = None) -> Figure:
    words = [sys.executable, "-m", "bench.evidence", "--one", str(file)]
    if socket is not None:
        words.append(str(socket))
    done = subprocess.run(words, check=True, capture_output=True, text=True)
    return Figure(**json.loads(done.stdout))


def _one(file: Path, socket: Path | None) -> None:
    begun_s = time.perf_counter()
    if socket is None:
        report = run(order("csv", file), Outlets())
    else:
        with RegistrySink(partial(_open, socket), in_background=True) as sink:
            noted = ProgressFile(Folder(file.parent), LIST)
            report = run(order("csv", file), Outlets(sink=sink, noted=noted))
    wall_s = time.perf_counter() - begun_s
    own = resource.getrusage(resource.RUSAGE_SELF)
    child = resource.getrusage(resource.RUSAGE_CHILDREN)
    figure = Figure(
        rows=report.rows,
        wall_s=wall_s,
        cpu_s=sum(one.ru_utime + one.ru_stime for one in (own, child)),
        peak_mib=max(own.ru_maxrss, child.ru_maxrss) / 1024,
    )
    sys.stdout.write(json.dumps(figure.__dict__))


def _open(socket: Path) -> Opened:
    target = Endpoint(url=f"unix://{socket}", timeout_s=PATIENCE_S)
    client = connect(target, PATIENCE_S)
    keys = Keys()
    hashes = Hashes(SECRET)
    registry = Registry(
        client,
        keys,
        hashes,
        flushing=Flushing(client, keys, socket.parent),
        sealer=Vault(SECRET),
    )
    return Opened(client, keys, hashes, "", registry)


def _written(file: Path, rows: int) -> Path:
    with file.open("w") as out:
        out.write("address,method,confirm-time,confirm-ip,signup-time,signup-ip\n")
        for number in range(rows):
            confirm = _BEGIN + timedelta(seconds=number * 37)
            signup = confirm - timedelta(minutes=7)
            client = f"{20 + number % 80}.{number // 7 % 256}.{number // 300 % 256}.7"
            out.write(
                f"person{number}@domain{number % 5_000}.example,coi-web,"
                f"{confirm.isoformat()},{client},{signup.isoformat()},{client}\n"
            )
    return file


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""The load generator, built when it is needed: one run, one result.

Failure: `LabUnavailable` without a C compiler; `LabError` where the generator could not
run at all. Verdicts that nobody expected are no error here but part of the result.
"""

import json
import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lab.errors import LabError, LabUnavailable

_SOURCE = Path(__file__).with_name("milterload.c")
BUILD = Path(__file__).resolve().parents[2] / "build/bench"
_PATIENCE_S = 60
_COULD_NOT_RUN = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What one run measured; milliseconds.

    Attributes:
        rate: messages a second.
        p50_ms, p95_ms, p99_ms: from MAIL to the verdict, a new session included.
        cpu_ms: CPU time for each message, of each process that was watched.
        generator_cpu_ms: the generator's own.
        trouble: what was not as expected, "" for nothing.
    """

    rate: float
    p50_ms: float
    p95_ms: float
    p99_ms: float
    cpu_ms: tuple[float, ...]
    generator_cpu_ms: float
    trouble: str


@dataclass(frozen=True, slots=True)
class Generator:
    """The built program.

    Attributes:
        binary: where it is.
        cpus: where it may run.
    """

    binary: Path
    cpus: frozenset[int]

    def run(
        self,
        target: str,
        message: Path,
        *,
        connections: int,
        messages: int,
        watched: Sequence[int],
    ) -> Result:
        """Send messages, each in a session of its own; all are to be accepted.

        Args:
            target: the filter's socket, as an MTA writes it.
            message: the message file.
            connections: how many at a time.
            messages: how many in all.
            watched: processes whose CPU time is measured.
        """
        command = [str(self.binary), "-s", target, "-f", str(message)]
        command += ["-c", str(connections), "-n", str(messages)]
        command += ["-t", str(_PATIENCE_S)]
        if watched:
            command += ["-p", ",".join(map(str, watched))]
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as process:
            os.sched_setaffinity(process.pid, self.cpus)
            output, complaints = process.communicate()
        if process.returncode == _COULD_NOT_RUN or not output:
            raise LabError(f"{target}: {complaints.strip()}")
        return _read(json.loads(output), complaints.strip(), process.returncode)


def _read(found: dict[str, Any], complaints: str, status: int) -> Result:
    verdicts = f"verdicts {found['verdicts']}" if status else ""
    return Result(
        rate=found["rate"],
        p50_ms=found["p50_ms"],
        p95_ms=found["p95_ms"],
        p99_ms=found["p99_ms"],
        cpu_ms=tuple(found["cpu_ms"]),
        generator_cpu_ms=found["generator_cpu_ms"],
        trouble=" ".join(filter(None, (complaints, verdicts))),
    )


def build() -> Path:
    """Compile the generator where its source is newer than the program."""
    binary = BUILD / "milterload"
    if binary.exists() and binary.stat().st_mtime > _SOURCE.stat().st_mtime:
        return binary
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None:
        raise LabUnavailable("no C compiler here: apt-get install gcc libc6-dev")
    BUILD.mkdir(parents=True, exist_ok=True)
    command = [compiler, "-O2", "-Wall", "-Wextra", "-std=gnu11"]
    command += ["-o", str(binary), str(_SOURCE)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise LabError(f"the load generator does not compile:\n{done.stderr}")
    return binary

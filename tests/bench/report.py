"""The figures, for people and for programs; and on which machine they hold."""

import os
import platform
import re
import statistics
import sys
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import Milter

from bench.rows import Row
from outgate import __version__

_PACKAGES = ("pymilter", "hiredis", "redis", "prometheus-client")


def say(line: str = "") -> None:
    """Print a line at once: a bench takes minutes."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def machine(store: str) -> dict[str, str]:
    """Say where and with what this was measured.

    Args:
        store: what the server says to `INFO server`.
    """
    model = re.search(
        r"^model name\s*: (.*)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE
    )
    return {
        "cpu": model[1] if model else platform.machine(),
        "cpus": str(len(os.sched_getaffinity(0))),
        "kernel": platform.release(),
        "python": f"{platform.python_version()}, {platform.python_compiler()}",
        "libmilter": ".".join(map(str, Milter.getversion())),
        "store": _server(store),
        "outgate": __version__,
        **{name: _version(name) for name in _PACKAGES},
    }


def _server(information: str) -> str:
    lines = (line.strip().partition(":") for line in information.splitlines())
    fields = {name: value for name, _, value in lines}
    if number := fields.get("valkey_version"):
        return f"valkey {number}"
    return f"redis {fields.get('redis_version', '?')}"


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "?"


def table(rows: Sequence[Row]) -> Iterator[str]:
    """Give the lines of the table."""
    yield (
        f"{'':34} {'msg/s':>6} {'CPU ms':>7} {'min..max':>15} "
        f"{'p50':>7} {'p95':>7} {'p99':>7}  ratio"
    )
    for row in rows:
        cpu_ms = row.cpu_ms
        ratios = row.ratios(rows)
        ratio = (
            f"{statistics.median(ratios):.2f} ({min(ratios):.2f}..{max(ratios):.2f})"
            if ratios
            else ""
        )
        yield (
            f"{row.title:34} {row.median(lambda one: one.rate):6.0f} "
            f"{statistics.median(cpu_ms):7.4f} "
            f"{f'{min(cpu_ms):.4f}..{max(cpu_ms):.4f}':>15} "
            f"{row.median(lambda one: one.p50_ms):7.2f} "
            f"{row.median(lambda one: one.p95_ms):7.2f} "
            f"{row.median(lambda one: one.p99_ms):7.2f}  {ratio}"
        ).rstrip()


def beside(row: Row) -> str:
    """Say what a message costs elsewhere, while this row was measured."""
    figures = {name: row.beside_ms(name) for name in row.beside}
    figures["load generator"] = row.median(lambda one: one.generator_cpu_ms)
    listed = ", ".join(f"{name} {figure:.4f}" for name, figure in figures.items())
    return f"CPU ms a message beside the worker, {row.title}: {listed}"


def memory(used: Mapping[str, Sequence[tuple[int, int]]]) -> Iterator[str]:
    """Say how much memory processes have."""
    for name, sizes in used.items():
        for resident, private in sizes:
            yield f"memory, {name}: {resident} KiB resident, {private} KiB of its own"


def document(rows: Sequence[Row], facts: dict[str, str]) -> dict[str, Any]:
    """Give everything that was measured, for a JSON file."""
    return {
        "machine": facts,
        "rows": {
            row.key: {
                "title": row.title,
                "connections": row.connections,
                "messages": row.messages,
                "cpu-ms": row.cpu_ms,
                "beside-cpu-ms": {name: row.beside_ms(name) for name in row.beside},
                "rate": [result.rate for result in row.results],
                "p50-ms": [result.p50_ms for result in row.results],
                "p95-ms": [result.p95_ms for result in row.results],
                "p99-ms": [result.p99_ms for result in row.results],
                "yardstick": row.yardstick,
                "ratio": row.ratios(rows),
                "trouble": row.trouble,
                "errors": row.errors,
            }
            for row in rows
        },
    }

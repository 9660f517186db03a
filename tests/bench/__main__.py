"""What a message costs Outgate, beside a milter that does nothing.

    make bench                       the table
    python -m bench --profile        where the time of a message goes

The figure that counts is CPU time for each message of the process that serves the
socket, and its ratio to the null milter's in the same round, on the same CPU. The
others on the machine move both; so compare ratios, never figures of two runs.

Exit status: 0; 1 for a verdict that nobody expected, or, with `--gate`, for a ratio
above its limit; 2 where the bench cannot run here.
"""

import argparse
import json
import os
import statistics
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from bench.filters import NullFilter, OutgateFilter
from bench.hotpath import show_profile
from bench.load import Generator, build
from bench.messages import write_message
from bench.report import beside, document, machine, table
from bench.rows import Row, measure
from lab.errors import LabError, LabUnavailable
from lab.redis import RedisServer

# What a complete filter may cost, in null milters.
GATE = 1.6

_ROUNDS = 5
_MESSAGES = 4000
_FAILED = 1
_UNAVAILABLE = 2


def main() -> int:
    """Measure, print, judge."""
    options = _options()
    try:
        if options.profile:
            show_profile(options.messages)
            return 0
        return _bench(options)
    except (LabUnavailable, LabError) as error:
        print(f"bench: {error}", file=sys.stderr)
        return _UNAVAILABLE


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench", description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=_ROUNDS)
    parser.add_argument(
        "--messages", type=int, default=_MESSAGES, help="a row and round"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures")
    parser.add_argument(
        "--gate", action="store_true", help=f"fail where the ratio is above {GATE}"
    )
    parser.add_argument(
        "--profile", action="store_true", help="show where the time of a message goes"
    )
    return parser.parse_args()


def _bench(options: argparse.Namespace) -> int:
    binary = build()
    with ExitStack() as stack:
        redis = stack.enter_context(RedisServer())
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        outgate = stack.enter_context(OutgateFilter(redis.url))
        cpus = os.sched_getaffinity(0)
        others = frozenset(cpus - {outgate.cpu}) or frozenset(cpus)
        os.sched_setaffinity(redis.pid, others)
        null = stack.enter_context(NullFilter(outgate.cpu))
        quiet = stack.enter_context(OutgateFilter(redis.url, level="warning"))
        pair = stack.enter_context(OutgateFilter(redis.url, workers=2))
        idle = {"1 worker": outgate.resident_kib(), "null": null.resident_kib()}
        rows = _rows(folder, null, outgate, quiet, pair, options.messages)
        for row in rows:
            if isinstance(row.filter, OutgateFilter):
                row.beside = {**row.filter.helpers, "store": redis.pid}
        server = redis.cli("INFO", "server")
        facts = machine(_server_version(server))
        _say(facts, outgate.cpu, others)
        measure(rows, Generator(binary, others), options.rounds, _progress)
        _progress("")
        for line in table(rows):
            print(line)
        print(beside(rows[1]))
        idle["1 worker, at the end"] = outgate.resident_kib()
    for name, sizes in idle.items():
        for resident, private in sizes:
            print(f"memory, {name}: {resident} KiB resident, {private} KiB private")
    if options.json:
        text = json.dumps({**document(rows, facts), "memory-kib": idle}, indent=2)
        options.json.write_text(f"{text}\n", encoding="utf-8")
    return _judge(rows, gate=options.gate)


def _rows(
    folder: Path,
    null: NullFilter,
    outgate: OutgateFilter,
    quiet: OutgateFilter,
    pair: OutgateFilter,
    messages: int,
) -> list[Row]:
    small, large = folder / "4k.eml", folder / "64k.eml"
    write_message(small, 4)
    write_message(large, 64)
    few = messages // 2
    rows = [
        Row(
            key="null",
            title="null milter",
            filter=null,
            message=small,
            messages=messages,
        ),
        Row(
            key="outgate",
            title="outgate",
            filter=outgate,
            message=small,
            messages=messages,
            yardstick="null",
        ),
        Row(
            key="log-off",
            title="outgate, log off",
            filter=quiet,
            message=small,
            messages=messages,
            yardstick="null",
        ),
        Row(
            key="two-workers",
            title="outgate, 2 workers",
            filter=pair,
            message=small,
            messages=messages,
            yardstick="null",
        ),
        Row(
            key="null-64k",
            title="null milter, 64 KiB",
            filter=null,
            message=large,
            messages=few,
        ),
        Row(
            key="outgate-64k",
            title="outgate, 64 KiB",
            filter=outgate,
            message=large,
            messages=few,
            yardstick="null-64k",
        ),
    ]
    for connections in (200, 1000):
        rows += [
            Row(
                key=f"null-{connections}",
                title=f"null milter, {connections} connections",
                filter=null,
                message=small,
                connections=connections,
                messages=messages,
            ),
            Row(
                key=f"outgate-{connections}",
                title=f"outgate, {connections} connections",
                filter=outgate,
                message=small,
                connections=connections,
                messages=messages,
                yardstick=f"null-{connections}",
            ),
        ]
    return rows


def _say(facts: dict[str, str], cpu: int, others: frozenset[int]) -> None:
    print(", ".join(f"{name} {value}" for name, value in facts.items()))
    where = ",".join(map(str, sorted(others)))
    print(f"filters on CPU {cpu}; load generator and store on CPU {where}")
    if others == frozenset({cpu}):
        print("one CPU only: the load generator disturbs what it measures")


def _server_version(information: str) -> str:
    fields = dict(
        line.strip().split(":", 1) for line in information.splitlines() if ":" in line
    )
    name = fields.get("server_name", "redis")
    return f"{name} {fields.get('valkey_version') or fields.get('redis_version')}"


def _progress(text: str) -> None:
    if sys.stderr.isatty():
        print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)


def _judge(rows: Sequence[Row], *, gate: bool) -> int:
    status = 0
    for row in rows:
        for trouble in row.trouble:
            print(f"NOT AS EXPECTED: {row.title}: {trouble}")
            status = _FAILED
    ratio = statistics.median(rows[1].ratios(rows))
    print(f"outgate / null milter: {ratio:.2f} (gate {GATE})")
    if gate and ratio > GATE:
        status = _FAILED
    return status


if __name__ == "__main__":
    sys.exit(main())

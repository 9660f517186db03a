"""The table: null milter and Outgate, side by side, under several kinds of load."""

import json
import os
import statistics
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from bench.filters import NullFilter, OutgateFilter
from bench.load import Generator, build
from bench.messages import NEWSLETTER, NOTE, write_message
from bench.report import beside, document, machine, memory, say, table
from bench.rows import Row, measure
from lab.redis import RedisServer

# What a complete filter may cost, in null milters.
GATE = 1.6

_CROWDS = (200, 1000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """Everyone under load.

    Attributes:
        whole: also knows strangers, different ones and contents; the others have
            three plain limits and see no bodies.
        quiet: writes no line for each message.
        pair: has two workers.
    """

    null: NullFilter
    outgate: OutgateFilter
    whole: OutgateFilter
    quiet: OutgateFilter
    pair: OutgateFilter


def compare(
    *, rounds: int, messages: int, gate: bool, file: Path | None = None
) -> list[str]:
    """Measure everything and print it.

    Args:
        rounds: how often each row is measured.
        messages: in one round of one row.
        gate: whether a ratio above `GATE`, or a look-up that the store did not
            answer, is a failure.
        file: where the figures go as JSON.

    Returns:
        What is not as it should be, a line each.
    """
    binary = build()
    with ExitStack() as stack:
        redis = stack.enter_context(RedisServer())
        outgate = stack.enter_context(OutgateFilter(redis.url, plain=True))
        cpus = os.sched_getaffinity(0)
        others = frozenset(cpus - {outgate.cpu}) or frozenset(cpus)
        os.sched_setaffinity(redis.pid, others)
        filters = Filters(
            null=stack.enter_context(NullFilter(outgate.cpu)),
            outgate=outgate,
            whole=stack.enter_context(OutgateFilter(redis.url)),
            quiet=stack.enter_context(
                OutgateFilter(redis.url, level="warning", plain=True)
            ),
            pair=stack.enter_context(OutgateFilter(redis.url, workers=2, plain=True)),
        )
        facts = machine(redis.cli("INFO", "server"))
        for name, value in facts.items():
            say(f"{name:18} {value}")
        say(f"filters on CPU {outgate.cpu}, the rest on {sorted(others)}")
        if outgate.cpu in others:
            say("one CPU only: the load generator disturbs what it measures")
        used = {
            "null milter": filters.null.memory_kib(),
            "outgate, a worker": outgate.memory_kib(),
        }
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        rows = list_rows(filters, folder, messages)
        for row in rows:
            if isinstance(row.filter, OutgateFilter):
                row.beside = {**row.filter.helpers, "store": redis.pid}
        measure(rows, Generator(binary, others), rounds, _progress)
        _progress("")
        used["outgate, a worker, at the end"] = outgate.memory_kib()
    say()
    say("\n".join(table(rows)))
    say(beside(rows[1]))
    say("\n".join(memory(used)))
    if file is not None:
        text = json.dumps({**document(rows, facts), "memory-kib": used}, indent=2)
        file.write_text(f"{text}\n", encoding="utf-8")
    return _judge(rows, gate=gate)


def list_rows(filters: Filters, folder: Path, messages: int) -> list[Row]:
    """Name what is measured; the first two rows are the ones that count."""
    news = write_message(folder / "news.eml", NEWSLETTER, 4)
    note = write_message(folder / "note.eml", NOTE, 4)
    large = write_message(folder / "large.eml", NEWSLETTER, 64)
    rows = _pair(filters, "", "", news, messages)
    for key, title, variant in (
        ("whole", "strangers and contents", filters.whole),
        ("log-off", "log off", filters.quiet),
        ("two-workers", "2 workers", filters.pair),
    ):
        rows.append(
            Row(
                key=f"outgate-{key}",
                title=f"outgate, {title}",
                filter=variant,
                message=news,
                messages=messages,
                yardstick="null",
            )
        )
    rows += _pair(filters, "-note", ", a personal note", note, messages)
    rows += _pair(filters, "-64k", ", 64 KiB", large, messages // 2)
    for crowd in _CROWDS:
        title = f", {crowd} connections"
        rows += _pair(filters, f"-{crowd}", title, news, messages, crowd)
    return rows


def _pair(
    filters: Filters,
    key: str,
    title: str,
    message: Path,
    messages: int,
    connections: int = 10,
) -> list[Row]:
    """The null milter and Outgate under one kind of load."""
    return [
        Row(
            key=f"{name}{key}",
            title=f"{called}{title}",
            filter=one,
            message=message,
            messages=messages,
            connections=connections,
            yardstick=yardstick,
        )
        for name, called, one, yardstick in (
            ("null", "null milter", filters.null, ""),
            ("outgate", "outgate", filters.outgate, f"null{key}"),
        )
    ]


def _progress(text: str) -> None:
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\x1b[K{text}")
        sys.stderr.flush()


def _judge(rows: Sequence[Row], *, gate: bool) -> list[str]:
    found = [f"{row.title}: {problem}" for row in rows for problem in row.trouble]
    ratio = statistics.median(rows[1].ratios(rows))
    say(f"outgate costs {ratio:.2f} null milters (gate: {GATE})")
    lost = [
        f"{row.title}: {name} rose by {count:.0f}"
        for row in rows
        for name, count in row.errors.items()
    ]
    if gate:
        if ratio > GATE:
            found.append(f"outgate costs {ratio:.2f} null milters, more than {GATE}")
        return [*found, *lost]
    for problem in lost:
        say(f"note: {problem}")
    return found

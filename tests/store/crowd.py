"""Functions that run in processes of their own, as the workers of a host do."""

import multiprocessing
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import TypeVar

from outgate.store.local import LocalCounters
from outgate.store.outbox import Outbox
from store.builders import START_US, a_charge, a_plan

T = TypeVar("T")


def run(task: Callable[[Path, int], T], path: Path, workers: int) -> list[T]:
    """Run `task(path, number)` in so many processes, all at once."""
    # As a worker starts: without threads and locks of the one before it.
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=spawn) as processes:
        return list(processes.map(task, [path] * workers, range(workers)))


def charge_locally(path: Path, number: int) -> int:
    """Ask for 200 units of one limit of 300; gives how many there were."""
    local = LocalCounters(path)
    plan = a_plan(a_charge(interval_us=3_600_000_000, burst=300))
    allowed = 0
    for _ in range(200):
        answers = local.look_up(plan, START_US, 1, commit=True)
        allowed += answers.allowed
    return allowed


def append_records(directory: Path, number: int) -> int:
    """Write 300 records, of different sizes."""
    outbox = Outbox(directory)
    for record in range(300):
        outbox.append({"writer": number, "record": record, "text": "x" * (record % 97)})
    return 300

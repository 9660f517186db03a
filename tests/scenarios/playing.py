"""Many scenarios at a time, each in a process and with a server of its own."""

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context

from lab.redis import RedisServer
from scenarios.catalogue import BY_KEY
from scenarios.run import Row, run_row, store_of
from scenarios.scenario import Play, Scenario

_MOST_JOBS = 4


def play_all(
    scenarios: Sequence[Scenario],
    seeds: int,
    scale: float,
    jobs: int,
    more: str = "",
) -> Iterator[Row]:
    """Play scenarios with so many seeds each, in so many processes.

    Raises:
        LabUnavailable: there is no server on this machine.
    """
    work = [
        (one.key, f"{one.key}/{seed}")
        for one in scenarios
        for seed in range(1, seeds + 1)
    ]
    play_one = partial(_play_one, scale=scale, more=more)
    if jobs == 1:
        yield from map(play_one, work)
        return
    # Without threads and locks of whoever asks.
    spawn = get_context("spawn")
    with ProcessPoolExecutor(jobs, mp_context=spawn) as pool:
        yield from pool.map(play_one, work)


def most_jobs() -> int:
    """As many processes as are of use on this machine."""
    return min(_MOST_JOBS, len(os.sched_getaffinity(0)))


def _play_one(work: tuple[str, str], *, scale: float, more: str) -> Row:
    key, seed = work
    # A server for each: what one leaves behind slows no other down.
    with RedisServer() as server, store_of(server) as store:
        return run_row(store, BY_KEY[key], Play(seed, scale), more)

"""Simulated days before the real gate: what it stops, and what it should not have.

    make bench-policy                       all scenarios, three seeds
    python -m scenarios --only a,h,p --seeds 1 --scale 0.1
    python -m scenarios --settings more.toml

Time is virtual, the policy and the store are real. The plain columns show what a limit
of so many recipients per hour would have made of the same mail.

Exit status: 0; 1 with `--gate` where a target is missed; 2 where it cannot run.
"""

import argparse
import sys
import time
from collections import defaultdict
from pathlib import Path

from lab.errors import LabError, LabUnavailable
from scenarios.catalogue import BY_KEY, SCENARIOS
from scenarios.playing import most_jobs, play_all
from scenarios.run import Row
from scenarios.table import misses, table

_SEEDS = 3
_FAILED = 1
_UNAVAILABLE = 2


def main(arguments: list[str] | None = None) -> int:
    """Play, print, judge."""
    options = _options(arguments)
    keys = options.only.split(",") if options.only else list(BY_KEY)
    if unknown := set(keys) - set(BY_KEY):
        sys.stderr.write(f"scenarios: no such scenario: {', '.join(sorted(unknown))}\n")
        return _UNAVAILABLE
    scenarios = [one for one in SCENARIOS if one.key in keys]
    more = options.settings.read_text() if options.settings else ""
    rows: dict[str, list[Row]] = defaultdict(list)
    started_s = time.monotonic()
    try:
        for row in play_all(
            scenarios, options.seeds, options.scale, options.jobs, more
        ):
            rows[row.scenario].append(row)
            _progress(f"{row.scenario} ")
    except (LabUnavailable, LabError) as error:
        sys.stderr.write(f"scenarios: {error}\n")
        return _UNAVAILABLE
    _progress("\n")
    for line in table(scenarios, rows):
        sys.stdout.write(f"{line}\n")
    sys.stdout.write(f"{_speed(rows, time.monotonic() - started_s)}\n")
    missed = [one.key for one in scenarios if misses(one, rows[one.key])]
    if missed:
        sys.stdout.write(f"beyond their target: {', '.join(missed)}\n")
    return _FAILED if missed and options.gate else 0


def _speed(rows: dict[str, list[Row]], wall_s: float) -> str:
    results = [
        result
        for some in rows.values()
        for row in some
        for result in (row.first_day, row.after)
        if result is not None
    ]
    sent = sum(result.sent + result.remembered["sent"] for result in results)
    busy_s = sum(result.wall_s for result in results) or 1.0
    return (
        f"{sent} messages judged in {wall_s:.0f} s, {sent / busy_s:.0f} a second "
        "and process"
    )


def _progress(text: str) -> None:
    if sys.stderr.isatty():
        sys.stderr.write(text)
        sys.stderr.flush()


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="scenarios", description=__doc__.split("\n")[0]
    )
    parser.add_argument("--only", metavar="KEYS", help="such as a,b,a-list,n")
    parser.add_argument("--seeds", type=int, default=_SEEDS, help="how many")
    parser.add_argument("--scale", type=float, default=1.0, help="1 is the full size")
    parser.add_argument(
        "--settings", type=Path, metavar="FILE", help="TOML for all of them alike"
    )
    parser.add_argument(
        "--jobs",
        type=int,
        default=most_jobs(),
        help="processes",
    )
    parser.add_argument("--gate", action="store_true", help="fail beyond a target")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())

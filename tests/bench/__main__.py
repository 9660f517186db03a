"""What a message costs Outgate, beside a milter that does nothing.

    make bench                       the table
    python -m bench --profile        where the time of a message goes

The figure that counts is CPU time for each message of the process that serves the
socket, and its ratio to the null milter's in the same round, on the same CPU. The
others on the machine move both; so compare ratios, and only of one run.

Exit status: 0; 1 for a verdict that nobody expected and, with `--gate`, for a ratio
above the gate or a look-up that the store did not answer; 2 where the bench cannot run.
"""

import argparse
import sys
from pathlib import Path

from bench.comparison import GATE, compare
from bench.hotpath import show_profile
from bench.memory import show_memory
from bench.report import say
from lab.errors import LabError, LabUnavailable

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
        problems = compare(
            rounds=options.rounds,
            messages=options.messages,
            gate=options.gate,
            file=options.json,
        )
        show_memory()
    except (LabUnavailable, LabError) as error:
        sys.stderr.write(f"bench: {error}\n")
        return _UNAVAILABLE
    for problem in problems:
        say(f"NOT AS IT SHOULD BE: {problem}")
    return _FAILED if problems else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench", description=__doc__.split("\n")[0])
    parser.add_argument(
        "--rounds", type=int, default=_ROUNDS, help="how often each row is measured"
    )
    parser.add_argument(
        "--messages", type=int, default=_MESSAGES, help="in one round of one row"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures")
    parser.add_argument(
        "--gate",
        action="store_true",
        help=f"fail above {GATE} null milters, and if the store did not answer",
    )
    parser.add_argument(
        "--profile", action="store_true", help="show where the time of a message goes"
    )
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())

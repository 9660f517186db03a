"""`make demo`: a story of real messages, told in a minute.

Starts the daemon with its embedded store and a private Postfix on loopback, sends the
story, prints what happened and why, and leaves nothing behind. `KEEP=1` leaves it
running and says how to look around.
"""

import os
import signal
import sys
import time
from contextlib import ExitStack

from rich.console import Console

from demo import pictures, story
from demo.stage import Stage, set_up


def main() -> int:
    """Tell the story; gives the exit code."""
    # All that ends it ends it by the stack: nothing is left behind.
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    try:
        return _tell(Console(width=min(Console().width, 132)))
    except KeyboardInterrupt:
        return 128 + signal.SIGINT


def _tell(console: Console) -> int:
    started_s = time.monotonic()
    with ExitStack() as stack:
        with console.status("starting Outgate, its store and Postfix …"):
            stage = set_up(stack)
        pictures.opening(console, stage)
        events = []
        for scene in story.SCENES:
            with console.status(scene.title):
                events += scene.play(stage)
        pictures.table(console, events)
        pictures.hold_queue(console, stage)
        pictures.metrics(console, stage)
        as_told = story.as_told(events)
        pictures.closing(console, events, time.monotonic() - started_s, as_told=as_told)
        if os.environ.get("KEEP") and as_told:
            _keep(console, stage)
    return 0 if as_told else 1


def _keep(console: Console, stage: Stage) -> None:
    pictures.look_around(console, stage)
    try:
        while True:
            signal.pause()
    except KeyboardInterrupt:
        console.print()


if __name__ == "__main__":
    sys.exit(main())

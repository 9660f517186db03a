"""Workers of a test's own: processes that record and end, as a daemon's do.

Run as a program, it is one of them: a directory, a slot, and words such as `message`,
which it records one after the other.
"""

import subprocess
import sys
import time
from pathlib import Path

from outgate.metrics.observer import Observer
from outgate.metrics.recorder import Recorder
from outgate.model.verdict import Mode
from policy.builders import MALLORY, Outpost, a_limit, a_policy, a_transaction


def work(directory: Path, slot: int, *words: str) -> None:
    """Live as a worker in a process of its own, and die."""
    subprocess.run(
        [sys.executable, __file__, directory, str(slot), *words],
        check=True,
        env={"PYTHONPATH": ":".join(sys.path), "PATH": ""},
    )


def _main(directory: Path, slot: int, words: list[str]) -> None:
    recorder = Recorder(directory, slot)
    policy = a_policy(a_limit("3/1h"), mode=Mode.ENFORCE)
    outpost = Outpost(policy)
    observer = Observer(recorder, policy)
    for word in words:
        match word:
            case "message":
                observer.observe(outpost.judge(a_transaction(MALLORY)))
            case "slow":
                recorder.store_seconds.observe(0.03)
            case "timeout":
                recorder.store_errors.labels("timeout").inc()
            case "session":
                recorder.sessions.inc()
            case _:
                time.sleep(float(word))


if __name__ == "__main__":
    _main(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3:])

"""Whatever ends a test run, the lab's servers end with it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from lab.debs import REPOSITORY
from lab.errors import LabUnavailable
from lab.processes import members
from lab.skips import or_skip
from lab.waiting import wait_until

SCRIPT = """
import os
from lab.errors import LabUnavailable
from lab.postfix import Postfix
from lab.redis import RedisServer
from lab.sendmail import Sendmail

server = {constructor}
try:
    server.start()
except LabUnavailable as error:
    raise SystemExit(str(error))
print(server._server.pid, server.directory, flush=True)
os.kill(os.getpid(), 9)
"""


@pytest.mark.mta
@pytest.mark.parametrize(
    "constructor", ["Postfix()", "Sendmail(sink=1)", "RedisServer()"]
)
def test_a_killed_test_run_leaves_no_server(constructor: str) -> None:
    """No `finally` runs after SIGKILL; the kernel does what it would have done."""
    killed = subprocess.run(
        [sys.executable, "-c", SCRIPT.format(constructor=constructor)],
        env={**os.environ, "PYTHONPATH": str(REPOSITORY / "tests")},
        capture_output=True,
        text=True,
        check=False,
    )
    with or_skip():
        if killed.returncode == 1:
            raise LabUnavailable(killed.stderr.strip())
    session, directory = killed.stdout.split()

    wait_until(lambda: not members(int(session)), f"{constructor} is gone")
    shutil.rmtree(Path(directory))

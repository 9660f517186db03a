"""`make demo`: what it prints can be typed, and nothing of it stays."""

import os
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from lab.waiting import wait_until

ROOT = Path(__file__).parents[2]


@pytest.mark.mta
def test_it_is_kept_looked_at_and_ended(tmp_path: Path) -> None:
    """On a narrow terminal, or none: commands whole, and SIGTERM ends all of it."""
    printed = tmp_path / "printed"
    with printed.open("wb") as file:
        demo = subprocess.Popen(
            [sys.executable, "-m", "demo"],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": "tests", "KEEP": "1", "COLUMNS": "80"},
            stdout=file,
            stderr=subprocess.STDOUT,
        )
    try:
        wait_until(
            lambda: demo.poll() is not None or "tail -f" in printed.read_text(),
            "the end of the story",
            seconds=120,
        )
        text = printed.read_text()
        assert demo.poll() is None, text
        lines = text[text.index("export OUTGATE_CONFIG=") :].splitlines()
        config = Path(lines[0].partition("=")[2])
        listed = subprocess.run(
            shlex.split(lines[1]),
            cwd=ROOT,
            env={**os.environ, "OUTGATE_CONFIG": str(config)},
            capture_output=True,
            text=True,
            check=False,
        )
        orders = subprocess.run(
            shlex.split(lines[2]), cwd=ROOT, capture_output=True, text=True, check=False
        )
    finally:
        demo.send_signal(signal.SIGTERM)
        code = demo.wait(60)

    assert "bulk-to-strangers" in listed.stdout, listed.stderr
    assert "anne@coop.example" in orders.stdout
    assert "…" not in text[text.index("Metrics") :]
    assert code == 0
    assert not config.parent.exists()

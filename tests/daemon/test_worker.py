"""Small promises of a worker."""

import os
from pathlib import Path

import pytest

from log.logfmt import Captured
from outgate.daemon.worker import live_and_end, pin
from outgate.log.lines import Log


def test_a_pin_that_fails_is_a_warning() -> None:
    """A CPU that is not there, or a sandbox that forbids it: the worker goes on."""
    reader, writer = os.pipe()
    pin(100_000, Log(lambda: 0, descriptor=writer))
    os.close(writer)
    with os.fdopen(reader) as lines:
        (line,) = lines

    assert "level=warning event=pin-failed cpu=100000" in line


def test_no_pin_is_asked_for_with_pin_off() -> None:
    """-1 leaves it to the kernel."""
    before = os.sched_getaffinity(0)
    pin(-1, Log(lambda: 0))

    assert os.sched_getaffinity(0) == before


@pytest.mark.parametrize("broken", ["obey", "drain"])
def test_a_worker_ends_though_its_control_thread_fails(
    tmp_path: Path, broken: str
) -> None:
    """Without that thread it would hear no order and serve old settings for ever."""
    log = Captured(tmp_path / "log")
    taken: list[str] = []
    codes: list[int] = []

    def step(name: str) -> None:
        taken.append(name)
        if name == broken:
            raise OSError(98, "Address already in use")

    live_and_end(
        (lambda: step("obey"), lambda: step("drain")), log.log, end=codes.append
    )

    assert (taken, codes) == (["obey", "drain"], [1])
    assert b"event=callback-error stage=control" in log.raw
    assert b"Address already in use" in log.raw


def test_an_orderly_end_is_a_success(tmp_path: Path) -> None:
    """The supervisor tells a worker that left from one that died."""
    log = Captured(tmp_path / "log")
    codes: list[int] = []
    live_and_end([lambda: None], log.log, end=codes.append)

    assert (codes, log.raw) == ([0], b"")

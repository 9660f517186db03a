"""Small promises of a worker."""

import os

from outgate.daemon.worker import pin
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

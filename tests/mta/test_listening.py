"""Whose connections a process holds, and a listener that nobody can reach."""

import socket
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from unittest.mock import patch

import pytest

from lab.ports import LOOPBACK
from outgate.mta.listening import accepted, dead_listener, listening


def _unix(directory: Path) -> socket.socket:
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(directory / "outgate.sock"))
    return listener


def _loopback(_directory: Path) -> socket.socket:
    listener = socket.socket()
    listener.bind((LOOPBACK, 0))
    return listener


def _any_address(_directory: Path) -> socket.socket:
    listener = socket.socket()
    listener.bind(("0.0.0.0", 0))
    return listener


@pytest.mark.parametrize("bind", [_unix, _loopback, _any_address])
def test_connections_are_counted_before_a_word_is_said(
    tmp_path: Path, bind: Callable[[Path], socket.socket]
) -> None:
    """One for each that was accepted; neither the listener nor who dials out."""
    with ExitStack() as stack:
        listener = stack.enter_context(bind(tmp_path))
        listener.listen()
        assert listener.fileno() in listening()
        held = []
        for number in range(3):
            assert accepted(listener) == number
            client = stack.enter_context(socket.socket(listener.family))
            name = listener.getsockname()
            client.connect(name if isinstance(name, str) else (LOOPBACK, name[1]))
            held.append(stack.enter_context(listener.accept()[0]))
        held[0].close()

        assert accepted(listener) == 2


def _abstract_names() -> set[str]:
    lines = Path("/proc/net/unix").read_text().splitlines()
    return {line.rpartition(" ")[2] for line in lines if " @" in line}


def test_a_dead_listener_has_no_name() -> None:
    """No file, no abstract name that any user reads in /proc/net/unix and dials."""
    before = _abstract_names()
    with dead_listener() as dead:
        assert dead.fileno() in listening()
        assert not Path(dead.getsockname()).exists()
        assert _abstract_names() <= before
        with (
            socket.socket(socket.AF_UNIX) as stranger,
            pytest.raises(OSError, match="No such file"),
        ):
            stranger.connect(dead.getsockname())
        with pytest.raises(BlockingIOError):
            dead.accept()


def test_without_a_place_for_it_the_kernel_finds_a_name() -> None:
    """A read-only machine drains, too; nobody can have taken the name before."""
    gone = patch("tempfile.mkdtemp", side_effect=FileNotFoundError("no usable place"))
    with gone, dead_listener() as one, dead_listener() as other:
        assert one.getsockname() != other.getsockname()
        with pytest.raises(BlockingIOError):
            one.accept()

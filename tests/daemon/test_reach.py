"""Directories that keep an MTA from a socket."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from outgate.daemon.reach import barred

# A group that has no members anywhere.
_NOBODYS = 59_999


@pytest.fixture
def listening(tmp_path: Path) -> Iterator[Path]:
    """A socket two directories down, which both let everybody pass."""
    path = tmp_path / "outer" / "inner" / "x.sock"
    path.parent.mkdir(parents=True)
    path.parent.chmod(0o755)
    path.parent.parent.chmod(0o755)
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(str(path))
        path.chmod(0o660)
        if os.geteuid() == 0:
            os.chown(path, -1, _NOBODYS)
        yield path


def closed(path: Path) -> list[str]:
    """What is said of the test's own directories."""
    own = str(path.parents[1])
    return [text for text in barred(path) if own in text]


def test_open_directories_keep_nobody_out(listening: Path) -> None:
    """Nothing is said of them."""
    assert closed(listening) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="gives a socket to a group")
def test_each_closed_directory_is_named_with_what_mends_it(listening: Path) -> None:
    """The outermost first: the search fails there; who owns it may differ."""
    inner, outer = listening.parents[:2]
    inner.chmod(0o700)
    os.chown(inner, -1, _NOBODYS)
    outer.chmod(0o700)

    assert closed(listening) == [
        f"group {_NOBODYS} may not pass {outer} (0700): `chmod o+x {outer}`",
        f"group {_NOBODYS} may not pass {inner} (0700): `chmod g+x {inner}`",
    ]
    inner.chmod(0o710)
    outer.chmod(0o711)
    assert closed(listening) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="gives a directory away")
def test_a_daemons_own_directory_is_given_to_the_group(listening: Path) -> None:
    """Not to everybody."""
    inner = listening.parent
    inner.chmod(0o700)
    os.chown(inner, 12_345, 12_345)

    (text,) = closed(listening)
    assert text.endswith(f"`chgrp {_NOBODYS} {inner} && chmod g+x {inner}`")


def test_a_socket_of_root_alone_is_not_searched_for(listening: Path) -> None:
    """Root passes everywhere."""
    listening.parent.chmod(0o700)
    listening.chmod(0o600)
    assert list(barred(listening)) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="gives a socket to a group")
def test_the_directory_counts_that_a_link_leads_to(
    listening: Path, tmp_path: Path
) -> None:
    """`/var/run` is one."""
    link = tmp_path / "link"
    link.symlink_to(listening.parent)
    listening.parents[1].chmod(0o700)
    found = list(barred(link / listening.name))
    assert any(str(listening.parents[1]) in text for text in found)

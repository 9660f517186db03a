"""Whether a daemon runs on a state, by its lock, without touching it."""

import fcntl
import os
import subprocess
from pathlib import Path

import pytest

from outgate.config.reader import parse
from outgate.config.settings import Settings
from outgate.daemon.compose import Places
from outgate.daemon.running import Standing, digests, running_pid, standing


@pytest.fixture
def places(tmp_path: Path) -> Places:
    """A state and a runtime directory of its own."""
    return Places(tmp_path, tmp_path)


def test_no_lock_is_no_daemon(places: Places) -> None:
    """Before the first start; nothing is made by looking."""
    assert running_pid(places) == 0
    assert list(places.state.iterdir()) == []


@pytest.mark.parametrize("text", ["", "soon\n", "999999999\n"])
def test_a_lock_of_nobody_is_no_daemon(places: Places, text: str) -> None:
    """Empty, of another hand, or of a process that is gone."""
    places.lock.write_text(text)

    assert running_pid(places) == 0


def test_only_who_holds_the_lock_is_the_daemon(places: Places) -> None:
    """A process of that number may be anybody by now."""
    places.lock.write_text(f"{os.getpid()}\n")
    assert running_pid(places) == 0

    with places.lock.open() as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert running_pid(places) == os.getpid()
    assert running_pid(places) == 0


def test_looking_never_holds_the_lock(places: Places) -> None:
    """A daemon that starts at that moment gets it."""
    places.lock.write_text(f"{os.getpid()}\n")
    running_pid(places)

    subprocess.run(["flock", "-n", places.lock, "true"], check=True)


def test_a_digest_differs_in_the_table_that_differs() -> None:
    """The order of keys and comments are no difference."""
    one = digests(parse('mode = "enforce"\n[log]\nlevel = "info"\nformat = "json"\n'))
    same = digests(
        parse(
            '[log]\nformat = "json"  # for us\n\n[rules]\n',
        )
    )
    other = digests(parse('mode = "enforce"\n[log]\nformat = "logfmt"\n'))

    assert {table for table in one if one[table] != same[table]} == {"mode"}
    assert {table for table in one if one[table] != other[table]} == {"log"}
    assert digests(Settings()) == digests(Settings())


def test_a_status_of_another_version_is_no_status(places: Places) -> None:
    """Neither is half of one, or something else."""
    assert standing(places) is None
    for text in ("{}", "[]", "{", '{"sockets": [{"listen": 1}]}'):
        places.supervisor.write_text(text)
        with pytest.raises(ValueError, match=r".+"):
            standing(places)
    with pytest.raises(ValueError, match="another version"):
        Standing.read({})

"""Sockets that cannot be opened: what is said, so that one line mends it."""

import errno
import os
import stat
from pathlib import Path

import pytest

from lab.outgate import SOCKET_GROUP
from outgate.config.settings import ListenSettings
from outgate.daemon.sockets import open_all
from outgate.model.errors import EX_CANTCREAT, StartError


def refusal(listen: ListenSettings) -> str:
    """Why it is not opened."""
    with pytest.raises(StartError) as caught:
        open_all([("listen[0]", listen)])
    assert caught.value.exit_code == EX_CANTCREAT
    return str(caught.value)


@pytest.fixture(autouse=True)
def _powerless(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the daemon's account meets outside its own directories."""
    assert tmp_path.exists()  # before nothing can be made

    def may_not(*_: object, **__: object) -> None:
        raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr("os.chown", may_not)
    monkeypatch.setattr("os.mkdir", may_not)
    monkeypatch.setattr("outgate.daemon.sockets._account", lambda: "outgate")


@pytest.mark.parametrize(("group", "named"), [("", "postfix"), ("list", "list")])
def test_a_missing_directory_is_named_with_the_line_that_makes_it(
    tmp_path: Path, group: str, named: str
) -> None:
    """Its mode and group are what the MTA needs."""
    place = tmp_path / "spool/outgate"
    listen = ListenSettings(address=f"unix:{place}/outgate.sock", group=group)

    assert refusal(listen) == (
        f"listen[0].address: unix:{place}/outgate.sock cannot be opened: there is no "
        f"directory {place}, and outgate may not make it: "
        f"`install -d -o outgate -g {named} -m 2750 {place}` (the group of the MTA)"
    )


def test_a_group_of_others_says_how_to_join_or_inherit_it(tmp_path: Path) -> None:
    """The account is in it, or the directory gives it."""
    place = tmp_path
    listen = ListenSettings(address=f"unix:{place}/o.sock", group=SOCKET_GROUP)

    text = refusal(listen)

    assert f"outgate is not in group {SOCKET_GROUP}" in text
    assert f"`adduser outgate {SOCKET_GROUP}`" in text
    assert f"`install -d -o outgate -g {SOCKET_GROUP} -m 2750 {place}`" in text


def test_the_group_of_a_setgid_directory_needs_nothing(tmp_path: Path) -> None:
    """As the package has it."""
    tmp_path.chmod(0o2750)
    listen = ListenSettings(address=f"unix:{tmp_path}/o.sock")

    (listener,) = open_all([("listen[0]", listen)])

    path = tmp_path / "o.sock"
    assert path.stat().st_gid == tmp_path.stat().st_gid
    assert stat.S_IMODE(path.stat().st_mode) == 0o660
    listener.close()

"""Listening sockets: bound once by the supervisor, shared by all generations of workers.

They stay open over restarts of workers and over reloads, so a connection never finds
nobody. libmilter would unlink a unix socket at its end; it never sees the real one.
"""

import errno
import grp
import os
import pwd
import socket
import stat
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from outgate.config.checks import parse_inet
from outgate.config.settings import ListenSettings
from outgate.daemon.systemd import passed_sockets
from outgate.log.lines import Log
from outgate.model.errors import EX_CANTCREAT, StartError

_BACKLOG = 4096


@dataclass(frozen=True, slots=True)
class Listener:
    """One listening socket.

    Attributes:
        settings: as configured.
        sock: bound, listening, non-blocking.
        passed: whether systemd opened it and keeps it open over a restart.
    """

    settings: ListenSettings
    sock: socket.socket
    passed: bool = False

    @property
    def address(self) -> str:
        """As configured, with the real port where it was 0."""
        if self.sock.family == socket.AF_UNIX:
            return self.settings.address
        kind = "inet6" if self.sock.family == socket.AF_INET6 else "inet"
        host, port = self.sock.getsockname()[:2]
        return f"{kind}:[{host}]:{port}" if kind == "inet6" else f"{kind}:{host}:{port}"

    def dummy(self, runtime: Path, slot: int) -> str:
        """Where libmilter of one worker may bind a socket that nobody uses."""
        match self.sock.family:
            case socket.AF_UNIX:
                return f"unix:{runtime}/dummy-{slot}.sock"
            case socket.AF_INET6:
                return "inet6:0@[::1]"
            case _:
                return "inet:0@127.0.0.1"

    def close(self) -> None:
        """Stop listening; the path of a unix socket of ours goes too."""
        self.sock.close()
        if not self.passed and self.settings.address.startswith("unix:"):
            Path(self.settings.address.removeprefix("unix:")).unlink(missing_ok=True)


def open_all(wanted: Iterable[tuple[str, ListenSettings]]) -> list[Listener]:
    """Bind all sockets, or none.

    Args:
        wanted: the key in the configuration, and the settings.

    Raises:
        StartError: one cannot be opened; it names the key and the address.
    """
    passed = {_name(sock): sock for sock in passed_sockets()}
    opened: list[Listener] = []
    try:
        for key, settings in wanted:
            sock = passed.pop(settings.address, None)
            if sock is not None:
                sock.setblocking(False)
                opened.append(Listener(settings, sock, passed=True))
            else:
                opened.append(Listener(settings, _open(key, settings)))
    except StartError:
        for listener in opened:
            listener.close()
        raise
    return opened


def replace_all(
    current: Sequence[Listener], wanted: Sequence[ListenSettings], log: Log
) -> list[Listener]:
    """Keep the sockets that stay, open new ones, close the others: all, or none.

    Whoever serves a closed one goes on with the connections that it has.

    Raises:
        StartError: one cannot be opened, or not be given its mode and group.
    """
    by_address = {listener.settings.address: listener for listener in current}
    fresh = open_all(
        (f"listen[{index}]", listen)
        for index, listen in enumerate(wanted)
        if listen.address not in by_address
    )
    opened = {listener.settings.address: listener for listener in fresh}
    kept: list[Listener] = []
    try:
        for index, listen in enumerate(wanted):
            old = by_address.get(listen.address)
            if old is not None:
                _renew_access(f"listen[{index}]", old, listen, log)
                kept.append(replace(old, settings=listen))
            else:
                kept.append(opened[listen.address])
    except StartError:
        for listener in fresh:
            listener.close()
        raise
    stays = {listen.address for listen in wanted}
    for address, listener in by_address.items():
        if address not in stays:
            listener.close()
    return kept


def _renew_access(key: str, old: Listener, listen: ListenSettings, log: Log) -> None:
    """Give a socket that stays the mode and group that are configured now."""
    before = old.settings
    if (before.mode, before.group) == (listen.mode, listen.group):
        return
    if not listen.address.startswith("unix:"):
        return
    if old.passed:
        log.warning(
            "socket-unchanged",
            listen=listen.address,
            message="its mode and group are systemd's: change SocketMode= and "
            "SocketGroup= of the socket unit and restart that",
        )
        return
    try:
        _set_access(Path(listen.address.removeprefix("unix:")), listen)
    except OSError as error:
        raise StartError(
            f"{key}: mode and group of {listen.address} cannot be set: "
            f"{error.strerror}",
            EX_CANTCREAT,
        ) from error


def access_differs(path: Path, settings: ListenSettings) -> Iterator[str]:
    """What mends mode and group of a unix socket that are not as configured.

    Raises:
        OSError: it cannot be looked at.
    """
    there = path.stat()
    if stat.S_IMODE(there.st_mode) != int(settings.mode, 8):
        found = f"{stat.S_IMODE(there.st_mode):04o}"
        yield (
            f"its mode is {found}, configured is {settings.mode}: "
            f"`chmod {settings.mode} {path}`"
        )
    group = _configured_group(path, settings)
    if group is not None and there.st_gid != group:
        found, wanted = _group_name(there.st_gid), _group_name(group)
        yield (f"its group is {found}, configured is {wanted}: `chgrp {wanted} {path}`")


def _configured_group(path: Path, settings: ListenSettings) -> int | None:
    """Whose a unix socket is to be, None for the daemon's own group."""
    if settings.group:
        return grp.getgrnam(settings.group).gr_gid
    # Whom the kernel would give a new one to.
    parent = path.parent.stat()
    return parent.st_gid if parent.st_mode & stat.S_ISGID else None


def _set_access(path: Path, settings: ListenSettings) -> None:
    group = _configured_group(path, settings)
    if group is None:
        group = os.getegid()
    if path.stat().st_gid != group:
        try:
            os.chown(path, -1, group)
        except PermissionError as error:
            name, us = _group_name(group), _account()
            raise OSError(
                error.errno,
                f"{us} is not in group {name}: `adduser {us} {name}`, or no `group` "
                f"and a directory that gives it: `{_make(path.parent, name)}`",
            ) from error
    path.chmod(int(settings.mode, 8))


def _open(key: str, settings: ListenSettings) -> socket.socket:
    address = settings.address
    try:
        if address.startswith("unix:"):
            sock = _open_unix(Path(address.removeprefix("unix:")), settings)
        else:
            sock = _open_inet(address)
        sock.listen(_BACKLOG)
        # Several processes poll one socket: with a blocking one, all but the first
        # would hang in accept(2).
        sock.setblocking(False)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            text = "is in use by another process"
        else:
            text = f"cannot be opened: {error.strerror}"
        raise StartError(f"{key}.address: {address} {text}", EX_CANTCREAT) from error
    return sock


def _open_inet(address: str) -> socket.socket:
    host, port = parse_inet(address) or ("", 0)
    family = socket.AF_INET6 if address.startswith("inet6:") else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if family == socket.AF_INET6:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    sock.bind((host, port))
    return sock


def _open_unix(path: Path, settings: ListenSettings) -> socket.socket:
    try:
        path.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
    except OSError as error:
        raise OSError(
            error.errno,
            f"there is no directory {path.parent}, and {_account()} may not make it: "
            f"`{_make(path.parent, settings.group or 'postfix')}` (the group of the MTA)",
        ) from error
    _remove_stale(path)
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    # Nobody may connect before mode and group are right.
    before = os.umask(0o177)
    try:
        sock.bind(str(path))
        _set_access(path, settings)
    except OSError:
        sock.close()
        raise
    finally:
        os.umask(before)
    return sock


def _remove_stale(path: Path) -> None:
    """Remove a socket that nobody serves; anything else stays and is an error."""
    try:
        if not stat.S_ISSOCK(path.lstat().st_mode):
            raise OSError(errno.EEXIST, "is no socket, and in the way")
    except FileNotFoundError:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:
            path.unlink()
            return
    raise OSError(errno.EADDRINUSE, os.strerror(errno.EADDRINUSE))


def _make(directory: Path, group: str) -> str:
    """What root types for a directory whose sockets take its group."""
    return f"install -d -o {_account()} -g {group} -m 2750 {directory}"


def _account() -> str:
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return str(os.geteuid())


def _group_name(gid: int) -> str:
    try:
        return grp.getgrgid(gid).gr_name
    except KeyError:
        return str(gid)


def _name(sock: socket.socket) -> str:
    address = sock.getsockname()
    if sock.family == socket.AF_UNIX:
        return f"unix:{address}"
    if sock.family == socket.AF_INET6:
        return f"inet6:[{address[0]}]:{address[1]}"
    return f"inet:{address[0]}:{address[1]}"

"""Descriptors of sockets, as libmilter has them: it tells nobody which ones it uses."""

import os
import socket
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

_INTERNET = frozenset({socket.AF_INET, socket.AF_INET6})


def listening() -> set[int]:
    """Descriptors of this process that listen."""
    return {
        descriptor
        for descriptor, sock in _sockets()
        if sock.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
    }


def accepted(listener: socket.socket) -> int:
    """How many connections of a listener this process holds, negotiated or not."""
    place = _place(listener)
    return sum(
        1
        for _, sock in _sockets()
        if not sock.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
        and _place(sock) == place
    )


def dead_listener() -> socket.socket:
    """A listening socket that nobody is told of and nobody can be in the way of."""
    dead = socket.socket(socket.AF_UNIX)
    try:
        # Its name lives for a moment, in a directory of our own: nobody can dial it.
        with tempfile.TemporaryDirectory(prefix="outgate-") as directory:
            dead.bind(str(Path(directory) / "s"))
    except OSError:
        # No place for temporary files: an abstract name of the kernel's choice, which
        # may be dialled, but cannot be taken by anybody.
        dead.bind("")
    dead.listen(1)
    dead.setblocking(False)
    return dead


def _place(sock: socket.socket) -> object:
    """Where a socket was listened for; of a connection, where it was accepted."""
    name = sock.getsockname()
    # Who listens on any address accepts on a certain one.
    return ("port", name[1]) if sock.family in _INTERNET else name


def _sockets() -> Iterator[tuple[int, socket.socket]]:
    for entry in list(Path("/proc/self/fd").iterdir()):
        descriptor = int(entry.name)
        try:
            if not stat.S_ISSOCK(os.fstat(descriptor).st_mode):
                continue
            with socket.socket(fileno=os.dup(descriptor)) as sock:
                yield descriptor, sock
        except OSError:
            # Closed by another thread meanwhile.
            continue

"""TCP ports on loopback: one that is free, and whether anybody listens on one.

A port that `free_port` gave is ours until this process ends, so that two test runs at
a time never share one. They would not notice: Postfix binds with SO_REUSEPORT, and
each would get a part of the other's mail.

Limits: a stranger may still take the port before the server binds it.
"""

import random
import socket
from pathlib import Path

LOOPBACK = "127.0.0.1"

# Below the kernel's ephemeral range (32768 and up), or an outgoing connection of a
# neighbour could sit on the port between the choice and the server's bind.
_FIRST, _LAST = 20000, 32000

# linux/include/net/tcp_states.h: TCP_LISTEN, as /proc/net/tcp prints it.
_LISTEN = "0A"


def free_port() -> int:
    """Reserve a port that nothing is bound to."""
    for _ in range(100):
        port = random.randint(_FIRST, _LAST)
        with socket.socket() as probe:
            try:
                probe.bind((LOOPBACK, port))
            except OSError:
                continue
        if _reserve(port):
            return port
    raise OSError(f"no free port between {_FIRST} and {_LAST} in 100 tries")


def _reserve(port: int) -> bool:
    """Take a name in the abstract namespace, which the kernel frees when we end."""
    claim = socket.socket(socket.AF_UNIX)
    try:
        claim.bind(f"\0outgate-lab-port-{port}")
    except OSError:
        claim.close()
        return False
    # The descriptor, without its object, stays open for good.
    claim.detach()
    return True


def is_listening(port: int) -> bool:
    """Tell whether a socket listens on `port`, without connecting to it.

    A connection would be a client: an MTA would greet it and open a milter session.
    """
    wanted = f":{port:04X}"
    tables = (Path("/proc/net/tcp"), Path("/proc/net/tcp6"))
    rows = (
        row.split()
        for table in tables
        if table.exists()
        for row in table.read_text().splitlines()[1:]
    )
    return any(row[1].endswith(wanted) and row[3] == _LISTEN for row in rows)

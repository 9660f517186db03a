"""sd_notify(3) and LISTEN_FDS, without a library."""

import os
import socket

_FIRST_PASSED = 3


def notify(*assignments: str) -> None:
    """Tell systemd, if it listens: `READY=1`, `STATUS=…`, `STOPPING=1`."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    if address.startswith("@"):
        address = f"\0{address[1:]}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sock:
        try:
            sock.connect(address)
            sock.sendall("\n".join(assignments).encode())
        except OSError:
            # A supervisor that does not listen is no reason to stop.
            return


def passed_sockets() -> list[socket.socket]:
    """Sockets that systemd opened for this process (socket activation)."""
    if os.environ.get("LISTEN_PID") != str(os.getpid()):
        return []
    count = int(os.environ.get("LISTEN_FDS", "0"))
    for name in ("LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"):
        os.environ.pop(name, None)
    return [
        socket.socket(fileno=descriptor)
        for descriptor in range(_FIRST_PASSED, _FIRST_PASSED + count)
    ]

"""Asks a listening socket, as an MTA would, whether somebody behind it speaks milter.

To connect proves little: the kernel does that for a process that hangs. An answer to the
negotiation (libmilter, `SMFIC_OPTNEG`) is given by a worker.
"""

import socket
import struct

from outgate.model.errors import MtaError

_OPTION = b"O"
_QUIT = b"Q"
_LENGTH = struct.Struct(">I")
# Version 6, as libmilter has spoken since Sendmail 8.14; all actions, all protocol steps.
_NEGOTIATION = struct.pack(">IcIII", 13, _OPTION, 6, 0x1FF, 0x1FFFFF)
# Macros of all stages may come with the answer.
_MAX_BYTES = 65_536


def greet(address: str | tuple[str, int], timeout_s: float) -> None:
    """Negotiate, and take leave.

    Args:
        address: the path of a unix socket, or host and port.
        timeout_s: for each step.

    Raises:
        PermissionError: this account may not connect.
        MtaError: nobody answers, or not as a filter does.
    """
    try:
        with _dial(address, timeout_s) as sock:
            sock.sendall(_NEGOTIATION)
            (length,) = _LENGTH.unpack(_read(sock, _LENGTH.size))
            if not 0 < length <= _MAX_BYTES or _read(sock, 1) != _OPTION:
                raise MtaError("answers, but not as a filter does")
            sock.sendall(_LENGTH.pack(1) + _QUIT)
    except PermissionError:
        raise
    except TimeoutError:
        raise MtaError(f"nobody answers in {timeout_s:g} s") from None
    except OSError as error:
        raise MtaError(f"nobody answers: {error.strerror or error}") from error


def _dial(address: str | tuple[str, int], timeout_s: float) -> socket.socket:
    if not isinstance(address, str):
        return socket.create_connection(address, timeout_s)
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        sock.settimeout(timeout_s)
        sock.connect(address)
    except OSError:
        sock.close()
        raise
    return sock


def _read(sock: socket.socket, count: int) -> bytes:
    found = b""
    while len(found) < count:
        if not (some := sock.recv(count - len(found))):
            raise MtaError("hangs up at once")
        found += some
    return found

"""Opens connections to the server within a budget, finding it by name included.

The resolver of the C library knows no time-out, and is asked while mail waits. So a
thread asks it, for whoever wants to know at that moment; who cannot wait any longer goes
on with the last answer, which may be old, or without. The answer is there for the next.
"""

import errno
import ipaddress
import socket
import ssl
import struct
import threading
from collections.abc import Sequence
from time import monotonic
from typing import Any

from redis.connection import parse_url

# Connections that are dialled together ask once. After a failover it is too late already
# when DNS tells it, so an answer may not be older.
FRESH_S = 1.0

_DEFAULT_PORT = 6379

Address = tuple[int, int, int, str, Any]
"""As `getaddrinfo` gives it."""


class Dialler:
    """The way to one server."""

    def __init__(self, url: str, timeout_s: float) -> None:
        """Open nothing yet.

        Args:
            url: `unix:`, `redis:` or `rediss:`.
            timeout_s: for a connection, and for each wait on it later.
        """
        self.options = parse_url(url)
        self._timeout_s = timeout_s
        host = self.options.get("host") or "127.0.0.1"
        self._host = host
        self._addresses = _Addresses(host, self.options.get("port") or _DEFAULT_PORT)

    def open(self) -> socket.socket:
        """Connect.

        Raises:
            TimeoutError: not in time.
            OSError: not at all.
        """
        if (path := self.options.get("path")) is not None:
            return _with_kernel_timeouts(_unix(path, self._timeout_s), self._timeout_s)
        sock = self._tcp()
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if "connection_class" in self.options:
            sock.settimeout(self._timeout_s)
            context = ssl.create_default_context()
            return context.wrap_socket(sock, server_hostname=self._host)
        return _with_kernel_timeouts(sock, self._timeout_s)

    def _tcp(self) -> socket.socket:
        deadline_s = monotonic() + self._timeout_s
        addresses = self._addresses.find(self._timeout_s)
        problem: OSError = TimeoutError("no address in time")
        for number, (family, kind, protocol, _, place) in enumerate(addresses):
            left_s = deadline_s - monotonic()
            if left_s <= 0:
                break
            sock: socket.socket | None = None
            try:
                # A kernel without IPv6 refuses already here.
                sock = socket.socket(family, kind, protocol)
                # One that swallows everything leaves something for the others.
                sock.settimeout(left_s / (len(addresses) - number))
                sock.connect(place)
            except OSError as error:
                if sock is not None:
                    sock.close()
                problem = error
            else:
                return sock
        raise problem


class _Addresses:
    """What a name means; the last answer, and a thread that asks for a newer one."""

    def __init__(self, host: str, port: int) -> None:
        self._host = host
        self._port = port
        self._lock = threading.Lock()
        self._known: Sequence[Address] = ()
        self._known_s = 0.0
        self._problem: OSError | None = None
        self._asking: threading.Event | None = None

    def find(self, wait_s: float) -> Sequence[Address]:
        """Addresses, the best first.

        Raises:
            TimeoutError: not within `wait_s`, and nothing is known from before.
            OSError: there are none.
        """
        if _is_address(self._host):
            return socket.getaddrinfo(
                self._host,
                self._port,
                type=socket.SOCK_STREAM,
                flags=socket.AI_NUMERICHOST,
            )
        with self._lock:
            if self._known and monotonic() - self._known_s < FRESH_S:
                return self._known
            asking = self._asking or self._ask()
        # Who knows an address keeps half of the time for dialling it.
        answered = asking.wait(wait_s / 2 if self._known else wait_s)
        if self._known:
            return self._known
        if not answered or self._problem is None:
            raise TimeoutError(f"{self._host}: DNS does not answer")
        raise OSError(self._problem.errno, self._problem.strerror)

    def _ask(self) -> threading.Event:
        asking = threading.Event()
        thread = threading.Thread(
            target=self._resolve, args=(asking,), name="resolver", daemon=True
        )
        try:
            thread.start()
        except RuntimeError as error:
            raise OSError(errno.EAGAIN, str(error)) from error
        self._asking = asking
        return asking

    def _resolve(self, asking: threading.Event) -> None:
        try:
            self._known = socket.getaddrinfo(
                self._host, self._port, type=socket.SOCK_STREAM
            )
            self._known_s = monotonic()
        except OSError as error:
            self._problem = error
        except UnicodeError as error:
            # No name at all, as IDNA sees it.
            self._problem = OSError(errno.EINVAL, str(error))
        finally:
            with self._lock:
                self._asking = None
            asking.set()


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _unix(path: str, timeout_s: float) -> socket.socket:
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        sock.settimeout(timeout_s)
        sock.connect(path)
    except OSError:
        sock.close()
        raise
    return sock


def _with_kernel_timeouts(sock: socket.socket, timeout_s: float) -> socket.socket:
    """The kernel's own time-outs spare a poll before each read and write."""
    sock.settimeout(None)
    seconds = int(timeout_s)
    interval = struct.pack("ll", seconds, int((timeout_s - seconds) * 1_000_000))
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, interval)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, interval)
    return sock

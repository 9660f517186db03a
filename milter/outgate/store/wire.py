"""Commands on pooled connections, without redis-py in the way.

The hot path sends one packed buffer and reads its replies: redis-py's pipeline costs
three times the client CPU of that. Connections are a small stack, taken and put back
under the interpreter's lock; callbacks of one session run on different threads, so
nothing here is thread-local.

Failure: everything is a `StoreError`. A connection that timed out is closed, since its
reply may still come. A pooled connection that turns out dead is replaced once.
"""

import socket
import ssl
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import hiredis
from redis.connection import parse_url

from outgate.model.errors import (
    ScriptError,
    StoreError,
    StoreRefused,
    StoreTimeout,
    StoreUnavailable,
)

_REFUSED = ("NOAUTH", "WRONGPASS", "NOPERM")
_UNAVAILABLE = (
    "BUSY",
    "CLUSTERDOWN",
    "LOADING",
    "MASTERDOWN",
    "MISCONF",
    "OOM",
    "READONLY",
    "TRYAGAIN",
)
# More idle connections than sessions that wait at a time are of no use.
MAX_IDLE = 64
_RECEIVE_BYTES = 65536

Reply = Any
"""What hiredis makes of a reply: bytes, int, None, a list, or an error as a value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Where a server listens, and how to introduce oneself.

    Attributes:
        url: as configured, for messages; its password is left out of `__str__`.
        timeout_s: for connecting and for each wait.
    """

    url: str = field(repr=False)
    password: str = field(default="", repr=False)
    timeout_s: float = 0.05

    def __str__(self) -> str:
        """Give the URL without credentials."""
        scheme, _, rest = self.url.partition("://")
        return f"{scheme}://{rest.rpartition('@')[2]}"


class _Connection:
    """One socket, its reader, and how many replies nobody waited for."""

    __slots__ = ("owed", "reader", "sock")

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.reader = hiredis.Reader()
        self.owed = 0


def pack(arguments: Iterable[bytes]) -> bytes:
    """One command in RESP."""
    parts = [b"$%d\r\n%b\r\n" % (len(argument), argument) for argument in arguments]
    return b"*%d\r\n%b" % (len(parts), b"".join(parts))


class Wire:
    """A stack of connections to one server."""

    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        self._idle: list[_Connection] = []

    def call(self, commands: bytes, count: int) -> list[Reply]:
        """Send packed commands and wait for their replies.

        Args:
            commands: one buffer.
            count: how many commands are in it.

        Returns:
            One reply each; an error reply is a value, see `raise_for`.

        Raises:
            StoreTimeout: no answer in time.
            StoreUnavailable: no connection.
            StoreRefused: wrong credentials.
        """
        connection, pooled = self._take()
        try:
            replies = _exchange(connection, commands, count)
        except StoreUnavailable:
            if not pooled:
                raise
            # The server was restarted: everything in the stack is dead.
            self.close()
            connection = self._dial()
            replies = _exchange(connection, commands, count)
        self._put(connection)
        return replies

    def post(self, commands: bytes, count: int) -> None:
        """Send packed commands; whoever uses the connection next skips the replies.

        Raises:
            StoreError: the commands could not be sent.
        """
        connection, _ = self._take()
        _send(connection, commands)
        connection.owed += count
        self._put(connection)

    def close(self) -> None:
        """Drop all idle connections."""
        idle, self._idle = self._idle, []
        for connection in idle:
            connection.sock.close()

    def _take(self) -> tuple[_Connection, bool]:
        try:
            return self._idle.pop(), True
        except IndexError:
            return self._dial(), False

    def _put(self, connection: _Connection) -> None:
        if len(self._idle) < MAX_IDLE:
            self._idle.append(connection)
        else:
            connection.sock.close()

    def _dial(self) -> _Connection:
        options = parse_url(self.endpoint.url)
        try:
            connection = _Connection(_open(options, self.endpoint.timeout_s))
        except TimeoutError as error:
            raise StoreTimeout(f"{self.endpoint}: no connection in time") from error
        except OSError as error:
            raise StoreUnavailable(
                f"{self.endpoint}: {error.strerror or error}"
            ) from error
        greeting = _greeting(options, self.endpoint.password)
        if greeting:
            try:
                for reply in _exchange(connection, b"".join(greeting), len(greeting)):
                    raise_for(reply, str(self.endpoint))
            except StoreError:
                connection.sock.close()
                raise
        return connection


def raise_for(reply: Reply, context: str) -> Reply:
    """Give the reply back, or raise what an error reply means.

    Raises:
        StoreRefused: credentials or permissions.
        StoreUnavailable: loading, read-only, full, failing over.
        ScriptError: anything else: a command that should not fail did.
    """
    if isinstance(reply, hiredis.ReplyError):
        text = str(reply)
        word = text.partition(" ")[0]
        if word in _REFUSED:
            raise StoreRefused(f"{context}: {text}")
        if word in _UNAVAILABLE or "READONLY" in text or "OOM" in text:
            raise StoreUnavailable(f"{context}: {text}")
        raise ScriptError(f"{context}: {text}")
    return reply


def is_wrong_type(reply: Reply) -> bool:
    """Whether a key holds another type than ours: an operator's slip, not an outage."""
    return isinstance(reply, hiredis.ReplyError) and str(reply).startswith("WRONGTYPE")


def is_unknown_script(reply: Reply) -> bool:
    """Whether the server does not know the script (yet, or after a restart)."""
    return isinstance(reply, hiredis.ReplyError) and str(reply).startswith("NOSCRIPT")


def _open(options: dict[str, Any], timeout_s: float) -> socket.socket:
    if (path := options.get("path")) is not None:
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            sock.settimeout(timeout_s)
            sock.connect(path)
        except OSError:
            sock.close()
            raise
    else:
        host = options.get("host") or "127.0.0.1"
        sock = socket.create_connection((host, options.get("port") or 6379), timeout_s)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if "connection_class" in options:
            return ssl.create_default_context().wrap_socket(sock, server_hostname=host)
    # The kernel's own time-outs spare a poll before each read and write.
    sock.settimeout(None)
    seconds = int(timeout_s)
    interval = struct.pack("ll", seconds, int((timeout_s - seconds) * 1_000_000))
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, interval)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, interval)
    return sock


def _greeting(options: dict[str, Any], password: str) -> list[bytes]:
    commands: list[Sequence[str]] = []
    secret = password or options.get("password") or ""
    if secret:
        user = options.get("username")
        commands.append(("AUTH", user, secret) if user else ("AUTH", secret))
    if options.get("db"):
        commands.append(("SELECT", str(options["db"])))
    return [pack(word.encode() for word in command) for command in commands]


def _send(connection: _Connection, commands: bytes) -> None:
    try:
        connection.sock.sendall(commands)
    except (BlockingIOError, TimeoutError) as error:
        connection.sock.close()
        raise StoreTimeout("the store does not read") from error
    except OSError as error:
        connection.sock.close()
        raise StoreUnavailable(f"connection lost: {error.strerror}") from error


def _exchange(connection: _Connection, commands: bytes, count: int) -> list[Reply]:
    _send(connection, commands)
    reader = connection.reader
    replies: list[Reply] = []
    wanted = connection.owed + count
    try:
        while len(replies) < wanted:
            reply = reader.gets()
            if reply is False:
                reader.feed(_receive(connection.sock))
            else:
                replies.append(reply)
    except hiredis.ProtocolError as error:
        connection.sock.close()
        raise StoreUnavailable(f"not Redis: {error}") from error
    except StoreError:
        connection.sock.close()
        raise
    if connection.owed:
        del replies[: connection.owed]
        connection.owed = 0
    return replies


def _receive(sock: socket.socket) -> bytes:
    try:
        data = sock.recv(_RECEIVE_BYTES)
    except (BlockingIOError, TimeoutError) as error:
        raise StoreTimeout("no answer within the budget") from error
    except OSError as error:
        raise StoreUnavailable(f"connection lost: {error.strerror}") from error
    if not data:
        raise StoreUnavailable("connection closed by the store")
    return data

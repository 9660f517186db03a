"""Commands on pooled connections, without redis-py in the way.

The hot path sends one packed buffer and reads its replies: redis-py's pipeline costs
three times the client CPU of that. Connections are taken from a queue and put back;
callbacks of one session run on different threads, so nothing here is thread-local.

Failure: everything is a `StoreError`. A connection that timed out is closed, since its
reply may still come. A pooled connection that turns out dead is replaced once. All
are closed when the server says that it is not, or no longer, in charge.
"""

import socket
from collections.abc import Sequence
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from time import monotonic
from typing import Any

import hiredis

from outgate.model.errors import (
    ScriptError,
    StoreError,
    StoreRefused,
    StoreTimeout,
    StoreUnavailable,
)
from outgate.store.breaker import Breaker, GivenUp
from outgate.store.dial import Dialler
from outgate.store.resp import pack
from outgate.store.trouble import WANTS_PASSWORD

_REFUSED = ("WRONGPASS", "NOPERM")
# Said instead of NOAUTH to whoever sends more than ten words at a time.
_UNAUTHENTICATED = "Protocol error: unauthenticated"
_UNAVAILABLE = (
    "BUSY",
    "CLUSTERDOWN",
    "LOADING",
    "MASTERDOWN",
    "MISCONF",
    "NOREPLICAS",
    "OOM",
    "READONLY",
    "TRYAGAIN",
)
# The server is not, or no longer, the one that is in charge.
_ELSEWHERE = ("CLUSTERDOWN", "LOADING", "MASTERDOWN", "NOREPLICAS", "READONLY")
# The same, said in the middle of an error.
_UNAVAILABLE_TEXTS = ("OOM", "READONLY", "max number of clients")
# What hiredis raises for bytes that are no reply: besides its own error, maps with keys
# that Python cannot hash, and lengths beyond memory.
_NONSENSE = (hiredis.ProtocolError, TypeError, SystemError, MemoryError)
# A user without a password takes any, but only if he is named.
DEFAULT_USER = "default"
# Of one process. A local round trip takes a tenth of a millisecond, so these carry
# more look-ups than one interpreter can make.
CONNECTIONS = 16
# A crowd waits for its turn: that is no failure of the store. It ends when the breaker
# opens, since each failure gives a connection free.
_MAX_QUEUE_S = 10.0
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
    timeout_s: float = 0.2

    def __str__(self) -> str:
        """Give the URL without credentials; its options may hold some, too."""
        scheme, _, rest = self.url.partition("://")
        return f"{scheme}://{rest.rpartition('@')[2].partition('?')[0]}"


class _Connection:
    """One socket, its reader, and how many replies nobody waited for."""

    __slots__ = ("owed", "reader", "sock", "timeout_s")

    def __init__(self, sock: socket.socket, timeout_s: float) -> None:
        self.sock = sock
        self.timeout_s = timeout_s
        self.reader = hiredis.Reader()
        self.owed = 0


class Wire:
    """A fixed number of connections to one server, opened when they are needed.

    More callers than connections wait for one: a hundred sessions that ask at once
    would otherwise starve the server of the CPU that it needs to answer them.
    """

    def __init__(self, endpoint: Endpoint, breaker: Breaker | None = None) -> None:
        """Send nothing yet.

        Args:
            endpoint: where the server is.
            breaker: a caller that had to wait for a connection gives up if it opened
                meanwhile: the ones before it found nobody.
        """
        self.endpoint = endpoint
        self._breaker = breaker
        self._dialler = Dialler(endpoint.url, endpoint.timeout_s)
        self._slots: SimpleQueue[_Connection | None] = SimpleQueue()
        for _ in range(CONNECTIONS):
            self._slots.put(None)

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
            GivenUp: the breaker opened meanwhile.
        """
        connection = self._take()
        pooled = connection is not None
        try:
            if connection is None:
                connection = self._dial()
            try:
                replies = _exchange(connection, commands, count)
            except StoreUnavailable:
                if not pooled:
                    raise
                # The server was restarted: a new connection may find it again.
                connection = self._dial()
                replies = _exchange(connection, commands, count)
            for reply in replies:
                if type(reply) is hiredis.ReplyError and _is_elsewhere(reply):
                    # A demoted server keeps its connections. New ones follow the name
                    # or the address to where it leads now.
                    connection.sock.close()
                    self.close()
                    break
            return replies
        finally:
            self._put(connection)

    def post(self, commands: bytes, count: int) -> None:
        """Send packed commands; whoever uses the connection next skips the replies.

        Raises:
            StoreError: the commands could not be sent.
        """
        connection = self._take()
        try:
            if connection is None:
                connection = self._dial()
            _send(connection, commands)
            connection.owed += count
        finally:
            self._put(connection)

    def close(self) -> None:
        """Drop the connections that nobody uses now."""
        for _ in range(CONNECTIONS):
            try:
                connection = self._slots.get_nowait()
            except Empty:
                return
            if connection is not None:
                connection.sock.close()
            self._slots.put(None)

    def _take(self) -> _Connection | None:
        """A free slot: an open connection, or None where one must be dialled."""
        try:
            return self._slots.get_nowait()
        except Empty:
            pass
        try:
            slot = self._slots.get(timeout=_MAX_QUEUE_S)
        except Empty:
            raise StoreTimeout("all connections are in use") from None
        if self._breaker is not None and not self._breaker.closed:
            self._slots.put(slot)
            raise GivenUp("given up while waiting for a connection")
        return slot

    def _put(self, connection: _Connection | None) -> None:
        alive = connection is not None and connection.sock.fileno() >= 0
        self._slots.put(connection if alive else None)

    def _dial(self) -> _Connection:
        try:
            connection = _Connection(self._dialler.open(), self.endpoint.timeout_s)
        except TimeoutError as error:
            raise StoreTimeout(f"{self.endpoint}: no connection in time") from error
        except OSError as error:
            raise StoreUnavailable(
                f"{self.endpoint}: {error.strerror or error}"
            ) from error
        greeting = _greeting(self._dialler.options, self.endpoint.password)
        if greeting:
            try:
                for reply in _exchange(connection, b"".join(greeting), len(greeting)):
                    raise_for(reply, str(self.endpoint))
            except StoreError as error:
                connection.sock.close()
                if isinstance(error, ScriptError):
                    # A database that does not exist.
                    raise StoreRefused(str(error)) from None
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
        # A server repeats what it does not know, and that may be a password.
        text = str(reply).partition(", with args")[0]
        word = text.partition(" ")[0]
        if word == "NOAUTH" or _UNAUTHENTICATED in text:
            raise StoreRefused(f"{context}: {WANTS_PASSWORD}")
        if word in _REFUSED:
            raise StoreRefused(f"{context}: {text}")
        if word in _UNAVAILABLE or any(part in text for part in _UNAVAILABLE_TEXTS):
            raise StoreUnavailable(f"{context}: {text}")
        raise ScriptError(f"{context}: {text}")
    return reply


def _is_elsewhere(error: Reply) -> bool:
    text = str(error)
    # Redis 6 tells a script's error within another one.
    return text.startswith(_ELSEWHERE) or "-READONLY" in text


def is_wrong_type(reply: Reply) -> bool:
    """Whether a key holds another type than ours: an operator's slip, not an outage."""
    return isinstance(reply, hiredis.ReplyError) and str(reply).startswith("WRONGTYPE")


def is_unknown_script(reply: Reply) -> bool:
    """Whether the server does not know the script (yet, or after a restart)."""
    return isinstance(reply, hiredis.ReplyError) and str(reply).startswith("NOSCRIPT")


def _greeting(options: dict[str, Any], password: str) -> list[bytes]:
    commands: list[Sequence[str]] = []
    secret = options.get("password") or password
    if secret:
        commands.append(("AUTH", options.get("username", DEFAULT_USER), secret))
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
    deadline_s = monotonic() + connection.timeout_s
    asked = False
    try:
        while len(replies) < wanted:
            reply = reader.gets()
            if reply is not False:
                replies.append(reply)
            elif asked and monotonic() > deadline_s:
                # It came in pieces, each of them in time.
                raise StoreTimeout("no whole answer within the budget")
            else:
                asked = True
                reader.feed(_receive(connection.sock))
    except _NONSENSE as error:
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

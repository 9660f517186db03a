"""A redis-py client with our patience: explicit time-outs, no retries of its own.

redis-py 5 and later retry by themselves: against a stopped server, a call with a
time-out of 250 ms took 7.7 s. This client is for the keeper and for commands; messages
go by `wire`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import hiredis
import redis
from redis.backoff import NoBackoff
from redis.exceptions import BusyLoadingError, MasterDownError, ReadOnlyError
from redis.retry import Retry

from outgate.store.resp import pack
from outgate.store.trouble import Client
from outgate.store.wire import DEFAULT_USER, Endpoint, Reply, Wire

# Nobody's mail waits for the keeper or for a command.
_PATIENCE_S = 1.0


def connect(endpoint: Endpoint, patience_s: float = _PATIENCE_S) -> Client:
    """Build a client; nothing is sent yet.

    Args:
        endpoint: where the store is.
        patience_s: for one answer, where the endpoint has less.
    """
    patience_s = max(endpoint.timeout_s, patience_s)
    options: dict[str, Any] = {}
    if endpoint.password:
        options |= {"username": DEFAULT_USER, "password": endpoint.password}
    if not endpoint.url.startswith("unix:"):
        # redis-py 4 does not know it for unix sockets.
        options["socket_connect_timeout"] = patience_s
    return redis.Redis.from_url(
        endpoint.url,
        socket_timeout=patience_s,
        retry=Retry(NoBackoff(), 0),
        # Not tried again, but the connection is closed: a demoted server would keep it,
        # and a new one goes where the name or the address leads now.
        retry_on_error=[ReadOnlyError, BusyLoadingError, MasterDownError],
        client_name="outgate",
        **options,
    )


@dataclass(frozen=True, slots=True)
class Answer:
    """A reply, as redis-cli prints it to a pipe, and whether it is an error."""

    lines: tuple[str, ...]
    is_error: bool


def command(endpoint: Endpoint, words: Sequence[str]) -> Answer:
    """Send one command.

    Raises:
        StoreError: the server did not answer.
    """
    wire = Wire(replace(endpoint, timeout_s=max(endpoint.timeout_s, _PATIENCE_S)))
    (reply,) = wire.call(pack([word.encode() for word in words]), 1)
    wire.close()
    return Answer(tuple(_lines(reply)), isinstance(reply, hiredis.ReplyError))


def _lines(reply: Reply) -> Iterator[str]:
    match reply:
        case None:
            yield ""
        case bytes():
            yield reply.decode("utf-8", "backslashreplace")
        case list():
            for item in reply:
                yield from _lines(item)
        case _:
            yield str(reply)

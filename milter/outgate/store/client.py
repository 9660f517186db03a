"""A redis-py client with our patience: explicit time-outs, no retries of its own.

redis-py 5 and later retry by themselves: against a stopped server, a call with a
time-out of 250 ms took 7.7 s. This client is for the keeper and for commands; messages
go by `wire`.
"""

from collections.abc import Iterator, Sequence

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from outgate.store.trouble import Client, as_store_error
from outgate.store.wire import Endpoint


def connect(endpoint: Endpoint) -> Client:
    """Build a client; nothing is sent yet."""
    options = {"password": endpoint.password} if endpoint.password else {}
    return redis.Redis.from_url(
        endpoint.url,
        socket_timeout=max(endpoint.timeout_s, 1.0),
        socket_connect_timeout=max(endpoint.timeout_s, 1.0),
        retry=Retry(NoBackoff(), 0),
        client_name="outgate",
        **options,
    )


def command(endpoint: Endpoint, words: Sequence[str]) -> Iterator[str]:
    """Send one command; gives the reply as redis-cli prints it, line by line.

    Raises:
        StoreError: the server did not answer or refused.
    """
    try:
        reply = connect(endpoint).execute_command(*_raw(words))
    except redis.ResponseError as error:
        yield f"(error) {error}"
        return
    except redis.RedisError as error:
        raise as_store_error(error) from error
    yield from _lines(reply)


def _raw(words: Sequence[str]) -> list[str]:
    # redis-py rewrites replies of commands that it knows by their upper-case name.
    return [words[0].lower(), *words[1:]]


def _lines(reply: object) -> Iterator[str]:
    match reply:
        case None:
            yield "(nil)"
        case bytes():
            yield reply.decode("utf-8", "backslashreplace")
        case dict():
            for name, value in reply.items():
                yield from _lines(name)
                yield from _lines(value)
        case list() | tuple() | set():
            for item in reply:
                yield from _lines(item)
        case _:
            yield str(reply)

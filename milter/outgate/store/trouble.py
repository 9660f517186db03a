"""What redis-py's exceptions mean to us; none of them crosses the room's wall."""

import re
from typing import Any

import redis

from outgate.model.errors import (
    ScriptError,
    StoreError,
    StoreRefused,
    StoreTimeout,
    StoreUnavailable,
)

Client = Any
"""A redis-py client: its type cannot say that replies are bytes here."""

WANTS_PASSWORD = "NOAUTH: the store wants a password: [store] password-file"  # noqa: S105
# redis-py 5 and later begin by HELLO, and show what that one is told.
_NO_PASSWORD = ("NOAUTH", "HELLO must be called", "Authentication required")
# A pipeline shows the command that failed: keys, and hashes of people.
_COMMAND = re.compile(r"Command # \d+ \(.*\) of pipeline caused error: ", re.DOTALL)
_NOBODY = re.compile(
    r"Error -?\d+ connecting to (?:unix socket: )?(?P<where>\S+?)\. (?P<why>.+?)\.?"
)


def as_store_error(error: redis.RedisError) -> StoreError:
    """What an exception of redis-py means to us."""
    # A server repeats what it does not know, and that may be a password.
    text = _COMMAND.sub("", str(error)).partition(", with args")[0]
    text = text or type(error).__name__
    if text.startswith(_NO_PASSWORD):
        return StoreRefused(WANTS_PASSWORD)
    if nobody := _NOBODY.fullmatch(text):
        scheme = "unix" if nobody["where"].startswith("/") else "redis"
        return StoreUnavailable(f"{scheme}://{nobody['where']}: {nobody['why']}")
    if isinstance(error, redis.TimeoutError):
        return StoreTimeout(text)
    if isinstance(
        error, redis.AuthenticationError | redis.exceptions.NoPermissionError
    ) or text.startswith(("NOPERM", "WRONGPASS", "invalid username")):
        return StoreRefused(text)
    if text.startswith("WRONGTYPE"):
        return ScriptError(text)
    return StoreUnavailable(text)


def run(pipeline: Client) -> list[Any]:
    """Send a pipeline; gives all replies.

    Raises:
        redis.RedisError: the server did not answer, or the first refusal of a command in
            its own words: redis-py would put the command before them, with all that the
            store is told of recipients.
    """
    replies = list(pipeline.execute(raise_on_error=False))
    for reply in replies:
        if isinstance(reply, Exception):
            raise reply
    return replies

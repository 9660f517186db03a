"""What redis-py's exceptions mean to us; none of them crosses the room's wall."""

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


def as_store_error(error: redis.RedisError) -> StoreError:
    """What an exception of redis-py means to us."""
    # A server repeats what it does not know, and that may be a password.
    text = str(error).partition(", with args")[0] or type(error).__name__
    if isinstance(error, redis.TimeoutError):
        return StoreTimeout(text)
    if isinstance(
        error, redis.AuthenticationError | redis.exceptions.NoPermissionError
    ) or text.startswith(("NOPERM", "NOAUTH", "WRONGPASS", "invalid username")):
        return StoreRefused(text)
    if text.startswith("WRONGTYPE"):
        return ScriptError(text)
    return StoreUnavailable(text)

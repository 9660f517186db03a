"""Claims: one of several hosts tells something, and then nobody for a while.

A claim is short while its host sends, since that host may die meanwhile, and long once
the thing is told.
"""

import redis

from outgate.store.trouble import Client, as_store_error


class Claims:
    """Keys that say who told what lately; `Keys` spells them."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def claim(self, key: str, ttl_s: int) -> bool:
        """Whether this host may tell it now; nobody else may for so long.

        Raises:
            StoreError: the store did not answer.
        """
        try:
            return bool(self._client.set(key, "sent", nx=True, ex=max(1, ttl_s)))
        except redis.RedisError as error:
            raise as_store_error(error) from error

    def keep(self, key: str, ttl_s: int) -> None:
        """Note that it is told: nobody tells it again for so long.

        Raises:
            StoreError: the store did not answer.
        """
        try:
            self._client.set(key, "sent", ex=max(1, ttl_s))
        except redis.RedisError as error:
            raise as_store_error(error) from error

    def forget(self, key: str) -> None:
        """Give the claim back: it could not be told.

        Raises:
            StoreError: the store did not answer.
        """
        try:
            self._client.delete(key)
        except redis.RedisError as error:
            raise as_store_error(error) from error

"""Whether a customer has mailed anybody, for commands."""

import redis

from outgate.store.keys import Keys, safe
from outgate.store.trouble import Client, as_store_error


def has_mailed(customer: str, client: Client, keys: Keys) -> bool:
    """Whether mail of a customer of this name has left in the last 57 weeks.

    Raises:
        StoreError: the store did not answer.
    """
    try:
        return bool(client.exists(keys.contacts(safe(customer))))
    except redis.RedisError as error:
        raise as_store_error(error) from error

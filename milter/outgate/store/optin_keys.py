"""Keys that sign opt-in tokens: registered, listed and revoked by commands.

The keeper writes each change into the audit stream, as it does for what is set by hand,
and hands the keys to the workers of its host: within a second or two.
"""

import redis

from outgate.policy.optin_keys import OptinKey, parse_key, revoked
from outgate.store.keys import Keys
from outgate.store.scripts import Script
from outgate.store.trouble import Client, as_store_error


class OptinKeys:
    """The hash of keys, for commands."""

    def __init__(self, client: Client, keys: Keys) -> None:
        self._client = client
        self._keys = keys
        self._replace = Script.load("replace_order")

    def all(self) -> list[OptinKey]:
        """Every key, by name, broken ones included.

        Raises:
            StoreError: the store did not answer.
        """
        try:
            fields = self._client.hgetall(self._keys.optin_keys)
        except redis.RedisError as error:
            raise as_store_error(error) from error
        return sorted(
            (parse_key(_text(name), value) for name, value in fields.items()),
            key=lambda key: key.name,
        )

    def add(self, key: OptinKey) -> bool:
        """Register a new key; False where there is one of that name already.

        A name stays one key's for ever: whoever replaces a key takes another selector.

        Raises:
            StoreError: the store did not answer.
        """
        try:
            added = self._client.hsetnx(self._keys.optin_keys, key.name, str(key))
        except redis.RedisError as error:
            raise as_store_error(error) from error
        return bool(added)

    def revoke(self, name: str, now_us: int, by: str) -> OptinKey | None:
        """End a key: its tokens count no more, whenever they were signed.

        One that was revoked already stays as it is; one that is to end later, or that
        cannot be read, is revoked now.

        Args:
            name: `<issuer>:<selector>`.
            now_us: since when.
            by: who says so, "" where not said.

        Returns:
            The key as it is now; None where there is none.

        Raises:
            StoreError: the store did not answer.
        """
        text = self._replace.text.decode()
        place = self._keys.optin_keys
        try:
            while (raw := self._client.hget(place, name)) is not None:
                old = parse_key(name, raw)
                if 0 < old.revoked_us <= now_us:
                    return old
                new = revoked(name, raw, now_us, by).encode("utf-8", "replace")
                # Tried again where somebody changed it meanwhile.
                if self._client.eval(text, 1, place, name, raw, new):
                    return parse_key(name, new)
        except redis.RedisError as error:
            raise as_store_error(error) from error
        return None


def _text(name: bytes) -> str:
    return name.decode("utf-8", "backslashreplace")

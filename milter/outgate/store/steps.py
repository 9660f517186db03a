"""One call of `optin.lua`: one event of one subscription.

The order of keys and arguments is that of the contract in the file; a test compares
both.
"""

from enum import StrEnum
from typing import NamedTuple

from outgate.model.optin_order import MAX_AHEAD_US
from outgate.store.keys import Keys

KEY_COUNT = 2


class Mode(StrEnum):
    """What `optin.lua` is to do."""

    APPLY = "apply"
    ERASE = "erase"
    REMOVE = "remove"


class Step(NamedTuple):
    """One call of the script.

    Attributes:
        list_id: lower case.
        bucket: of the list.
        field: keyed hash of the subscriber.
        record: packed, b"" where the mode needs none.
        evidence: with its precedence, sealed; b"" for none.
    """

    list_id: str
    bucket: int
    field: bytes
    record: bytes = b""
    evidence: bytes = b""

    def arguments(self, keys: Keys, mode: Mode, now: str) -> tuple[bytes, ...]:
        """Keys and arguments, in the order of the contract.

        Args:
            keys: of our namespace.
            mode: what is to be done.
            now: microseconds since the epoch; "" for the server's time.
        """
        return (
            keys.optin(self.list_id, self.bucket).encode(),
            keys.evidence(self.list_id, self.bucket).encode(),
            now.encode(),
            mode.value.encode(),
            self.field,
            self.record,
            self.evidence,
            b"%d" % MAX_AHEAD_US,
        )

"""Whether the store is ours to use: claimed when it is empty, left alone when it is not.

The check at the daemon's start may have found nobody, and a store that comes back may be
another one: so the keeper looks each time that the store comes, and once in a while.
"""

import time

from outgate.daemon.refusal import Refusal
from outgate.log.lines import Log
from outgate.metrics import names
from outgate.metrics.status import Status
from outgate.model.errors import ScriptError, StartError
from outgate.store.durability import Way
from outgate.store.keys import Keys
from outgate.store.schema import inspect
from outgate.store.trouble import Client

_EVERY_S = 10.0


class Standing:
    """What the last look said.

    Attributes:
        ours: whether the store may be used.
        why: it may not; "" where it may, or where nobody knows.
    """

    def __init__(
        self,
        client: Client,
        keys: Keys,
        key_id: str,
        refusal: Refusal,
        log: Log,
        status: Status,
        *,
        is_embedded: bool,
    ) -> None:
        self._is_embedded = is_embedded
        self._client = client
        self._keys = keys
        self._key_id = key_id
        self._refusal = refusal
        self._log = log
        self._status = status
        self._next_s = 0.0
        self._evicts = ""
        self.ours = False
        self.why = ""

    def forget(self) -> None:
        """Note that the store went away: who comes back may be somebody else."""
        self._next_s = 0.0
        self.ours = False

    def check(self) -> None:
        """Look, if it is time to.

        Raises:
            StoreError: the store did not answer.
            OSError: the mark for the workers cannot be set.
        """
        if time.monotonic() < self._next_s:
            return
        self.ours = False
        try:
            server = inspect(
                self._client,
                self._keys,
                self._key_id,
                is_embedded=self._is_embedded,
            )
        except (StartError, ScriptError) as error:
            self._refuse(str(error))
            return
        if server.evicts != self._evicts:
            self._evicts = server.evicts
            if server.evicts:
                self._log.error("store-evicts", policy=server.evicts)
        self._status.put(names.STORE_DURABLE, float(server.way is not Way.NONE))
        if self.why:
            self._log.warning("store-accepted")
        self.why = ""
        self._status.put(names.STORE_REFUSED, 0)
        self._refusal.clear()
        self._next_s = time.monotonic() + _EVERY_S
        self.ours = True

    def _refuse(self, why: str) -> None:
        if why != self.why:
            self._log.error("store-refused", message=why)
        self.why = why
        self._status.put(names.STORE_REFUSED, 1)
        self._refusal.set(why)

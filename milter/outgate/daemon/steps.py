"""The steps of a keeper's round: what one of them raises stops no other.

An outage of the store is no failure of a step: it passes, and whoever runs the round
skips the rest of what needs the store.
"""

import traceback
from collections.abc import Callable

from outgate.log.lines import Log
from outgate.metrics import names
from outgate.metrics.status import Status
from outgate.model.errors import ScriptError, StoreError


class Steps:
    """Runs them, counts and logs what they raise."""

    def __init__(self, log: Log, status: Status) -> None:
        self._log = log
        self._status = status
        self._failures: dict[str, int] = {}
        self._last: dict[str, str] = {}

    def run(self, step: str, do: Callable[[], object]) -> bool:
        """Run one step, a word of `outgate_keeper_errors_total`; True if it went well.

        Raises:
            StoreError: the store is away.
        """
        try:
            do()
        except Exception as error:
            away = isinstance(error, StoreError) and not isinstance(error, ScriptError)
            if away:
                raise
            self._note(step, error)
            return False
        self._last.pop(step, None)
        return True

    def _note(self, step: str, error: Exception) -> None:
        self._failures[step] = self._failures.get(step, 0) + 1
        self._status.put(names.KEEPER_ERRORS, self._failures[step], step)
        # A full disk fails each second in the same way: it is told once.
        if self._last.get(step) == repr(error):
            return
        self._last[step] = repr(error)
        self._log.error(
            "keeper-step-failed", step=step, traceback=traceback.format_exc()
        )

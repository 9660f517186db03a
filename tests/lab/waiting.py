"""Waiting for something to become true, with a deadline and a name for it.

Raises `TimeoutError` with the name of what did not happen, so that a slow machine
and a broken server can be told apart by reading the failure.
"""

import time
from collections.abc import Callable

# Long enough for a loaded two-core machine; a healthy wait ends in milliseconds.
PATIENCE = 10.0

_PAUSE = 0.01


def wait_until(
    condition: Callable[[], object], what: str, *, seconds: float = PATIENCE
) -> None:
    """Return once `condition` is true; `what` names it, as in "Postfix listens"."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {seconds:g} s: {what}")
        time.sleep(_PAUSE)

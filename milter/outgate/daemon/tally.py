"""What happened to the daemon's processes so far; the keeper makes metrics of it."""

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from outgate.daemon.children import Child


@dataclass(slots=True)
class Tally:
    """Counts since the daemon's start, told to the keeper by a file.

    Attributes:
        restarts: by role, of processes that died.
        reloads: by result.
    """

    path: Path
    restarts: dict[str, int] = field(
        default_factory=lambda: {"worker": 0, "keeper": 0, "store": 0}
    )
    reloads: dict[str, int] = field(default_factory=lambda: {"ok": 0, "failed": 0})
    _written: str = ""

    def write(
        self, children: Iterable[Child], generation: int, *, serving: bool
    ) -> None:
        """Write the file if anything changed; by rename, so nobody reads half of it.

        Raises:
            OSError: the runtime directory cannot be written.
        """
        states = Counter(
            child.state.value for child in children if child.role == "worker"
        )
        text = json.dumps(
            {
                "workers": states,
                "restarts": self.restarts,
                "reloads": self.reloads,
                "generation": generation,
                "serving": serving,
            },
            sort_keys=True,
        )
        if text == self._written:
            return
        fresh = self.path.with_suffix(".new")
        fresh.write_text(text)
        fresh.replace(self.path)
        self._written = text

"""What became of the daemon so far; the keeper makes metrics of it, `doctor` findings."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from outgate.daemon.children import Child
from outgate.daemon.running import ServedSocket


@dataclass(slots=True)
class Tally:
    """Counts since the daemon's start, and what is in force, told by a file.

    Attributes:
        in_force: table of the configuration to its digest (`running.digests`).
        restarts: by role, of processes that died.
        reloads: by result.
        refused: problems of the last reload, none where it was not refused.
    """

    path: Path
    in_force: Mapping[str, str]
    restarts: dict[str, int] = field(
        default_factory=lambda: {"worker": 0, "keeper": 0, "store": 0}
    )
    reloads: dict[str, int] = field(default_factory=lambda: {"ok": 0, "failed": 0})
    refused: list[str] = field(default_factory=list)
    _written: str = ""

    def write(
        self,
        children: Iterable[Child],
        sockets: Iterable[ServedSocket],
        generation: int,
        *,
        serving: bool,
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
                "refused": self.refused,
                "in-force": dict(self.in_force),
                "sockets": [asdict(one) for one in sockets],
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

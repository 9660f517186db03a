"""How the MTA of this host calls itself.

The store is shared, and so are the records of what is held: an empty queue here says
nothing about another host's messages. A name is this host's when both are true: a
message was held under it by a worker of this host, and the queue listing of this host
has shown a message of that name. The second matters where the MTA that speaks to this
host runs on another one, or where there are two MTAs here.
"""

import json
import threading
from collections.abc import Iterable, Mapping
from pathlib import Path


class MtaNames:
    """One file in the state directory, shared by keepers that follow each other.

    Two threads of a keeper use it.
    """

    def __init__(self, path: Path, configured: str) -> None:
        self._path = path
        self._configured = configured
        self._lock = threading.Lock()
        self._seen: frozenset[str] = frozenset()
        self._listed: frozenset[str] = frozenset()

    def learn(self, name: str) -> None:
        """Note under which name a worker of this host had a message held."""
        with self._lock:
            self._seen |= {name}

    @property
    def seen(self) -> frozenset[str]:
        """Names under which messages were held here, or the configured one."""
        return frozenset({self._configured}) if self._configured else self._seen

    def own(
        self, records: Iterable[Mapping[str, str]], listed: frozenset[str]
    ) -> frozenset[str]:
        """Names whose messages the listing of this host would show.

        Args:
            records: of all hosts.
            listed: queue ids in the hold queue of this host.
        """
        if self._configured:
            return self.seen
        with self._lock:
            self._listed |= {
                record["mta"]
                for record in records
                if record["mta"] in self._seen and record["queue-id"] in listed
            }
            return self._listed

    def sync(self) -> None:
        """Read what another keeper has learned, and write what this one has.

        Raises:
            OSError: the state directory cannot be written.
        """
        try:
            document = json.loads(self._path.read_text())
            seen, listed = frozenset(document["seen"]), frozenset(document["listed"])
        except (OSError, ValueError, KeyError, TypeError):
            seen = listed = frozenset()
        with self._lock:
            self._seen |= seen
            self._listed |= listed
            known = (self._seen, self._listed)
        if (seen, listed) != known:
            document = {"seen": sorted(known[0]), "listed": sorted(known[1])}
            fresh = self._path.with_suffix(".new")
            fresh.write_text(json.dumps(document))
            fresh.replace(self._path)

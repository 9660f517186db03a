"""The file through which the keeper and the workers of a host share operator state.

The keeper writes it whole, by rename; workers read it when its modification time has
changed. It outlives the daemon, so that a start without the store still knows whom to
hold. Raw values are kept as they were typed: workers read them with the same parser.
"""

import json
from base64 import b64decode, b64encode
from collections.abc import Mapping
from pathlib import Path

from outgate.policy.grace import NO_DEADLINES, Deadline, ListKey
from outgate.policy.operator import Order, parse_entry
from outgate.policy.optin_keys import parse_key
from outgate.policy.snapshot import EMPTY, Snapshot

Hashes = Mapping[Order, Mapping[str, bytes]]

NO_OPTIN_KEYS: Mapping[str, bytes] = {}

# What a file raises that is missing, or is not what `write` wrote.
_BROKEN = (OSError, ValueError, KeyError, TypeError, AttributeError, OverflowError)


class LocalCopy:
    """One file, and what it said when it was last read."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stamp: tuple[int, int] | None = None
        self._snapshot = EMPTY

    def snapshot(self) -> Snapshot:
        """What was read last."""
        return self._snapshot

    def refresh(self) -> bool:
        """Read the file again if it has changed; True if it had.

        A file that is missing or broken changes nothing: the last good copy stays.
        """
        try:
            status = self._path.stat()
            stamp = (status.st_mtime_ns, status.st_ino)
            if stamp == self._stamp:
                return False
            document = json.loads(self._path.read_bytes())
            snapshot = Snapshot.build(
                (
                    parse_entry(Order(order), name, b64decode(value, validate=True))
                    for order, fields in document["orders"].items()
                    for name, value in fields.items()
                ),
                int(document["hosts"]),
                [
                    parse_key(name, b64decode(value, validate=True))
                    # Not in what an older Outgate left.
                    for name, value in document.get("optin-keys", {}).items()
                ],
                {
                    (str(customer), str(list_id)): Deadline(
                        int(until_us), str(by), int(first_us)
                    )
                    for customer, list_id, until_us, by, first_us in document.get(
                        "deadlines", ()
                    )
                },
            )
        except _BROKEN:
            return False
        self._stamp = stamp
        self._snapshot = snapshot
        return True

    def write(
        self,
        hashes: Hashes,
        hosts: int,
        optin_keys: Mapping[str, bytes] = NO_OPTIN_KEYS,
        deadlines: Mapping[ListKey, Deadline] = NO_DEADLINES,
    ) -> None:
        """Replace the file.

        Raises:
            OSError: the directory cannot be written.
        """
        document = {
            "hosts": hosts,
            "orders": {
                order.value: {
                    name: b64encode(value).decode() for name, value in fields.items()
                }
                for order, fields in hashes.items()
            },
            "optin-keys": {
                name: b64encode(value).decode() for name, value in optin_keys.items()
            },
            "deadlines": sorted([*key, *one] for key, one in deadlines.items()),
        }
        text = json.dumps(document, sort_keys=True)
        try:
            if self._path.read_text() == text:
                return
        except (OSError, ValueError):
            pass
        fresh = self._path.with_suffix(".new")
        fresh.write_text(text)
        fresh.replace(self._path)

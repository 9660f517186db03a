"""How far an import has come, on disk: it goes on there after whatever stopped it.

One file for each (file, list, format, zone): whoever imports a file again is told so. It
holds numbers, and lines and columns of the first rejected rows; nothing of any cell. It
is good for the store alone that the rows were written to: once that was emptied, or is
another one, they have to be written again.
"""

import json
import os
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from outgate.evidence.folders import Folder
from outgate.evidence.report import Report
from outgate.model.errors import EX_CANTCREAT, StartError

_VERSION = 2
ANOTHER_STORE = (
    "what is noted of this import was written to another store, or the store has lost "
    "its data since: it begins anew"
)


@dataclass(slots=True)
class Progress:
    """How far one import has come.

    Attributes:
        records: how many are done, counted from the beginning of the first text.
        is_finished: whether that was all.
        rejects: by hash of its head, how long each file of rejects is.
        why_anew: why what is noted does not count; "" where it does, or nothing is.
    """

    records: int = 0
    is_finished: bool = False
    rejects: dict[str, int] = field(default_factory=dict)
    report: Report = field(default_factory=Report)
    why_anew: str = ""


class ProgressFile:
    """Where it is noted."""

    def __init__(self, folder: Folder, *parts: str, store_id: str = "") -> None:
        """Name the file.

        Args:
            folder: of all imports, made where it is absent.
            parts: what makes an import another one: hash of the file, list, format, …
            store_id: of the store that rows are written to.
        """
        name = sha256("\n".join(parts).encode("utf-8", "surrogateescape")).hexdigest()
        self._folder = folder
        self.path = folder.path / f"{name[:32]}.json"
        self._store = sha256(store_id.encode()).hexdigest()[:32]
        self._noted: dict[str, Any] = self._value(Progress())
        self._begun: list[str] = []

    def read(self) -> Progress:
        """How far it came; the beginning where nothing is known."""
        try:
            value = json.loads(self.path.read_bytes())
            if value["version"] != _VERSION:
                return Progress()
            if value["store"] != self._store:
                return self._anew(value)
            self._noted = value
            return Progress(
                records=int(value["records"]),
                is_finished=bool(value["finished"]),
                rejects=dict(value["rejects"]),
                report=Report.from_noted(value["report"]),
            )
        except (OSError, ValueError, KeyError, TypeError):
            # Again from the beginning does no harm.
            return Progress()

    def forget(self) -> None:
        """Begin anew next time."""
        self.path.unlink(missing_ok=True)
        self._noted = self._value(Progress())

    def _anew(self, value: dict[str, Any]) -> Progress:
        """From the beginning; files of rejects that it had begun are written again."""
        rejects = {} if value["finished"] else dict.fromkeys(value["rejects"], 0)
        return Progress(rejects=rejects, why_anew=ANOTHER_STORE)

    def begin_rejects(self, head: str) -> None:
        """Note that there is a file of rejects now, with nothing in it.

        Args:
            head: hash of its first line.

        Raises:
            StartError: it cannot be written.
        """
        self._begun.append(head)
        self._noted["rejects"] = {**self._noted["rejects"], head: 0}
        self._write(self._noted)

    def write(self, progress: Progress) -> None:
        """Note it, whole or not at all.

        Raises:
            StartError: it cannot be written.
        """
        # As text, so that what is counted further is not in it.
        value = json.loads(json.dumps(self._value(progress)))
        # A file of rejects may be younger than what is noted now.
        value["rejects"] = {**dict.fromkeys(self._begun, 0), **value["rejects"]}
        self._noted = value
        self._write(self._noted)

    def _write(self, value: dict[str, Any]) -> None:
        beside = self.path.with_suffix(".new")
        try:
            self._folder.make()
            # Of a process that was killed; a link there is not followed.
            beside.unlink(missing_ok=True)
            descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w") as file:
                self._folder.own(descriptor)
                json.dump(value, file)
            beside.replace(self.path)
        except OSError as error:
            raise StartError(
                f"{self.path} cannot be written: {error.strerror}", EX_CANTCREAT
            ) from error

    def _value(self, progress: Progress) -> dict[str, Any]:
        return {
            "version": _VERSION,
            "store": self._store,
            "records": progress.records,
            "finished": progress.is_finished,
            "rejects": progress.rejects,
            "report": progress.report.as_noted(),
        }

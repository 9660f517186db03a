"""What is seen only in a whole file, before anything of it is believed.

- whether it can be read to its end at all;
- whether times say no zone, while nobody declared one: then nothing is imported;
- which lists it speaks of;
- where different addresses were confirmed from one client within one second.

Memory is flat: crowds are in a scratch database.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import NamedTuple, Self

from outgate.evidence.flag import MEANINGS, Effect
from outgate.evidence.format import Ask, Format
from outgate.evidence.moments import ZoneMissing
from outgate.evidence.reading import Source
from outgate.evidence.record import Record, Records, RowRejected
from outgate.evidence.row import Row
from outgate.evidence.scratch import Scratch
from outgate.model.errors import SourceError

# So many names of lists are kept; with more of them, one must be chosen anyway.
MAX_LISTS = 50
_BATCH = 2_000
# Crowds that fit into memory: 16 MiB of it.
_MAX_CROWDS_HELD = 200_000


class Reading(NamedTuple):
    """One record, and what a format made of it.

    Attributes:
        row: None where the record speaks of something else, or was rejected.
        rejected: why, None where it was not.
    """

    source: Source
    records: Records
    record: Record
    row: Row | None
    rejected: RowRejected | None


def readings(
    kind: Format,
    sources: Sequence[Source],
    ask: Ask,
    progress: Callable[[int], None] | None = None,
) -> Iterator[Reading]:
    """Read all records of all texts, one after the other.

    Raises:
        SourceError: a text cannot be read to its end.
    """
    # One reader for all of them: what belongs together may stand in two parts of a log.
    read = kind.begin(ask)
    for source in sources:
        records = kind.records(source, progress)
        for record in kind.divided(records):
            row, rejected = None, None
            if record.broken:
                rejected = RowRejected(record.broken)
            else:
                try:
                    row = read(record)
                except RowRejected as reason:
                    rejected = reason
            yield Reading(source, records, record, row, rejected)


@dataclass
class Crowds:
    """Which clients confirmed different addresses within one second."""

    _scratch: Scratch = field(default_factory=Scratch)
    _batch: list[tuple[int, int]] = field(default_factory=list)
    _held: set[int] | None = None

    def __post_init__(self) -> None:
        self._scratch.run(
            "CREATE TABLE crowd (pair INTEGER PRIMARY KEY, address INTEGER, "
            "many INTEGER NOT NULL DEFAULT 0)"
        )

    def add(self, row: Row) -> None:
        """Take notice of a row."""
        if pair := _pair_of(row):
            self._batch.append((pair, hash(row.address.lower())))
            if len(self._batch) >= _BATCH:
                self._write()

    def close_list(self) -> None:
        """No row is added any more."""
        self._write()
        found = self._scratch.one("SELECT COUNT(*) FROM crowd WHERE many")
        if found and int(str(found[0])) <= _MAX_CROWDS_HELD:
            pairs = self._scratch.all("SELECT pair FROM crowd WHERE many")
            self._held = {int(str(pair)) for (pair,) in pairs}

    def has(self, row: Row) -> bool:
        """Whether a row is one of several."""
        pair = _pair_of(row)
        if not pair:
            return False
        if self._held is not None:
            return pair in self._held
        found = self._scratch.one("SELECT many FROM crowd WHERE pair = ?", (pair,))
        return bool(found and found[0])

    def forget(self) -> None:
        """Give the memory back."""
        self._scratch.close()

    def _write(self) -> None:
        self._scratch.run_each(
            "INSERT INTO crowd (pair, address) VALUES (?, ?) ON CONFLICT (pair) "
            "DO UPDATE SET many = 1 WHERE address <> excluded.address",
            self._batch,
        )
        self._batch.clear()


def _pair_of(row: Row) -> int:
    if row.confirm is None or not row.confirm_ip:
        return 0
    return hash((row.confirm_ip, row.confirm.second))


@dataclass
class Survey:
    """What a look at all texts found.

    Attributes:
        records: how many there are, rejected ones and others.
        lists: names of lists in them, in the order in which they were met.
    """

    records: int = 0
    lists: dict[str, int] = field(default_factory=dict)
    crowds: Crowds = field(default_factory=Crowds)

    def __enter__(self) -> Self:
        """Give itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Give the memory back."""
        self.crowds.forget()


def survey(
    kind: Format,
    sources: Sequence[Source],
    ask: Ask,
    progress: Callable[[int], None] | None = None,
) -> Survey:
    """Look at all texts.

    Raises:
        SourceError: a text cannot be read to its end, or times say no zone.
    """
    found = Survey()
    with ExitStack() as stack:
        stack.callback(found.crowds.forget)
        _look(found, readings(kind, sources, ask, progress))
        found.crowds.close_list()
        # What is looked up later stays.
        stack.pop_all()
    return found


def _look(found: Survey, all_readings: Iterator[Reading]) -> None:
    without_zone = 0
    first: Reading | None = None
    for reading in all_readings:
        found.records += 1
        if isinstance(reading.rejected, ZoneMissing):
            without_zone += 1
            first = first or reading
        if row := reading.row:
            _note(found, row)
    if first is not None:
        raise _refusal(first, without_zone, found.records)


def _note(found: Survey, row: Row) -> None:
    if row.list_name in found.lists or len(found.lists) < MAX_LISTS:
        found.lists[row.list_name] = found.lists.get(row.list_name, 0) + 1
    if not any(MEANINGS[flag].effect is Effect.LEFT_OUT for flag in row.flags):
        found.crowds.add(row)


def _refusal(first: Reading, without_zone: int, records: int) -> SourceError:
    column = first.rejected.column if first.rejected else ""
    return SourceError(
        f"the time says no zone, and so in {without_zone} of {records} records; nothing "
        "is imported. Say by --tz in which zone the source writes times, such as "
        "--tz Europe/Vienna",
        first.source.name,
        first.record.line,
        column,
    )

"""From a file to the registry: survey, then judge row by row and register in batches.

The survey comes first and may refuse the file as a whole; a dry run judges and writes
nothing. An import notes after each batch how far it has come, where the store says that
the batch is on disk, and goes on there; else it begins anew. What is registered twice is
registered once. A rejected row is counted, and kept in a file of rejects where one is
named; the rows behind it go on.
"""

import json
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, NamedTuple, Protocol

from outgate.evidence.contract import Origin, fields, opt_in
from outgate.evidence.format import Ask, Format
from outgate.evidence.judge import Circumstances, Judged, judge
from outgate.evidence.progress import Progress, ProgressFile
from outgate.evidence.reading import Source
from outgate.evidence.record import RowRejected
from outgate.evidence.rejects import Rejects
from outgate.evidence.report import Report
from outgate.evidence.row import Row
from outgate.evidence.survey import Reading, Survey, readings, survey
from outgate.model.errors import SourceError
from outgate.model.optin import OptIn, State
from outgate.model.recipient import Recipient, is_mailbox

# What is under way is lost, and done again, when a process is killed. Each batch may wait
# a second for the disk, so several wait at once.
BATCH_ROWS = 10_000
BATCHES_UNDER_WAY = 3


class Written(NamedTuple):
    """What became of a batch.

    Attributes:
        new: how many changed what was known.
        is_confirmed: whether the store says that it is on disk.
    """

    new: int
    is_confirmed: bool


class Pending(Protocol):
    """A batch under way."""

    def result(self) -> Written:
        """Wait until it is on disk, where that can be known.

        Raises:
            StoreError: the store did not answer; again does no harm.
        """


class Sink(Protocol):
    """Where consents go."""

    def register(self, optins: Sequence[OptIn]) -> Pending:
        """Begin to keep them, beside some that were given before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What an operator wants.

    Attributes:
        kind: of the file.
        sources: its texts.
        ask: what he said about it.
        list_id: lower case, no brackets.
        origins: of each file.
        source_list: the list as the source calls it; rows of other lists are passed
            over. "" where the source has one list only.
        around: what judging needs.
        recipient: reads an address as messages' recipients are read.
        salt_key: secret, for evidence.
    """

    kind: Format
    sources: Sequence[Source]
    ask: Ask
    list_id: str
    origins: Mapping[Path, Origin]
    source_list: str = ""
    around: Circumstances
    recipient: Callable[[bytes], Recipient]
    salt_key: bytes = b""


@dataclass(slots=True)
class Outlets:
    """Where results go, each of them if it is there.

    Attributes:
        sink: the registry.
        rejects: where the first file of rejects is to be.
        rows: gets each judged row as one line of JSON.
        noted: where it is noted how far the import has come.
        looked, done: are told bytes of text that were surveyed, and judged.
        say: is told what an operator should know before it begins.
    """

    sink: Sink | None = None
    rejects: Path | None = None
    rows: IO[str] | None = None
    noted: ProgressFile | None = None
    looked: Callable[[int], None] | None = None
    done: Callable[[int], None] | None = None
    say: Callable[[str], None] | None = None
    batch: list[OptIn] = field(default_factory=list)


def run(order: Order, outlets: Outlets) -> Report:
    """Survey, judge and register.

    Raises:
        SourceError: the file cannot be read to its end, its times say no zone, or it
            speaks of several lists and none was chosen: nothing is registered.
        StoreError: the store did not answer: what is noted as done is done.
        StartError: a file cannot be written.
    """
    progress = outlets.noted.read() if outlets.noted else Progress()
    if progress.is_finished:
        progress.report.is_earlier = True
        return progress.report
    if progress.why_anew and outlets.say is not None:
        outlets.say(progress.why_anew)
    report = progress.report
    first = progress.records
    with (
        survey(order.kind, order.sources, order.ask, outlets.looked) as found,
        Rejects(
            outlets.rejects,
            progress.rejects,
            outlets.noted.begin_rejects if outlets.noted else None,
        )
        if outlets.rejects
        else nullcontext() as rejects,
    ):
        wanted = _wanted_list(order, found)
        steps = _Steps(outlets, progress, rejects)
        all_readings = readings(order.kind, order.sources, order.ask, outlets.done)
        for number, reading in enumerate(all_readings, 1):
            if number <= first:
                continue
            _take(order, outlets, reading, wanted, found, report, rejects)
            progress.records = number
            if number % BATCH_ROWS == 0:
                steps.step()
        progress.is_finished = True
        steps.step()
        steps.finish()
    return report


def _take(
    order: Order,
    outlets: Outlets,
    reading: Reading,
    wanted: str | None,
    found: Survey,
    report: Report,
    rejects: Rejects | None,
) -> None:
    """One record: passed over, rejected, or judged and kept for the next batch."""
    rejected, row = reading.rejected, reading.row
    if rejected is None and (row is None or not _is_wanted(row, wanted)):
        report.passed_over += 1
        return
    mailbox = ""
    if rejected is None and row is not None:
        mailbox = order.recipient(row.address.encode()).mailbox
        if not is_mailbox(mailbox):
            rejected = RowRejected(f"{row.address[:80]!r} is no mailbox", "address")
    if rejected is not None or row is None:
        rejected = rejected or RowRejected("")
        report.reject(reading.record.line, rejected)
        if rejects is not None:
            rejects.write(reading.records.head, reading.record.rejected(str(rejected)))
        return
    origin = order.origins[reading.source.file]
    judged = judge(row, order.around, is_crowded=found.crowds.has(row))
    report.add(judged)
    if outlets.rows is not None:
        line = json.dumps(_line(judged, mailbox, origin), ensure_ascii=True)
        outlets.rows.write(f"{line}\n")
    if outlets.sink is not None:
        one = opt_in(judged, mailbox, origin, order.salt_key)
        if one is not None:
            outlets.batch.append(one)


class _Steps:
    """Batch after batch: while some are written, the next one is judged.

    How far the import has come is noted when a batch, and all before it, are on disk, as
    it was when the batch was given away. Where the store does not say what is on disk,
    nothing is noted: who goes on behind rows that were lost would lose withdrawals.
    """

    def __init__(
        self, outlets: Outlets, progress: Progress, rejects: Rejects | None
    ) -> None:
        self._outlets = outlets
        self._progress = progress
        self._rejects = rejects
        self._under_way: deque[tuple[Pending | None, Progress]] = deque()
        self._is_confirmed = True

    def step(self) -> None:
        """Give away what has come together."""
        if len(self._under_way) == BATCHES_UNDER_WAY:
            self._finish_one()
        progress, outlets = self._progress, self._outlets
        if self._rejects is not None:
            progress.rejects = self._rejects.lengths()
        pending = None
        if outlets.sink is not None and outlets.batch:
            report = progress.report
            withdrawn = sum(
                one.record.state is State.WITHDRAWN for one in outlets.batch
            )
            report.withdrawn += withdrawn
            report.registered += len(outlets.batch) - withdrawn
            pending = outlets.sink.register(outlets.batch)
            outlets.batch = []
        self._under_way.append((pending, deepcopy(progress)))

    def finish(self) -> None:
        """Wait for all that was given away, and note it."""
        while self._under_way:
            self._finish_one()
        if self._outlets.noted is not None and not self._is_confirmed:
            self._outlets.noted.forget()

    def _finish_one(self) -> None:
        pending, noted = self._under_way.popleft()
        if pending is not None:
            new, is_confirmed = pending.result()
            self._is_confirmed = self._is_confirmed and is_confirmed
            # Those behind it were copied before this was known.
            for progress in (
                self._progress,
                noted,
                *(one for _, one in self._under_way),
            ):
                progress.report.new += new
        if self._outlets.noted is not None and self._is_confirmed:
            self._outlets.noted.write(noted)


def _line(judged: Judged, mailbox: str, origin: Origin) -> dict[str, object]:
    """A judged row for programs: the evidence, nested as it is documented."""
    line: dict[str, object] = {"grade": judged.grade.value}
    for name, value in fields(judged, mailbox, origin).items():
        outer, _, inner = name.partition(".")
        if inner:
            group = line.setdefault(outer, {})
            if isinstance(group, dict):
                group[inner.replace("-", "_")] = value
        else:
            line[outer] = value
    line["flags"] = [flag.value for flag in judged.flags]
    return line


def _is_wanted(row: Row, wanted: str | None) -> bool:
    return wanted is None or row.list_name.lower() == wanted


def _wanted_list(order: Order, found: Survey) -> str | None:
    """Which rows are the list's: None for all.

    Raises:
        SourceError: that is not clear.
    """
    names = {name.lower(): name for name in found.lists}
    name = order.source_list.lower()
    if not name and (order.list_id in names or len(names) <= 1):
        return order.list_id if len(names) > 1 else None
    if name in names:
        return name
    if not names:
        return None
    shown = ", ".join(repr(one) for one in sorted(names.values()))
    what = f"has no list {order.source_list!r}" if name else "speaks of several lists"
    raise SourceError(
        f"{what}; say by --source-list which of {shown} is {order.list_id}",
        order.sources[0].name if order.sources else "",
    )

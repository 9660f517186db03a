"""Files of evidence that nobody wrote, and imports of them without a registry."""

from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from outgate.evidence.contract import Origin
from outgate.evidence.format import Ask
from outgate.evidence.formats import BY_NAME
from outgate.evidence.importing import Order, Outlets, Written, run
from outgate.evidence.judge import Circumstances, Judged, judge
from outgate.evidence.moments import declared_zone
from outgate.evidence.progress import ProgressFile
from outgate.evidence.reading import Source, sha256_of, sources_of
from outgate.evidence.report import Report
from outgate.evidence.survey import readings
from outgate.model.client import Network
from outgate.model.errors import StoreUnavailable
from outgate.model.optin import OptIn
from outgate.model.recipient import recipient_reader

LIST = "news.choir.example"
# 2026-11-24 12:00 UTC.
NOW_US = 1_795_521_600_000_000
AROUND = Circumstances(now_us=NOW_US)


@dataclass
class Kept:
    """A registry that remembers, and goes away when it is told to."""

    optins: list[OptIn] = field(default_factory=list)
    away_after: int = 1 << 60
    is_confirmed: bool = True

    def register(self, optins: Sequence[OptIn]) -> Future[Written]:
        """Keep a batch, or be away."""
        done: Future[Written] = Future()
        if len(self.optins) + len(optins) > self.away_after:
            done.set_exception(StoreUnavailable("away"))
        else:
            self.optins.extend(optins)
            done.set_result(Written(len(optins), self.is_confirmed))
        return done

    @property
    def grades(self) -> dict[str, str]:
        """By mailbox."""
        return {one.mailbox: one.record.permission.value for one in self.optins}


def written(directory: Path, text: str | bytes, name: str = "export") -> Path:
    file = directory / name
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    return file


def order(
    kind: str,
    *files: Path,
    tz: str = "",
    encoding: str = "",
    logs: Sequence[Path] = (),
    source_list: str = "",
    own: Sequence[Network] = (),
) -> Order:
    form = BY_NAME[kind]
    zone = declared_zone(tz) if tz else form.zone
    log_sources = tuple(one for file in logs for one in sources_of(file))
    return Order(
        kind=form,
        sources=[one for file in files for one in sources_of(file, encoding)],
        ask=Ask(zone, log_sources),
        list_id=LIST,
        origins={
            file: Origin("choir", LIST, form.source, "", sha256_of(file), zone)
            for file in files
        },
        source_list=source_list,
        around=Circumstances(now_us=NOW_US, own=own),
        recipient=recipient_reader(plus_tags=True, dotless=frozenset()),
        salt_key=b"k" * 32,
    )


def imported(
    kind: str,
    *files: Path,
    kept: Kept | None = None,
    rejects: Path | None = None,
    noted: ProgressFile | None = None,
    **options: Any,
) -> Report:
    outlets = Outlets(sink=kept or Kept(), rejects=rejects, noted=noted)
    return run(order(kind, *files, **options), outlets)


def judged(kind: str, file: Path, **options: Any) -> list[Judged]:
    """All rows, each for itself; a rejected one is raised."""
    wanted = order(kind, file, **options)
    rows = []
    for reading in readings(wanted.kind, wanted.sources, wanted.ask):
        if reading.rejected:
            raise reading.rejected
        if reading.row:
            rows.append(judge(reading.row, AROUND))
    return rows


def one_judged(kind: str, file: Path, **options: Any) -> Judged:
    """The only row."""
    (one,) = judged(kind, file, **options)
    return one


def source(file: Path, encoding: str = "") -> Source:
    (one,) = sources_of(file, encoding)
    return one

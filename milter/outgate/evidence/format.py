"""What a format is: the shape of its file, what it must have, and how a record is read."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from outgate.evidence.documents import Documents, Item
from outgate.evidence.moments import NO_ZONE, Zone
from outgate.evidence.reading import Source
from outgate.evidence.record import Record, Records
from outgate.evidence.row import Row
from outgate.evidence.tables import Table
from outgate.evidence.texts import Blocks, LogLines


@dataclass(frozen=True, slots=True)
class Ask:
    """What an operator said about a source, beside its file.

    Attributes:
        zone: how times without a zone are meant.
        logs: files that complete the evidence, where a format reads such.
    """

    zone: Zone = NO_ZONE
    logs: tuple[Source, ...] = ()


Reader = Callable[[Record], Row | None]
"""A record -> what it says of one subscription; None where it speaks of something else.

Raises `RowRejected` where it should say something and does not.
"""


class Shape(StrEnum):
    """How a file is divided into records."""

    TABLE = "CSV"
    DOCUMENTS = "JSON"
    LOG = "log lines"
    BLOCKS = "blocks of `key value`"


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """One kind of file.

    Attributes:
        name: in the command.
        title: product and kind of export, for the manual.
        source: what the registry calls the software, at most 10 of `[a-z0-9.-]`.
        begin: gives the reader of one text.
        needed: of a table: one of each group must be a column.
        array: of JSON: the name under which an answer of an API has its records, and
            "" where it never has.
        inner: of JSON: the array inside of each record with one object for each list.
        zone: how times without a zone are meant if nobody declares it.
        logs: whether `--logs` completes it.
        export: how the file is made, one paragraph, and a block of SQL where that helps.
        worth: what the file proves and what it does not, one paragraph.
    """

    name: str
    title: str
    source: str
    shape: Shape
    begin: Callable[[Ask], Reader]
    needed: Sequence[Sequence[str]] = ()
    array: str = ""
    inner: str = ""
    zone: Zone = NO_ZONE
    logs: bool = False
    export: str
    sql: str = ""
    worth: str

    def records(
        self, source: Source, progress: Callable[[int], None] | None = None
    ) -> Records:
        """Divide a text.

        Raises:
            SourceError: it has not the columns that are needed. While they are read:
                the text cannot be read further.
        """
        match self.shape:
            case Shape.TABLE:
                return Table(source.lines(progress), source.name, self.needed)
            case Shape.DOCUMENTS:
                lines = source.lines(progress, cut=True)
                return Documents(lines, source.name, self.array)
            case Shape.LOG:
                return LogLines(source.lines(progress))
            case Shape.BLOCKS:
                return Blocks(source.lines(progress))

    def divided(self, records: Iterable[Record]) -> Iterator[Record]:
        """Each record, or one for each list that it speaks of."""
        for record in records:
            if self.inner and isinstance(record, Item) and not record.broken:
                yield from record.inner(self.inner)
            else:
                yield record

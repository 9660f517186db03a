"""CSV as it is met: comma, semicolon or tab, quotes, lines inside of quotes (RFC 4180).

The first line names the columns; the separator is the one under which the columns that
the format needs are found. Names are compared in lower case, with `-` for spaces and
underscores: `OPTIN_TIME`, `Optin Time` and `optin-time` are one. A cell that begins with
`=` is text like any other, and stays so in a file of rejects.

A quote that is never closed costs its own line only: the lines behind it are read
again. Limits: a record has `MAX_RECORD_LINES` lines and `MAX_RECORD_CHARACTERS` at most.
"""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence

from outgate.evidence.reading import MAX_LINE_CHARACTERS
from outgate.evidence.record import ABSENT, REASON
from outgate.model.errors import SourceError

_SEPARATORS = ",;\t"
# A note that somebody typed into a cell has some lines; a forgotten quote has thousands.
MAX_RECORD_LINES = 200
MAX_RECORD_CHARACTERS = MAX_LINE_CHARACTERS
# What is shown of a header that has not what is needed.
_SHOWN_COLUMNS = 30


class Cells:
    """One record of a table."""

    __slots__ = ("_cells", "_columns", "_found", "_separator", "broken", "line")

    def __init__(
        self,
        line: int,
        cells: Sequence[str],
        columns: Mapping[str, int],
        separator: str,
        found: dict[tuple[str, ...], tuple[int, ...]],
        broken: str = "",
    ) -> None:
        self.line = line
        self.broken = broken
        self._cells = cells
        self._columns = columns
        self._separator = separator
        # Where names are, as one record after the other finds out.
        self._found = found

    def get(self, *names: str) -> str:
        """Text under the first of these names that has any."""
        places = self._found.get(names)
        if places is None:
            columns = self._columns
            places = tuple(columns[name] for name in names if name in columns)
            self._found[names] = places
        cells = self._cells
        for at in places:
            if at < len(cells):
                value = cells[at].strip()
                if value not in ABSENT:
                    return value
        return ""

    def rejected(self, reason: str) -> str:
        """One line, or more where a cell has more, with the reason as first cell."""
        cells = self._cells
        if REASON in self._columns:
            at = self._columns[REASON]
            cells = [*cells[:at], *cells[at + 1 :]]
        return _written([reason, *cells], self._separator)


class Table:
    """The records of a CSV text.

    Args:
        lines: with their ends.
        name: of the text, for errors.
        needed: one of each group of names must be a column.

    Raises:
        SourceError: there is no such column, or one that is needed is there twice.
    """

    def __init__(
        self, lines: Iterator[str], name: str, needed: Sequence[Sequence[str]]
    ) -> None:
        self._name = name
        self._lines = lines
        self._read = 0
        # Lines of the record under way, and lines to be read again.
        self._record: list[str] = []
        self._again: list[str] = []
        self._characters = 0
        self._found: dict[tuple[str, ...], tuple[int, ...]] = {}
        first = next(lines, "")
        self._at = 1
        if first[:4].lower() == "sep=":
            # Excel's own line before the header.
            first = next(lines, "")
            self._at = 2
        self.separator, self.header = _header(first, needed)
        self.columns = _columns(self.header, needed, name, self._at)

    @property
    def head(self) -> str:
        """The header of a file of rejects."""
        return _written(
            [REASON, *(one for one in self.header if normal(one) != REASON)],
            self.separator,
        )

    def __iter__(self) -> Iterator[Cells]:
        """One after the other; what cannot be read is `broken`."""
        reader = csv.reader(
            self._feed(), delimiter=self.separator, strict=True, quotechar='"'
        )
        record, columns, width = self._record, self.columns, len(self.header)
        while True:
            line = self._at + 1
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                yield self._mended(line, str(error))
                reader = csv.reader(
                    self._feed(), delimiter=self.separator, strict=True, quotechar='"'
                )
                continue
            self._at += len(record)
            record.clear()
            self._characters = 0
            if not cells:
                continue
            broken = ""
            if len(cells) > width and any(cells[width:]):
                broken = f"{len(cells)} cells, but the header has {width} columns"
            yield Cells(line, cells, columns, self.separator, self._found, broken)

    def _feed(self) -> Iterator[str]:
        """Lines for csv, which asks for one more as long as a quote is open."""
        record, again = self._record, self._again
        while True:
            line = again.pop() if again else next(self._lines, "")
            if not line:
                return
            record.append(line)
            self._characters += len(line)
            if (
                len(record) > MAX_RECORD_LINES
                or self._characters > 2 * MAX_RECORD_CHARACTERS
            ):
                raise csv.Error("a quote is opened and not closed")
            yield line

    def _mended(self, line: int, reason: str) -> Cells:
        """The first line as a broken record; those behind it are read again."""
        first, *behind = self._record or [""]
        self._again.extend(reversed(behind))
        self._record.clear()
        self._characters = 0
        self._at += 1
        if "unexpected end" in reason:
            reason = "a quote is opened and not closed"
        # What reads everything, somehow: a file of rejects must hold all that was there.
        text = first.rstrip("\r\n")
        try:
            cells = next(csv.reader([text], delimiter=self.separator), [])
        except csv.Error:
            cells = text.split(self.separator)
        return Cells(line, cells, self.columns, self.separator, self._found, reason)


def normal(name: str) -> str:
    """A column's name as it is compared."""
    return name.strip().lower().replace("_", "-").replace(" ", "-")


def _header(first: str, needed: Sequence[Sequence[str]]) -> tuple[str, list[str]]:
    """The separator under which most of what is needed is found, and the names."""
    found = []
    for separator in _SEPARATORS:
        try:
            names = next(csv.reader([first.rstrip("\r\n")], delimiter=separator), [])
        except csv.Error:
            continue
        normals = {normal(name) for name in names}
        score = sum(not normals.isdisjoint(group) for group in needed)
        found.append((score, len(names), separator, names))
    if not found:
        return ",", []
    _, _, separator, names = max(found, key=lambda one: one[:2])
    return separator, names


def _columns(
    header: Sequence[str], needed: Sequence[Sequence[str]], name: str, line: int
) -> dict[str, int]:
    columns: dict[str, int] = {}
    twice = set()
    for at, title in enumerate(header):
        key = normal(title)
        if key in columns:
            twice.add(key)
        columns.setdefault(key, at)
    got = ", ".join(title[:40] for title in header[:_SHOWN_COLUMNS]) or "nothing"
    for group in needed:
        if not any(one in columns for one in group):
            raise SourceError(
                f"no column {' or '.join(group)}; the header has {got}", name, line
            )
        for one in group:
            if one in twice:
                raise SourceError("there are two columns of this name", name, line, one)
    return columns


def _written(cells: Sequence[str], separator: str) -> str:
    out = io.StringIO()
    csv.writer(out, delimiter=separator, lineterminator="\n").writerow(cells)
    return out.getvalue()

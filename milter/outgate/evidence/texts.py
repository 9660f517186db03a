"""Lines of logs, and blocks of `key value` that an empty line ends.

In a file of rejects the reason stands above a line of a log, behind `# reject-reason:`,
and inside of a block, as one more key.
"""

from collections.abc import Iterator

from outgate.evidence.record import REASON, Named

_MARK = f"# {REASON}:"
# A member of a list has some twenty keys.
MAX_BLOCK_LINES = 200


class LogLine(Named):
    """One line; its text is under `text`."""

    __slots__ = ()

    def rejected(self, reason: str) -> str:
        """Give two lines."""
        return f"{_MARK} {' '.join(reason.split())}\n{self.values['text']}\n"


class LogLines:
    """The lines of a log."""

    head = ""

    def __init__(self, lines: Iterator[str]) -> None:
        self._lines = lines

    def __iter__(self) -> Iterator[LogLine]:
        """One after the other, without what an earlier import remarked."""
        for row, line in enumerate(self._lines, 1):
            text = line.rstrip("\r\n")
            if text.strip() and not text.startswith(_MARK):
                yield LogLine(row, {"text": text})


class Block(Named):
    """One block of `key value`."""

    __slots__ = ()

    def rejected(self, reason: str) -> str:
        """Give the block, the reason first."""
        lines = [f"{REASON} {' '.join(reason.split())}"]
        lines += [
            f"{key} {value}" for key, value in self.values.items() if key != REASON
        ]
        return "\n".join(lines) + "\n\n"


class Blocks:
    """The blocks of a dump."""

    head = ""

    def __init__(self, lines: Iterator[str]) -> None:
        self._lines = lines

    def __iter__(self) -> Iterator[Block]:
        """One after the other; one with too many lines is broken."""
        values: dict[str, str] = {}
        first = 0
        broken = ""
        for row, line in enumerate(self._lines, 1):
            text = line.strip()
            if not text:
                if values:
                    yield Block(first, values, broken)
                values, broken = {}, ""
                continue
            if not values:
                first = row
            key, _, value = text.partition(" ")
            if key.lower() in values:
                broken = f"the key {key[:40]} is there twice"
                key = f"{key}-{row}"
            if len(values) >= MAX_BLOCK_LINES:
                yield Block(first, values, f"more than {MAX_BLOCK_LINES} lines")
                values, first = {}, row
            values[key.lower()] = value.strip()
        if values:
            yield Block(first, values, broken)

"""A reader of logfmt of its own kind, so that a test does not trust the writer."""

import os
import re
from collections.abc import Callable
from pathlib import Path

from outgate.log.lines import Log

# `key=bare` or `key="quoted"`, one space between, nothing else.
_PAIR = re.compile(
    r'(?P<key>[a-z][a-z0-9-]*)=(?:"(?P<quoted>(?:[^"\\]|\\.)*)"|(?P<bare>[^\s"=\\]+))'
)
NOW_US = 1_795_500_000_123_456


def read(line: str) -> list[tuple[str, str]]:
    """Pairs of one line, in order; anything that is no pair is an error."""
    text = line.removesuffix("\n")
    assert text != line
    assert len(text.splitlines()) == 1
    pairs: list[tuple[str, str]] = []
    position = 0
    while position < len(text):
        found = _PAIR.match(text, position)
        assert found, text[position:]
        value = found["bare"]
        if value is None:
            value = re.sub(r"\\(.)", r"\1", found["quoted"])
        pairs.append((found["key"], value))
        position = found.end()
        if position < len(text):
            assert text[position] == " ", text[position:]
            position += 1
    return pairs


class Captured:
    """A log that writes into a file, and what it wrote."""

    def __init__(
        self, file: Path, *, style: str = "logfmt", level: str = "info"
    ) -> None:
        self._file = file
        self._descriptor = os.open(file, os.O_CREAT | os.O_WRONLY | os.O_APPEND)
        self.log = Log(
            lambda: NOW_US, style=style, level=level, descriptor=self._descriptor
        )

    @property
    def raw(self) -> bytes:
        """Every byte so far."""
        return self._file.read_bytes()

    def line(self, write: Callable[[Log], None]) -> str:
        """What one call writes."""
        before = len(self.raw)
        write(self.log)
        return self.raw[before:].decode()

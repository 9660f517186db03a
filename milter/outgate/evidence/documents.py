"""JSON: one object a line, an array of objects, or the answers of an API.

    {"address": "anne@example.net", …}
    [{…}, {…}]
    {"members": [{…}, {…}], "total_items": 2}

Answers may follow each other, as a shell appends them page by page. An answer is never
in memory whole: its objects are taken out one by one. A line that is no object is a
broken record; an answer that is cut off or malformed is an `SourceError` with its row.

Values are texts for whoever asks: numbers and words as JSON writes them, what is inside
an object by a dotted name (`location.timezone`). Limit: an object is not longer than
`MAX_LINE_CHARACTERS`.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from outgate.evidence.reading import MAX_LINE_CHARACTERS
from outgate.evidence.record import ABSENT, REASON
from outgate.model.errors import SourceError

_SPACE = re.compile(r"[\s,]*")
_DECODER = json.JSONDecoder()
# Python's parser recurses; it says so in its own way.
_UNREADABLE = (ValueError, RecursionError)


class Item:
    """One object."""

    __slots__ = ("_raw", "broken", "line", "value")

    def __init__(
        self, line: int, value: Mapping[str, Any], broken: str = "", raw: str = ""
    ) -> None:
        self.line = line
        self.value = value
        self.broken = broken
        self._raw = raw

    def get(self, *names: str) -> str:
        """Text under the first of these names that has any."""
        for name in names:
            value: Any = self.value
            for part in name.split("."):
                value = value.get(part) if isinstance(value, Mapping) else None
            text = _text(value)
            if text not in ABSENT:
                return text
        return ""

    def inner(self, name: str) -> Iterator["Item"]:
        """The objects of an array inside, with all that stands around it."""
        values = self.value.get(name)
        for value in values if isinstance(values, list) else ():
            if isinstance(value, Mapping):
                around = {key: one for key, one in self.value.items() if key != name}
                yield Item(self.line, {**around, name: [value], f"{name}[]": value})

    def rejected(self, reason: str) -> str:
        """One line; what was no object is kept as text under `line`."""
        value = {key: one for key, one in self.value.items() if not key.endswith("[]")}
        if self._raw:
            value = {"line": self._raw}
        return json.dumps({**value, REASON: reason}, ensure_ascii=True) + "\n"


def _text(value: object) -> str:
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int | float) else ""


class Documents:
    """The objects of a JSON text.

    Args:
        lines: with their ends; what is too long comes in pieces.
        name: of the text, for errors.
        array: under which name an answer has them; "" where a text is never an answer.
    """

    head = ""

    def __init__(self, lines: Iterator[str], name: str, array: str = "") -> None:
        self._lines = lines
        self._name = name
        self._begin = re.compile(rf'(?<!\\)"{re.escape(array)}"\s*:\s*\[')
        self._has_array = bool(array)

    def __iter__(self) -> Iterator[Item]:
        """One after the other."""
        row = 0
        for line in self._lines:
            row += 1
            text = line.strip()
            if not text:
                continue
            if row == 1 and self._is_answer(text):
                yield from self._answers(line)
                return
            if len(text) > MAX_LINE_CHARACTERS:
                raise SourceError(
                    f"the object is longer than {MAX_LINE_CHARACTERS} characters",
                    self._name,
                    row,
                )
            yield _item(row, text)

    def _is_answer(self, text: str) -> bool:
        if text[0] == "[":
            return True
        if not self._has_array:
            return False
        is_whole = text[0] == "{" and text[-1] == "}"
        return not is_whole or self._begin.search(text) is not None

    def _answers(self, text: str) -> Iterator[Item]:
        """Objects of arrays, from text that grows as it is needed."""
        window = _Window(text, self._lines)
        if text.lstrip()[0] == "[":
            window.skip(text.index("[") + 1)
        elif not self._find(window):
            raise SourceError("no array of records is found", self._name, 1)
        while True:
            window.skip(_SPACE.match(window.text).end())  # type: ignore[union-attr]
            if not window.text:
                if not window.more():
                    raise SourceError(
                        "the text ends inside an array", self._name, window.row
                    )
            elif window.text[0] == "]":
                window.skip(1)
                if not self._find(window):
                    return
            else:
                yield self._next(window)

    def _find(self, window: "_Window") -> bool:
        """Go behind the beginning of the next array."""
        if not self._has_array:
            return False
        while not (found := self._begin.search(window.text)):
            # A name may be cut by the end of what is there.
            window.skip(max(0, len(window.text) - MAX_LINE_CHARACTERS // 16))
            if not window.more():
                return False
        window.skip(found.end())
        return True

    def _next(self, window: "_Window") -> Item:
        while True:
            try:
                value, end = _DECODER.raw_decode(window.text)
            except _UNREADABLE as error:
                if len(window.text) > MAX_LINE_CHARACTERS or not window.more():
                    shown = " ".join(str(error).split())[:120]
                    raise SourceError(
                        f"no whole JSON object: {shown}", self._name, window.row
                    ) from None
                continue
            row = window.row
            window.skip(end)
            if isinstance(value, dict):
                return Item(row, value)
            return Item(row, {}, "is no JSON object", str(value)[:1_000])


class _Window:
    """The piece of a text that is looked at."""

    def __init__(self, text: str, lines: Iterator[str]) -> None:
        self.text = text
        self.row = 1
        self._lines = lines

    def skip(self, characters: int) -> None:
        self.row += self.text.count("\n", 0, characters)
        self.text = self.text[characters:]

    def more(self) -> bool:
        """Twice as much, so that a long object costs no square of its length."""
        wanted = max(len(self.text), 1)
        pieces = []
        while wanted > 0 and (line := next(self._lines, "")):
            pieces.append(line)
            wanted -= len(line)
        self.text += "".join(pieces)
        return bool(pieces)


def _item(row: int, text: str) -> Item:
    try:
        value = json.loads(text)
    except _UNREADABLE as error:
        shown = " ".join(str(error).split())[:120]
        return Item(row, {}, f"no JSON object: {shown}", text)
    if not isinstance(value, dict):
        return Item(row, {}, "is no JSON object", text)
    return Item(row, value)

r"""Lines on standard error, as logfmt or JSON.

A line is one `write` of at most PIPE_BUF bytes, so lines of several processes never mix;
long values are cut, and the more so the more of them there are. What is not printable is
written `\\xNN` (in JSON as JSON does): no sender can forge a field, a line, or an order
to the terminal.

Nobody waits for a reader: lines that do not fit are lost, and `log-lines-lost` says how
many as soon as there is room.
"""

import json
import re
import select
import threading
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from functools import lru_cache

from outgate.log.outlet import Outlet

LEVELS = ("debug", "info", "warning", "error")
# Written as it is: printable ASCII without blank, quote, equals sign and backslash.
_PLAIN = re.compile(r"[!#-<>-\[\]-~]+").fullmatch
_QUOTED = re.compile(r'[\s="\\]')
# Four long values and the rest fit into PIPE_BUF: enough for every honest line.
_MAX_VALUE = 600
_NEVER_CUT = frozenset({"time", "level", "event"})
# A traceback is a line's only long value, and its end says most.
_TRACEBACK = "traceback"
_TRACEBACK_SHARE = 4

Field = tuple[str, object]


class Log:
    """Writes lines of one format, from one level on.

    Attributes:
        reports_messages: whether a line of each message is wanted.
        lost_total: lines that nobody read in time.
    """

    def __init__(
        self,
        now_us: Callable[[], int],
        *,
        style: str = "logfmt",
        level: str = "info",
        descriptor: int = 2,
    ) -> None:
        self._now_us = now_us
        self._render = render_json if style == "json" else render_logfmt
        self._threshold = LEVELS.index(level)
        self._outlet = Outlet(descriptor)
        self._losing = threading.Lock()
        self._untold = 0
        self.lost_total = 0
        self.reports_messages = self._threshold <= LEVELS.index("info")

    def debug(self, event: str, **fields: object) -> None:
        """For developers."""
        self._event("debug", event, fields)

    def info(self, event: str, **fields: object) -> None:
        """Something happened as it should."""
        self._event("info", event, fields)

    def warning(self, event: str, **fields: object) -> None:
        """Somebody should look today."""
        self._event("warning", event, fields)

    def error(self, event: str, **fields: object) -> None:
        """Something does not work."""
        self._event("error", event, fields)

    def _event(self, level: str, event: str, fields: dict[str, object]) -> None:
        if LEVELS.index(level) >= self._threshold:
            named = ((key.replace("_", "-"), value) for key, value in fields.items())
            self.write(self._now_us(), level, event, named)

    def write(
        self, moment_us: int, level: str, event: str, fields: Iterable[Field]
    ) -> None:
        """Write one line; empty values are left out."""
        # First what is missing, then what comes after it.
        told = not self._untold or self._tell_lost(moment_us)
        if not told or not self._outlet.write(
            self._line(moment_us, level, event, fields)
        ):
            self._lose()

    def _line(
        self, moment_us: int, level: str, event: str, fields: Iterable[Field]
    ) -> bytes:
        named = [
            ("time", format_time(moment_us)),
            ("level", level),
            ("event", event),
            *fields,
        ]
        most = _MAX_VALUE
        line = self._render(named, most).encode()
        while len(line) > select.PIPE_BUF and most:
            most //= 2
            line = self._render(named, most).encode()
        return line

    def flush(self, wait_s: float = 0.5) -> None:
        """Give what is queued a moment to be written, before the process ends."""
        self._outlet.flush(wait_s)

    def _lose(self) -> None:
        with self._losing:
            self._untold += 1
            self.lost_total += 1

    def _tell_lost(self, moment_us: int) -> bool:
        """Say how many lines are missing here, if there is room again."""
        with self._losing:
            if not self._untold:
                # Another thread said it.
                return True
            line = self._line(
                moment_us, "warning", "log-lines-lost", [("count", self._untold)]
            )
            told = self._outlet.write(line)
            if told:
                self._untold = 0
            return told


def format_time(moment_us: int) -> str:
    """RFC 3339 in UTC with milliseconds."""
    return f"{_second(moment_us // 1_000_000)}.{moment_us // 1_000 % 1_000:03d}Z"


@lru_cache(maxsize=8)
def _second(moment_s: int) -> str:
    moment = datetime.fromtimestamp(moment_s, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}"


def escape(text: str) -> str:
    """Make visible what is not printable: control characters, stray bytes, the like."""
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() else _visible(one) for one in text)


def _visible(character: str) -> str:
    try:
        raw = character.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        raw = character.encode("utf-8", "surrogatepass")
    return "".join(f"\\x{byte:02x}" for byte in raw)


def render_logfmt(fields: Iterable[Field], most: int = _MAX_VALUE) -> str:
    """`key=value key="value with spaces"`, one line; at most so much of each value."""
    parts = []
    for key, value in fields:
        text = str(value)
        # Most values of most lines need no second look.
        if len(text) > most or not _PLAIN(text):
            text = _quoted(_short(key, escape(text), most))
            if not text:
                continue
        parts.append(f"{key}={text}")
    return " ".join(parts) + "\n"


def _quoted(text: str) -> str:
    if not _QUOTED.search(text):
        return text
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def render_json(fields: Iterable[Field], most: int = _MAX_VALUE) -> str:
    """One JSON object a line; numbers stay numbers."""
    return (
        json.dumps(
            {
                key: value
                if isinstance(value, (int, float))
                else _short(key, str(value), most)
                for key, value in fields
                if value != ""
            }
            # The one control character that JSON lets through.
        ).replace("\x7f", "\\u007f")
        + "\n"
    )


def _short(key: str, text: str, most: int) -> str:
    if key in _NEVER_CUT:
        return text
    if key == _TRACEBACK:
        most *= _TRACEBACK_SHARE
        return text if len(text) <= most else f"…{text[len(text) - most :]}"
    return text if len(text) <= most else f"{text[:most]}…"

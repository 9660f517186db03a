r"""Lines on standard error, as logfmt or JSON.

A line is one `write`, so lines of several processes never mix (as long as they are
shorter than PIPE_BUF, 4,096 bytes; longer values are cut). Control bytes are written
`\\xNN`: no sender can forge a line.
"""

import json
import os
import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime

LEVELS = ("debug", "info", "warning", "error")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_QUOTED = re.compile(r'[\s="\\]')
# Four long fields and the rest still fit into PIPE_BUF.
_MAX_VALUE = 600
# A traceback is a line's only long field, and its end says most.
_MAX_TRACEBACK = 2400

Field = tuple[str, object]


class Log:
    """Writes lines of one format, from one level on."""

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
        self._descriptor = descriptor
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
        line = self._render(
            [
                ("time", format_time(moment_us)),
                ("level", level),
                ("event", event),
                *fields,
            ]
        )
        try:
            os.write(self._descriptor, line.encode("utf-8", "backslashreplace"))
        except OSError:
            # Nobody reads: nowhere is left to say so.
            return


def format_time(moment_us: int) -> str:
    """RFC 3339 in UTC with milliseconds."""
    moment = datetime.fromtimestamp(moment_us // 1_000_000, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment_us // 1_000 % 1_000:03d}Z"


def escape(text: str) -> str:
    """Make control characters visible."""
    if text.isprintable():
        return text
    return _CONTROL.sub(
        lambda found: "".join(
            f"\\x{byte:02x}" for byte in found[0].encode("utf-8", "surrogateescape")
        ),
        text,
    )


def render_logfmt(fields: Iterable[Field]) -> str:
    """`key=value key="value with spaces"`, one line."""
    parts = []
    for key, value in fields:
        text = escape(str(value))
        if not text:
            continue
        text = _short(key, text)
        if _QUOTED.search(text):
            quoted = text.replace("\\", "\\\\").replace('"', '\\"')
            text = f'"{quoted}"'
        parts.append(f"{key}={text}")
    return " ".join(parts) + "\n"


def render_json(fields: Iterable[Field]) -> str:
    """One JSON object a line; numbers stay numbers."""
    return (
        json.dumps(
            {
                key: value
                if isinstance(value, (int, float))
                else _short(key, str(value))
                for key, value in fields
                if value != ""
            }
        )
        + "\n"
    )


def _short(key: str, text: str) -> str:
    if key == "traceback":
        return text if len(text) <= _MAX_TRACEBACK else f"…{text[-_MAX_TRACEBACK:]}"
    return text if len(text) <= _MAX_VALUE else f"{text[:_MAX_VALUE]}…"

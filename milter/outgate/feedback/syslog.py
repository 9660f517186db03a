"""Lines of a mail log: who wrote them and when, in any of the usual layouts.

    Nov  4 15:46:25 mx1 postfix/smtp[123]: …            traditional (RFC 3164)
    2026-11-24T15:46:25.123456+01:00 mx1 postfix/…      RFC 3339, as rsyslog writes it
    {"__REALTIME_TIMESTAMP": "…", "MESSAGE": …}         journald, `-o json`

The traditional stamp has neither year nor zone: the caller says by which clock it was
written, and the year is that in which it is not in the future.
"""

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from outgate.feedback.times import ReportTime, ZoneGiven, read_time, time_of

# rsyslog cuts at 8 KiB, Postfix at 2; journald has no bound of its own.
MAX_LINE_BYTES = 16 * 1024
_TAG = r"(?P<tag>[A-Za-z0-9_./-]{1,64})(?:\[(?P<pid>\d{1,10})\])?: ?(?P<message>.*)"
_LINE = re.compile(
    r"(?:<\d{1,3}>1? ?)?(?P<stamp>[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d(?:\.\d{1,6})?"
    r"|\d{4}-\d\d-\d\d[T ][\d:.,]{8,16}(?:Z|[+-]\d\d:?\d\d)?)"
    # Without a host, where the line was never relayed.
    r" (?:[^\s]{0,254}[^\s:] )?" + _TAG,
    re.DOTALL,
)
_MONTH_NAMES = "JanFebMarAprMayJunJulAugSepOctNovDec"
# A clock may be ahead of ours, by a day at the worst: then it is this year's still.
_AHEAD = timedelta(days=1)
_MAX_JSON_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line.

    Attributes:
        tag: the program, such as `postfix/smtp` or `sm-mta`.
        message: what it says.
    """

    tag: str
    message: str
    time: ReportTime | None


def read_line(line: bytes, reference: datetime) -> LogLine | None:
    """Take a line apart; None where it has another layout.

    Args:
        line: without its end; what is beyond `MAX_LINE_BYTES` is not read.
        reference: a moment not long before the line was read, in the zone of the
            clock that wrote the log.
    """
    if line.startswith(b"{"):
        return _journal(line)
    text = line[:MAX_LINE_BYTES].decode("utf-8", "backslashreplace")
    found = _LINE.fullmatch(text)
    if found is None:
        return None
    stamp = found["stamp"]
    time = _traditional(stamp, reference) if stamp[0].isalpha() else read_time(stamp)
    return LogLine(found["tag"], found["message"], time)


def _journal(line: bytes) -> LogLine | None:
    if len(line) > _MAX_JSON_BYTES:
        return None
    try:
        entry = json.loads(line.decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return None
    if not isinstance(entry, dict):
        return None
    message = entry.get("MESSAGE")
    if isinstance(message, list):  # bytes that are no text stand there as numbers
        message = _from_numbers(message)
    tag = entry.get("SYSLOG_IDENTIFIER")
    stamp = entry.get("__REALTIME_TIMESTAMP")
    if not isinstance(message, str) or not isinstance(tag, str):
        return None
    return LogLine(tag[:64], message[:MAX_LINE_BYTES], _epoch_us(stamp))


def _from_numbers(values: list[object]) -> str | None:
    try:
        data = bytes(values[:MAX_LINE_BYTES])  # type: ignore[arg-type] # refused below
    except (TypeError, ValueError):
        return None
    return data.decode("utf-8", "backslashreplace")


def _epoch_us(stamp: object) -> ReportTime | None:
    digits = 17
    if not isinstance(stamp, str) or not stamp.isascii() or not stamp.isdecimal():
        return None
    return ReportTime(int(stamp), 0, ZoneGiven.OFFSET) if len(stamp) < digits else None


def _traditional(stamp: str, reference: datetime) -> ReportTime | None:
    at, remainder = divmod(_MONTH_NAMES.find(stamp[:3]), 3)
    if at < 0 or remainder:
        return None
    month = at + 1
    zone = reference.tzinfo or UTC
    for year in (reference.year + 1, reference.year, reference.year - 1):
        try:
            moment = datetime(
                year,
                month,
                int(stamp[4:6]),
                int(stamp[7:9]),
                int(stamp[10:12]),
                int(stamp[13:15]),
                tzinfo=zone,
            )
            if moment <= reference + _AHEAD:
                return time_of(moment, ZoneGiven.MISSING)
        except (ValueError, OverflowError):
            continue
    return None

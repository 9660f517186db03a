"""Times in reports and logs: RFC 5322, RFC 3339, and zones by their names.

A name is believed where it means one thing in mail: `PST` does, `IST` does not. A time without a zone that can be believed is read as UTC and
says so: it may be off by a day.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_tz
from enum import StrEnum

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_MAX_TIME_CHARACTERS = 80
_MAX_OFFSET_S = 24 * 3600
# Those of RFC 5322 §4.3, and others that mean one thing; hours east of UTC.
_NAMED_HOURS = {
    "ADT": -3,
    "AEDT": 11,
    "AEST": 10,
    "AKDT": -8,
    "AKST": -9,
    "AST": -4,
    "CDT": -5,
    "CEST": 2,
    "CET": 1,
    "CST": -6,
    "EDT": -4,
    "EEST": 3,
    "EET": 2,
    "EST": -5,
    "GMT": 0,
    "HKT": 8,
    "HST": -10,
    "JST": 9,
    "KST": 9,
    "MDT": -6,
    "MEST": 2,
    "MET": 1,
    "MSK": 3,
    "MST": -7,
    "NZDT": 13,
    "NZST": 12,
    "PDT": -7,
    "PST": -8,
    "UT": 0,
    "UTC": 0,
    "WEST": 1,
    "WET": 0,
}
_NAME = re.compile(r"\b([A-Za-z]{2,5})\W*\Z")
_NUMERIC = re.compile(r"[+-]\d{4}\b")


class ZoneGiven(StrEnum):
    """How a time said its zone."""

    OFFSET = "offset"
    NAME = "name"
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class ReportTime:
    """One time.

    Attributes:
        time_us: microseconds since the epoch.
        offset_minutes: of the clock by which it was noted, east of UTC.
    """

    time_us: int
    offset_minutes: int
    zone: ZoneGiven

    def __str__(self) -> str:
        """RFC 3339 in UTC."""
        moment = _EPOCH + timedelta(microseconds=self.time_us)
        return moment.isoformat().replace("+00:00", "Z")


def read_time(text: str) -> ReportTime | None:
    """Read a time; None where there is none."""
    text = text.strip()[:_MAX_TIME_CHARACTERS]
    if not text or not text.isascii():
        return None
    if text[:4].isdigit():
        return _iso(text)
    try:
        parsed = parsedate_tz(text)
        if parsed is None:
            return None
        offset_s, zone = _zone(text, parsed[9] or 0)
        if abs(offset_s) >= _MAX_OFFSET_S:
            return None
        moment = datetime(*parsed[:6], tzinfo=UTC) - timedelta(seconds=offset_s)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return _time(moment, offset_s // 60, zone)


def _zone(text: str, offset_s: int) -> tuple[int, ZoneGiven]:
    """Seconds east of UTC, and how that is known.

    RFC 5322 §3.3: `-0000` is a time in UTC whose clock is unknown.
    """
    if _NUMERIC.search(text):
        return offset_s, ZoneGiven.OFFSET
    named = _NAME.search(text)
    hours = _NAMED_HOURS.get(named[1].upper()) if named else None
    if hours is None:
        return 0, ZoneGiven.MISSING
    return hours * 3600, ZoneGiven.NAME


def _iso(text: str) -> ReportTime | None:
    try:
        moment = datetime.fromisoformat(text.removesuffix(" UTC"))
        offset = moment.utcoffset()
        if offset is None:
            known = text.endswith(" UTC")
            zone = ZoneGiven.NAME if known else ZoneGiven.MISSING
            return _time(moment.replace(tzinfo=UTC), 0, zone)
        return _time(moment, offset // timedelta(minutes=1), ZoneGiven.OFFSET)
    except (ValueError, OverflowError):
        return None


def _time(moment: datetime, offset_minutes: int, zone: ZoneGiven) -> ReportTime | None:
    try:
        time_us = (moment - _EPOCH) // _MICROSECOND
    except OverflowError:
        return None
    return ReportTime(time_us, offset_minutes, zone) if time_us > 0 else None


def time_of(moment: datetime, zone: ZoneGiven = ZoneGiven.OFFSET) -> ReportTime | None:
    """A time that carries its zone, as a value of this room."""
    offset = moment.utcoffset() or timedelta()
    return _time(moment, offset // timedelta(minutes=1), zone)

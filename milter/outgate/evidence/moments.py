"""A time as it is written, and how its zone is known.

    2026-03-14T09:26:53+01:00     explicit
    2026-03-14 09:26:53 UTC       explicit
    2026-03-14 09:26:53           as the source writes times: UTC, or declared by `--tz`
    1773476813                    explicit, where a format knows seconds of the epoch

A date is no time. Where clocks go back, an hour is there twice: the earlier of the two
moments is taken, since the later one would count more against a withdrawal, and the row
is flagged. Where they go forward, an hour is missing: such a time was made up, or the
declared zone is another.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from outgate.evidence.record import RowRejected
from outgate.model.optin import MAX_OFFSET_MINUTES, MAX_TIME_US, ZoneSource

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MINUTE = timedelta(minutes=1)
# Go and PostgreSQL put a space before the offset, Go the zone's name behind it.
_SPACED = re.compile(r"(.*\d) ?([+-]\d\d:?(?:\d\d)?)(?: [A-Z+-]\S{0,5})?")
_NAMED_UTC = re.compile(r"(.*\d) ?(?:UTC|GMT)")
# `2026-03-14`, `2026-W11-6` and their like: what has a time is longer.
_DATE_CHARACTERS = 10
# How MySQL and Go say that there is none.
_NEVER = re.compile(r"0000-00-00(?: 00:00:00)?|0001-01-01[T ]00:00:00(?:Z|\+00:00)?")
# More are milliseconds.
_EPOCH_DIGITS = 11
_EXAMPLE = "such as 2026-03-14T09:26:53+01:00"


class ZoneMissing(RowRejected):
    """A time says no zone, and nobody said in which zone the source writes times."""


@dataclass(frozen=True, slots=True)
class Zone:
    """How times are meant that say no zone.

    Attributes:
        source: `source-utc`, `declared` or, where nobody knows, `unknown`.
        name: of the IANA database; "" where unknown.
    """

    source: ZoneSource
    name: str
    info: tzinfo | None


NO_ZONE = Zone(ZoneSource.UNKNOWN, "", None)
SOURCE_UTC = Zone(ZoneSource.SOURCE_UTC, "UTC", UTC)


@lru_cache(maxsize=64)
def declared_zone(name: str) -> Zone:
    """Read what an operator declares.

    Raises:
        ValueError: the machine's IANA database has no such zone.
    """
    try:
        return Zone(ZoneSource.DECLARED, name, ZoneInfo(name))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(
            f"{name[:60]!r} is no IANA time zone, such as Europe/Vienna or UTC"
        ) from None


class Moment(NamedTuple):
    """One time.

    Attributes:
        time_us: microseconds since the epoch.
        offset_minutes: of the clock by which it was noted, east of UTC.
        is_ambiguous: that hour was there twice, and this is the earlier one.
        is_missing: there was no such hour.
    """

    time_us: int
    offset_minutes: int
    zone: ZoneSource
    is_ambiguous: bool = False
    is_missing: bool = False

    @property
    def second(self) -> int:
        """Since the epoch."""
        return self.time_us // 1_000_000


def read_moment(text: str, column: str, zone: Zone) -> Moment | None:
    """Read ISO 8601 and its relatives; None where there is none.

    Raises:
        ZoneMissing: it says no zone, and neither does `zone`.
        RowRejected: it is no time.
    """
    if not text or (text[0] == "0" and _NEVER.fullmatch(text)):
        return None
    try:
        value = datetime.fromisoformat(text)
    except ValueError:
        value = _relative(text, column)
    if len(text) <= _DATE_CHARACTERS:
        raise RowRejected(f"{text} is a date, expected a time {_EXAMPLE}", column)
    if value.tzinfo is not None:
        return _moment(value, ZoneSource.EXPLICIT, text, column)
    if zone.info is None:
        raise ZoneMissing(f"{text[:40]} says no time zone", column)
    if zone.info is UTC:
        return _moment(value.replace(tzinfo=UTC), zone.source, text, column)
    return _local(value, zone, text, column)


def read_epoch(text: str, column: str) -> Moment | None:
    """Read seconds since the epoch; None where there are none, or 0.

    Raises:
        RowRejected: it is no number, or none of our time.
    """
    if not text or text == "0":
        return None
    whole, _, fraction = text.partition(".")
    if not (whole.isascii() and whole.isdigit()) or len(whole) > _EPOCH_DIGITS:
        raise RowRejected(f"{text[:40]!r} are no seconds since 1970", column)
    part = int(fraction[:6].ljust(6, "0")) if fraction[:6].isdecimal() else 0
    return _bounded(int(whole) * 1_000_000 + part, 0, ZoneSource.EXPLICIT, text, column)


def _relative(text: str, column: str) -> datetime:
    if found := _NAMED_UTC.fullmatch(text):
        joined = f"{found[1]}+00:00"
    elif found := _SPACED.fullmatch(text):
        joined = f"{found[1]}{found[2]}"
    else:
        joined = ""
    try:
        return datetime.fromisoformat(joined)
    except ValueError:
        raise RowRejected(
            f"{text[:40]!r} is no time, expected one {_EXAMPLE}", column
        ) from None


def _local(value: datetime, zone: Zone, text: str, column: str) -> Moment:
    """Find out whether the clock showed it once, twice or never."""
    here = value.replace(tzinfo=zone.info)
    moment = _moment(here, zone.source, text, column)
    first, second = here.utcoffset(), here.replace(fold=1).utcoffset()
    if first == second or first is None or second is None:
        return moment
    return Moment(
        moment.time_us,
        moment.offset_minutes,
        moment.zone,
        is_ambiguous=first > second,
        is_missing=first < second,
    )


def _moment(value: datetime, zone: ZoneSource, text: str, column: str) -> Moment:
    try:
        since = value - _EPOCH
        offset = value.utcoffset()
    except (OverflowError, ValueError):
        raise RowRejected(f"{text[:40]} is no time of ours", column) from None
    time_us = (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds
    return _bounded(time_us, offset // _MINUTE if offset else 0, zone, text, column)


def _bounded(
    time_us: int, offset_minutes: int, zone: ZoneSource, text: str, column: str
) -> Moment:
    if not 0 < time_us <= MAX_TIME_US or abs(offset_minutes) > MAX_OFFSET_MINUTES:
        raise RowRejected(f"{text[:40]} is no time of ours", column)
    return Moment(time_us, offset_minutes, zone)


def in_offset(moment: Moment) -> datetime:
    """The time by the clock by which it was noted."""
    return datetime.fromtimestamp(moment.second, _clock(moment.offset_minutes))


@lru_cache(maxsize=64)
def _clock(offset_minutes: int) -> timezone:
    return timezone(timedelta(minutes=offset_minutes))

"""Times of consents: an instant, and the offset of the clock by which it was noted.

RFC 3339. A time without a zone may be off by a day: it is refused.
"""

from datetime import UTC, datetime, timedelta, timezone

_MICROSECOND = timedelta(microseconds=1)
_MINUTE = timedelta(minutes=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def parse_local(text: str) -> tuple[int, int]:
    """Microseconds since the epoch, and minutes east of UTC.

    Raises:
        ValueError: it is no time, has no zone, or an offset of seconds.
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(
            f"{text!r}: expected a time such as 2026-11-24T12:00:00+01:00"
        ) from None
    offset = moment.utcoffset()
    if offset is None:
        raise ValueError(f"{text!r}: the time needs a zone, such as Z or +01:00")
    if offset % _MINUTE:
        raise ValueError(f"{text!r}: the zone must be of whole minutes")
    return (moment - _EPOCH) // _MICROSECOND, offset // _MINUTE


def format_local(time_us: int, offset_minutes: int) -> str:
    """RFC 3339, by the clock that noted it; fractions only where there are any."""
    zone = timezone(timedelta(minutes=offset_minutes))
    moment = (_EPOCH + timedelta(microseconds=time_us)).astimezone(zone)
    return moment.isoformat()

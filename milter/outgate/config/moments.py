"""Dates and times of a configuration."""

from datetime import UTC, date, datetime

_DATE_LENGTH = len("2025-01-01")


def read_moment(value: object) -> datetime:
    """Read a date or a time of TOML, or a text with one (RFC 3339), as a time in UTC.

    A day begins at midnight in UTC. Fractions of a second are left out.

    Raises:
        ValueError: it is neither, has no zone, or is no time in UTC.
    """
    if isinstance(value, str):
        value = _parse(value)
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise ValueError("the time needs a zone, such as Z or +01:00")
        try:
            return value.astimezone(UTC).replace(microsecond=0)
        except OverflowError:
            raise ValueError("is no time that can be written in UTC") from None
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day, tzinfo=UTC)
    raise ValueError("expected a date such as 2025-01-01, or a time with its zone")


def _parse(text: str) -> date | None:
    try:
        if len(text) == _DATE_LENGTH:
            return date.fromisoformat(text)
        return datetime.fromisoformat(text)
    except ValueError:
        return None

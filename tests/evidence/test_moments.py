"""Times with and without a zone, and the hours that clocks show twice or never."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outgate.evidence.moments import (
    NO_ZONE,
    SOURCE_UTC,
    ZoneMissing,
    declared_zone,
    in_offset,
    read_epoch,
    read_moment,
)
from outgate.evidence.record import RowRejected
from outgate.model.optin import ZoneSource

VIENNA = declared_zone("Europe/Vienna")
# 2026-03-14 08:26:53 UTC.
AT_US = 1_773_476_813_000_000


@pytest.mark.parametrize(
    ("text", "offset_minutes"),
    [
        ("2026-03-14T09:26:53+01:00", 60),
        ("2026-03-14 08:26:53Z", 0),
        ("2026-03-14 08:26:53 UTC", 0),
        ("2026-03-14 09:26:53+01", 60),
        ("2026-03-14 09:26:53 +0100", 60),
        ("2026-03-14 09:26:53.000000 +0100 CET", 60),
        ("2026-03-14T03:56:53-04:30", -270),
        ("20260314T082653Z", 0),
    ],
)
def test_a_time_with_its_zone(text: str, offset_minutes: int) -> None:
    """The offset is kept beside the moment; what is declared does not matter."""
    moment = read_moment(text, "time", VIENNA)

    assert moment is not None
    assert (moment.time_us, moment.offset_minutes) == (AT_US, offset_minutes)
    assert moment.zone is ZoneSource.EXPLICIT


@pytest.mark.parametrize(
    ("text", "at", "offset_minutes", "oddity"),
    [
        ("2026-03-14 09:26:53", "2026-03-14T08:26:53", 60, ""),
        ("2026-07-14 09:26:53", "2026-07-14T07:26:53", 120, ""),
        # Clocks went back at 03:00 on 25 October.
        ("2026-10-25 01:59:59", "2026-10-24T23:59:59", 120, ""),
        ("2026-10-25 02:00:00", "2026-10-25T00:00:00", 120, "ambiguous"),
        ("2026-10-25 02:59:59", "2026-10-25T00:59:59", 120, "ambiguous"),
        ("2026-10-25 03:00:00", "2026-10-25T02:00:00", 60, ""),
        # And forward at 02:00 on 29 March.
        ("2026-03-29 02:30:00", "2026-03-29T01:30:00", 60, "missing"),
        ("2026-03-29 03:00:00", "2026-03-29T01:00:00", 120, ""),
    ],
)
def test_a_declared_zone(text: str, at: str, offset_minutes: int, oddity: str) -> None:
    """Of an hour that was there twice, the earlier one."""
    moment = read_moment(text, "time", VIENNA)

    assert moment is not None
    expected = datetime.fromisoformat(at).replace(tzinfo=UTC)
    assert moment.time_us == int(expected.timestamp()) * 1_000_000
    assert moment.offset_minutes == offset_minutes
    assert moment.zone is ZoneSource.DECLARED
    assert moment.is_ambiguous == (oddity == "ambiguous")
    assert moment.is_missing == (oddity == "missing")


def test_a_time_without_zone_needs_one() -> None:
    """Said by the source's nature, or by a person."""
    with pytest.raises(ZoneMissing) as error:
        read_moment("2026-03-14 09:26:53", "time", NO_ZONE)
    assert error.value.column == "time"

    moment = read_moment("2026-03-14 08:26:53", "time", SOURCE_UTC)
    assert moment is not None
    assert (moment.time_us, moment.zone) == (AT_US, ZoneSource.SOURCE_UTC)


@pytest.mark.parametrize(
    "text",
    [
        "2026-03-14",
        "20260314",
        "14/03/2026 09:26",
        "03-14-2026 09:26",
        "yesterday",
        "1773476813",
        "1960-01-01T00:00:00Z",
        "2300-01-01T00:00:00Z",
        "0001-01-01T00:00:00+14:00x",
        "9999-12-31T23:59:59-23:59",
    ],
)
def test_what_is_no_time(text: str) -> None:
    """A date says no hour; a day and a month can be taken for each other."""
    with pytest.raises(RowRejected):
        read_moment(text, "time", VIENNA)


@pytest.mark.parametrize("text", ["", "0000-00-00 00:00:00", "0001-01-01T00:00:00Z"])
def test_what_says_that_there_is_none(text: str) -> None:
    """MySQL's and Go's zero."""
    assert read_moment(text, "time", NO_ZONE) is None


def test_seconds_of_the_epoch() -> None:
    """With a fraction, or 0 for none."""
    moment = read_epoch("1773476813.25", "time")

    assert moment is not None
    assert (moment.time_us, moment.zone) == (AT_US + 250_000, ZoneSource.EXPLICIT)
    assert read_epoch("0", "time") is None
    for text in ("x", "-1", "1773476813000", "٣"):
        with pytest.raises(RowRejected):
            read_epoch(text, "time")


@pytest.mark.parametrize("name", ["Vienna", "../etc/passwd", "", "CEST+1", "\0"])
def test_a_zone_that_nobody_knows(name: str) -> None:
    """A slip is an error and not UTC."""
    with pytest.raises(ValueError, match="no IANA time zone"):
        declared_zone(name)


@given(
    st.datetimes(datetime(1990, 1, 1), datetime(2200, 1, 1)),  # noqa: DTZ001
    st.sampled_from(
        ["Europe/Vienna", "America/New_York", "Australia/Lord_Howe", "UTC"]
    ),
)
def test_what_a_clock_shows_is_found_again(shown: datetime, name: str) -> None:
    """The moment, told by that clock, is what was written, unless no clock showed it."""
    moment = read_moment(shown.isoformat(), "time", declared_zone(name))
    assert moment is not None
    at = datetime.fromtimestamp(moment.time_us // 1_000_000, ZoneInfo(name))
    same = at.replace(tzinfo=None) == shown.replace(microsecond=0)

    assert same != moment.is_missing
    assert moment.is_missing or in_offset(moment).isoformat() == at.isoformat()


@given(st.text(max_size=40))
def test_any_text_is_a_time_or_a_rejection(text: str) -> None:
    """Nothing else is raised."""
    for zone in (NO_ZONE, SOURCE_UTC, VIENNA):
        try:
            read_moment(text, "time", zone)
            read_epoch(text, "time")
        except RowRejected:
            pass

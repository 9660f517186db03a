"""Times in reports."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outgate.feedback.times import ZoneGiven, read_time


@pytest.mark.parametrize(
    ("text", "utc", "zone"),
    [
        ("Thu, 8 Mar 2005 14:00:00 EDT", "2005-03-08T18:00:00Z", ZoneGiven.NAME),
        ("Tue, 10 Jul 2012 18:50:18 PST", "2012-07-11T02:50:18Z", ZoneGiven.NAME),
        ("Thu, 30 Dec 2010 19:48:55 UT", "2010-12-30T19:48:55Z", ZoneGiven.NAME),
        ("Thu, 14 Dec 2023 17:16:15 CET", "2023-12-14T16:16:15Z", ZoneGiven.NAME),
        ("30 Dec 2010 09:23:16 -0500 (EST)", "2010-12-30T14:23:16Z", ZoneGiven.OFFSET),
        ("8 Oct 2011 20:15:58 -0000", "2011-10-08T20:15:58Z", ZoneGiven.OFFSET),
        ("2026-11-24T06:00:00+01:00", "2026-11-24T05:00:00Z", ZoneGiven.OFFSET),
        ("2026-11-24 06:00:00 UTC", "2026-11-24T06:00:00Z", ZoneGiven.NAME),
        ("Thu, 14 Dec 2023 17:16:15", "2023-12-14T17:16:15Z", ZoneGiven.MISSING),
        ("Thu, 14 Dec 2023 17:16:15 IST", "2023-12-14T17:16:15Z", ZoneGiven.MISSING),
    ],
)
def test_zones(text: str, utc: str, zone: ZoneGiven) -> None:
    """By offset, by a name that means one thing, or flagged as missing."""
    read = read_time(text)

    assert read is not None
    assert (str(read), read.zone) == (utc, zone)


@pytest.mark.parametrize(
    "text", ["", "yesterday", "99 Foo 2026 1:2:3 +0000", "9999-99-99"]
)
def test_no_time(text: str) -> None:
    """None, instead of a guess."""
    assert read_time(text) is None


@given(
    st.text(max_size=100)
    | st.from_regex(r"\A\d{1,4} \w{3} \d{1,9} [\d:]{1,9} [+-]?\w{1,9}\Z")
)
def test_any_text(text: str) -> None:
    """Whatever it is, it is a time of ours or none."""
    read = read_time(text)

    assert read is None or read.time_us > 0

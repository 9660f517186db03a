"""Times with the offset of the clock that noted them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.strategies import fast
from outgate.model.optin import MAX_OFFSET_MINUTES, MAX_TIME_US
from outgate.model.optin_time import format_local, parse_local


@fast
@given(
    st.integers(1, MAX_TIME_US), st.integers(-MAX_OFFSET_MINUTES, MAX_OFFSET_MINUTES)
)
def test_what_is_printed_is_read(time_us: int, offset_minutes: int) -> None:
    """To the microsecond, with its own offset."""
    assert parse_local(format_local(time_us, offset_minutes)) == (
        time_us,
        offset_minutes,
    )


def test_the_instant_does_not_depend_on_the_zone() -> None:
    """Of the header's example, with a zone and in UTC."""
    assert parse_local("2026-03-14T09:26:53+01:00") == (1_773_476_813_000_000, 60)
    assert parse_local("2026-03-14T08:26:53Z") == (1_773_476_813_000_000, 0)


@pytest.mark.parametrize(
    "text",
    [
        "2026-03-14T09:26:53",
        "2026-03-14",
        "09:26",
        "",
        "1773476813",
        "2026-02-30T09:26:53Z",
        "2026-03-14T09:26:53+01:00:30",
    ],
)
def test_what_may_be_off_by_a_day_is_refused(text: str) -> None:
    """No zone, no time, or a zone that no clock has."""
    with pytest.raises(ValueError, match=r"expected a time|needs a zone|whole min"):
        parse_local(text)

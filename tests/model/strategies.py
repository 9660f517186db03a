"""Hypothesis strategies that several tests of the nouns share."""

from datetime import timedelta

from hypothesis import settings
from hypothesis import strategies as st

from outgate.model.units import MAX_DURATION, MAX_PERIOD, MAX_RATE_COUNT, Rate, to_us

# Enough to find an edge, and quick enough to run always.
fast = settings(max_examples=100, deadline=None)

durations = st.timedeltas(min_value=timedelta(0), max_value=MAX_DURATION)
periods = st.one_of(
    st.sampled_from(
        [timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)]
        + [timedelta(days=days) for days in (1, 7)]
    ),
    st.timedeltas(min_value=timedelta(microseconds=1), max_value=MAX_PERIOD),
)


@st.composite
def rates(draw: st.DrawFn) -> Rate:
    """Any rate that an operator may write."""
    period = draw(periods)
    fastest = min(MAX_RATE_COUNT, to_us(period))
    small = st.integers(1, min(100, fastest))
    return Rate(draw(st.one_of(small, st.integers(1, fastest))), period)


# Letters with and without case, composed and not. `İ` grows in lower case; `Ϊ` and an
# accent have no upper case in one; the Kelvin sign is a `k`.
letters = st.sampled_from("aAzZ09éÉßẞİΣςμ日\u0301\u0308\u03aa\u0390\u1e9b\u212a")
labels = st.text(st.sampled_from("aAzZ09-éÉßΣ日"), min_size=1, max_size=8)
domains = st.lists(labels, min_size=1, max_size=3).map(".".join)
# Local parts as people have them, and all that a quoted string may hold.
names = st.text(letters | st.sampled_from(".+-=_"), min_size=1, max_size=16)
locals_ = st.text(letters | st.sampled_from('.+-=_"\\@%! '), min_size=1, max_size=16)

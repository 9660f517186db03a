"""Hypothesis strategies for records of subscriptions."""

from hypothesis import strategies as st

from outgate.model.consent import Grade
from outgate.model.optin import (
    COMMITMENT_BYTES,
    MAX_OFFSET_MINUTES,
    MAX_TIME_US,
    Method,
    Record,
    State,
    ZoneSource,
)
from outgate.model.optin_order import pack

# Few moments, so that they meet.
moments = st.one_of(st.integers(1, 5), st.integers(1, MAX_TIME_US))


@st.composite
def records(draw: st.DrawFn, times: st.SearchStrategy[int] = moments) -> Record:
    """Any record that there can be."""
    state = draw(st.sampled_from(State))
    if state is State.ERASED:
        return Record(state=state, time_us=draw(times))
    is_consent = state is State.CONSENT
    time_us = draw(st.none() | times) if is_consent else draw(times)
    return Record(
        state=state,
        time_us=time_us,
        offset_minutes=draw(st.integers(-MAX_OFFSET_MINUTES, MAX_OFFSET_MINUTES)),
        zone=ZoneSource.UNKNOWN
        if time_us is None
        else draw(st.sampled_from(ZoneSource)),
        method=draw(st.sampled_from(Method)),
        grade=draw(st.sampled_from(Grade)) if is_consent else Grade.NONE,
        evidence_id=draw(st.from_regex(r"[A-Za-z0-9_-]{0,32}", fullmatch=True)),
        commitment=draw(
            st.just(b"")
            | st.binary(min_size=COMMITMENT_BYTES, max_size=COMMITMENT_BYTES)
        ),
        source=draw(st.from_regex(r"[a-z0-9.-]{0,10}", fullmatch=True)),
    )


@st.composite
def almost_records(draw: st.DrawFn) -> bytes:
    """Packed records in which a byte or two are others, or some are missing or added."""
    packed = bytearray(pack(draw(records())))
    # Bounds of each part, beside anything.
    odd = st.sampled_from(
        b"\0\x01\x0a\x0b\x1f\x20\x3f\x40\x60\x61\xc0\xe0\xe101cwxCWX5679"
    )
    for _ in range(draw(st.integers(0, 2))):
        at = draw(st.integers(0, len(packed) - 1))
        packed[at] = draw(odd | st.integers(0, 255))
    value = bytes(packed)
    return draw(
        st.sampled_from([value, value + b"\xff", value + b"a", value[:-1], value[:10]])
        | st.binary(max_size=80)
    )

"""The signed trace: what goes out comes back, and nothing else does."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outgate.model.consent import Grade
from outgate.model.trace import Trace, make_trace_id, time_of_trace_id
from outgate.signing.trace import MAX_TRACE_BYTES, TraceSigner

SECRET, OTHER = b"\x01" * 32, b"\x02" * 32
TRACE = Trace(
    id="01936c5d3e7a5be2ef6d3c8a1b0f9d42",
    customer="9f86d081884c7d65",
    time_s=1_764_004_027,
    grade=Grade.WITNESSED,
    list_id="2c26b46b68ffc68f",
)

traces = st.builds(
    Trace,
    id=st.text("0123456789abcdef", min_size=32, max_size=32),
    customer=st.text("0123456789abcdef", min_size=16, max_size=16),
    time_s=st.integers(0, 10**11 - 1),
    grade=st.sampled_from(Grade),
    list_id=st.one_of(
        st.just(""), st.text("0123456789abcdef", min_size=16, max_size=16)
    ),
)
blanks = st.text(" \t\r\n", max_size=4)


@given(traces)
def test_what_was_signed_is_read(trace: Trace) -> None:
    """Every field, whatever it holds."""
    signer = TraceSigner(SECRET)
    assert signer.read(signer.sign(trace).encode()) == trace


@given(traces, st.data())
def test_white_space_and_case_may_change(trace: Trace, data: st.DataObject) -> None:
    """Whoever reports a message folds its headers anew."""
    signer = TraceSigner(SECRET)
    parts = re.split(r"(?<=;)\s+", signer.sign(trace))
    text = "".join(f"{data.draw(blanks)}{part}" for part in parts)
    if data.draw(st.booleans()):
        text = text.upper()
    assert signer.read(f"{text}{data.draw(blanks)}".encode()) == trace


@given(traces, st.integers(0), st.sampled_from("0123456789abcdef;= vt"))
def test_a_changed_byte_is_no_trace(trace: Trace, where: int, what: str) -> None:
    """Whatever byte it is."""
    signer = TraceSigner(SECRET)
    value = signer.sign(trace)
    at = where % len(value)
    if value[at].isspace() or what.isspace() or value[at].lower() == what:
        return
    changed = f"{value[:at]}{what}{value[at + 1 :]}"
    assert signer.read(changed.encode()) is None


@given(st.binary(max_size=2 * MAX_TRACE_BYTES))
def test_hostile_values_are_no_traces(value: bytes) -> None:
    """Nothing raises."""
    assert TraceSigner(SECRET).read(value) is None


@pytest.mark.parametrize(
    "change",
    [
        lambda value: b"",
        lambda value: value + b"; x=1",
        lambda value: b"x=1; " + value,
        lambda value: value + b" " * MAX_TRACE_BYTES,
        lambda value: value + b"\n" + value,
        lambda value: value.replace(b"v=1", b"v=2"),
        lambda value: value.replace(b"; l=2c26b46b68ffc68f", b""),
        lambda value: value.replace(b"t=", b"t=0"),
        lambda value: value.replace(b"k=", b"k=0"),
        lambda value: value.replace(b"i=0", "i=\u0660".encode()),
        lambda value: value[:-1],
    ],
)
def test_what_is_no_trace(change: "object") -> None:
    """Tags that are none of ours, missing or twice; numbers in another spelling."""
    signer = TraceSigner(SECRET)
    value = signer.sign(TRACE).encode()
    assert signer.read(value) == TRACE
    assert callable(change)
    assert signer.read(change(value)) is None


def test_keys_rotate() -> None:
    """The first one signs, older ones are read, and pseudonyms stay."""
    before, after = TraceSigner(SECRET), TraceSigner(SECRET, (OTHER,))
    assert after.read(before.sign(TRACE).encode()) == TRACE
    assert before.read(after.sign(TRACE).encode()) is None
    third = TraceSigner(SECRET, (b"\x03" * 32, OTHER))
    assert third.read(after.sign(TRACE).encode()) == TRACE
    assert before.customer("choir") == third.customer("choir")


def test_another_secret_reads_nothing() -> None:
    """Nor does it give the same pseudonyms."""
    ours, theirs = TraceSigner(SECRET), TraceSigner(OTHER)
    assert theirs.read(ours.sign(TRACE).encode()) is None
    assert ours.customer("choir") != theirs.customer("choir")
    assert ours.customer("choir") != ours.list_id("choir", "")
    assert ours.list_id("choir", "news") != ours.list_id("bank", "news")


def test_it_fits_into_short_lines() -> None:
    """RFC 5322 §2.1.1: 998 at most, 78 where it can be; no address is in it."""
    value = TraceSigner(SECRET).sign(TRACE)
    lines = f"Outgate-Trace: {value}".split("\n")
    assert max(map(len, lines)) <= 78
    assert len(value) <= 149
    assert "@" not in value


@given(st.integers(0, 2**48 * 1000 - 1), st.binary(min_size=10, max_size=10))
def test_an_id_tells_its_time(now_us: int, random: bytes) -> None:
    """So that a record is found by the id alone."""
    made = make_trace_id(now_us, random)
    assert len(made) == 32
    assert time_of_trace_id(made) == now_us // 1_000_000


@pytest.mark.parametrize("text", ["", "zz", "00" * 15, "00" * 17])
def test_what_is_no_id(text: str) -> None:
    """Is refused."""
    with pytest.raises(ValueError, match=r"."):
        time_of_trace_id(text)
    with pytest.raises(ValueError, match="random bytes"):
        make_trace_id(0, b"")

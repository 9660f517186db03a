"""A line is a line, whatever a sender put into it."""

import json
import os
import select
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from log.logfmt import NOW_US, Captured, read
from outgate.log.lines import (
    LEVELS,
    Log,
    escape,
    format_time,
    render_json,
    render_logfmt,
)

fast = settings(max_examples=150, deadline=None)

# Everything that Python can put into a text, lone surrogates included.
_anything = st.one_of(
    st.text(max_size=30),
    st.text(st.characters(min_codepoint=0xD800, max_codepoint=0xDFFF), max_size=4),
    st.binary(max_size=30).map(lambda raw: raw.decode("utf-8", "surrogateescape")),
    st.sampled_from(
        [
            'x" reason=none',
            "x\nlevel=error event=forged",
            "x\u2028y",
            "\x1b[2Jhidden",
            "\u202egnp.exe",
            "a=b",
            "\\",
            '"',
            "",
            " ",
            "\x7f\x80\x85\xa0",
        ]
    ),
)
_keys = ["queue-id", "login", "sender", "detail", "traceback", "worker"]
_fields = st.lists(
    st.tuples(st.sampled_from(_keys), _anything),
    min_size=1,
    max_size=6,
    unique_by=lambda one: one[0],
)


@fast
@given(_fields)
def test_logfmt_is_one_line_that_reads_back(fields: list[tuple[str, str]]) -> None:
    """Each field comes back under its own name, in order; empty ones are left out."""
    line = render_logfmt([("event", "x"), *fields])

    assert read(line)[1:] == [(key, escape(value)) for key, value in fields if value]


@fast
@given(_fields)
def test_json_is_one_line_that_reads_back(fields: list[tuple[str, str]]) -> None:
    """JSON needs no escapes of ours: a reader gets exactly what was said."""
    line = render_json(fields)

    assert line.count("\n") == 1
    said = {key: value for key, value in fields if value}
    assert _utf16(json.loads(line)) == _utf16(said)


def _utf16(texts: dict[str, str]) -> dict[str, bytes]:
    """Two halves of a surrogate pair are one character to a reader of JSON."""
    return {key: text.encode("utf-16", "surrogatepass") for key, text in texts.items()}


@fast
@given(_anything)
@example("anne@example.org\r\n.")
def test_nothing_is_left_that_is_not_printable(text: str) -> None:
    """Neither a control character, nor one that turns the terminal's text around."""
    assert escape(text).isprintable()
    assert render_json([("sender", text)]).removesuffix("\n").isprintable()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("anne", "anne"),
        ("Änne Müßig", "Änne Müßig"),
        ("two\r\nlines", r"two\x0d\x0alines"),
        ("\x00\x7f", r"\x00\x7f"),
        ("\u202e", r"\xe2\x80\xae"),
        ("caf\udce9", r"caf\xe9"),
        ("\ud800", r"\xed\xa0\x80"),
    ],
)
def test_bytes_that_cannot_be_shown_are_named(text: str, shown: str) -> None:
    r"""As `\xNN`, the byte that came over the wire where it was no UTF-8."""
    assert escape(text) == shown


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.from_regex(r"[a-z]{1,12}", fullmatch=True),
            st.one_of(_anything, st.sampled_from("\x00\U0001f600é\\a")).flatmap(
                lambda text: st.integers(1, 2000).map(lambda times: text * times)
            ),
        ),
        max_size=24,
        unique_by=lambda one: one[0],
    ),
    st.sampled_from(["logfmt", "json"]),
)
def test_a_line_fits_into_one_write(fields: list[tuple[str, str]], style: str) -> None:
    """PIPE_BUF bytes are written in one piece, or lines of processes would mix."""
    reading, writing = os.pipe()
    try:
        log = Log(lambda: NOW_US, style=style, descriptor=writing)
        log.write(NOW_US, "info", "message", fields)
        raw = os.read(reading, 1 << 20)
    finally:
        os.close(reading)
        os.close(writing)

    assert len(raw) <= select.PIPE_BUF
    assert raw.endswith(b"\n")
    assert raw.count(b"\n") == 1
    line = raw.decode()
    head = dict(read(line)) if style == "logfmt" else {**json.loads(line)}
    assert head["time"] == format_time(NOW_US)
    assert head["event"] == "message"


def test_a_long_value_is_cut_and_says_so(tmp_path: Path) -> None:
    """The beginning stays, and an ellipsis."""
    captured = Captured(tmp_path / "log")

    line = captured.line(lambda log: log.info("held", sender="a" * 5000, worker=1))

    pairs = dict(read(line))
    assert pairs["sender"] == "a" * 600 + "…"
    assert pairs["worker"] == "1"


def test_of_a_traceback_the_end_stays(tmp_path: Path) -> None:
    """The exception is its last line."""
    captured = Captured(tmp_path / "log")
    traceback = "File ...\n" * 1000 + "ValueError: here"

    line = captured.line(lambda log: log.error("callback-error", traceback=traceback))

    shown = dict(read(line))["traceback"]
    assert shown.startswith("…")
    assert shown.endswith(r"\x0aValueError: here")
    assert len(line) > 2000


def test_a_line_begins_with_time_level_and_event(tmp_path: Path) -> None:
    """Names of fields are the words of the manual, with dashes."""
    captured = Captured(tmp_path / "log")

    line = captured.line(lambda log: log.warning("pin-failed", exit_code=3, role=""))

    assert line == (
        "time=2026-11-24T06:00:00.123Z level=warning event=pin-failed exit-code=3\n"
    )


def test_numbers_stay_numbers_in_json(tmp_path: Path) -> None:
    """A query need not parse them."""
    captured = Captured(tmp_path / "log", style="json")

    line = captured.line(lambda log: log.info("ready", workers=2, share=0.5, mode="x"))

    assert json.loads(line) == {
        "time": "2026-11-24T06:00:00.123Z",
        "level": "info",
        "event": "ready",
        "workers": 2,
        "share": 0.5,
        "mode": "x",
    }


@pytest.mark.parametrize("level", LEVELS)
def test_a_level_hides_the_ones_below(tmp_path: Path, level: str) -> None:
    """`error` is the quietest, `debug` says everything."""
    captured = Captured(tmp_path / "log", level=level)

    for name in LEVELS:
        getattr(captured.log, name)("said")

    said = [
        dict(read(line))["level"] for line in captured.raw.decode().splitlines(True)
    ]
    assert said == list(LEVELS[LEVELS.index(level) :])
    assert captured.log.reports_messages == (level in {"debug", "info"})


def test_a_log_that_nobody_reads_loses_lines_and_nothing_else(
    closed_pipe: int,
) -> None:
    """A closed pipe stops no mail."""
    Log(lambda: NOW_US, descriptor=closed_pipe).error("store-down")


@pytest.fixture
def closed_pipe() -> Iterator[int]:
    """The writing end of a pipe whose reader is gone."""
    reading, writing = os.pipe()
    os.close(reading)
    yield writing
    os.close(writing)

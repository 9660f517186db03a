"""Filters that break the protocol are caught; filters that fail are lived through."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from lab.milterfilters import pymilter, scripted
from lab.miltermta import (
    Actions,
    Message,
    MilterLostError,
    MilterMta,
    ProtocolViolation,
    Steps,
    run_parallel,
)

HEADERS = [(b"From", b" anne"), (b"X-B\xe9d", b" yes"), (b"To", b" bob")]
GO_ON = (b"c", b"")
ADD = (b"h", b"X-Name\0value\0")


@pytest.mark.parametrize(
    ("command", "answers", "complaint"),
    [
        (b"M", [ADD, GO_ON], "at mail"),
        (b"M", [(b"c", b"more")], "carries data"),
        (b"M", [(b"s", b"")], "skip at mail"),
        (b"M", [(b"x", b"")], "no answer to mail"),
        (b"C", [(b"d", b"")], "discard at connect"),
        (b"R", [(b"y", b"550 5.7.1 no end")], "is no string"),
        (b"R", [(b"y", b"250 2.0.0 fine\0")], "malformed"),
        (b"R", [(b"y", b"550 4.7.1 which\0")], "malformed"),
        (b"R", [(b"y", b"550-5.7.1 a\r\n551 5.7.1 b\0")], "malformed"),
        (b"E", [(b"h", b"X-Name\0"), GO_ON], "expected 2 strings"),
        (b"E", [(b"+", b"<x@example.org>\0"), GO_ON], "not in"),
        (b"E", [GO_ON, GO_ON], "nobody awaited"),
        (b"L", [GO_ON], "nobody awaited"),
        (b"O", [(b"O", b"\0\0\0\7" + bytes(8))], "was not offered"),
        (b"O", [(b"O", b"\0\0\0\6\0\0\2\0" + bytes(4))], "was not offered"),
        (b"O", [GO_ON], "answers the offer"),
    ],
)  # fmt: skip
def test_a_violation_of_the_protocol_is_raised(
    tmp_path: Path,
    command: bytes,
    answers: Sequence[tuple[bytes, bytes]],
    complaint: str,
) -> None:
    """The filter may add headers, and has promised no answers to them."""
    script = {b"L": [], command: answers}
    steps, actions = Steps.NR_HDR, Actions.ADDHDRS
    with (
        scripted(tmp_path, script, steps=steps, actions=actions) as address,
        pytest.raises(ProtocolViolation, match=complaint),
        MilterMta(address) as mta,
    ):
        mta.send(headers=HEADERS)


def test_progress_is_tolerated(tmp_path: Path) -> None:
    with (
        scripted(tmp_path, {b"E": [(b"p", b""), ADD, (b"p", b""), GO_ON]}) as address,
        MilterMta(address) as mta,
    ):
        assert mta.send().added == [(b"X-Name", b"value", None)]


def test_skip_outside_the_body_is_for_postfix_only(tmp_path: Path) -> None:
    """libmilter's api.html allows it in the body; Sendmail goes wrong elsewhere."""
    skip = {b"L": [(b"s", b"")]}
    with scripted(tmp_path, skip, steps=Steps.SKIP, connections=2) as address:
        with MilterMta(address) as mta:
            assert mta.send(headers=HEADERS).action == "accept"
        assert [c for _, c, _ in mta.transcript].count(b"L") == 1
        with (
            pytest.raises(ProtocolViolation, match="skip at header"),
            MilterMta(address, flavour="sendmail") as mta,
        ):
            mta.send(headers=HEADERS)


@pytest.mark.parametrize(
    ("command", "stage"), [(b"O", "negotiate"), (b"M", "mail"), (b"E", "eom")]
)
def test_a_filter_that_goes_away_is_an_error(
    tmp_path: Path, command: bytes, stage: str
) -> None:
    """It lasts for the session; the next one starts anew."""
    goes = {command: [(b"", b"")]}
    with (
        scripted(tmp_path, goes, connections=2) as address,
        MilterMta(address) as mta,
    ):
        first, second = mta.send(), mta.send()
        with pytest.raises(MilterLostError, match="closed"):
            mta.helo()
        mta.quit()
        assert mta.send().action == "error"
    assert (first.action, first.stage, second.action) == ("error", stage, "error")
    assert first.reason == second.reason == "the filter closed the connection"


def test_a_filter_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    address = f"unix:{tmp_path / 'nobody'}"
    with MilterMta(address) as mta:
        assert "No such file" in mta.send().reason
    for outcome in run_parallel(address, 2, 5, lambda _: Message()):
        assert (outcome.action, outcome.stage) == ("error", "negotiate")


def test_a_silent_filter_is_waited_for_so_long(tmp_path: Path) -> None:
    with (
        scripted(tmp_path, {b"R": []}) as address,
        MilterMta(address, timeout=0.1) as mta,
    ):
        outcome = mta.send()
    assert outcome.reason == "no answer within 0.1 s"
    assert 0.1 <= outcome.elapsed_s < 2


@pytest.mark.parametrize(
    ("verdict", "action"), [(b"a", "accept"), (b"t", "tempfail"), (b"r", "reject")]
)
def test_a_verdict_on_the_connection_is_for_all_its_messages(
    tmp_path: Path, verdict: bytes, action: str
) -> None:
    with (
        scripted(tmp_path, {b"C": [(verdict, b"")]}) as address,
        MilterMta(address) as mta,
    ):
        first, second = mta.send(), mta.send()
    assert (first.action, first.stage) == (action, "connect")
    assert (second.action, second.reply) == (action, first.reply)
    assert [c for _, c, _ in mta.transcript if c != b"D"] == [b"O", b"O", b"C", verdict]


MIXED = """
    def envfrom(self, *args): return Milter.CONTINUE
    def envrcpt(self, *args): return Milter.CONTINUE
    {noreply}
    def header(self, name, value): print(name); return Milter.CONTINUE
    def eom(self): print("eom"); return Milter.CONTINUE
"""


@pytest.mark.parametrize(
    ("noreply", "policy", "expected"),
    [
        ("", "TEMPFAIL", "tempfail at header, heard From"),
        ("", "CONTINUE", "accept at eom, heard From To eom"),
        ("@noreply", "CONTINUE", "accept at eom, heard From To eom"),
        ("@noreply", "TEMPFAIL", "error at eom, heard From"),
        ("@noreply", "ACCEPT", "error at eom, heard From"),
    ],
)
def test_what_pymilter_makes_of_a_header_name_that_is_no_utf8(
    tmp_path: Path, noreply: str, policy: str, expected: str
) -> None:
    """A failure where no answer is due: libmilter forgets the message, says nothing.

    pymilter 1.0.5 cannot decode the name and follows its exception policy. libmilter
    8.17.1 swallows the answer, but leaves the transaction as if it had been given,
    and ignores the rest up to and including the end of the message.
    """
    methods = MIXED.format(noreply=noreply)
    with (
        pymilter(tmp_path, methods, policy=policy) as address,
        MilterMta(address, timeout=0.5) as mta,
    ):
        outcome = mta.send(headers=HEADERS)
    log = (tmp_path / "filter.log").read_text()
    heard = " ".join(word for word in ("From", "To", "eom") if f"{word}\n" in log)
    assert f"{outcome.action} at {outcome.stage}, heard {heard}" == expected
    assert "UnicodeDecodeError" in log

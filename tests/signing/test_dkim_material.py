"""A thousand real messages: signed, and verified by dkimpy and OpenDKIM."""

import re

import pytest

from lab.opendkim import verify
from lab.skips import or_skip
from message.material import real_files
from signing.dkims import BOTH, Desk, a_book

MESSAGES = 1000
RECORDS = {
    f"{name.partition(':')[2]}._domainkey.example.org": key.record
    for name, key in BOTH.items()
}
PASSED = {"2026a": "pass", "2026e": "pass"}
_STRAY_CR = re.compile(rb"\r(?!\n)")
# A signature that somebody made before, without what RFC 6376 §3.5 requires.
_BROKEN = {"1df77906c03433ed", "baeb96046e3f6c25", "c7639cda5dce320d"}
_BROKEN |= {"c825782109bd026d", "f7bf458c8840481b"}


def opendkim_trips(name: str, message: bytes) -> bool:
    """What OpenDKIM 2.11 is known to stumble over, whoever signs.

    A CR alone (no MTA should send it), NUL in its reader of files, and a broken
    DKIM-Signature further down, for which it gives up on all of them.
    """
    body = message.partition(b"\r\n\r\n")[2]
    return (
        _STRAY_CR.search(body) is not None or b"\x00" in message or name[:16] in _BROKEN
    )


@pytest.mark.material
@pytest.mark.timeout(300)
def test_every_real_message_verifies_with_dkimpy_and_opendkim() -> None:
    """8-bit, long lines, no final newline, empty bodies, duplicate headers, folds."""
    desk = Desk(a_book(BOTH, "* example.org.2026a\n* example.org.2026e\n"))
    signed: list[tuple[str, bytes]] = []
    files = sorted(real_files(), key=lambda one: one[1])
    for _, name, content in files:
        one = desk.send(content)
        if one.results == ["signed", "signed"]:
            signed.append((name, one.message))
            assert desk.verifies(one.message) == [True, True], name
    chosen = signed[:: max(1, len(signed) // MESSAGES)][:MESSAGES]
    with or_skip():
        verdicts = verify([message for _, message in chosen], RECORDS)
    failed = {
        name
        for (name, message), verdict in zip(chosen, verdicts, strict=True)
        if {key: verdict.get(key) for key in PASSED} != PASSED
        and not opendkim_trips(name, message)
    }

    assert len(chosen) == MESSAGES
    assert failed == set()


def test_odd_messages_verify_with_opendkim() -> None:
    """The same on messages of our own, where no real ones are."""
    desk = Desk()
    bodies = (
        b"",
        b"\n\n \n",
        b"no final newline",
        b"8-bit: \xc3\xb6\xff\n" + b"long " * 3000 + b"\n \t \n\n",
    )
    messages = [
        desk.send(
            b"From: anne@example.org\nTo: a@x,\n\tb@x\nTo: c@x\nSubject:\n folded at once\n"
            b"Cc: \t\nX-A: 1\nX-A: 2\n\n" + body
        ).message
        for body in bodies
    ]
    with or_skip():
        assert verify(messages, RECORDS) == [PASSED] * len(messages)

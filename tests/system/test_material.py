"""Real messages through the real daemon: every one is answered, and none by an error."""

from collections import Counter
from collections.abc import Iterator

import pytest

from lab.limits import shipped_limits
from lab.miltermail import Message
from lab.miltermta import MilterMta, run_parallel
from lab.outgate import Outgate
from lab.skips import or_skip
from message.material import real_files
from outgate.message.split import split_message

# What libmilter takes as one packet, name and two NUL bytes included.
LONGEST_HEADER = 65_000


@pytest.fixture(scope="module")
def daemon() -> Iterator[Outgate]:
    """Limits that nobody meets."""
    with or_skip(), Outgate(settings=shipped_limits("off")) as running:
        yield running


def send_all(daemon: Outgate, messages: list[Message]) -> Counter[str]:
    """Each by one of ten sessions; gives how often which action came."""
    outcomes = run_parallel(
        daemon.address,
        10,
        len(messages),
        lambda number: messages[number],
        make_mta=lambda _: MilterMta(
            daemon.address, login="real", transcript=False, timeout=30.0
        ),
    )
    return Counter(one.action for one in outcomes)


def as_message(content: bytes, number: int) -> Message:
    """A file as an MTA would show it."""
    headers, body = split_message(content)
    return Message(
        sender=b"<anne@example.org>",
        recipients=[b"<bob@example.net>"],
        headers=[pair for pair in headers if len(pair[1]) < LONGEST_HEADER],
        body=body,
        queue_id=f"mat{number}",
    )


@pytest.mark.material
def test_every_real_message_is_answered(daemon: Outgate) -> None:
    """Personal mail, lists, spam, bounces, parser breakers."""
    files = list(real_files())
    actions = send_all(
        daemon,
        [as_message(content, number) for number, (_, _, content) in enumerate(files)],
    )

    assert actions == {"accept": len(files)}
    assert daemon.events("callback-error") == []
    lines = {one["queue-id"]: one for one in daemon.messages()}
    tagged = Counter(
        label
        for number, (label, _, _) in enumerate(files)
        if lines[f"mat{number}"]["action"] == "tag"
    )
    assert tagged["personal"] == 0


def test_every_strange_message_is_answered(daemon: Outgate) -> None:
    """The same with messages of our own that imitate parser breakers."""
    strange = [
        b"",
        b"\n",
        b"\x00" * 1000,
        b"From: <" + b"@" * 5000 + b">\n\nx",
        b"From: " + b"(" * 5000 + b"\n\nx",
        b"Subject: =?utf-8?B?" + b"A" * 9000 + b"?=\n\n",
        b"List-Unsubscribe: " + b"<" * 9000 + b"\n\n",
        b"List-Unsubscribe: <https://" + b"a." * 9000 + b">\n\n",
        b"List-Id: " + b"\xff" * 300 + b"\n\n",
        b"".join(b"Received: from x%d\n" % number for number in range(3000)) + b"\n",
        b"Content-Type: multipart/report; report-type=" + b";" * 9000 + b"\n\n",
        b"Precedence: bulk\nPrecedence: list\nAuto-Submitted: \x01\n\n" + b"\r" * 70000,
    ]
    actions = send_all(
        daemon, [as_message(content, number) for number, content in enumerate(strange)]
    )

    assert actions == {"accept": len(strange)}
    assert daemon.events("callback-error") == []

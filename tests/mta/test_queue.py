"""What MTAs hold, read from their own listings."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.postfix import Postfix
from lab.sendmail import Sendmail
from lab.smtp import send
from outgate.model.errors import MtaError
from outgate.mta.queue import list_held, read_postfix, read_sendmail
from system.messages import letter


def test_only_the_hold_queue_of_postfix_counts() -> None:
    """Active and deferred mail is on its way."""
    lines = [
        json.dumps({"queue_name": name, "queue_id": f"4{name}", "message_size": 7})
        for name in ("hold", "active", "deferred")
    ]

    assert [(one.queue_id, one.size_bytes) for one in read_postfix(lines)] == [
        ("4hold", 7)
    ]


def test_sendmails_table_is_read_with_its_reasons() -> None:
    """An entry begins with its id; its reason stands below."""
    table = """\
\t\t/var/spool/mqueue (2 requests)
-----Q-ID----- --Size-- -----Q-Time----- ------------Sender/Recipient-----------
6AO6saGB000012      372 Tue Nov 24 06:54 <anne@example.org>
      QUARANTINE: outgate: limit-exceeded
\t\t\t\t\t <bob@example.net>
6AO6saGB000013       12 Tue Nov 24 06:55 <eve@example.org>
      QUARANTINE: outgate: quarantined
\t\tTotal requests: 2
"""
    held = read_sendmail(table.splitlines())

    assert [(one.queue_id, one.size_bytes, one.reason) for one in held] == [
        ("6AO6saGB000012", 372, "outgate: limit-exceeded"),
        ("6AO6saGB000013", 12, "outgate: quarantined"),
    ]


@given(st.lists(st.text()))
def test_any_text_is_a_listing_or_a_typed_error(lines: list[str]) -> None:
    """Whatever a command prints."""
    read_sendmail(lines)
    try:
        read_postfix(lines)
    except MtaError:
        return


def test_a_command_that_fails_says_why() -> None:
    """With its exit code and its own words."""
    with pytest.raises(MtaError, match="exits 3: no mail system"):
        list_held(["sh", "-c", "echo no mail system >&2; exit 3"])


def test_a_command_that_does_not_exist_is_a_typed_error() -> None:
    """The operator mistyped it."""
    with pytest.raises(MtaError, match="no-such-command"):
        list_held(["no-such-command"])


@pytest.mark.mta
def test_the_real_postfix_is_read(postfix: Postfix) -> None:
    """What it holds, and nothing when it was deleted."""
    command = ["env", *(f"{k}={v}" for k, v in postfix.environment.items())]
    command += [str(postfix.program("postqueue")), "-j"]
    recipients = ["stuck@example.net"]
    result = send(postfix.port, letter("held"), "a@example.org", recipients, login="q1")
    assert result.accepted
    for number in range(21):
        send(
            postfix.port, letter(f"h{number}"), "a@example.org", recipients, login="q1"
        )
    held = [entry["queue_id"] for entry in postfix.held()]

    assert {one.queue_id for one in list_held(command)} == set(held)
    for queue_id in held:
        postfix.delete(queue_id)
    assert list_held(command) == []


@pytest.mark.mta
def test_the_real_sendmail_is_read(sendmail: Sendmail) -> None:
    """Its listing goes through the same reader."""
    assert read_sendmail(sendmail.run("-bp", "-qQ").splitlines()) is not None

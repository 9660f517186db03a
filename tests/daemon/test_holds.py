"""Held mail: bounded, measured, and told to those whom it concerns."""

from collections.abc import Iterator
from contextlib import suppress
from urllib.error import URLError

import pytest

from lab.miltermta import MilterMta, Outcome
from lab.outgate import Outgate
from lab.sink import Sink
from lab.skips import or_skip
from lab.waiting import wait_until

ONE_AN_HOUR = """
[[limit]]
name = "messages-per-login-hourly"
per = "login"
count = "messages"
rate = "1/1h"
[[customer]]
name = "choir"
match = ["@choir.example"]
contact = "post@choir.example"
"""

WITH_BODIES = """
[[listen]]
address = "unix:{directory}/outgate.sock"
group = "list"
bodies = true
"""


def send(daemon: Outgate, login: str, count: int, body: bytes = b"") -> list[Outcome]:
    """So many messages of one login."""
    with MilterMta(daemon.address, login=login) as client:
        return [
            client.send(
                sender=f"<{login}>".encode(),
                recipients=[b"<secret-friend@example.net>"],
                headers=[(b"Subject", b" %d" % number)],
                body=body,
                queue_id=f"{login[:4]}{number}",
            )
            for number in range(count)
        ]


@pytest.fixture
def sink() -> Iterator[Sink]:
    """An MTA for the digests."""
    with Sink() as server:
        yield server


def test_owner_and_postmaster_get_one_digest(sink: Sink) -> None:
    """However many messages are held; it names no recipient of theirs."""
    notify = (
        f'[notify]\nsmtp = "127.0.0.1:{sink.port}"\nsender = "outgate@example.org"\n'
        'postmaster = "postmaster@example.org"\ndigest-after = "1s"\n'
    )
    with or_skip(), Outgate(settings=ONE_AN_HOUR + notify) as daemon:
        send(daemon, "anne@choir.example", 6)
        messages = sink.wait_for(2, 30)

    by_address = {one.recipients[0]: one for one in messages}
    assert sorted(by_address) == ["post@choir.example", "postmaster@example.org"]
    digest = by_address["post@choir.example"]
    assert digest.sender == ""
    assert b"Subject: 5 held messages" in digest.data
    assert b"Auto-Submitted: auto-generated" in digest.data
    assert b"anne5" in digest.data
    assert b"limit-exceeded" in digest.data
    assert b"limit: messages-per-login-hourly 1/1h" in digest.data
    assert b"secret-friend" not in digest.data


def test_a_customers_share_of_the_hold_queue_is_bounded() -> None:
    """Beyond the cap mail is deferred, with a reason of its own."""
    settings = ONE_AN_HOUR + "[quarantine]\ncap = 2\n"
    with or_skip(), Outgate(settings=settings) as daemon:
        outcomes = send(daemon, "anne@choir.example", 5)
        others = send(daemon, "eve@other.example", 2)
        line = daemon.message("anne4")

    assert [one.action for one in outcomes] == [
        "accept",
        "quarantine",
        "quarantine",
        "tempfail",
        "tempfail",
    ]
    assert [one.action for one in others] == ["accept", "quarantine"]
    assert (line["action"], line["disposition"]) == ("quarantine", "defer")
    assert line["instead"] == "quarantine-full"


def test_bytes_are_bounded_too() -> None:
    """A few large messages fill it as well."""
    settings = ONE_AN_HOUR + '[quarantine]\ncap-bytes = "100KiB"\n'
    with or_skip(), Outgate(settings=settings, listen=WITH_BODIES) as daemon:
        outcomes = send(daemon, "anne@choir.example", 4, b"x" * 45_000)

    assert [one.action for one in outcomes] == [
        "accept",
        "quarantine",
        "quarantine",
        "tempfail",
    ]


def test_a_full_disk_holds_nothing() -> None:
    """What cannot be kept is not taken."""
    settings = ONE_AN_HOUR + '[quarantine]\nmin-free = "1000TiB"\nspool = "/"\n'
    with or_skip(), Outgate(settings=settings) as daemon:
        outcomes = send(daemon, "anne@choir.example", 2)

    assert [one.action for one in outcomes] == ["accept", "tempfail"]


def held(daemon: Outgate) -> float | None:
    """How many messages are held; None while a new keeper begins to serve."""
    with suppress(URLError):
        return daemon.metrics().get("outgate_held_messages")
    return None


def test_released_messages_make_room_again() -> None:
    """The keeper lists the MTA's hold queue and sees that they are gone."""
    settings = ONE_AN_HOUR + (
        '[quarantine]\ncap = 2\nmta = "mx.example.org"\n'
        'queue-command = ["cat", "{directory}/listing"]\n'
    )
    with or_skip():
        daemon = Outgate(settings=settings)
    try:
        daemon.start()
        listing = daemon.directory / "listing"
        daemon.settings = settings.replace("{directory}", str(daemon.directory))
        listing.write_text("")
        daemon.write_config()
        daemon.reload()
        wait_until(lambda: bool(daemon.events("reloaded")), "reload")
        before = send(daemon, "anne@choir.example", 4)
        wait_until(lambda: held(daemon) == 2, "records")
        wait_until(
            lambda: held(daemon) == 0,
            "the keeper sees that the queue is empty",
            seconds=40,
        )
        after = send(daemon, "anne@choir.example", 1)
    finally:
        daemon.stop()

    assert [one.action for one in before][3] == "tempfail"
    assert [one.action for one in after] == ["quarantine"]


def test_held_mail_is_measured() -> None:
    """Number, bytes, age: of all hosts."""
    with or_skip(), Outgate(settings=ONE_AN_HOUR, listen=WITH_BODIES) as daemon:
        send(daemon, "anne@choir.example", 3, b"x" * 1000)
        wait_until(lambda: daemon.metrics().get("outgate_held_messages") == 2, "metric")
        metrics = daemon.metrics()

    assert metrics["outgate_held_bytes"] >= 2000
    assert metrics["outgate_held_overdue"] == 0
    assert metrics["outgate_held_oldest_seconds"] >= 0

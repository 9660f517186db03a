"""What was counted is still known after a restart, or after the store was killed."""

import os
import signal
from collections.abc import Callable, Iterator

import pytest

from lab.limits import shipped_limits
from lab.miltermta import MilterMta
from lab.outgate import Outgate
from lab.skips import or_skip
from lab.waiting import wait_until

# Of another text, since what counts is the sender.
_LETTERS = (
    b"Shall we meet at the old station on Friday afternoon, Bart and Cora too?\r\n",
    b"The programme of our winter concert is ready; rehearsals begin in October.\r\n",
)
_SETTINGS = shipped_limits(
    "off", strangers_per_campaign="8/7d", strangers_per_login_daily="12/7d"
)
_SETTINGS += "[workers]\ncount = 1\n"


@pytest.fixture
def daemon() -> Iterator[Outgate]:
    """A daemon with an embedded store."""
    with or_skip(), Outgate(settings=_SETTINGS) as found:
        yield found


def send(daemon: Outgate, people: range, text: int = 0, *, login: str = "anne") -> str:
    """Send one letter to so many; gives what became of it."""
    with MilterMta(daemon.address, login=login) as client:
        return client.send(
            sender=b"<anne@example.org>",
            recipients=[b"<bart%d@example.net>" % number for number in people],
            body=_LETTERS[text],
        ).action


def restart(daemon: Outgate) -> None:
    """Stop everything, the store too, and start again."""
    assert daemon.terminate() == 0
    daemon.launch()
    wait_until(lambda: len(daemon.events("ready")) == 2, "ready again")


def kill_store(daemon: Outgate) -> None:
    """SIGKILL for the store; the supervisor starts another one."""
    os.kill(
        int((daemon.directory / "state/store/store.pid").read_text()), signal.SIGKILL
    )
    wait_until(lambda: len(daemon.events("store-started")) == 2, "another server")
    wait_until(lambda: is_asked(daemon), "the worker asks it")


def is_asked(daemon: Outgate) -> bool:
    """Whether a message is judged by the store, and not by the host's own counters."""
    send(daemon, range(1), login="bea")
    return "local" not in daemon.messages()[-1].get("source", "")


@pytest.mark.parametrize("trouble", [restart, kill_store])
def test_counts_go_on(daemon: Outgate, trouble: Callable[[Outgate], None]) -> None:
    """Who is known stays known; what was used of a limit stays used."""
    assert send(daemon, range(5)) == "accept"

    trouble(daemon)

    # Of the mailing 8 and of the sender 12: had anything been forgotten, all would fit.
    assert send(daemon, range(3, 9)) == "quarantine"
    assert send(daemon, range(8)) == "accept"
    assert send(daemon, range(8, 9)) == "quarantine"
    assert send(daemon, range(8, 12), text=1) == "accept"
    assert send(daemon, range(12, 13), text=1) == "quarantine"
    assert send(daemon, range(12), text=1) == "accept"

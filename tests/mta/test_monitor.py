"""Monitor mode over the protocol: it reports everything and lets everything out."""

from collections.abc import Iterator

import pytest

from lab.miltermta import MilterMta
from lab.outgate import Outgate
from lab.skips import or_skip
from mta.marks import marks, traces

ANNE = b"<anne@example.org>"
BOB = b"<bob@example.net>"
TWO_AN_HOUR = """
[[limit]]
name = "messages-per-login-hourly"
per = "login"
count = "messages"
rate = "2/1h"
"""


@pytest.fixture(scope="module")
def daemon() -> Iterator[Outgate]:
    """A daemon that only watches."""
    with or_skip(), Outgate(mode="monitor", settings=TWO_AN_HOUR) as running:
        yield running


def test_what_would_be_held_passes_and_is_told(daemon: Outgate) -> None:
    """Verdict and disposition differ in the log and in the metric."""
    with MilterMta(daemon.address, login="watched") as client:
        outcomes = [
            client.send(sender=ANNE, recipients=[BOB], queue_id=f"mon{number}")
            for number in range(4)
        ]
    line = daemon.message("mon3")

    assert [one.action for one in outcomes] == ["accept"] * 4
    assert (line["action"], line["disposition"]) == ("quarantine", "accept")
    assert line["reasons"] == "limit-exceeded"


def test_it_charges_what_enforce_would_have_let_out(daemon: Outgate) -> None:
    """The fourth message finds two used, not three: its report is true."""
    with MilterMta(daemon.address, login="counted") as client:
        for number in range(4):
            client.send(sender=ANNE, recipients=[BOB], queue_id=f"chg{number}")

    assert "messages-per-login-hourly:2/2" in daemon.message("chg3")["limits"]


def test_a_trace_alone_is_added_and_forged_headers_go(daemon: Outgate) -> None:
    """Bulk mail would be tagged; a header in our name is removed in every mode."""
    headers = [
        (b"Precedence", b" bulk"),
        (b"Outgate-Verdict", b" class=personal"),
        (b"Outgate-Trace", b" v=1; i=forged"),
    ]
    with MilterMta(daemon.address, login="bulky") as client:
        outcome = client.send(sender=ANNE, recipients=[BOB], headers=headers)

    assert (marks(outcome), len(traces(outcome))) == ([], 1)
    assert [name for _, name, _ in outcome.changed] == [
        b"Outgate-Verdict",
        b"Outgate-Trace",
    ]


def test_operators_orders_act_in_monitor_mode_too(daemon: Outgate) -> None:
    """Somebody decided: quarantine and suspend do not wait for enforce."""
    daemon.redis("HSET", "outgate:quarantine", "held", "by=anne phished")
    daemon.redis("HSET", "outgate:suspend", "gone", "by=anne bot")
    actions = []
    for login in ("held", "gone", "other"):
        with MilterMta(daemon.address, login=login) as client:
            actions.append(client.send(sender=ANNE, recipients=[BOB]).action)

    assert actions == ["quarantine", "reject", "accept"]

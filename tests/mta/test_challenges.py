"""Challenges over the milter protocol, into a real ledger."""

from collections.abc import Iterator

import pytest

from lab.miltermail import Outcome
from lab.miltermta import MilterMta
from lab.outgate import Outgate
from lab.skips import or_skip
from message.challenges import ALL, MAILMAN_3, PHPLIST, Message

LOGIN = "post@choir.example"
LIST = "news.lists.choir.example"
SETTINGS = f"""
[workers]
count = 1
[[customer]]
name = "choir"
match = ["{LOGIN}"]
[[list]]
id = "{LIST}"
customer = "choir"
challenges = "through-us"
"""


@pytest.fixture(scope="module")
def daemon() -> Iterator[Outgate]:
    """One that knows a list."""
    with or_skip(), Outgate(settings=SETTINGS) as running:
        yield running


def send(client: MilterMta, message: Message, recipient: str, queue_id: str) -> Outcome:
    block, body = message
    lines = [line.partition(": ") for line in block.split("\n")]
    return client.send(
        sender=b"<post@choir.example>",
        recipients=[f"<{recipient}>".encode()],
        headers=[(name.encode(), b" " + value.encode()) for name, _, value in lines],
        body=body,
        queue_id=queue_id,
    )


def ledger(daemon: Outgate) -> int:
    told = daemon.cli(
        "store", "cli", "HGET", f"outgate:challenges:{{{LIST}}}:choir", "count"
    )
    return int(told.strip() or 0)


@pytest.mark.parametrize("name", ALL)
def test_each_software_s_challenge_is_noted(daemon: Outgate, name: str) -> None:
    """Once a day for each person; the second is told why it waits."""
    before = ledger(daemon)
    recipient = f"{name.replace(' ', '-')}@example.net"
    with MilterMta(daemon.address, login=LOGIN) as client:
        first = send(client, ALL[name], recipient, f"first{before}")
        again = send(client, ALL[name], recipient, f"again{before}")

    assert first.action == "accept"
    assert again.action == "tempfail"
    assert ledger(daemon) == before + 1
    line = daemon.message(f"again{before}")
    assert line["reasons"].startswith("subscription-bombing")
    assert line["detail"].startswith("1 by the list, 1 by the customer")
    assert line["challenge"] in name


def test_the_reply_tells_the_list_owner(daemon: Outgate) -> None:
    """That a form is abused, and whose address is not said."""
    with MilterMta(daemon.address, login=LOGIN) as client:
        send(client, MAILMAN_3, "ned@example.net", "one")
        outcome = send(client, PHPLIST, "ned@example.net", "two")
    assert "CAPTCHA" in str(outcome)
    assert "ned@example.net" not in str(outcome)

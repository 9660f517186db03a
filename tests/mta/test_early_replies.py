"""Sockets that answer at MAIL or RCPT: a suspended sender is told before DATA."""

import pytest

from lab.miltermta import MilterMta
from lab.outgate import Outgate
from lab.skips import or_skip
from lab.waiting import wait_until

LISTEN = "".join(
    f'[[listen]]\naddress = "unix:{{directory}}/{stage}.sock"\nreplies = "{stage}"\n'
    for stage in ("mail", "recipient")
)


@pytest.mark.parametrize(("stage", "where"), [("mail", "mail"), ("recipient", "rcpt")])
def test_a_suspended_sender_is_refused_at_that_stage(stage: str, where: str) -> None:
    """From the local copy, without a round trip; others pass."""
    with or_skip(), Outgate(listen=LISTEN, account=None) as daemon:
        daemon.redis("HSET", "outgate:suspend", "evil@example.org", "by=anne bot")
        address = f"unix:{daemon.directory}/{stage}.sock"

        def refused() -> bool:
            with MilterMta(address, login="anne") as client:
                outcome = client.send(
                    sender=b"<evil@example.org>",
                    recipients=[b"<b@example.net>", b"<c@example.net>"],
                )
            return outcome.stage == where and outcome.action == "reject"

        wait_until(refused, f"a refusal at {where}")
        with MilterMta(address, login="anne") as client:
            other = client.send(
                sender=b"<good@example.org>", recipients=[b"<b@example.net>"]
            )

        assert other.action == "accept"

"""What is kept about a held message, before the keeper carries it into the store."""

from pathlib import Path

from log.logfmt import Captured
from outgate.daemon.compose import HoldKeeper
from outgate.policy.operator import Order
from outgate.store.outbox import Outbox, Record
from policy.builders import ANNE, Outpost, a_policy, a_transaction


def test_no_recipient_is_kept(tmp_path: Path) -> None:
    """Not even where VERP writes one into the sender."""
    outpost = Outpost(a_policy())
    outpost.order(Order.QUARANTINE, ANNE, "phished")
    outbox = Outbox(tmp_path)
    transaction = a_transaction(
        ANNE, sender="list-bounces+bob=example.net@list.example"
    )
    keeper = HoldKeeper(outbox, Captured(tmp_path / "log").log)

    keeper.observe(outpost.judge(transaction))

    kept: list[Record] = []
    outbox.drain(kept.append, "1")
    (record,) = kept
    assert record["sender"] == "list-bounces@list.example"
    assert "bob" not in str(record)

"""`outgate queue list`: what is held, for people and for programs."""

import json
from pathlib import Path

import pytest

from cli.commands import Done, configure, outgate
from lab.redis import RedisServer
from outgate.store.client import connect
from outgate.store.holds import Holds
from outgate.store.keys import Keys
from outgate.store.outbox import Outbox
from outgate.store.wire import Endpoint

NOW_US = 1_795_500_000_000_000
HOUR_US = 3_600_000_000


def record(
    queue_id: str, sender: str, since_us: int, customer: str = "choir"
) -> dict[str, str | int]:
    """What a worker writes down of a message that it had held."""
    return {
        "kind": "held",
        "mta": "mx1.example.org",
        "queue-id": queue_id,
        "customer": customer,
        "contact": "post@choir.example",
        "login": "anne@choir.example",
        "sender": sender,
        "recipients": 320,
        "size": 2048,
        "reasons": "limit-exceeded",
        "detail": "recipients-per-login-hourly 500/1h",
        "since-us": since_us,
        "until-us": since_us + HOUR_US,
    }


class Queue:
    """Records of held messages, under keys of a test's own."""

    def __init__(self, directory: Path, server: RedisServer, namespace: str) -> None:
        self._config = configure(directory, server, namespace)
        self._holds = Holds(connect(Endpoint(url=server.url)), Keys(namespace))

    def hold(
        self,
        queue_id: str,
        sender: str,
        since_us: int = NOW_US,
        customer: str = "choir",
    ) -> None:
        """Write the record of one message."""
        self._holds.apply(record(queue_id, sender, since_us, customer))

    def hold_unseen(self, queue_id: str) -> None:
        """Hold a message of which the keeper has not told the store yet."""
        spool = self._config.parent / "state/spool"
        spool.mkdir(parents=True, exist_ok=True)
        Outbox(spool).append(record(queue_id, "anne@choir.example", NOW_US))

    def list(self, *words: str) -> Done:
        """Run the command."""
        return outgate("--config", self._config, "queue", "list", *words)


@pytest.fixture
def queue(tmp_path: Path, redis: RedisServer, someone: str) -> Queue:
    """A hold queue with nothing in it."""
    return Queue(tmp_path, redis, someone.partition("@")[0])


def test_an_empty_queue_is_a_sentence_or_nothing(queue: Queue) -> None:
    """A program need not know the sentence."""
    assert queue.list() == Done(0, "nothing is held\n", "")
    assert queue.list("--json") == Done(0, "", "")


def test_the_oldest_comes_first_and_nothing_is_cut(queue: Queue) -> None:
    """A queue id is there to be copied, however narrow the terminal is."""
    sender = f"{'anne+' * 20}@choir.example"
    queue.hold("4XyZ1a2b3czYoung", sender)
    queue.hold("4XyZ1a2b3czOldest", "", NOW_US - HOUR_US)

    done = queue.list()

    head, old, young = done.stdout.splitlines()
    assert head.split() == (
        ["queue", "id", "since", "customer", "sender", "rcpt", "bytes", "reasons"]
    )
    assert old.split() == [
        *("4XyZ1a2b3czOldest", "2026-11-24T05:00:00Z", "choir", "<>"),
        *("320", "2048", "limit-exceeded"),
    ]
    assert sender in young.split()
    assert old.index("320") == young.index("320") == head.index("rcpt")


def test_a_program_gets_one_object_a_line(queue: Queue) -> None:
    """With all that is known, times as people write them too."""
    queue.hold("4XyZ1a2b3c", "anne@choir.example")

    (record,) = map(json.loads, queue.list("--json").stdout.splitlines())

    assert record["queue-id"] == "4XyZ1a2b3c"
    assert record["detail"] == "recipients-per-login-hourly 500/1h"
    assert record["since"] == "2026-11-24T06:00:00Z"
    assert record["until"] == "2026-11-24T07:00:00Z"


def test_all_of_one_customer_are_ids_for_another_program(queue: Queue) -> None:
    """One a line, oldest first; nobody's is nothing, not a sentence."""
    queue.hold("4Young", "anne@choir.example")
    queue.hold("4Old", "bea@choir.example", NOW_US - HOUR_US)
    queue.hold("4Other", "eve@shop.example", customer="shop")

    assert queue.list("--customer", "choir", "--ids") == Done(0, "4Old\n4Young\n", "")
    assert queue.list("--customer", "cho", "--ids") == Done(0, "", "")
    shown = queue.list("--customer", "shop").stdout.splitlines()[1:]
    (told,) = map(
        json.loads, queue.list("--customer", "shop", "--json").stdout.splitlines()
    )
    assert [row.split()[0] for row in shown] == [told["queue-id"]] == ["4Other"]


def test_ids_are_not_json(queue: Queue) -> None:
    """Whoever asks for both has mistaken something."""
    done = queue.list("--ids", "--json")

    assert done.code == 2
    assert "--ids and --json: only one of them" in done.stderr


@pytest.mark.parametrize(
    "sender",
    ["anne@[192.0.2.1]", "[/b]@x.example", "\x1b[2J@x.example", "a\n4Fake b@x.example"],
)
def test_a_sender_is_shown_and_not_obeyed(queue: Queue, sender: str) -> None:
    """Neither as markup, nor by the terminal, nor as a line of its own."""
    queue.hold("4XyZ1a2b3c", sender)

    done = queue.list()

    assert done.code == 0
    lines = done.stdout.splitlines()
    assert len(lines) == 2
    assert all(line.isprintable() for line in lines)
    assert sender.partition("@")[2] in lines[1]


def test_what_was_held_this_second_is_listed_too(queue: Queue) -> None:
    """Its record is on this host's disk before it is in the store; it counts once."""
    queue.hold("4Stored", "anne@choir.example", NOW_US - HOUR_US)
    queue.hold_unseen("4Stored")
    queue.hold_unseen("4Fresh")

    rows = queue.list().stdout.splitlines()[1:]
    (_, fresh) = map(json.loads, queue.list("--json").stdout.splitlines())

    assert [row.split()[0] for row in rows] == ["4Stored", "4Fresh"]
    assert fresh["since"] == "2026-11-24T06:00:00Z"


def test_help_says_how_mail_leaves(queue: Queue) -> None:
    """A release alone waits for the next queue run."""
    shown = queue.list("--help").stdout

    assert "`postsuper -H <id>` releases, then `postqueue -i <id>` sends" in shown
    assert "sendmail -Q -qQ -qI<id>" in shown

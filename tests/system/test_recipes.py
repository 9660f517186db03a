"""What the page on counting promises of some settings, by the daemon and its own store."""

from collections.abc import Iterator
from contextlib import contextmanager

from lab.miltermta import MilterMta
from lab.outgate import Outgate
from pages.limit_examples import EXAMPLES

_LIST = """
[[list]]
id = "members.choir.example"
customer = "choir"
[[customer]]
name = "choir"
match = ["anne@choir.example"]
"""
_HEADERS = [
    (b"From", b"<anne@choir.example>"),
    (b"Subject", b"The summer concert"),
    (b"List-Id", b"<members.choir.example>"),
    (
        b"List-Unsubscribe",
        b"<https://lists.example.org/u/7f3a>, <mailto:leave@example.org>",
    ),
    (b"List-Unsubscribe-Post", b"List-Unsubscribe=One-Click"),
]
_BODY = b"We sing in the park on the first Saturday of July, and all may come.\r\n"


@contextmanager
def gate(settings: str) -> Iterator[Outgate]:
    """A daemon that enforces, with one worker, so that all is counted in order."""
    with Outgate(
        mode="enforce", settings=f"{settings}\n[workers]\ncount = 1\n"
    ) as running:
        yield running


def test_the_recipe_for_networks_adds_up_a_network() -> None:
    """The second host finds the counter as the first left it; strangers to it do not."""
    (recipe,) = (text for _, text in EXAMPLES if 'per = "network"' in text)
    settings = recipe.replace("2000/1h", "2/1h").replace('mode = "monitor"', "")
    internal = '[network]\ninternal = ["192.0.2.0/24", "198.51.100.0/24"]\n'
    told = []
    with gate(internal + settings) as running:
        for number, client in enumerate(
            [*(f"192.0.2.{host}" for host in (1, 2, 3)), "198.51.100.1", "198.51.100.2"]
        ):
            with MilterMta(running.address, client=(client, 40000)) as mta:
                told.append(
                    mta.send(
                        sender=b"<scan@example.org>",
                        recipients=[b"<bart%d@example.net>" % number],
                        headers=[(b"From", b"<scan@example.org>")],
                        body=b"%d\r\n" % number,
                        queue_id=f"4net{number}",
                    ).action
                )

    assert told[2:] == ["tempfail", "accept", "accept"]


def test_a_registered_list_warns_before_its_strangers_are_held() -> None:
    """By the shipped limits: from the fortieth on, and the fifty-first is held."""
    with (
        gate(_LIST) as running,
        MilterMta(
            running.address, login="anne@choir.example", client=("192.0.2.9", 40000)
        ) as mta,
    ):
        for number in range(1, 52):
            mta.send(
                sender=b"<anne@choir.example>",
                recipients=[b"<reader%d@example.net>" % number],
                headers=_HEADERS,
                body=_BODY,
                queue_id=f"4list{number}",
            )
        lines = [running.message(f"4list{number}") for number in range(1, 52)]

    # In the month of grace that a new list has.
    told = ["list-without-consent"]
    reasons = [line.get("reasons", "").split(",") for line in lines]
    assert reasons[:39] == [told] * 39
    assert reasons[39:50] == [[*told, "near-limit"]] * 11
    assert sorted(reasons[50]) == ["bulk-to-strangers", *told]
    assert "strangers-per-campaign:40/50" in lines[39]["detail"]
    assert lines[-1]["disposition"] == "quarantine"

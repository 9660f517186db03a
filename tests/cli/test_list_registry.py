"""`outgate list new`, `show` and `status`."""

import json
import tomllib
from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest

from cli.commands import Done, configure, outgate
from lab.redis import RedisServer

LIST = "members.choir.example"
Run = Callable[..., Done]
_numbers = count(1)


@pytest.fixture
def run(tmp_path: Path, redis: RedisServer) -> Run:
    file = configure(tmp_path, redis, f"cli-list-{next(_numbers)}")
    text = file.read_text()
    file.write_text(
        f'{text}\n[[customer]]\nname = "choir"\nmatch = ["203.0.113.9"]\n'
        f'profile = "trusted"\n[[list]]\nid = "{LIST}"\ncustomer = "choir"\n'
    )

    def command(*words: str | Path, stdin: bytes = b"") -> Done:
        return outgate("--config", file, *words, stdin=stdin)

    return command


def test_status_counts_by_what_stands_behind(run: Run) -> None:
    """Who withdrew is no subscriber, and who was erased has left a mark."""
    people = b"anne@example.net\nbob@example.net\ncarol@example.net\ndan@example.net\n"
    load = ("optin", "load", "--list", LIST, "--grade")
    run(*load, "paper", "-", stdin=people)
    run(*load, "import", "-", stdin=b"eve@example.net\n")
    run("optin", "withdraw", "--list", LIST, "carol@example.net")
    run("recipient", "erase", "--yes", "dan@example.net")

    done = run("list", "status", LIST.upper())

    assert done.code == 0
    assert done.stdout == (
        f"{LIST} of choir: 3 subscribers\n"
        "  paper         2 (66.7 %)  a sheet of paper with a date\n"
        "  import        1 (33.3 %)  an address in a file, which proves nothing: no "
        "consent\n"
        "with consent    2 (66.7 %)\nwithdrawn       1\nerased          1\n"
        "needs consent   from now (not seen yet)\n"
        "mail            none in 92 days\n"
        "complaints      0 people in 90 days: ok\n"
    )
    assert json.loads(run("list", "status", LIST, "--json").stdout) == {
        "list": LIST,
        "customers": ["choir"],
        "subscribers": 3,
        "consents": 2,
        "by-grade": {"paper": 2, "import": 1},
        "withdrawn": 1,
        "erased": 1,
        "enforced": True,
        "needs-consent-from": "now",
        "why": "not seen yet",
        "reports": [],
        "complaints": {"people": 0, "recipients": 0, "level": "ok"},
        "days": [],
    }


def test_status_of_a_list_without_subscribers(run: Run) -> None:
    """No share of nothing; an unknown list is an error."""
    assert run("list", "status", LIST).stdout == (
        f"{LIST} of choir: 0 subscribers\n"
        "with consent    0\nwithdrawn       0\nerased          0\n"
        "needs consent   from now (not seen yet)\n"
        "mail            none in 92 days\n"
        "complaints      0 people in 90 days: ok\n"
    )
    assert run("list", "status", "no.example").code == 2


def test_grace_is_seen_and_set(run: Run) -> None:
    """An order, until it is taken back; `status` shows it, too."""
    grace = ("list", "grace", LIST)
    assert "not seen yet" in run(*grace).stdout
    until = ("--until", "2031-02-01", "--by", "anne")
    done = run(*grace, *until, "--json")
    assert json.loads(done.stdout) == {
        "list": LIST,
        "customer": "choir",
        "enforced": True,
        "needs-consent-from": "2031-02-01T00:00:00Z",
        "why": "ordered by anne",
    }
    status = run("list", "status", LIST).stdout
    assert "needs consent   from 2031-02-01T00:00:00Z (ordered by anne)" in status
    assert "not seen yet" in run(*grace, "--default").stdout


@pytest.mark.parametrize(
    "words",
    [
        ("--until", "soon"),
        ("--until", "2031-02-01", "--default"),
        ("--by", "a b", "--default"),
    ],
)
def test_what_is_no_day_is_refused(run: Run, words: tuple[str, ...]) -> None:
    """Nothing is changed."""
    assert run("list", "grace", LIST, *words).code == 2


def test_status_tells_of_challenges(run: Run) -> None:
    """When the first one was seen, and how many claims none went before."""
    name = f"cli-list-{next(_numbers) - 1}"
    ledger = f"{name}:challenges:{{{LIST}}}:choir"
    words = ("first", "1795500000", "last", "1795500060", "since", "0", "count", "2")
    run("store", "cli", "HSET", ledger, *words)
    wrong = f"{name}:contradiction:{{{LIST}:17}}"
    run("store", "cli", "HSET", wrong, "a", "1795500001", "b", "1795500002")

    assert run("list", "status", LIST).stdout.endswith(
        "challenges      2\nfirst-challenge 2026-11-24T06:00:00+00:00\n"
        "last-challenge  2026-11-24T06:01:00+00:00\nsends-challenges elsewhere\n"
        "contradictions  2\n"
    )
    told = json.loads(run("list", "status", LIST, "--json").stdout)
    assert (told["challenges"], told["contradictions"]) == (2, 2)


def test_show_says_settings_and_state(run: Run) -> None:
    """Before and after its first subscriber."""
    show = ("list", "show", LIST)
    assert run(*show).stdout == (
        f"list                 {LIST}\ncustomer             choir\n"
        "customer-configured  yes\nprofile              trusted\n"
        "had-subscribers      no\n"
    )
    run("optin", "load", "--list", LIST, "--grade", "paper", "-", stdin=b"a@b.example")
    assert json.loads(run(*show, "--json").stdout)["had-subscribers"] is True


@pytest.mark.parametrize("customer", ["shop", 'O\'Neill "shop" $(id)', "Bücher\\"])
def test_new_prints_what_can_be_added(run: Run, customer: str) -> None:
    """The whole of it is TOML, whatever the customer is called; nothing is written."""
    done = run("list", "new", "Offers.Shop.example", "--customer", customer)

    assert done.code == 0
    assert tomllib.loads(done.stdout) == {
        "list": [{"id": "offers.shop.example", "customer": customer}]
    }
    for step in ("evidence import", "optin key add", "List-Unsubscribe-Post: "):
        assert step in done.stdout


@pytest.mark.parametrize(
    ("list_id", "customer", "said"),
    [
        (LIST, "choir", "is configured already"),
        ("<offers.shop.example>", "shop", "without brackets"),
        ("offers\x1b[2J.example", "shop", "without brackets"),
        ("offers.shop.example", "a\nb", "is no name"),
        ("offers.shop.example", " ", "is no name"),
    ],
)
def test_new_refuses_what_cannot_be_added(
    run: Run, list_id: str, customer: str, said: str
) -> None:
    """Before it prints anything."""
    done = run("list", "new", list_id, "--customer", customer)
    assert (done.code, done.stdout) == (2, "")
    assert said in done.stderr


def test_new_declares_where_challenges_go(run: Run) -> None:
    """As the configuration has it."""
    done = run(
        *("list", "new", "offers.shop.example", "--customer", "shop"),
        *("--challenges", "through-us"),
    )
    (made,) = tomllib.loads(done.stdout)["list"]
    assert made["challenges"] == "through-us"

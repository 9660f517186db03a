"""`outgate evidence show` and `dossier`: who may see what, what the audit has."""

import json
import stat
from collections.abc import Callable
from dataclasses import replace
from itertools import count
from pathlib import Path

import pytest

from cli.commands import Done, configure, outgate, program
from lab.redis import RedisServer
from outgate.model.optin import OptIn
from outgate.signing.secret import read_secret
from outgate.signing.vault import Vault
from outgate.store.client import connect
from outgate.store.consents import place_of
from outgate.store.hashes import Hashes
from outgate.store.keys import Keys
from outgate.store.registry import Registry
from outgate.store.trouble import Client
from outgate.store.wire import Endpoint
from store.optins import LIST, an_optin

ADDRESS = "bart0@example.net"
OTHER = "concerts.choir.example"
MOMENT_US = 1_773_476_813_000_000
WHY = ("--why", "complaint 4711", "--by", "dora")
_numbers = count(1)


class Desk:
    """A configuration with two lists, and a look into its store."""

    def __init__(self, directory: Path, server: RedisServer) -> None:
        namespace = f"cli-dossier-{next(_numbers)}"
        self.directory = directory
        self.file = configure(directory, server, namespace)
        text = self.file.read_text()
        self.file.write_text(
            f'{text}\n[[list]]\nid = "{LIST}"\ncustomer = "choir"\n'
            f'[[list]]\nid = "{OTHER}"\ncustomer = "choir"\n'
        )
        self.keys = Keys(namespace)
        self.client: Client = connect(Endpoint(url=server.url))

    def registry(self, secret: bytes | None = None) -> Registry:
        own = read_secret(self.directory / "secret")
        sealer = Vault(secret or own)
        return Registry(self.client, self.keys, Hashes(own), sealer=sealer)

    def run(self, *words: str | Path) -> Done:
        return outgate("--config", self.file, *words)

    def shown(self, *words: str) -> dict[str, str]:
        (one,) = json.loads(
            self.run("evidence", "show", ADDRESS, "--json", *words).stdout
        )
        assert isinstance(one, dict)
        return one

    def audit(self) -> list[dict[bytes, bytes]]:
        return [fields for _, fields in self.client.xrange(self.keys.audit)]


@pytest.fixture
def desk(tmp_path: Path, redis: RedisServer) -> Desk:
    return Desk(tmp_path, redis)


def consent(time_us: int = MOMENT_US) -> OptIn:
    return an_optin(time_us, customer="choir", mailbox=ADDRESS, evidence=True)


def test_without_a_reason_evidence_stays_closed(desk: Desk) -> None:
    """Yet it is checked; what nobody sees, no audit needs."""
    desk.registry().register([consent()])

    done = desk.run("evidence", "show", "Bart0@Example.net")

    assert done.code == 0
    assert "time             2026-03-14T08:26:53+00:00\n" in done.stdout
    assert "local-time       2026-03-14T09:26:53+01:00\n" in done.stdout
    assert "proof            matches: the raw record hashes to" in done.stdout
    assert "192.0.2.7" not in done.stdout
    one = desk.shown()
    assert "evidence" not in one
    assert (one["grade"], one["evidence-id"]) == ("asserted", "01JPA7Q3X8")
    assert (one["zone"], one["method"], one["source"]) == (
        *("explicit", "coi-web"),
        "mailman3",
    )
    assert desk.audit() == []


def test_a_reason_opens_it_and_is_audited(desk: Desk) -> None:
    """By a keyed hash; never the address."""
    desk.registry().register([consent()])

    done = desk.run("evidence", "show", ADDRESS, *WHY)

    assert "ip               192.0.2.7\n" in done.stdout
    (entry,) = desk.audit()
    assert entry[b"event"] == b"evidence-read"
    assert (entry[b"actor"], entry[b"text"]) == (b"dora", b"complaint 4711")
    assert b"bart0" not in b"".join(entry.values())
    assert desk.shown(*WHY)["evidence"]["ip"] == "192.0.2.7"  # type: ignore[index]


def test_lists_that_are_named_answer_also_when_they_know_nothing(desk: Desk) -> None:
    """Exit 1 where there is no consent on any of them."""
    desk.registry().register([consent()])

    both = desk.run("evidence", "show", ADDRESS, "--list", LIST, "--list", OTHER)
    none = desk.run("evidence", "show", ADDRESS, "--list", OTHER.upper())
    unknown = desk.run("evidence", "show", ADDRESS, "--list", "no.example")
    nobody = desk.run("evidence", "show", "nobody@example.net")
    whose = desk.run("evidence", "show", ADDRESS, "--customer", "shop")

    assert (both.code, both.stdout.count("state ")) == (0, 2)
    assert (none.code, "state            unknown" in none.stdout) == (1, True)
    assert (unknown.code, "nobody knows no.example" in unknown.stderr) == (2, True)
    assert (nobody.code, nobody.stdout) == (
        1,
        "nothing is on file of nobody@example.net\n",
    )
    assert whose.code == 2


def test_a_list_that_is_configured_no_more_is_found(desk: Desk) -> None:
    """Complaints come later."""
    desk.registry().register([consent()])
    text = desk.file.read_text()
    desk.file.write_text(text.partition("[[list]]")[0])

    assert desk.run("evidence", "show", ADDRESS).code == 0


def test_what_does_not_hash_to_the_commitment_is_said(desk: Desk) -> None:
    """The raw record is shown beside it, for whoever must find out."""
    first = consent()
    other = replace(first.record, commitment=b"\xff" * 16)
    desk.registry().register([first, replace(first, record=other, evidence=b"")])

    one = desk.shown(*WHY)

    assert one["proof"] == "differs"
    assert one["evidence"]["commitment"] != one["commitment"]  # type: ignore[index]
    shown = desk.run("evidence", "show", ADDRESS).stdout
    assert "proof            differs: the raw record does NOT hash to" in shown


def test_evidence_that_does_not_open_stops_nothing(desk: Desk) -> None:
    """It was sealed under another secret: the rest of the answer is there."""
    desk.registry(b"another secret of 32 bytes and more").register([consent()])

    assert desk.shown()["proof"] == "unreadable"
    closed = desk.shown(*WHY)
    assert closed["proof"] == "unreadable"
    assert "evidence" not in closed


def test_a_record_that_nobody_can_read_stops_nothing(desk: Desk) -> None:
    """It is told with its place, in both commands; the other list is shown."""
    desk.registry().register([consent()])
    place = place_of(
        Hashes(read_secret(desk.directory / "secret")), "choir", OTHER, ADDRESS
    )
    key = desk.keys.optin(OTHER, place.bucket)
    desk.client.hset(key, place.field, b"1 by some hand")
    where = f"{key} {place.field.hex()}"
    desk.registry().introduce("choir", OTHER)

    for reason in ((), WHY):
        done = desk.run("evidence", "show", ADDRESS, *reason)
        assert (done.code, done.stderr) == (0, "")
        assert f"state            unreadable\nplace            {where}\n" in done.stdout
        assert "grade            asserted\n" in done.stdout
    made = desk.run(
        *("evidence", "dossier", ADDRESS, "--format", "markdown"), "--output", "-", *WHY
    )
    assert made.code == 0
    assert "Something is on file that nobody can read" in made.stdout
    assert "01JPA7Q3X8" in made.stdout

    desk.run("recipient", "erase", "--yes", ADDRESS)
    states = {
        one["state"]
        for one in json.loads(desk.run("evidence", "show", ADDRESS, "--json").stdout)
    }
    assert states == {"erased"}


def test_after_a_withdrawal_the_evidence_is_of_an_earlier_consent(desk: Desk) -> None:
    """It stays, for questions about the mail until then."""
    desk.registry().register([consent()])
    desk.run("optin", "withdraw", "--list", LIST, ADDRESS)

    done = desk.run("evidence", "show", ADDRESS, *WHY)

    assert done.code == 1
    assert "state            withdrawn\n" in done.stdout
    assert "proof            earlier: " in done.stdout
    assert "evidence-time    2026-03-14T08:26:53+00:00\n" in done.stdout


def test_under_another_secret_there_is_no_answer(desk: Desk) -> None:
    """It would look like one: nothing on file."""
    desk.run("optin", "load", "--list", LIST, "--grade", "paper", "/dev/null")
    (desk.directory / "secret").write_text("5f" * 32)
    output = desk.directory / "dossier.html"

    show = desk.run("evidence", "show", ADDRESS)
    dossier = desk.run("evidence", "dossier", ADDRESS, "--output", output, *WHY)

    assert show.code == dossier.code == 78
    assert "secret" in show.stderr
    assert not output.exists()


FORMATS: dict[str, Callable[[bytes], bool]] = {
    "markdown": lambda text: text.startswith(b"# Evidence of opt-in: bart0@"),
    "html": lambda text: text.startswith(b"<!DOCTYPE html>"),
    "json": lambda text: json.loads(text)["address"] == ADDRESS,
    "pdf": lambda text: text.startswith(b"%PDF-"),
}


@pytest.mark.parametrize("form", FORMATS)
def test_a_dossier_is_written_for_its_owner_alone(desk: Desk, form: str) -> None:
    """In each format, and never over another file."""
    if form == "pdf":
        pytest.importorskip("weasyprint")
    desk.registry().register([consent()])
    output = desk.directory / "dossier"
    words = ("evidence", "dossier", ADDRESS, "--format", form, "--output", output, *WHY)

    done = desk.run(*words)

    assert (done.code, done.stdout, done.stderr) == (0, "", "")
    assert FORMATS[form](output.read_bytes())
    assert stat.S_IMODE(output.stat().st_mode) == 0o600
    made, read = desk.audit()
    assert (made[b"event"], read[b"event"]) == (b"dossier-made", b"evidence-read")
    assert (made[b"actor"], made[b"text"]) == (b"dora", b"complaint 4711")
    assert b"bart0" not in b"".join((*made.values(), *read.values()))
    if form == "markdown":
        assert "192.0.2.7" in output.read_text()
        assert "1 of 1 subscribers have a consent on file" in output.read_text()
    again = desk.run(*words)
    assert (again.code, "File exists" in again.stderr) == (73, True)


def test_a_dossier_needs_a_reason(desk: Desk) -> None:
    """Nothing is opened, and nothing written."""
    output = desk.directory / "dossier"
    words = ("evidence", "dossier", ADDRESS, "--output", output)

    assert desk.run(*words).code == 2
    assert desk.run(*words, "--why", " ").code == 2
    assert not output.exists()
    assert desk.audit() == []


def test_a_dossier_of_who_was_erased_says_when(desk: Desk) -> None:
    """And nothing more: no evidence, no numbers of the list."""
    desk.registry().register([consent()])
    desk.run("recipient", "erase", "--yes", ADDRESS)

    done = program(
        *("--config", desk.file, "evidence", "dossier", ADDRESS),
        *("--format", "markdown", "--output", "-", *WHY),
    )

    head, _, rest = done.stdout.partition(f"## List {LIST}\n\n")
    assert "| reason | complaint 4711 |" in head
    assert rest.startswith("Erased on 20")
    assert rest.count("\n") == 1
    assert "192.0.2.7" not in done.stdout
    erased, made = desk.audit()
    assert made[b"event"] == b"dossier-made"
    assert made[b"name"] == erased[b"name"]


def test_a_sheet_of_paper_leads_to_its_scan(desk: Desk) -> None:
    """The file is hashed again: that it was changed, or is gone, is said."""
    scan = desk.directory / "sheet.pdf"
    scan.write_bytes(b"%PDF a sheet")
    done = desk.run(
        *("evidence", "add-paper", "--list", LIST, "--scan", scan),
        *("--date", "2026-03-14", "--tz", "Europe/Vienna"),
        *("--place", "Vienna", "--collector", "Dora", ADDRESS),
    )
    assert done.code == 0, done.stderr

    whole = desk.shown(*WHY)["evidence"]["scan"]  # type: ignore[index]
    path = Path(whole["path"])  # type: ignore[index]
    path.write_bytes(b"%PDF another sheet")
    changed = desk.run("evidence", "show", ADDRESS, *WHY).stdout
    path.unlink()
    gone = desk.run("evidence", "show", ADDRESS, *WHY).stdout

    assert whole["state"] == "matches"  # type: ignore[index]
    assert f"{whole['sha256']}.sealed" == path.name  # type: ignore[index]
    assert f"scan             differs: {path}\n" in changed
    assert f"scan             missing: {path}\n" in gone

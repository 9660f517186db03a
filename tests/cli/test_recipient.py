"""`outgate recipient`: shown, erased, a stranger again; what is no answer is no answer."""

import json
from collections.abc import Callable, Iterator
from contextlib import closing
from hashlib import sha256
from pathlib import Path

import pytest

from cli.commands import Done, configure, outgate
from lab.miltermta import MilterMta
from lab.outgate import Outgate
from lab.redis import RedisServer
from outgate.policy.questions import Plan
from outgate.store.client import connect
from outgate.store.counters import Counters
from outgate.store.keys import Keys
from outgate.store.wire import Endpoint, Wire

LIST = "members.choir.example"
BART = "bart@example.net"
SETTINGS = f"""
[domains]
dotless = ["dotless.example"]
[[customer]]
name = "choir"
match = ["login:anne@choir.example"]
[[list]]
id = "{LIST}"
customer = "choir"
[[customer]]
name = "shop"
match = ["login:shop@shop.example"]
"""
SECRET = bytes.fromhex("5e" * 32)


class Remembering:
    """A store in which customers have mailed people, under keys of a test's own."""

    def __init__(self, directory: Path, server: RedisServer, namespace: str) -> None:
        self.file = configure(directory, server, namespace, SETTINGS)
        self.directory = directory
        self.keys = Keys(namespace)
        self.server = server
        endpoint = Endpoint(url=server.url)
        self.client = connect(endpoint)
        self._wire = Wire(endpoint)
        self._counters = Counters(self._wire, self.keys, SECRET)

    def close(self) -> None:
        self._wire.close()
        self.client.connection_pool.disconnect()

    def mail(self, customer: str, *people: str) -> None:
        """Let a message go to these people."""
        self._counters.look_up(_plan(customer, people))

    def is_stranger(self, customer: str, mailbox: str) -> bool:
        answers = self._counters.look_up(_plan(customer, (mailbox,)), commit=False)
        return answers.stranger_count == 1

    def subscribe(self, *people: str) -> None:
        file = self.directory / "addresses"
        file.write_text("".join(f"{one}\n" for one in people))
        load = ("optin", "load", "--list", LIST, "--grade", "paper", file)
        assert outgate("--config", self.file, *load).code == 0

    def run(self, *words: str, stdin: bytes = b"") -> Done:
        return outgate("--config", self.file, "recipient", *words, stdin=stdin)


def _plan(customer: str, people: tuple[str, ...]) -> Plan:
    return Plan(
        customer=customer,
        names=(customer,),
        own_names=(customer,),
        charges=[],
        retry_material=b"dinner",
        external=len(people),
        internal=0,
        principal=customer,
        people=people,
    )


@pytest.fixture
def store(
    tmp_path: Path, redis: RedisServer, request: pytest.FixtureRequest
) -> Iterator[Remembering]:
    name = "".join(one if one.isalnum() else "-" for one in request.node.name)
    with closing(
        Remembering(tmp_path, redis, f"recipient-{name.lower()}")
    ) as remembering:
        yield remembering


class TestShow:
    """GDPR Art. 15: who asks what is known of him gets an answer."""

    def test_every_place_has_its_line(self, store: Remembering) -> None:
        """Under any spelling of the address."""
        store.mail("choir", BART, "cora@example.net")
        store.mail("shop", BART)
        store.subscribe(BART)

        done = store.run("show", "Bart+news@EXAMPLE.net")

        lines = done.stdout.splitlines()
        assert (done.code, done.stderr, len(lines)) == (0, "", 3)
        assert lines[0].startswith("contacts  choir  last mailed in the week of 20")
        assert lines[1].startswith("contacts  shop  last mailed in the week of 20")
        assert lines[2] == (
            f"optin     {LIST}  customer=choir state=consent grade=paper zone=unknown "
            "method=other"
        )

    def test_programs_get_json(self, store: Remembering) -> None:
        """One object a line."""
        store.mail("choir", BART)
        store.subscribe(BART)

        one, other = map(
            json.loads, store.run("show", BART, "--json").stdout.splitlines()
        )

        assert one.pop("week").startswith("20")
        assert one == {"kind": "contacts", "customer": "choir", "exact": True}
        assert other == {
            "kind": "optin",
            "list": LIST,
            "customer": "choir",
            "state": "consent",
            "grade": "paper",
            "zone": "unknown",
            "method": "other",
        }

    def test_of_a_stranger_nothing_is_remembered(self, store: Remembering) -> None:
        """Exit 1, and nothing for programs."""
        store.mail("choir", "cora@example.net")

        done = store.run("show", BART)

        assert done.code == 1
        assert done.stdout == f"nothing is remembered of {BART}\n"
        assert store.run("show", BART, "--json").stdout == ""


class TestErase:
    """GDPR Art. 17: nothing is left."""

    def test_everything_of_one_address(self, store: Remembering) -> None:
        """A stranger to all, no subscriber, and others are not touched."""
        store.mail("choir", BART, "cora@example.net")
        store.mail("shop", BART)
        store.subscribe(BART, "cora@example.net")

        done = store.run("erase", "Bart@Example.net", "--yes", "--by", "anne")

        assert (done.code, done.stderr) == (0, "")
        *counts, last = done.stdout.splitlines()
        assert counts == [
            "contacts  2 of 2 keys",
            "distinct  0 of 0 keys",
            "content   0 of 0 keys",
            "optin     1 of 1 lists",
        ]
        assert last.startswith(f"{BART} is forgotten; in the audit: recipient-erased ")
        assert store.is_stranger("choir", BART)
        assert store.is_stranger("shop", BART)
        assert not store.is_stranger("choir", "cora@example.net")
        mark, last = store.run("show", BART).stdout.splitlines()
        assert mark.startswith(f"optin     {LIST}  customer=choir state=erased time=20")
        assert last == f"nothing is remembered of {BART} but the erasure"
        assert store.run("show", BART).code == 1
        assert "paper" in store.run("show", "cora@example.net").stdout
        store.subscribe(BART)
        assert store.run("show", BART).code == 1

    def test_the_audit_has_it_without_the_address(self, store: Remembering) -> None:
        """Also where nothing was found; who ran it, unless --by says who ordered it."""
        said = [
            store.run("erase", BART, "--yes", *by).stdout.split()[-1]
            for by in (("--by", "anne"), ())
        ]

        entries = [fields for _, fields in store.client.xrange(store.keys.audit)]
        assert [entry[b"event"] for entry in entries] == [b"recipient-erased"] * 2
        assert [entry[b"name"].decode() for entry in entries] == said
        assert entries[0][b"actor"] == b"anne"
        assert entries[1][b"actor"] not in {b"", b"anne"}
        assert b"bart" not in b"".join(b"".join(entry.values()) for entry in entries)

    def test_programs_get_json(self, store: Remembering) -> None:
        """One object, with what was found of what was looked at."""
        store.mail("choir", BART)

        found = json.loads(store.run("erase", BART, "--yes", "--json").stdout)

        assert len(found.pop("audit")) == 16
        assert found.pop("left-out") == 0
        assert found["contacts"] == {"looked": 1, "found": 1}
        assert sorted(found) == ["contacts", "content", "distinct", "optin", "scans"]

    @pytest.mark.parametrize("answer", [b"n\n", b"\n", b""])
    def test_it_asks_first(self, store: Remembering, answer: bytes) -> None:
        """Whoever does not say yes has changed nothing."""
        store.mail("choir", BART)

        done = store.run("erase", "bart+x@example.net", stdin=answer)

        assert done.code == 1
        assert not store.is_stranger("choir", BART)
        assert not store.client.exists(store.keys.audit)
        assert store.run("erase", BART, stdin=b"y\n").code == 0
        assert store.is_stranger("choir", BART)

    def test_only_one_customer(self, store: Remembering) -> None:
        """Whatever the case of his name; his lists too, and no one else's contacts."""
        store.mail("choir", BART)
        store.mail("shop", BART)
        store.subscribe(BART)

        assert store.run("erase", BART, "--yes", "--customer", "Shop").code == 0
        assert store.is_stranger("shop", BART)
        assert "paper" in store.run("show", BART, "--customer", "choir").stdout
        assert store.run("show", BART, "--customer", "shop").code == 1

        done = store.run("erase", BART, "--yes", "--customer", "choir")
        assert "optin     1 of 1 lists" in done.stdout
        assert store.run("show", BART).code == 1

    def test_a_customer_whom_nobody_configured(self, store: Remembering) -> None:
        """A login is a customer of its own; a slip is none."""
        store.mail("dan@example.org", BART)

        done = store.run("erase", BART, "--yes", "--customer", "dna@example.org")
        assert done.code == 2
        assert "no customer 'dna@example.org'" in done.stderr
        assert not store.client.exists(store.keys.audit)

        words = ("erase", BART, "--yes", "--customer", "Dan@Example.org")
        assert "contacts  1 of 1 keys" in store.run(*words).stdout
        assert store.is_stranger("dan@example.org", BART)

    def test_dots_where_they_do_not_matter(self, store: Remembering) -> None:
        """The address is read as it is counted."""
        store.mail("choir", "bartsimpson@dotless.example")
        store.run("erase", "Bart.Simpson+x@dotless.example", "--yes")
        assert store.is_stranger("choir", "bartsimpson@dotless.example")

    def test_a_key_that_somebody_wrote_is_told(self, store: Remembering) -> None:
        """Exit 1: who promised that everything is gone must know."""
        store.client.set(store.keys.contacts("choir"), "nonsense")

        done = store.run("erase", BART, "--yes", "--customer", "choir")

        assert done.code == 1
        assert f"left out: {store.keys.contacts('choir')}" in done.stderr
        assert f"{BART} is not forgotten in 1 key that was left out" in done.stdout
        (entry,) = [
            fields
            for _, fields in store.client.xrange(store.keys.audit)
            if fields[b"event"] == b"recipient-erased"
        ]
        assert entry[b"text"].endswith(b"; left out 1; customer choir")
        done = store.run("erase", BART, "--yes", "--json")
        assert json.loads(done.stdout)["left-out"] == 0


class TestScans:
    """A sheet on which somebody signed shows him as long as it is kept."""

    def sign(self, store: Remembering, content: bytes, *people: str) -> Path:
        """Give the sealed scan."""
        scan = store.directory / "sheet"
        scan.write_bytes(content)
        words = ("--date", "2026-03-14", "--tz", "UTC", "--place", "Hall", *people)
        done = outgate(
            *("--config", store.file, "evidence", "add-paper", "--list", LIST),
            "--scan",
            scan,
            "--collector",
            "Carol",
            *words,
        )
        assert done.code == 0, done.stderr
        digest = sha256(content).hexdigest()
        return store.directory / f"state/evidence/scans/{digest}.sealed"

    def test_the_last_one_takes_it_along(self, store: Remembering) -> None:
        """The others keep it; a scan that he has not signed is left alone."""
        sheet = self.sign(store, b"a sheet", BART, "lisa@example.net")
        other = self.sign(store, b"another sheet", "lisa@example.net")
        assert other.exists()
        self.sign(store, b"a sheet", "lisa@example.net")

        first = store.run("erase", BART, "--yes")
        assert f"scan {sheet.name[:12]} stays, and shows this signature: 1 other" in (
            first.stdout
        )
        assert sheet.exists()
        last = store.run("erase", "lisa@example.net", "--yes", "--json")

        name = sheet.name[:12]
        assert json.loads(last.stdout)["scans"] == [
            f"scan {name} deleted: nobody who signed it is registered"
        ]
        assert not sheet.exists()

    def test_one_that_is_elsewhere_is_named(self, store: Remembering) -> None:
        """It lies on the host where it was added."""
        sheet = self.sign(store, b"a sheet", BART)
        sheet.unlink()

        done = store.run("erase", BART, "--yes")

        assert f"delete {sheet.name} where it was added" in done.stdout

    def test_evidence_that_nobody_can_open_may_be_of_it(
        self, store: Remembering
    ) -> None:
        """Then it stays: a scan that is deleted is gone."""
        sheet = self.sign(store, b"a sheet", BART)
        key = store.keys.evidence(LIST, 5)
        store.client.hset(key, b"f" * 8, b"1" + b"0" * 7 + b"c2" + b"x" * 60)

        done = store.run("erase", BART, "--yes")

        assert "evidence of paper that cannot be opened may be on it" in done.stdout
        assert sheet.exists()


class TestMistakes:
    """What is no answer must not look like one."""

    @pytest.mark.parametrize("text", ["bart", "", "@example.net", "bart@", "b art@x.y"])
    @pytest.mark.parametrize("words", [("show",), ("erase", "--yes")])
    def test_what_is_no_address(
        self, store: Remembering, text: str, words: tuple[str, ...]
    ) -> None:
        """Told with an example, before anything is asked."""
        done = store.run(*words, text)

        assert done.code == 2
        assert "is no address: expected one such as bart@example.net" in done.stderr

    def test_another_secret_is_refused(self, store: Remembering) -> None:
        """Under it nothing would be found."""
        store.client.hset(store.keys.schema, "secret-id", "another")

        done = store.run("erase", BART, "--yes")

        assert done.code == 78
        assert "the store was filled with another secret" in done.stderr

    def test_a_store_that_is_away_is_75(self, tmp_path: Path) -> None:
        """As with every command."""
        file = tmp_path / "outgate.toml"
        (tmp_path / "secret").write_text("5e" * 32)
        file.write_text(
            f'[store]\nurl = "unix://{tmp_path}/nothing.sock"\n'
            f'[secrets]\nfile = "{tmp_path}/secret"\n'
        )

        done = outgate("--config", file, "recipient", "erase", BART, "--yes")

        assert done.code == 75
        assert done.stderr.startswith("outgate: ")


def test_the_gate_meets_a_stranger_again(
    mta: Callable[..., MilterMta], outgate: Outgate, someone: str
) -> None:
    """Mail, erase, mail: he counts as a stranger anew, and whoever stayed does not."""

    def strangers(queue_id: str) -> str:
        with mta(login=someone) as client:
            client.send(
                sender=b"<anne@example.org>",
                recipients=[b"<erased@example.net>", b"<stays@example.net>"],
                headers=[(b"Subject", queue_id.encode())],
                queue_id=queue_id,
            )
        limits = outgate.message(queue_id)["limits"].split(",")
        (found,) = (one for one in limits if one.startswith("strangers-per-login"))
        return found.partition(":")[2].partition("/")[0]

    assert strangers("erase1") == "2"
    assert strangers("erase2") == "2"

    words = ("recipient", "erase", "erased+x@EXAMPLE.net", "--yes", "--by", "tests")
    done = outgate.command(*words)

    assert done.returncode == 0, done.stderr
    assert outgate.command("recipient", "show", "erased@example.net").returncode == 1
    shown = outgate.command("recipient", "show", "stays@example.net")
    assert f"contacts  {someone}  last mailed" in shown.stdout
    assert strangers("erase3") == "3"
    assert strangers("erase4") == "3"

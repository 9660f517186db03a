"""`outgate evidence`: a dry run, an import, what comes back, and paper."""

import gzip
import itertools
import json
import os
import signal
import stat
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cli.commands import Done, configure, outgate
from lab.redis import Flavour, RedisServer
from lab.skips import or_skip
from lab.waiting import wait_until
from outgate.model.units import SECOND_US
from outgate.policy.operator import format_moment

LIST = "members.choir.example"
HEAD = "address,method,confirm-time,confirm-ip\n"
ROWS = (
    "anne@example.net,coi-web,2026-03-14T09:26:53+01:00,198.51.100.7\n"
    "bob@example.net,coi,2026-03-14T09:26:53+01:00,\n"
    "carol,coi,2026-03-14T09:26:53+01:00,198.51.100.8\n"
)
NAIVE = "anne@example.net,coi-web,2026-03-14 09:26:53,198.51.100.7\n"

Run = Callable[..., Done]
_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def store() -> Iterator[RedisServer]:
    """One that says what is on disk."""
    settings = {"appendonly": "yes", "appendfsync": "everysec"}
    with or_skip(), RedisServer("valkey", settings=settings) as server:
        yield server


@pytest.fixture
def run(tmp_path: Path, store: RedisServer) -> Run:
    return commands(tmp_path, store)


def commands(tmp_path: Path, server: RedisServer) -> Run:
    """The command, with that store, and a list."""
    file = configure(tmp_path, server, f"cli-evidence-{next(_numbers)}")
    text = file.read_text()
    file.write_text(
        f'{text}\n[[customer]]\nname = "choir"\nmatch = ["203.0.113.9"]\n'
        f'[[list]]\nid = "{LIST}"\ncustomer = "choir"\n'
    )

    def command(*words: str | Path, stdin: bytes = b"") -> Done:
        return outgate("--config", file, *words, stdin=stdin)

    return command


def importing(*words: str | Path, kind: str = "csv") -> tuple[str | Path, ...]:
    return ("evidence", "import", "--format", kind, "--list", LIST, *words)


def export(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "export.csv"
    file.write_text(text)
    return file


def test_a_dry_run_says_everything_and_writes_nothing(run: Run, tmp_path: Path) -> None:
    """Without a secret and without the store."""
    (tmp_path / "secret").unlink()

    done = run(*importing("--dry-run", export(tmp_path, HEAD + ROWS)))

    assert done.code == 1
    assert "export.csv: Plain CSV\n3 rows\n" in done.stdout
    assert "  asserted     1 (33.3 %)\n" in done.stdout
    assert "  no-ip: 1 (33.3 %), import; line 3\n" in done.stdout
    assert "  4: address: 'carol' is not one plain address\n" in done.stdout
    assert done.stdout.endswith("dry run: nothing was written\n")
    assert "--rejects FILE keeps the rejected rows" in done.stderr
    assert not (tmp_path / "state").exists()


def test_what_is_imported_is_shown_by_optin(run: Run, tmp_path: Path) -> None:
    """With its grade, and the evidence where there is any."""
    file, rejects = export(tmp_path, HEAD + ROWS), tmp_path / "rejects.csv"

    done = run(*importing("--rejects", rejects, file))

    assert done.code == 1
    assert "2 registered, 0 withdrawn; 2 of them new or changed" in done.stdout
    assert "carol" in rejects.read_text()
    shown = run("optin", "show", "--list", LIST, "anne@example.net", "--json")
    value = json.loads(shown.stdout)
    assert (value["grade"], value["zone"], value["method"], value["source"]) == (
        "asserted",
        "explicit",
        "coi-web",
        "csv",
    )
    assert value["time"] == "2026-03-14T09:26:53+01:00"
    shown = run("optin", "show", "--list", LIST, "bob@example.net", "--json")
    assert json.loads(shown.stdout)["grade"] == "import"
    opened = run(
        *("optin", "show", "--list", LIST, "anne@example.net", "--json"),
        *("--evidence", "--why", "a complaint"),
    )
    evidence = json.loads(json.loads(opened.stdout)["evidence-record"])
    assert evidence["confirm.ip"] == "198.51.100.7"


def test_again_is_told_and_does_no_harm(run: Run, tmp_path: Path) -> None:
    """By the file's hash; `--again` imports it anew, and nothing changes."""
    file = export(tmp_path, HEAD + ROWS.rpartition("carol")[0])
    run(*importing(file))

    again = run(*importing(file))
    told = json.loads(run(*importing("--json", file)).stdout)
    anew = run(*importing("--again", "--json", file))

    assert again.code == 0
    assert "imported before: nothing was done" in again.stdout
    assert told["imported-before"]
    assert (told["rows"], told["registered"], told["new"]) == (2, 0, 0)
    assert "durability" not in told
    value = json.loads(anew.stdout)
    assert (value["registered"], value["new"], value["kept"]) == (2, 0, 2)
    assert (value["imported-before"], value["durability"]) == (False, "confirmed")


def test_a_store_that_was_emptied_gets_all_of_it_again(
    run: Run, tmp_path: Path, store: RedisServer
) -> None:
    """Though it was imported before; and the operator is told."""
    file = export(tmp_path, HEAD + ROWS.rpartition("carol")[0])
    run(*importing(file))
    store.cli("FLUSHALL")

    again = run(*importing("--json", file))

    assert "the store has lost its data since: it begins anew" in again.stderr
    assert json.loads(again.stdout)["new"] == 2
    assert run("optin", "show", "--list", LIST, "anne@example.net").code == 0


def test_a_store_without_a_file_is_told_before(
    tmp_path: Path, redis: RedisServer
) -> None:
    """Nothing is noted then: again is anew."""
    run = commands(tmp_path, redis)
    file = export(tmp_path, HEAD + ROWS.rpartition("carol")[0])

    first, again = (run(*importing("--json", file)) for _ in range(2))

    assert "durability=unconfirmed: the store does not say" in first.stderr
    value = json.loads(again.stdout)
    assert (value["imported-before"], value["registered"], value["new"]) == (
        False,
        2,
        0,
    )
    assert value["durability"] == "unconfirmed"
    assert not list((tmp_path / "state/evidence/imports").glob("*"))


def test_a_large_file_is_written_by_other_processes(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the same end."""
    monkeypatch.setattr("outgate.cli.evidence_open.BACKGROUND_BYTES", 0)

    done = run(*importing("--json", export(tmp_path, HEAD + ROWS)))

    value = json.loads(done.stdout)
    assert (value["registered"], value["new"], value["rejected"]) == (2, 2, 1)
    assert run("optin", "show", "--list", LIST, "anne@example.net").code == 0


def test_an_import_that_was_killed_goes_on(run: Run, tmp_path: Path) -> None:
    """Where it was, and ends as if nothing had happened."""
    rows = 35_000
    text = "".join(
        f"person{number}@example.net,coi,"
        f"2026-03-14T{number // 3600:02}:{number // 60 % 60:02}:{number % 60:02}Z,"
        "198.51.100.7\n"
        for number in range(rows)
    )
    file = export(tmp_path, f"{HEAD}{text}broken,coi,,\n")
    rejects, imports = tmp_path / "rejects", tmp_path / "state/evidence/imports"
    words = importing("--rejects", rejects, "--json", file)
    config = ("--config", tmp_path / "outgate.toml")

    def noted() -> int:
        return max(
            (json.loads(one.read_text())["records"] for one in imports.glob("*.json")),
            default=0,
        )

    command = [sys.executable, "-m", "outgate", *config, *words]
    with subprocess.Popen(
        command, stdout=subprocess.DEVNULL, start_new_session=True
    ) as process:
        try:
            wait_until(lambda: noted() > 0, "a batch is noted", seconds=60)
        finally:
            os.killpg(process.pid, signal.SIGKILL)

    assert 0 < noted() <= rows
    again = run(*words)
    assert not again.stderr
    value = json.loads(again.stdout)

    assert (value["rows"], value["registered"], value["rejected"]) == (
        rows + 1,
        rows,
        1,
    )
    assert rejects.read_text().count(",broken,coi,,") == 1
    shown = run("optin", "show", "--list", LIST)
    assert f"{rows} " in shown.stdout


@pytest.mark.parametrize(
    ("flavour", "policy"), [("redis", "always"), ("valkey", "everysec")]
)
def test_a_store_that_is_killed_keeps_what_it_acknowledged(
    tmp_path: Path, flavour: Flavour, policy: str
) -> None:
    """SIGKILL in the middle; imported again, it is as if nothing had happened."""
    rows = 25_000
    text = "".join(
        f"person{number}@example.net,coi,"
        f"2026-03-14T{number // 3600:02}:{number // 60 % 60:02}:{number % 60:02}Z,"
        "198.51.100.7\n"
        for number in range(rows)
    )
    file = export(tmp_path, f"{HEAD}{text}broken,coi,,\n")
    imports = tmp_path / "state/evidence/imports"
    settings = {"appendonly": "yes", "appendfsync": policy}

    def noted() -> int:
        return max(
            (json.loads(one.read_text())["records"] for one in imports.glob("*.json")),
            default=0,
        )

    def subscribers() -> int:
        return int(run("optin", "show", "--list", LIST).stdout.split()[1])

    with or_skip(), RedisServer(flavour, settings=settings) as server:
        run = commands(tmp_path, server)
        words = importing("--json", file)
        config = ("--config", tmp_path / "outgate.toml")
        command = [sys.executable, "-m", "outgate", *config, *words]
        with subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        ) as process:
            wait_until(lambda: noted() > 0, "a batch is noted", seconds=60)
            server.kill()
            _, said = process.communicate(timeout=60)
        acknowledged = noted()
        server.restart()

        assert 0 < acknowledged <= rows + 1
        assert process.returncode in {0, 1, 75}, said
        assert "Traceback" not in said
        assert subscribers() >= min(acknowledged, rows)
        again = run(*words)
        value = json.loads(again.stdout)
        assert (value["rows"], value["rejected"]) == (rows + 1, 1)
        assert subscribers() == rows
        assert noted() == rows + 1


@pytest.mark.parametrize(
    ("content", "code", "said"),
    [
        (b"address,note\nb\xf6b@example.net,x\n", 65, "row 2: column 2 (characters): "),
        (b"address;note\nanne@example.net;x;y;z\n", 1, "  2: 4 cells, but the header"),
        (b'address,note\n"anne@example.net,x\n', 1, "  2: a quote is opened and not"),
        (b'address,note\nanne@example.net,"x', 1, "  2: a quote is opened and not"),
        (
            b"address,note\n=cmd|'/c calc'!A1,x\n",
            1,
            "  2: address: \"=cmd|'/c calc'!A1\"",
        ),
        (b"address,note\nanne@exam", 0, "1 rows"),
        (b"\xef\xbb\xbfaddress,note\n=1+1,x\n", 1, "  2: address: '=1+1' is not one"),
        (b"\xff\xfea\x00\xff\xdb", 65, "row 1: column 2 (characters): "),
        (b"name,note\nanne,x\n", 65, "row 1: no column address or addr or email"),
        (
            gzip.compress(b"address\n" * 9_999)[:-9],
            65,
            "row 8193: the archive is broken",
        ),
    ],
)
def test_a_bad_file_is_told_with_its_row(
    run: Run, tmp_path: Path, content: bytes, code: int, said: str
) -> None:
    """One clear line, wherever the trouble is; nothing is imported of what is cut off."""
    file = tmp_path / "export.csv"
    file.write_bytes(content)

    done = run(*importing("--dry-run", file))

    assert done.code == code
    assert said in done.stdout + done.stderr


def test_times_without_a_zone_are_refused_as_a_whole(run: Run, tmp_path: Path) -> None:
    """Exit 65, with row and column; declared, they are imported."""
    file = export(tmp_path, HEAD + NAIVE)

    refused = run(*importing(file))
    declared = run(*importing("--tz", "Europe/Vienna", file))

    assert refused.code == 65
    assert "row 2: column confirm-time: the time says no zone, and so in 1 of 1" in (
        refused.stderr
    )
    assert "1 registered" in declared.stdout
    shown = run("optin", "show", "--list", LIST, "anne@example.net", "--json")
    assert json.loads(shown.stdout)["zone"] == "declared"


def test_the_customers_own_addresses_are_known(run: Run, tmp_path: Path) -> None:
    """From its `match`, and what is said beside."""
    text = HEAD + NAIVE.replace("198.51.100.7", "203.0.113.9")
    text += NAIVE.replace("anne", "bob")
    words = ("--tz", "UTC", "--server-ip", "198.51.100.0/24", "--dry-run", "--json")

    done = run(*importing(*words, export(tmp_path, text)))

    assert json.loads(done.stdout)["flags"]["own-ip"] == 2


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--tz", "Vienna"), "--tz: 'Vienna' is no IANA time zone"),
        (("--server-ip", "host"), "--server-ip: 'host' is no address or network"),
        (("--logs", "x"), "--logs: the format csv reads none"),
        (("--customer", "anne"), "--customer: the list"),
    ],
)
def test_slips_are_named(
    run: Run, tmp_path: Path, words: tuple[str, str], said: str
) -> None:
    """Before anything is read."""
    done = run(*importing(*words, export(tmp_path, HEAD)))

    assert done.code == 2
    assert said in done.stderr


def test_names_in_an_archive_give_no_orders_to_a_terminal(
    run: Run, tmp_path: Path
) -> None:
    """Nor do cells, or the words of whoever typed the command."""
    bad = "x\x1b]0;owned\x07\x9b2J\r\u2028y"
    archive = tmp_path / "export.zip"
    with zipfile.ZipFile(archive, "w") as out:
        out.writestr(bad, b"address\n\xff")
    rows = export(tmp_path, HEAD + "anne@example.net,coi,\x1b[2J,\n")

    refused = run(*importing("--dry-run", archive))
    rejected = run(*importing("--dry-run", rows))
    slip = run(*importing("--dry-run", "--tz", "\x1b[2J", rows))
    unknown = run("evidence", "\x1b[2J")

    assert refused.code == 65
    assert (
        "!x\\x1b]0;owned\\x07\\xc2\\x9b2J\\x0d\\xe2\\x80\\xa8y: row 2" in refused.stderr
    )
    for done in (refused, rejected, slip, unknown):
        assert all(
            line.isprintable() for line in (done.stdout + done.stderr).split("\n")
        )
    assert (slip.code, unknown.code) == (2, 2)


def test_formats_are_listed_and_others_refused(run: Run, tmp_path: Path) -> None:
    """With those that there are."""
    assert "mailman2       log lines" in run("evidence", "formats").stdout
    done = run(*importing(export(tmp_path, HEAD), kind="excel"))
    assert done.code == 2
    assert "'excel' is none of csv, ndjson, mailchimp," in done.stderr


def test_rows_for_programs(run: Run, tmp_path: Path) -> None:
    """One JSON object for each, in a file of its owner's."""
    rows = tmp_path / "rows"

    run(*importing("--dry-run", "--rows", rows, export(tmp_path, HEAD + ROWS)))

    first, second = map(json.loads, rows.read_text().splitlines())
    assert (first["addr"], first["grade"]) == ("anne@example.net", "asserted")
    assert second["flags"] == ["no-ip"]
    assert stat.S_IMODE(rows.stat().st_mode) == 0o600


class TestPaper:
    """`outgate evidence add-paper`."""

    def add(self, run: Run, tmp_path: Path, *words: str | Path) -> Done:
        scan = tmp_path / "sheet.pdf"
        scan.write_bytes(b"%PDF")
        return run(
            *("evidence", "add-paper", "--list", LIST, "--scan", scan),
            *("--place", "Choir hall", "--collector", "Carol", *words),
        )

    def test_who_signed_is_registered(self, run: Run, tmp_path: Path) -> None:
        """The scan is kept beside, the evidence in the registry."""
        words = ("--date", "2026-03-14", "--tz", "Europe/Vienna", "anne@example.net")

        done = self.add(run, tmp_path, *words)

        assert done.code == 0
        (scan,) = (tmp_path / "state/evidence/scans").iterdir()
        assert b"%PDF" not in scan.read_bytes()
        shown = run("optin", "show", "--list", LIST, "anne@example.net", "--json")
        value = json.loads(shown.stdout)
        assert (value["grade"], value["time"]) == ("paper", "2026-03-14T00:00:00+01:00")

    def test_a_scan_is_given_back(
        self, run: Run, tmp_path: Path, store: RedisServer
    ) -> None:
        """By its SHA-256 or the beginning of it; and that is in the audit, why, too."""
        words = ("--date", "2026-03-14", "--tz", "UTC", "anne@example.net")
        self.add(run, tmp_path, *words)
        (scan,) = (tmp_path / "state/evidence/scans").iterdir()
        digest, output = scan.name.removesuffix(".sealed"), tmp_path / "given"
        show = ("evidence", "show-scan", "--why", "complaint 4711", "--output")

        whole = run(*show, output, digest)
        piped = run(*show, "-", digest[:12].upper())
        again = run(*show, output, digest)
        none = run(*show, tmp_path / "none", "ab" * 32)
        short = run(*show, tmp_path / "none", digest[:11])
        scan.write_bytes(scan.read_bytes()[:-1])
        changed = run(*show, tmp_path / "none", digest)

        assert (whole.code, output.read_bytes()) == (0, b"%PDF")
        assert stat.S_IMODE(output.stat().st_mode) == 0o600
        assert piped.stdout == "%PDF"
        assert (again.code, "File exists" in again.stderr) == (73, True)
        assert (none.code, "no such scan is in" in none.stderr) == (2, True)
        assert (short.code, "expected 12 to 64" in short.stderr) == (2, True)
        assert changed.code == 65
        assert not (tmp_path / "none").exists()
        audit = store.cli(
            "XRANGE", f"cli-evidence-{next(_numbers) - 1}:audit", "-", "+"
        )
        assert audit.count("scan-read") == 4
        assert audit.count("complaint 4711") == 4

    @pytest.mark.parametrize(
        ("words", "said"),
        [
            (("--date", "2026-03-14", "anne@example.net"), "expected --tz, too"),
            (("--date", "14.3.2026", "--tz", "UTC", "anne@example.net"), "is no time"),
            (("--date", "2126-03-14", "--tz", "UTC", "anne@example.net"), "the future"),
            (("--date", "2026-03-14", "--tz", "UTC", "anne"), "'anne' is no address"),
            (("--date", "2026-03-14", "--tz", "UTC"), "expected ADDRESSes"),
        ],
    )
    def test_slips_are_named(
        self, run: Run, tmp_path: Path, words: tuple[str, ...], said: str
    ) -> None:
        """And no scan is kept."""
        done = self.add(run, tmp_path, *words)

        assert done.code == 2
        assert said in done.stderr
        assert not (tmp_path / "state/evidence").exists()


def test_a_claim_that_no_challenge_went_before_is_told(
    run: Run, tmp_path: Path
) -> None:
    """By the import, the list's status and what is known of the address; it counts."""
    config = tmp_path / "outgate.toml"
    config.write_text(f'{config.read_text()}challenges = "through-us"\n')
    name = f"cli-evidence-{next(_numbers) - 1}"
    now_s = int(run("store", "cli", "TIME").stdout.split()[0])
    begun = str(now_s - 5 * 86_400)
    coverage = f"{name}:challenges:{{{LIST}}}:choir"
    words = ("first", begun, "since", begun, "last", begun, "count", "1")
    run("store", "cli", "HSET", coverage, *words)
    claimed = format_moment((now_s - 86_400) * SECOND_US)
    rows = f"anne@example.net,coi-web,{claimed},198.51.100.7\n"

    done = run(*importing(export(tmp_path, HEAD + rows)))

    assert "the ledger of challenges: 1 contradicted-by-ledger\n" in done.stdout
    assert run("list", "status", LIST).stdout.endswith("contradictions  1\n")
    shown = run("evidence", "show", "anne@example.net", "--json").stdout
    assert '"contradicted-by-ledger"' in shown
    assert '"grade": "asserted"' in shown

"""`outgate complaint ingest`, `list`, `show`, `replay`: nothing is lost, nothing twice."""

import json
from itertools import count
from pathlib import Path
from unittest.mock import patch

import pytest

from cli.commands import Done, configure, outgate
from feedback.reports import arf, mail
from lab.redis import RedisServer
from outgate.complaints.intake import Intake
from outgate.model.errors import EX_FOUND, EX_TEMPFAIL
from outgate.model.trace import Trace, make_trace_id
from outgate.signing.trace import TraceSigner

SECRET = bytes.fromhex("5e" * 32)
_namespaces = (f"complaints{number}" for number in count())
TO = "fbl-x7kq2m9z@example.com"
SETTINGS = f"""
[[customer]]
name = "choir"
match = ["@example.com"]
[complaints]
networks = ["192.0.2.0/24"]
[[feedback-loop]]
name = "example"
sender = ["example.org"]
verify = "address"
deliver-to = ["{TO}"]
"""
REPORT = arf("Feedback-Type: abuse", "Source-IP: 198.51.100.9")


class Desk:
    """Commands under one configuration."""

    def __init__(self, config: Path) -> None:
        self.config = config
        self.unread = config.parent / "state" / "complaints" / "unread"

    def run(self, *words: str | Path, stdin: bytes = b"") -> Done:
        return outgate("--config", self.config, "complaint", *words, stdin=stdin)

    def listed(self) -> list[dict[str, object]]:
        lines = self.run("list", "--json").stdout.splitlines()
        return [json.loads(line) for line in lines]


@pytest.fixture
def desk(tmp_path: Path, redis: RedisServer) -> Desk:
    return Desk(configure(tmp_path, redis, next(_namespaces), SETTINGS))


class TestIngest:
    """From standard input, as a pipe of the MTA calls it."""

    def test_a_joe_job_of_an_enrolled_reporter(self, desk: Desk) -> None:
        done = desk.run("ingest", "--to", TO, stdin=REPORT)

        assert (done.code, done.stdout) == (0, "")
        (one,) = desk.listed()
        assert one["loop"] == "example"
        assert one["attribution"] == "joe-job"
        assert one["outcome"] == "victim"
        assert one["customer"] == "choir"

    def test_a_stranger_makes_a_ticket(self, desk: Desk) -> None:
        desk.run("ingest", stdin=REPORT)

        (one,) = desk.listed()
        assert (one["standing"], one["outcome"]) == ("stranger", "ticket")

    def test_past_the_gate(self, desk: Desk) -> None:
        report = arf("Feedback-Type: abuse", "Source-IP: 192.0.2.9")
        desk.run("ingest", "--to", TO, stdin=report)

        (one,) = desk.listed()
        assert (one["attribution"], one["outcome"]) == ("ours-bypass", "network-abuse")

    def test_twice_is_once(self, desk: Desk) -> None:
        desk.run("ingest", "--to", TO, stdin=REPORT)
        done = desk.run("ingest", "--to", TO, stdin=REPORT)

        assert done.code == 0
        assert len(desk.listed()) == 1

    def test_what_is_no_report_is_filed(self, desk: Desk) -> None:
        raw = mail("You send spam.")
        for _ in range(2):
            assert desk.run("ingest", stdin=raw).code == 0

        (file,) = desk.unread.iterdir()
        assert file.read_bytes() == raw
        assert "no-report" in file.name
        assert desk.listed() == []

    def test_doctor_tells_of_it(self, desk: Desk) -> None:
        desk.run("ingest", stdin=mail("You send spam."))
        done = outgate("--config", desk.config, "doctor")

        assert "complaints     reports that wait for a person: 1, in" in done.stdout

    def test_a_store_that_is_away_makes_the_mta_try_again(self, tmp_path: Path) -> None:
        config = tmp_path / "outgate.toml"
        config.write_text(f'[store]\nurl = "unix://{tmp_path}/none"\n')
        (tmp_path / "secret").write_text("5e" * 32)

        assert Desk(config).run("ingest", stdin=REPORT).code == EX_TEMPFAIL

    def test_so_does_a_broken_configuration(self, tmp_path: Path) -> None:
        """Any other code, and the report is returned to its sender."""
        config = tmp_path / "outgate.toml"
        config.write_text("nonsense = 1\n")

        assert Desk(config).run("ingest", stdin=REPORT).code == EX_TEMPFAIL

    def test_an_error_of_ours_is_filed_and_replayed(self, desk: Desk) -> None:
        with patch.object(Intake, "take", side_effect=ZeroDivisionError):
            done = desk.run("ingest", stdin=REPORT)

        assert done.code == 0
        (file,) = desk.unread.iterdir()
        assert "our-error" in file.name
        assert "taken in" in desk.run("replay").stdout
        assert list(desk.unread.iterdir()) == []
        assert len(desk.listed()) == 1


class TestTraces:
    """A trace header is ours, whatever became of the rest."""

    def _traced(self, customer: str = "choir") -> bytes:
        signer = TraceSigner(SECRET)
        trace = Trace(
            id=make_trace_id(1_795_000_000_000_000, bytes(10)),
            customer=signer.customer(customer),
            time_s=1_795_000_000,
        )
        header = f"Outgate-Trace: {signer.sign(trace)}\n".encode()
        return header + b"From: anne@example.com\nTo: redacted@example.org\n\n"

    def _complain(self, desk: Desk, message: bytes, source: str) -> dict[str, object]:
        report = arf("Feedback-Type: abuse", f"Source-IP: {source}", message=message)
        desk.run("ingest", "--to", TO, stdin=report)
        (one,) = desk.listed()
        return one

    def test_a_body_that_was_left_out_is_no_matter(self, desk: Desk) -> None:
        one = self._complain(desk, self._traced(), "192.0.2.9")

        assert (one["attribution"], one["proof"]) == ("ours", "trace-expired")
        assert (one["customer"], one["is-certain"]) == ("choir", True)

    def test_one_that_came_from_elsewhere_may_be_a_copy(self, desk: Desk) -> None:
        one = self._complain(desk, self._traced(), "198.51.100.9")

        assert (one["attribution"], one["is-certain"]) == ("ours", False)

    def test_a_forged_one_is_none(self, desk: Desk) -> None:
        forged = self._traced().replace(b"; b=", b"; b=0")
        one = self._complain(desk, forged, "198.51.100.9")

        assert (one["attribution"], one["outcome"]) == ("joe-job", "victim")

    def test_a_flood_of_one_person_is_one_complainant(
        self, desk: Desk, redis: RedisServer
    ) -> None:
        """Each report counts anew as a report, and never as a person."""
        for number in range(6):
            report = arf(
                "Feedback-Type: abuse",
                "Source-IP: 192.0.2.9",
                "Original-Rcpt-To: bart@example.org",
                message=self._traced(),
                identity=f"<{number}@example.org>",
            )
            desk.run("ingest", "--to", TO, stdin=report)

        listed = desk.listed()
        assert len(listed) == 6
        assert {one["outcome"] for one in listed} == {"single-mail"}
        assert len({one["complainant"] for one in listed}) == 1

    def test_a_login_is_one_person_whoever_it_names(self, desk: Desk) -> None:
        """A competitor got one mail, and reports it in the name of six readers."""
        for number in range(6):
            report = arf(
                "Feedback-Type: abuse",
                "Source-IP: 192.0.2.9",
                f"Original-Rcpt-To: reader{number}@example.org",
                message=self._traced(),
            )
            desk.run("ingest", "--login", "rival@example.com", stdin=report)

        listed = desk.listed()
        assert {one["standing"] for one in listed} == {"customer"}
        assert {one["outcome"] for one in listed} == {"single-mail"}
        assert len({one["complainant"] for one in listed}) == 1


class TestMailboxes:
    """Reports that wait in files."""

    def test_a_maildir(self, desk: Desk, tmp_path: Path) -> None:
        box = tmp_path / "box"
        (box / "new").mkdir(parents=True)
        (box / "new" / "1.host").write_bytes(REPORT)
        (box / "new" / "2.host").write_bytes(mail("You send spam."))
        done = desk.run("ingest", "--maildir", box)

        assert done.stdout.split() == ["filed", "1", "taken", "in", "1"]
        assert sorted(one.name for one in (box / "cur").iterdir()) == [
            "1.host:2,S",
            "2.host:2,S",
        ]
        assert desk.run("ingest", "--maildir", box).stdout == "nothing to take in\n"

    def test_an_mbox(self, desk: Desk, tmp_path: Path) -> None:
        box = tmp_path / "mbox"
        box.write_bytes(b"From a@b Tue Nov 24 06:00:00 2026\n" + REPORT + b"\n")

        assert "taken in" in desk.run("ingest", "--mbox", box).stdout
        assert "known" in desk.run("ingest", "--mbox", box).stdout


class TestShow:
    """One complaint."""

    def test_by_the_beginning_of_its_id(self, desk: Desk) -> None:
        desk.run("ingest", "--to", TO, stdin=REPORT)
        shown = str(desk.listed()[0]["id"])[:12]

        assert shown in desk.run("list").stdout
        assert "attribution     joe-job" in desk.run("show", shown).stdout

    def test_none(self, desk: Desk) -> None:
        assert desk.run("show", "0f3c").code == EX_FOUND

    def test_nobody_is_named(self, desk: Desk) -> None:
        """Neither who got the mail nor who complained."""
        report = arf("Feedback-Type: abuse", "Original-Rcpt-To: bart@example.org")
        desk.run("ingest", "--to", TO, stdin=report)

        assert "bart" not in desk.run("list", "--json").stdout

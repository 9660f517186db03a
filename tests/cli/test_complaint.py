"""`outgate complaint parse`: what it prints, and how it ends."""

import json
from pathlib import Path

from cli.commands import outgate
from feedback.reports import arf, mail
from outgate.model.errors import EX_DATAERR, EX_NOINPUT


def _report(tmp_path: Path, raw: bytes) -> str:
    path = tmp_path / "report.eml"
    path.write_bytes(raw)
    return str(path)


class TestParse:
    """Read-only, without configuration or store."""

    def test_for_people(self, tmp_path: Path) -> None:
        """Each claim on a line."""
        raw = arf(
            "Feedback-Type: not-spam",
            "Arrival-Date: Thu, 8 Mar 2005 14:00:00 EDT",
            "Original-Rcpt-To: bart@example.org",
        )
        done = outgate("complaint", "parse", _report(tmp_path, raw))

        assert done.code == 0
        assert "feedback-type     not-spam  (no complaint)" in done.stdout
        assert "arrival           2005-03-08T18:00:00Z  (zone by name)" in done.stdout
        assert "recipient         bart@example.org  (plain)" in done.stdout

    def test_for_machines(self, tmp_path: Path) -> None:
        """All fields, repeated ones too."""
        raw = arf("Feedback-Type: abuse", "Reported-Uri: a", "Reported-Uri: b")
        done = outgate("complaint", "parse", _report(tmp_path, raw), "--json")

        document = json.loads(done.stdout)
        assert document["feedback-type"] == "abuse"
        assert document["fields"]["reported-uri"] == ["a", "b"]
        assert document["embedded"]["has-body"] is True

    def test_a_report_forges_no_line(self, tmp_path: Path) -> None:
        """Control bytes are shown, not sent to the terminal."""
        raw = arf("Feedback-Type: abuse", "Original-Rcpt-To: <a\x1b[31m@example.org>")
        done = outgate("complaint", "parse", _report(tmp_path, raw))

        assert "\x1b" not in done.stdout

    def test_what_a_person_has_to_read(self, tmp_path: Path) -> None:
        """Exit 65, and one line that says why."""
        done = outgate("complaint", "parse", _report(tmp_path, mail("You send spam.")))

        assert done.code == EX_DATAERR
        assert done.stderr.startswith("outgate: no report in it")

    def test_no_such_file(self, tmp_path: Path) -> None:
        """Exit 66."""
        done = outgate("complaint", "parse", str(tmp_path / "absent"))

        assert done.code == EX_NOINPUT

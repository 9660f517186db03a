"""Sheets of paper: the scan is kept under its hash, the signatures get its grade."""

import json
import stat
from hashlib import sha256
from pathlib import Path

import pytest

from outgate.evidence.moments import NO_ZONE, ZoneMissing, declared_zone
from outgate.evidence.paper import (
    MAX_SCAN_BYTES,
    Sheet,
    keep_scan,
    opt_ins,
    read_collected,
)
from outgate.evidence.record import RowRejected
from outgate.model.consent import Grade
from outgate.model.errors import StartError
from outgate.model.optin import Method

VIENNA = declared_zone("Europe/Vienna")


def test_a_scan_is_kept_under_its_hash(tmp_path: Path) -> None:
    """Readable by its owner alone; twice is as good as once."""
    scan = tmp_path / "sheet.pdf"
    scan.write_bytes(b"%PDF a sheet")
    folder = tmp_path / "state/evidence/scans"

    digest = keep_scan(scan, folder)
    assert keep_scan(scan, folder) == digest

    assert digest == sha256(b"%PDF a sheet").hexdigest()
    (copy,) = folder.iterdir()
    assert (copy.name, copy.read_bytes()) == (digest, b"%PDF a sheet")
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_what_is_no_scan_leaves_nothing(tmp_path: Path) -> None:
    """Absent, empty, or larger than any sheet."""
    empty, large = tmp_path / "empty", tmp_path / "large"
    empty.touch()
    with large.open("wb") as file:
        file.truncate(MAX_SCAN_BYTES + 1)
    folder = tmp_path / "scans"

    for scan, said in (
        (tmp_path / "none", "cannot be read"),
        (empty, "is empty"),
        (large, "is larger than 64 MiB"),
    ):
        with pytest.raises(StartError, match=said):
            keep_scan(scan, folder)

    assert list(folder.iterdir()) == []


def test_a_day_begins_where_it_was_collected() -> None:
    """So that a withdrawal of the same day is later."""
    day = read_collected("2026-03-14", VIENNA)
    time = read_collected("2026-03-14T00:00:00+01:00", NO_ZONE)

    assert (day.time_us, day.offset_minutes) == (time.time_us, time.offset_minutes)
    with pytest.raises(ZoneMissing):
        read_collected("2026-03-14", NO_ZONE)
    for text in ("14.3.2026", "", "0000-00-00"):
        with pytest.raises(RowRejected):
            read_collected(text, VIENNA)


def test_who_signed_is_registered_as_paper() -> None:
    """With scan, place and collector as evidence."""
    moment = read_collected("2026-03-14", VIENNA)
    sheet = Sheet("ab" * 32, moment, "Europe/Vienna", "Choir hall", "Carol")

    one, other = opt_ins(
        sheet, "choir", "l.example", ["anne@example.net", "bob@example.net"], b"k" * 32
    )

    assert (one.record.grade, one.record.method) == (Grade.PAPER, Method.PAPER)
    assert one.record.commitment != other.record.commitment
    evidence = json.loads(one.evidence)
    assert (evidence["place"], evidence["collector"]) == ("Choir hall", "Carol")
    assert evidence["scan-sha256"] == "ab" * 32

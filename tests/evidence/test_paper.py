"""Sheets of paper: the scan is kept under its hash, the signatures get its grade."""

import json
import os
import stat
import tracemalloc
from hashlib import sha256
from pathlib import Path

import pytest

from lab.skips import need_root
from outgate.evidence.folders import Folder
from outgate.evidence.moments import NO_ZONE, ZoneMissing, declared_zone
from outgate.evidence.paper import (
    MAX_SCAN_BYTES,
    Sheet,
    find_scan,
    keep_scan,
    opt_ins,
    read_collected,
    read_scan,
)
from outgate.evidence.progress import Progress, ProgressFile
from outgate.evidence.record import RowRejected
from outgate.model.consent import Grade
from outgate.model.errors import EvidenceError, StartError
from outgate.model.optin import Method
from outgate.signing.vault import MAX_CHUNK_BYTES, OVERHEAD_BYTES, Vault

VIENNA = declared_zone("Europe/Vienna")


VAULT = Vault(b"s" * 32)


def given_back(folder: Folder, digest: str, vault: Vault = VAULT) -> bytes:
    return b"".join(read_scan(folder.path, digest, vault))


@pytest.mark.parametrize("size_bytes", [1, MAX_CHUNK_BYTES, 2 * MAX_CHUNK_BYTES + 7])
def test_a_scan_is_kept_sealed_under_its_hash(tmp_path: Path, size_bytes: int) -> None:
    """Readable by its owner alone; twice is as good as once."""
    content = b"%PDF a sheet "[:size_bytes].ljust(size_bytes, b"x")
    scan = tmp_path / "sheet.pdf"
    scan.write_bytes(content)
    folder = Folder(tmp_path / "state", "evidence", "scans")

    digest = keep_scan(scan, folder, VAULT)
    assert keep_scan(scan, folder, VAULT) == digest

    assert digest == sha256(content).hexdigest()
    (copy,) = folder.path.iterdir()
    assert copy.name == f"{digest}.sealed"
    assert content[:13] not in copy.read_bytes() or size_bytes == 1
    assert given_back(folder, digest) == content
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    for one in (folder.path, folder.path.parent):
        assert stat.S_IMODE(one.stat().st_mode) == 0o700


def test_a_large_scan_is_sealed_and_opened_in_flat_memory(tmp_path: Path) -> None:
    """64 MiB, in pieces of one."""
    scan = tmp_path / "sheet"
    with scan.open("wb") as file:
        file.truncate(MAX_SCAN_BYTES)
    folder = Folder(tmp_path, "scans")

    tracemalloc.start()
    digest = keep_scan(scan, folder, VAULT)
    size_bytes = sum(map(len, read_scan(folder.path, digest, VAULT)))
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert size_bytes == MAX_SCAN_BYTES
    assert peak_bytes < 16 << 20


def test_a_scan_that_was_changed_is_told(tmp_path: Path) -> None:
    """Cut off anywhere, a chunk moved, another secret, another scan's name."""
    scan = tmp_path / "sheet"
    scan.write_bytes(b"x" * (2 * MAX_CHUNK_BYTES + 7))
    folder = Folder(tmp_path, "scans")
    digest = keep_scan(scan, folder, VAULT)
    (copy,) = folder.path.iterdir()
    whole = copy.read_bytes()
    frame = 4 + OVERHEAD_BYTES + MAX_CHUNK_BYTES
    head = len(whole) - 2 * frame - (4 + OVERHEAD_BYTES + 7)
    first, second = whole[head : head + frame], whole[head + frame : head + 2 * frame]
    last = whole[head + 2 * frame :]

    for changed in (
        b"",
        whole[:head],
        whole[: head + 2],
        whole[: head + frame],
        whole[:-1],
        whole + b"x",
        whole[:head] + second + first + last,
        whole[:head] + first + last,
        whole[:head] + last,
        bytes((whole[0] ^ 1,)) + whole[1:],
        whole[: head - 1] + bytes((whole[head - 1] ^ 1,)) + whole[head:],
        whole[:head] + b"\xff" * 4 + whole[head + 4 :],
    ):
        copy.write_bytes(changed)
        with pytest.raises(EvidenceError):
            given_back(folder, digest)
    copy.write_bytes(whole)
    with pytest.raises(EvidenceError, match="another secret"):
        given_back(folder, digest, Vault(b"t" * 32))
    copy.rename(find_scan(folder.path, "ab" * 32))
    with pytest.raises(EvidenceError, match="holds another file"):
        given_back(folder, "ab" * 32)
    with pytest.raises(StartError, match="cannot be read"):
        given_back(folder, digest)


def test_what_root_keeps_belongs_to_the_daemons_account(tmp_path: Path) -> None:
    """So does a folder that root had made before, open to all."""
    need_root()
    state = tmp_path / "state"
    scan = tmp_path / "sheet"
    scan.write_bytes(b"%PDF")
    state.mkdir()
    (state / "evidence").mkdir(mode=0o755)
    os.chown(state, 12_345, 12_346)
    folder = Folder(state, "evidence", "scans")

    digest = keep_scan(scan, folder, VAULT)
    noted = ProgressFile(Folder(state, "evidence", "imports"), "x")
    noted.write(Progress(records=1))

    made = [find_scan(folder.path, digest), folder.path, folder.path.parent]
    for path in (*made, noted.path, noted.path.parent):
        found = path.stat()
        assert (found.st_uid, found.st_gid) == (12_345, 12_346), path
        assert stat.S_IMODE(found.st_mode) == (0o700 if path.is_dir() else 0o600)


def test_a_link_in_the_place_of_a_folder_is_not_followed(tmp_path: Path) -> None:
    """Root would give away what is behind it."""
    (tmp_path / "state").mkdir()
    (tmp_path / "other").mkdir(mode=0o755)
    (tmp_path / "state/evidence").symlink_to(tmp_path / "other")

    with pytest.raises(StartError, match="cannot be written"):
        Folder(tmp_path / "state", "evidence").make()

    assert stat.S_IMODE((tmp_path / "other").stat().st_mode) == 0o755


def test_what_is_no_scan_leaves_nothing(tmp_path: Path) -> None:
    """Absent, empty, or larger than any sheet."""
    empty, large = tmp_path / "empty", tmp_path / "large"
    empty.touch()
    with large.open("wb") as file:
        file.truncate(MAX_SCAN_BYTES + 1)
    folder = Folder(tmp_path, "scans")

    for scan, said in (
        (tmp_path / "none", "cannot be read"),
        (empty, "is empty"),
        (large, "is larger than 64 MiB"),
    ):
        with pytest.raises(StartError, match=said):
            keep_scan(scan, folder, VAULT)

    assert list(folder.path.iterdir()) == []


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

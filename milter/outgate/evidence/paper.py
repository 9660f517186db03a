"""A sheet of paper on which people signed for a list: its scan, and what is kept of it.

The scan is copied into the folder of evidence under its SHA-256, so that a copy shows
whether it was changed; sealed, since it shows everybody on the sheet. A day is no moment: where only the day is known, its beginning
counts, so that a withdrawal of the same day is later.
"""

import os
import re
import tempfile
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from hashlib import blake2b, sha256
from pathlib import Path
from typing import IO, Protocol

from outgate.evidence.folders import Folder
from outgate.evidence.moments import Moment, Zone, read_moment
from outgate.evidence.record import RowRejected
from outgate.model.consent import Grade
from outgate.model.errors import (
    EX_CANTCREAT,
    EX_NOINPUT,
    EvidenceError,
    StartError,
)
from outgate.model.optin import (
    Method,
    OptIn,
    Record,
    canonical_evidence,
    commitment_of,
)

# A hundred pages in colour.
MAX_SCAN_BYTES = 64 << 20
MAX_WORDS_CHARACTERS = 200
_CHUNK_BYTES = 1 << 20
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
SOURCE = "paper"
_SEALED = ".sealed"


class FileSealer(Protocol):
    """Encrypts files; `signing` has one."""

    def seal_file(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        """Encrypt, piece by piece."""

    def open_file(self, file: IO[bytes]) -> Iterator[bytes]:
        """Decrypt, piece by piece.

        Raises:
            EvidenceError: it is not what was sealed.
        """


@dataclass(frozen=True, slots=True)
class Sheet:
    """What is known of one sheet.

    Attributes:
        scan_sha256: in hex; the name of its copy.
        collected: when people signed.
        zone: name of the declared zone, "" where the time says its offset.
        place: where.
        collector: who stands for it.
    """

    scan_sha256: str
    collected: Moment
    zone: str
    place: str
    collector: str


def read_collected(text: str, zone: Zone) -> Moment:
    """Read a day, or a time.

    Raises:
        RowRejected: it is neither, or nobody said in which zone it is meant.
    """
    moment = read_moment(f"{text} 00:00:00" if _DAY.fullmatch(text) else text, "", zone)
    if moment is None:
        raise RowRejected(f"{text[:40]!r} is no day, expected one such as 2026-03-14")
    return moment


def keep_scan(scan: Path, folder: Folder, sealer: FileSealer) -> str:
    """Copy a scan under its hash, sealed; gives the hash.

    Raises:
        StartError: it cannot be read, is empty or larger than `MAX_SCAN_BYTES`, or the
            copy cannot be written.
    """
    folder.make()
    directory = folder.path
    try:
        descriptor, name = tempfile.mkstemp(dir=directory, prefix=".scan-")
    except OSError as error:
        raise StartError(
            f"{directory} cannot be written: {error.strerror}", EX_CANTCREAT
        ) from error
    beside = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as copy:
            folder.own(descriptor)
            digest = sha256()
            for piece in sealer.seal_file(_hashed(scan, digest.update)):
                copy.write(piece)
            copy.flush()
            os.fsync(copy.fileno())
        beside.replace(directory / f"{digest.hexdigest()}{_SEALED}")
    except OSError as error:
        raise StartError(
            f"{directory} cannot be written: {error.strerror}", EX_CANTCREAT
        ) from error
    finally:
        beside.unlink(missing_ok=True)
    return digest.hexdigest()


def find_scan(directory: Path, digest: str) -> Path:
    """Where a scan is kept, or would be.

    Args:
        directory: of all scans.
        digest: SHA-256 of the scan, in hex.
    """
    return directory / f"{digest}{_SEALED}"


def scans_named(directory: Path, beginning: str) -> list[str]:
    """SHA-256 of all scans that are kept whose SHA-256 begins so.

    Raises:
        StartError: the folder cannot be read.
    """
    try:
        names = [one.name for one in directory.glob(f"*{_SEALED}")]
    except OSError as error:
        raise StartError(
            f"{directory} cannot be read: {error.strerror}", EX_NOINPUT
        ) from error
    found = (name.removesuffix(_SEALED) for name in names)
    return sorted(one for one in found if one.startswith(beginning))


def read_scan(directory: Path, digest: str, sealer: FileSealer) -> Iterator[bytes]:
    """Give a scan back, piece by piece.

    Raises:
        EvidenceError: it is not what was kept; nothing that was given before counts.
        StartError: it is not there, or cannot be read.
    """
    path = find_scan(directory, digest)
    known = sha256()
    try:
        with path.open("rb") as file:
            for piece in sealer.open_file(file):
                known.update(piece)
                yield piece
    except OSError as error:
        raise StartError(
            f"{path} cannot be read: {error.strerror}", EX_NOINPUT
        ) from error
    except EvidenceError as error:
        raise EvidenceError(f"{path} {error}") from None
    if known.hexdigest() != digest:
        raise EvidenceError(f"{path} holds another file: SHA-256 {known.hexdigest()}")


def opt_ins(
    sheet: Sheet, customer: str, list_id: str, mailboxes: Iterable[str], salt_key: bytes
) -> Iterator[OptIn]:
    """What the registry is to keep of each signature."""
    moment = sheet.collected
    for mailbox in mailboxes:
        known: dict[str, str | int] = {
            "addr": mailbox,
            "list": list_id,
            "method": Method.PAPER.value,
            "collected-us": moment.time_us,
            "tz.kind": moment.zone.value,
            "tz.zone": sheet.zone,
            "place": sheet.place,
            "collector": sheet.collector,
            "scan-sha256": sheet.scan_sha256,
        }
        digest = blake2b(
            "\n".join(map(str, known.values())).encode(),
            key=salt_key,
            digest_size=16,
            person=b"evidence salt",
        )
        known["salt"] = urlsafe_b64encode(digest.digest()).decode().rstrip("=")
        evidence = canonical_evidence(known)
        record = Record(
            time_us=moment.time_us,
            offset_minutes=moment.offset_minutes,
            zone=moment.zone,
            method=Method.PAPER,
            grade=Grade.PAPER,
            commitment=commitment_of(evidence),
            source=SOURCE,
        )
        yield OptIn(
            customer=customer,
            list_id=list_id,
            mailbox=mailbox,
            record=record,
            evidence=evidence,
        )


def _hashed(scan: Path, update: Callable[[bytes], None]) -> Iterator[bytes]:
    for chunk in _chunks(scan):
        update(chunk)
        yield chunk


def _chunks(scan: Path) -> Iterator[bytes]:
    size_bytes = 0
    try:
        with scan.open("rb") as file:
            while chunk := file.read(_CHUNK_BYTES):
                size_bytes += len(chunk)
                if size_bytes > MAX_SCAN_BYTES:
                    raise StartError(
                        f"{scan} is larger than {MAX_SCAN_BYTES >> 20} MiB", EX_NOINPUT
                    )
                yield chunk
    except OSError as error:
        raise StartError(
            f"{scan} cannot be read: {error.strerror}", EX_NOINPUT
        ) from error
    if not size_bytes:
        raise StartError(f"{scan} is empty", EX_NOINPUT)

"""Files of evidence: bytes in, lines of text out, in bounded memory.

gzip and zip are opened by their first bytes, whatever the file is called; each file in
an archive is read for itself. A mark at the beginning (BOM) is a declaration of the
encoding. Without one it is UTF-8 unless declared: nothing is guessed, since a wrong
guess would register other people's addresses.

Errors name file, row and column. Limits: a line longer than `MAX_LINE_CHARACTERS` is an
error; encrypted archives, and archives in archives, are not opened.
"""

import codecs
import gzip
import hashlib
import io
import os
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from stat import S_ISREG
from typing import IO

from outgate.model.errors import EX_NOINPUT, SourceError, StartError

# A subscriber with 500 filled columns has 50 KiB; attributes in JSON are longest.
MAX_LINE_CHARACTERS = 1 << 20
_CHUNK_BYTES = 1 << 16
# More files than the export of an account has, and few enough to be opened twice.
MAX_MEMBERS = 1_000

ENCODINGS = ("utf-8", "utf-16-le", "utf-16-be", "latin-1", "windows-1252")
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_GZIP = b"\x1f\x8b"
_ZIP = b"PK\x03\x04"
_LIES = (
    EOFError,
    OSError,
    RuntimeError,  # an encrypted member, or a compression that Python does not know
    ValueError,
    zipfile.BadZipFile,
    zlib.error,
)


@dataclass(frozen=True, slots=True)
class Source:
    """One text inside one file.

    Attributes:
        file: where it is.
        member: name in an archive; "" where the file is none.
        encoding: as declared; "" for UTF-8, or what the mark says.
        size_bytes: about how much text there is, to show progress.
    """

    file: Path
    member: str = ""
    encoding: str = ""
    size_bytes: int = 0

    @property
    def name(self) -> str:
        """As a person would look for it."""
        return f"{self.file}!{self.member}" if self.member else str(self.file)

    def lines(
        self, progress: Callable[[int], None] | None = None, *, cut: bool = False
    ) -> Iterator[str]:
        """Give the lines, with the ends that they have.

        Args:
            progress: is told the bytes of each chunk that was read.
            cut: whether a line that is too long comes in pieces, and is no error.

        Raises:
            SourceError: with row and column: the archive is broken or cut off, bytes
                are not of the encoding, a line is too long.
            StartError: the file cannot be opened.
        """
        with self._open() as stream:
            yield from _lines(stream, self.name, self.encoding, progress, cut=cut)

    @contextmanager
    def _open(self) -> Iterator[IO[bytes]]:
        if not self.member:
            with _opened(self.file) as raw:
                if raw.peek(2)[:2] == _GZIP:
                    with gzip.GzipFile(fileobj=raw) as unpacked:
                        yield io.BufferedReader(unpacked)
                else:
                    yield raw
            return
        with _opened(self.file) as raw, _archive(raw, self.file) as archive:
            try:
                stream = archive.open(self.member)
            except (KeyError, *_LIES) as error:
                raise SourceError(f"cannot be unpacked: {error}", self.name) from None
            with stream:
                yield stream


def sources_of(file: Path, encoding: str = "") -> list[Source]:
    """Give the texts in a file: itself, or the files of a zip archive.

    Raises:
        SourceError: the archive is broken, or has too many files.
        StartError: the file cannot be opened.
    """
    with _opened(file) as raw:
        size_bytes = file.stat().st_size
        if raw.peek(4)[:4] != _ZIP:
            return [Source(file, "", encoding, size_bytes)]
        with _archive(raw, file) as archive:
            members = [one for one in archive.infolist() if _is_text(one)]
    if len(members) > MAX_MEMBERS:
        raise SourceError(
            f"{len(members)} files in one archive, expected {MAX_MEMBERS} at most",
            str(file),
        )
    return [
        Source(file, one.filename, encoding, one.file_size)
        for one in sorted(members, key=lambda one: one.filename)
    ]


def _is_text(member: zipfile.ZipInfo) -> bool:
    """Neither a directory nor what macOS and others put beside files."""
    name = Path(member.filename)
    return (
        not member.is_dir() and name.parts[:1] != ("__MACOSX",) and name.name[:1] != "."
    )


def sha256_of(file: Path) -> str:
    """Hash of a file as it lies there, in hex.

    Raises:
        StartError: the file cannot be read.
    """
    with _opened(file) as raw:
        return hashlib.file_digest(raw, "sha256").hexdigest()


@contextmanager
def _opened(file: Path) -> Iterator[io.BufferedReader]:
    try:
        raw = file.open("rb")
        if not S_ISREG(os.fstat(raw.fileno()).st_mode):
            raw.close()
            raise StartError(f"{file} is no file; it must be read twice", EX_NOINPUT)
    except OSError as error:
        raise StartError(
            f"{file} cannot be read: {error.strerror}", EX_NOINPUT
        ) from error
    with raw:
        yield raw


@contextmanager
def _archive(raw: IO[bytes], file: Path) -> Iterator[zipfile.ZipFile]:
    try:
        archive = zipfile.ZipFile(raw)
    except _LIES as error:
        raise SourceError(f"is no whole zip archive: {error}", str(file)) from None
    with archive:
        yield archive


def _lines(
    stream: IO[bytes],
    name: str,
    encoding: str,
    progress: Callable[[int], None] | None,
    *,
    cut: bool,
) -> Iterator[str]:
    """Split as csv wants it: at CR, LF and CRLF alone, and nothing is translated."""
    row = 1
    rest = ""
    decoder: codecs.IncrementalDecoder | None = None
    is_last = False
    while not is_last:
        chunk = _read(stream, name, row)
        is_last = not chunk
        if progress:
            progress(len(chunk))
        if decoder is None:
            encoding, chunk = _declared(chunk, encoding, name)
            decoder = codecs.getincrementaldecoder(encoding)()
        decoded, trouble = _decoded(decoder, chunk, encoding, is_last=is_last)
        text = rest + decoded
        # Its LF may be the first byte of the next chunk.
        held = "\r" if text.endswith("\r") and not is_last and not trouble else ""
        rest = ""
        for line in io.StringIO(text.removesuffix(held), newline=""):
            if line[-1] in "\r\n":
                yield line
                row += 1
            else:
                rest = line
        rest += held
        if cut and len(rest) > MAX_LINE_CHARACTERS and not held:
            yield rest
            rest = ""
        if len(rest) > MAX_LINE_CHARACTERS + 1:
            raise SourceError(
                f"the line is longer than {MAX_LINE_CHARACTERS} characters", name, row
            )
        if trouble:
            raise _undecodable(trouble, encoding, name, row, len(rest) + 1)
    if rest:
        yield rest


def _decoded(
    decoder: codecs.IncrementalDecoder, chunk: bytes, encoding: str, *, is_last: bool
) -> tuple[str, UnicodeDecodeError | None]:
    """The text, or what is before the first bytes that are none."""
    try:
        return decoder.decode(chunk, final=is_last), None
    except UnicodeDecodeError as error:
        return error.object[: error.start].decode(encoding), error


def _read(stream: IO[bytes], name: str, row: int) -> bytes:
    try:
        return stream.read(_CHUNK_BYTES)
    except _LIES as error:
        raise SourceError(
            f"the archive is broken or cut off here: {error}", name, row
        ) from None


def _declared(head: bytes, encoding: str, name: str) -> tuple[str, bytes]:
    """The encoding, and the text without its mark."""
    for mark, marked in _MARKS:
        if head.startswith(mark):
            if encoding and encoding != marked:
                raise SourceError(
                    f"its mark says {marked}, but {encoding} was declared", name, 1
                )
            return marked, head[len(mark) :]
    if not encoding and b"\0" in head[:512]:
        raise SourceError(
            "has NUL bytes and no mark: declare the encoding, utf-16-le or utf-16-be",
            name,
            1,
        )
    return encoding or "utf-8", head


def _undecodable(
    trouble: UnicodeDecodeError, encoding: str, name: str, row: int, column: int
) -> SourceError:
    shown = trouble.object[trouble.start : trouble.start + 4].hex(" ")
    return SourceError(
        f"the bytes {shown} are not {encoding}: declare the encoding, one of "
        + ", ".join(ENCODINGS),
        name,
        row,
        f"{column} (characters)",
    )

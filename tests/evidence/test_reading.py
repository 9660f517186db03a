"""Files of any size and any bytes: lines of text, or one error that says where."""

import codecs
import gzip
import io
import tracemalloc
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evidence.builders import source, written
from outgate.evidence.reading import (
    ENCODINGS,
    MAX_LINE_CHARACTERS,
    sha256_of,
    sources_of,
)
from outgate.model.errors import SourceError, StartError

TEXT = "address,place\nanne@example.net,Köln\r\nbob@example.net,Wien\rcarol"
LINES = [
    "address,place\n",
    "anne@example.net,Köln\r\n",
    "bob@example.net,Wien\r",
    "carol",
]


def zipped(**members: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in members.items():
            archive.writestr(name, text)
    return out.getvalue()


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        (TEXT.encode(), ""),
        (codecs.BOM_UTF8 + TEXT.encode(), ""),
        (codecs.BOM_UTF16_LE + TEXT.encode("utf-16-le"), ""),
        (codecs.BOM_UTF16_BE + TEXT.encode("utf-16-be"), ""),
        (TEXT.encode("utf-16-le"), "utf-16-le"),
        (TEXT.encode("latin-1"), "latin-1"),
        (TEXT.encode("windows-1252"), "windows-1252"),
        (gzip.compress(TEXT.encode()), ""),
        (gzip.compress(codecs.BOM_UTF8 + TEXT.encode()), ""),
        (zipped(export=TEXT), ""),
    ],
)
def test_lines_are_the_same_however_they_are_packed(
    tmp_path: Path, content: bytes, encoding: str
) -> None:
    """With the ends that they have: csv needs them inside of quotes."""
    assert list(source(written(tmp_path, content), encoding).lines()) == LINES


def test_each_file_of_an_archive_is_read(tmp_path: Path) -> None:
    """In the order of their names, which errors tell."""
    members = {"unsubscribed": "b", "subscribed": "a", "__MACOSX/._subscribed": "?"}
    file = written(tmp_path, zipped(**members), "export.zip")

    assert [list(one.lines()) for one in sources_of(file)] == [["a"], ["b"]]
    assert sources_of(file)[0].name.endswith("export.zip!subscribed")


def test_bytes_of_another_encoding_are_told_with_row_and_column(
    tmp_path: Path,
) -> None:
    """Never guessed."""
    file = written(tmp_path, TEXT.encode("latin-1"))

    with pytest.raises(SourceError) as error:
        list(source(file).lines())

    assert (error.value.row, error.value.column) == (2, "19 (characters)")
    assert "f6 6c 6e 0d are not utf-8: declare" in str(error.value)


def test_utf_16_without_a_mark_must_be_declared(tmp_path: Path) -> None:
    """Its ASCII letters would pass for UTF-8 with NUL bytes."""
    file = written(tmp_path, TEXT.encode("utf-16-le"))

    with pytest.raises(SourceError, match="declare the encoding, utf-16-le or"):
        list(source(file).lines())


def test_a_mark_against_a_declaration_is_an_error(tmp_path: Path) -> None:
    """One of both is wrong."""
    file = written(tmp_path, codecs.BOM_UTF8 + b"x")

    with pytest.raises(SourceError, match="mark says utf-8, but latin-1 was declared"):
        list(source(file, "latin-1").lines())


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (gzip.compress(b"anne\n" * 50_000)[:-40], "broken or cut off"),
        (zipped(export="anne\n" * 50_000)[:-40], "no whole zip archive"),
    ],
)
def test_what_is_cut_off_is_told(tmp_path: Path, content: bytes, said: str) -> None:
    """A part of a file must not pass for the whole."""
    file = written(tmp_path, content)

    with pytest.raises(SourceError, match=said):
        [list(one.lines()) for one in sources_of(file)]


def test_a_line_without_end_is_an_error_in_bounded_memory(tmp_path: Path) -> None:
    """A gigabyte of one letter, in a megabyte of gzip."""
    file = tmp_path / "bomb.gz"
    with gzip.open(file, "wb", compresslevel=1) as out:
        for _ in range(1_000):
            out.write(b"a" * (1 << 20))
    lines = source(file).lines()

    tracemalloc.start()
    with pytest.raises(SourceError, match=f"longer than {MAX_LINE_CHARACTERS}"):
        list(lines)
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert peak_bytes < 16 << 20


def test_ten_gigabytes_without_an_end_of_line_are_told_at_once(tmp_path: Path) -> None:
    """A sparse file; no more of it is read than a line may have."""
    file = tmp_path / "sparse"
    with file.open("wb") as out:
        out.write(b"address,note\n" * 100)
        out.truncate(10 << 30)
    read_bytes = [0]

    def progress(size_bytes: int) -> None:
        read_bytes[0] += size_bytes

    tracemalloc.start()
    with pytest.raises(SourceError) as error:
        list(source(file).lines(progress))
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert f"longer than {MAX_LINE_CHARACTERS}" in str(error.value)
    assert error.value.row == 101
    assert peak_bytes < 16 << 20
    assert read_bytes[0] < 2 << 20


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    """It is read twice, so a pipe would hang."""
    for path in (tmp_path / "none", tmp_path, Path("/dev/null")):
        with pytest.raises(StartError):
            sources_of(path)


def test_the_hash_is_that_of_the_file_as_it_lies_there(tmp_path: Path) -> None:
    """So that sha256sum says the same."""
    assert sha256_of(written(tmp_path, b"abc")).startswith("ba7816bf8f01cfea")


@settings(max_examples=200)
@given(
    content=st.binary(max_size=300)
    | st.binary(max_size=100).map(gzip.compress)
    | st.text('a\r\n,"', max_size=60).map(str.encode),
    encoding=st.sampled_from(["", *ENCODINGS]),
)
def test_any_bytes_are_lines_or_an_error(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, encoding: str
) -> None:
    """And lines put together are the text."""
    file = written(tmp_path_factory.mktemp("any"), content)
    try:
        (one,) = sources_of(file, encoding)
        lines = list(one.lines())
    except SourceError:
        return
    assert all(line.count("\n") <= 1 for line in lines)
    assert lines == io.StringIO("".join(lines), newline="").readlines()


@given(st.integers(0, 5), st.lists(st.sampled_from("a\r\n"), max_size=12))
def test_ends_of_lines_may_stand_on_both_sides_of_a_chunk(
    tmp_path_factory: pytest.TempPathFactory, before: int, tail: list[str]
) -> None:
    """A CRLF that is cut in two stays one end."""
    text = "a" * ((1 << 16) - before) + "".join(tail)
    file = written(tmp_path_factory.mktemp("chunk"), text)

    expected = io.StringIO(text, newline="").readlines()
    assert list(source(file).lines()) == expected

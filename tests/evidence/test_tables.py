"""CSV as it is met."""

import csv
import io
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outgate.evidence.record import REASON
from outgate.evidence.tables import MAX_RECORD_LINES, Table
from outgate.model.errors import SourceError

NEEDED = (("email", "address"),)


def table(text: str) -> Table:
    return Table(iter(io.StringIO(text, newline="")), "export.csv", NEEDED)


@pytest.mark.parametrize(
    "text",
    [
        "Email,Opt In\nanne@example.net,=1+1\n",
        "Email;Opt In\r\nanne@example.net;=1+1\r\n",
        "Email\tOpt In\nanne@example.net\t=1+1",
        '"EMAIL","opt_in"\n"anne@example.net","=1+1"\n',
        "sep=;\nEmail;opt-in\nanne@example.net;=1+1\n",
        "Email,Opt In\ranne@example.net,=1+1\r",
        "Email,Opt In\n\nanne@example.net,=1+1,,,",
    ],
)
def test_shapes_of_csv(text: str) -> None:
    """One record, whatever the separator; a formula is text."""
    (one,) = table(text)

    assert (one.get("email"), one.get("opt-in")) == ("anne@example.net", "=1+1")


def test_lines_are_counted_over_quotes_with_more_lines() -> None:
    """So that an editor finds the row."""
    rows = list(table('email,note\na,"1\n2\n3"\nb,x\n\nc,y\n'))

    assert [(row.line, row.get("email")) for row in rows] == [
        (2, "a"),
        (5, "b"),
        (7, "c"),
    ]


def test_a_quote_that_is_never_closed_costs_one_row() -> None:
    """Those behind it are read again, and nothing is lost."""
    text = 'email,note\na,x\nb,"open\nc,y\nd,z\n'

    rows = list(table(text))

    assert [(row.line, row.get("email"), bool(row.broken)) for row in rows] == [
        (2, "a", False),
        (3, "b", True),
        (4, "c", False),
        (5, "d", False),
    ]


def test_an_open_quote_is_not_looked_after_for_ever() -> None:
    """Beyond some lines it is taken for open."""
    many = "".join(f"{number},y\n" for number in range(3 * MAX_RECORD_LINES))

    rows = list(table(f'email,note\nb,"open\n{many}'))

    assert len(rows) == 1 + 3 * MAX_RECORD_LINES
    assert [row.line for row in rows if row.broken] == [2]


def test_more_cells_than_columns_are_broken() -> None:
    """A separator in a name has moved everything behind it."""
    (one,) = table("email,name\nanne@example.net,Anne, the singer\n")

    assert one.broken == "3 cells, but the header has 2 columns"


def test_words_for_nothing_are_nothing() -> None:
    """As databases write them."""
    (one,) = table("email,ip,time,note\na,NULL,\\N,null\n")

    assert [one.get(name) for name in ("ip", "time", "note", "else")] == [""] * 4


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no column email or address; the header has nothing"),
        ("mail,ip\n", "no column email or address; the header has mail, ip"),
        ("email,Email\n", "column email: there are two columns of this name"),
    ],
)
def test_a_header_that_will_not_do(text: str, said: str) -> None:
    """What is needed, and what is there."""
    with pytest.raises(SourceError, match=said):
        table(text)


def test_a_rejected_row_comes_back_as_it_was() -> None:
    """The reason is one more column, which is not read; a second one takes its place."""
    first = table('email;note\n"=a;b";"x ""y"""\n')
    (row,) = first
    again = table(first.head + row.rejected("no, not\nthis"))
    (back,) = again

    assert back.get("email") == "=a;b"
    assert back.get("note") == 'x "y"'
    assert back.get(REASON) == "no, not\nthis"
    assert again.head + back.rejected("other") == first.head + row.rejected("other")


_CELL = st.text("ab=,;\"'\n\r\t ü", max_size=8)


@settings(max_examples=200)
@given(st.lists(st.tuples(_CELL, _CELL), max_size=5), st.sampled_from(",;\t"))
def test_what_csv_writes_is_read(rows: list[tuple[str, str]], separator: str) -> None:
    """Cell by cell."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=separator, quoting=csv.QUOTE_ALL)
    writer.writerows([("email", "note"), *rows])

    read = list(table(out.getvalue()))

    assert [(one.get("email"), one.get("note")) for one in read] == [
        (email.strip(), note.strip()) for email, note in rows
    ]


@settings(max_examples=300)
@given(st.text("ab,;\"\n\r\t'", max_size=80))
def test_any_text_is_rows_and_none_is_lost(text: str) -> None:
    """Every line that is not empty is in some row, and what is broken can be written."""
    source = table(f"email,note\n{text}")
    rows = list(source)
    for row in rows:
        row.get("email", "note")
        row.rejected("reason")
    lines = io.StringIO(text, newline="").readlines()
    assert len(rows) <= len(lines)
    assert [row.line for row in rows] == sorted({row.line for row in rows})


def test_nothing_is_read_of_the_lines_behind(tmp_path: Path) -> None:
    """Rows come while the text is read: memory stays flat."""

    def lines() -> object:
        yield "email\n"
        yield "a\n"
        raise AssertionError("read too far")

    assert next(iter(Table(lines(), "x", NEEDED))).get("email") == "a"  # type: ignore[arg-type]

"""A file becomes what an MTA would show."""

from hypothesis import given
from hypothesis import strategies as st

from outgate.message.split import split_message


def test_headers_folds_and_body() -> None:
    """Folds stay in the value; the blank line is nobody's."""
    headers, body = split_message(
        b"From: Anne\r\nSubject: a\r\n\tfolded\r\nX-Empty:\r\n\r\nline 1\r\n\r\nline 2\r\n"
    )

    assert headers == [
        (b"From", b"Anne"),
        (b"Subject", b"a\n\tfolded"),
        (b"X-Empty", b""),
    ]
    assert body == b"line 1\r\n\r\nline 2\r\n"


def test_an_mbox_line_is_dropped() -> None:
    """Saved messages often begin with it."""
    assert split_message(b"From anne Tue Nov 24\nTo: b\n\nx") == ([(b"To", b"b")], b"x")


def test_a_line_that_is_no_header_begins_the_body() -> None:
    """As both MTAs have it."""
    assert split_message(b"To: b\nnonsense\nmore") == (
        [(b"To", b"b")],
        b"nonsense\nmore",
    )


def test_headers_alone_have_an_empty_body() -> None:
    """A file may end with its headers."""
    assert split_message(b"To: b") == ([(b"To", b"b")], b"")


@given(st.binary())
def test_any_bytes_are_some_message(raw: bytes) -> None:
    """Nothing raises, and no body is invented."""
    headers, body = split_message(raw)

    assert raw.endswith(body)
    assert all(name for name, _ in headers)

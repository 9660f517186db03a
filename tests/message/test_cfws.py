"""Folds, comments and quoted strings."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from message.builders import fast, hostile_values
from outgate.message.cfws import (
    NOT_FOUND,
    comment_end,
    quoted_end,
    skip_cfws,
    unfold,
)


class TestUnfold:
    """RFC 5322 §2.2.3: unfolding removes any CRLF that is followed by white space."""

    @pytest.mark.parametrize(
        ("folded", "plain"),
        [
            (b"a\r\n b", b"a b"),
            (b"a\n\tb", b"a\tb"),
            (b"\r\n a", b"a"),
            (b" a \r\n", b"a"),
            (b"a\r\n \r\n b", b"a  b"),
            (b"a b", b"a b"),
            (b"", b""),
        ],
    )
    def test_a_fold_leaves_its_white_space(self, folded: bytes, plain: bytes) -> None:
        """Only the line break goes."""
        assert unfold(folded) == plain

    @fast
    @given(st.binary().filter(lambda value: b"\r" not in value and b"\n" not in value))
    def test_a_value_without_folds_stays(self, value: bytes) -> None:
        """A value on one line only loses the white space around it."""
        assert unfold(value) == value.strip(b" \t")


class TestQuotedStrings:
    """RFC 5322 §3.2.4."""

    @pytest.mark.parametrize(
        ("value", "end"),
        [
            (b'"a"b', 3),
            (rb'"a\"b" c', 6),
            (rb'"a\\" "', 5),
            (b'"a', NOT_FOUND),
            (rb'"a\"', NOT_FOUND),
            (b'"', NOT_FOUND),
        ],
    )
    def test_an_escaped_quote_does_not_end_it(self, value: bytes, end: int) -> None:
        """The end is the first quote without a backslash."""
        assert quoted_end(value, 0) == end


class TestComments:
    """RFC 5322 §3.2.2: comments nest, and may hold quoted pairs."""

    @pytest.mark.parametrize(
        ("value", "end"),
        [
            (b"(a)b", 3),
            (b"(a(b)c)d", 7),
            (rb"(a\)b)c", 6),
            (b"(a", NOT_FOUND),
            (b"((a)", NOT_FOUND),
            (b'(a "b) c', 6),
        ],
    )
    def test_a_comment_ends_at_its_own_parenthesis(
        self, value: bytes, end: int
    ) -> None:
        """Quotes mean nothing within a comment."""
        assert comment_end(value, 0) == end

    @pytest.mark.parametrize(
        ("value", "position"),
        [
            (b"  a", 2),
            (b" (one) (two) a", 13),
            (b"\n\t(x)\r\n a", 8),
            (b"", 0),
            (b" (unclosed", 1),
        ],
    )
    def test_comments_and_white_space_are_skipped_together(
        self, value: bytes, position: int
    ) -> None:
        """What is left is the first thing that means something."""
        assert skip_cfws(value, 0) == position

    @fast
    @given(hostile_values)
    def test_skipping_goes_forward_and_stops(self, value: bytes) -> None:
        """No value makes the skipper loop or leave the value."""
        position = skip_cfws(value, 0)
        assert 0 <= position <= len(value)
        assert skip_cfws(value, position) == position

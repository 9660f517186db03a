"""Encoded words of RFC 2047."""

import codecs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from message.builders import fast, hostile_values
from outgate.message import charsets
from outgate.message.encoded_words import decode_words


class TestEncodedWords:
    """RFC 2047 §2: "=?" charset "?" encoding "?" encoded-text "?="."""

    @pytest.mark.parametrize(
        ("value", "text"),
        [
            (b"plain", "plain"),
            (b"=?utf-8?Q?Gr=C3=BC=C3=9Fe?=", "Grüße"),
            (b"=?UTF-8?b?R3LDvMOfZQ==?=", "Grüße"),
            (b"=?iso-8859-1?q?caf=E9_au_lait?=", "café au lait"),
            (b"=?utf-8*de?q?=C3=A4?=", "ä"),
            (b"=?iso-2022-jp?B?GyRCJCIbKEI=?=", "あ"),
            (b"=?gb2312?B?xOO6ww==?=", "你好"),
        ],
    )
    def test_a_word_is_read_in_its_character_set(self, value: bytes, text: str) -> None:
        """Both encodings, with and without a language (RFC 2231 §5)."""
        assert decode_words(value) == text

    @pytest.mark.parametrize(
        ("value", "text"),
        [
            (b"=?utf-8?q?a?= =?utf-8?q?b?=", "ab"),
            (b"=?utf-8?q?a?=\r\n =?iso-8859-1?q?=E4?=", "aä"),
            (b"=?utf-8?q?a?= b =?utf-8?q?c?=", "a b c"),
            (b"x =?utf-8?q?a?=", "x a"),
            (b"=?utf-8?q?a?= x", "a x"),
        ],
    )
    def test_white_space_between_words_is_no_text(
        self, value: bytes, text: str
    ) -> None:
        """RFC 2047 §6.2: linear white space between adjacent words is ignored."""
        assert decode_words(value) == text

    @pytest.mark.parametrize(
        ("value", "text"),
        [
            (b"=?utf-8?B?w?= =?utf-8?B?w7w?=", None),
            (b"=?utf-8?Q?Gr=C3?= =?utf-8?Q?=BC?=n", "Grün"),
            (b"=?utf-8?q?two words?=", "two words"),
            (b"=?utf-8?B?R3LDvA?=", "Grü"),
            (b"=?x-unknown?q?a?=", "=?x-unknown?q?a?="),
            (b"=?utf-8?q?open", "=?utf-8?q?open"),
            (b"=?utf-8?x?a?=", "=?utf-8?x?a?="),
            (b"caf\xe9", "caf\\xe9"),
        ],
    )
    def test_what_mail_programs_write_is_tolerated(
        self, value: bytes, text: str | None
    ) -> None:
        """Cut characters, spaces, missing padding; what can't be read stays."""
        decoded = decode_words(value)
        assert text is None or decoded == text


class TestHostileWords:
    """Whatever a word says, reading it gives text."""

    @fast
    @given(hostile_values)
    def test_any_bytes_become_text(self, value: bytes) -> None:
        """Nothing is raised."""
        assert isinstance(decode_words(value), str)

    @fast
    @given(
        st.sampled_from(sorted(charsets.CODECS)),
        st.sampled_from([b"q", b"B"]),
        st.binary(max_size=40),
    )
    def test_no_character_set_raises(
        self, charset: bytes, encoding: bytes, content: bytes
    ) -> None:
        """Every codec of the table takes every content."""
        word = b"=?%b?%b?%b?=" % (charset, encoding, content)
        assert isinstance(decode_words(word), str)

    def test_only_known_codecs_are_ever_looked_up(self) -> None:
        """A name from a message never reaches Python's codec registry."""
        for codec in set(charsets.CODECS.values()):
            assert codecs.lookup(codec)
        evil = b"=?unicode_escape?q?=5Cxff?= =?idna?q?xn--?= =?zlib?q?a?="
        assert decode_words(evil) == evil.decode()

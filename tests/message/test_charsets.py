"""Character sets of bodies."""

import codecs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from message.builders import fast
from outgate.message.charsets import CODECS, decode


class TestDecode:
    """Bytes to text, by the name that mail has for the set."""

    @pytest.mark.parametrize(
        ("charset", "codec", "text"),
        [
            (b"utf-8", "utf-8", "Grüße, 你好"),
            (b"UTF-8", "utf-8", "Grüße"),
            (b"iso-8859-1", "latin-1", "Grüße"),
            (b"ISO-8859-15", "iso-8859-15", "Grüße, 5 €"),
            (b"windows-1252", "cp1252", "“Grüße”"),
            (b"windows-1251", "cp1251", "привет"),
            (b"koi8-r", "koi8-r", "привет"),
            (b"iso-2022-jp", "iso2022_jp", "こんにちは"),
            (b"shift_jis", "shift_jis", "こんにちは"),
            (b"gb2312", "gb2312", "你好"),
            (b"big5", "big5", "你好"),
            (b"euc-kr", "euc_kr", "안녕"),
            (b"utf-16", "utf-16", "Grüße"),
        ],
    )
    def test_a_set_is_read_as_it_is_called(
        self, charset: bytes, codec: str, text: str
    ) -> None:
        """In any case of letters."""
        assert decode(text.encode(codec), charset) == text

    @pytest.mark.parametrize("charset", [b"", b"x-unknown", b"us-ascii", b"idna"])
    def test_what_declares_nothing_is_utf_8_or_latin(self, charset: bytes) -> None:
        """Half of such mail is one, half the other."""
        assert decode("Grüße".encode(), charset) == "Grüße"
        assert decode("Grüße".encode("cp1252"), charset) == "Grüße"

    @pytest.mark.parametrize("cut", [1, 2])
    def test_a_cut_character_changes_none_before_it(self, cut: int) -> None:
        """A body ends where 64 KiB end."""
        assert decode("Grüße 你".encode()[:-cut], b"utf-8") == "Grüße "
        text = decode("Grüße 你".encode("gb18030")[:-1], b"gb2312")
        assert text.startswith("Grüße ")

    def test_a_superset_is_read_where_programs_mean_it(self) -> None:
        """WHATWG Encoding §4.2: quotation marks in what is called Latin-1."""
        assert decode(b"\x93a\x94", b"iso-8859-1") == "“a”"

    @fast
    @given(st.sampled_from([b"", b"x", *sorted(CODECS)]), st.binary(max_size=300))
    def test_any_bytes_have_a_text(self, charset: bytes, data: bytes) -> None:
        """Nothing is raised."""
        assert isinstance(decode(data, charset), str)

    @pytest.mark.parametrize("codec", sorted(set(CODECS.values())))
    def test_tables_read_as_codecs_do(self, codec: str) -> None:
        """A set of one byte a character reads each byte as Python's codec does."""
        name = next(name for name, found in CODECS.items() if found == codec)
        for code in range(128, 256):
            data = b"a%c " % code
            if codec != "utf-8":
                assert decode(data, name) == codecs.decode(data, codec, "replace")

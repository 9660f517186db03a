"""Single values, and text that is fit to be shown."""

import pytest
from hypothesis import given

from message.builders import fast, hostile_values
from outgate.message.headers import MAX_TEXT_BYTES, decode_text, first_value


class TestFirstValue:
    """The last hop writes on top, so the topmost value is the youngest."""

    def test_it_is_unfolded(self) -> None:
        """Folds and outer white space are gone."""
        assert first_value({"x": [b" a\n\tb ", b"c"]}, "x") == b"a\tb"

    def test_absent_is_none(self) -> None:
        """A header without values is absent too."""
        assert first_value({}, "x") is None
        assert first_value({"x": []}, "x") is None


class TestDecodeText:
    """What a person reads is one line, whatever a sender wrote."""

    @pytest.mark.parametrize(
        ("value", "text"),
        [
            (b"Dinner on Friday", "Dinner on Friday"),
            (b"=?utf-8?q?Gr=C3=BC=C3=9Fe?=", "Grüße"),
            (b"a\r\n b", "a b"),
            (b"a\r\nb", "a\\x0ab"),
            (b"=?utf-8?q?a=0AFrom:_root?=", "a\\x0aFrom: root"),
            (b"\x1b[31mred", "\\x1b[31mred"),
            ("\u202egpj.exe".encode(), "\\u202egpj.exe"),
            (b"caf\xe9", "caf\\xe9"),
        ],
    )
    def test_what_is_unfit_is_escaped(self, value: bytes, text: str) -> None:
        """Line breaks, terminal codes and reversed text can't forge a log line."""
        assert decode_text(value) == text

    @fast
    @given(hostile_values)
    def test_the_text_is_one_clean_line(self, value: bytes) -> None:
        """It always encodes, and never breaks a line."""
        text = decode_text(value * 50)
        text.encode("utf-8")
        assert len(text.splitlines()) <= 1
        assert len(text) <= 10 * MAX_TEXT_BYTES

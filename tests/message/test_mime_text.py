"""What a reader would see of a body."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from message.builders import fast, hostile_headers
from message.mailings import mail, multipart
from outgate.message.mime_text import MAX_DEPTH, MAX_PARTS, Part, read_parts

_TEXT = "Grüße aus Köln, 100 = hundert\nund so weiter\n"


def _texts(found: tuple[dict[str, list[bytes]], bytes]) -> list[str]:
    return [part.text.strip() for part in read_parts(*found)]


class TestOnePart:
    """RFC 2045: one type, one encoding."""

    @pytest.mark.parametrize("encoding", ["8bit", "base64", "quoted-printable"])
    @pytest.mark.parametrize("charset", ["utf-8", "iso-8859-1", "windows-1252"])
    def test_encodings_are_undone(self, encoding: str, charset: str) -> None:
        """To the last byte."""
        parts = read_parts(*mail(_TEXT, charset=charset, encoding=encoding))
        assert parts == [Part("text/plain", _TEXT.replace("\n", "\r\n"))]

    def test_without_headers_it_is_plain_text(self) -> None:
        """RFC 2045 §5.2, with the patience of `charsets`."""
        assert read_parts({}, b"caf\xe9.") == [Part("text/plain", "café.")]
        assert read_parts({"content-type": [b"?"]}, b"a") == [Part("text/plain", "a")]

    def test_what_is_no_text_has_none(self) -> None:
        """Only its type is told."""
        found = {"content-type": [b"Image/PNG; name=a.png"]}
        assert read_parts(found, b"\x89PNG") == [Part("image/png", "")]

    @pytest.mark.parametrize("length", range(1, 12))
    def test_base64_may_end_anywhere(self, length: int) -> None:
        """Bytes that are whole are read."""
        found = {"content-transfer-encoding": [b"base64"]}
        (part,) = read_parts(found, base64.b64encode(b"abcdefgh")[:length])
        assert part.text == "abcdefgh"[: length * 6 // 8]

    def test_base64_is_read_past_its_padding_and_noise(self) -> None:
        """Texts that were joined, and characters that are none of its."""
        found = {"content-transfer-encoding": [b" BASE64 "]}
        assert read_parts(found, b"YWJj\r\nZ!GVm=")[0].text == "abcdef"

    @pytest.mark.parametrize(
        "values",
        [
            [b'"base64"'],
            [b"base64 (as ever)"],
            [b"(8bit) Base64;"],
            [b"7bit", b"base64"],
            [b"base64", b"8bit"],
            [b"base64", b"base64"],
        ],
    )
    @pytest.mark.parametrize("inside", [True, False])
    def test_an_encoding_may_be_named_oddly(
        self, values: list[bytes], inside: bool
    ) -> None:
        """In quotes, with a comment, or twice: mail programs show the text."""
        body = base64.encodebytes(b"one two three")
        found = {"content-transfer-encoding": values}
        if inside:
            lines = [b"Content-Transfer-Encoding: %b\r\n" % one for one in values]
            body = b"--a\r\n" + b"".join(lines) + b"\r\n" + body + b"\r\n--a--"
            found = {"content-type": [b"multipart/mixed; boundary=a"]}
        assert _texts((found, body)) == ["one two three"]

    def test_a_second_encoding_that_the_body_has_not_is_none(self) -> None:
        """Some programs go by the first."""
        found = {"content-transfer-encoding": [b"7bit", b"base64"]}
        assert _texts((found, b"one two three")) == ["one two three"]

    def test_quoted_printable_may_end_anywhere(self) -> None:
        """In the middle of a character too."""
        found, body = mail("Grüße", encoding="quoted-printable")
        for end in range(len(body)):
            assert len(read_parts(found, body[:end])) == 1


class TestParts:
    """RFC 2046: bodies of several parts."""

    def test_parts_of_a_mixture_all_count(self) -> None:
        """In their order, attached text too."""
        found = multipart("mixed", mail("one"), mail("two", encoding="base64"))
        assert _texts(found) == ["one", "two"]

    def test_of_alternatives_the_last_counts(self) -> None:
        """RFC 2046 §5.1.4: it is the best that the sender has."""
        html = mail("<p>html</p>", kind="text/html")
        assert _texts(multipart("alternative", mail("plain"), html)) == ["<p>html</p>"]

    @pytest.mark.parametrize(
        "last", [mail(" \n", kind="text/html"), mail("BEGIN", kind="text/calendar")]
    )
    def test_of_alternatives_an_empty_one_or_a_form_does_not_count(
        self, last: tuple[dict[str, list[bytes]], bytes]
    ) -> None:
        """What programs show is the text before it."""
        assert _texts(multipart("alternative", mail("plain"), last)) == ["plain"]

    def test_of_alternatives_only_what_all_show_counts(self) -> None:
        """Few programs know others."""
        amp = mail("noise", kind="text/x-amp-html")
        assert _texts(multipart("alternative", mail("plain"), amp)) == ["plain"]

    @pytest.mark.parametrize(
        "value",
        [
            b'multipart/mixed; x="boundary=F"; boundary=R',
            b"multipart/mixed; boundary=F; boundary*=us-ascii''R",
            b"multipart/mixed; boundary=F; boundary=R",
        ],
    )
    def test_every_boundary_is_read(self, value: bytes) -> None:
        """Of several, mail programs choose differently."""
        body = b"--R\n\nadvert\n--R--\n--F\n\nnoise\n--F--\n"
        assert "advert" in _texts(({"content-type": [value]}, body))

    def test_of_two_types_the_first_counts(self) -> None:
        """As of a message's own."""
        body = (
            b"--R\nContent-Type: text/html\nContent-Type: application/x\n\none\n--R--"
        )
        found = {"content-type": [b"multipart/mixed; boundary=R"]}
        assert _texts((found, body)) == ["one"]

    def test_it_is_told_whether_all_was_read(self) -> None:
        """Parts that show nothing are parts too."""
        found = {"content-type": [b"multipart/alternative; boundary=R"]}
        assert read_parts(found, b"--R\n\n\n" * 39).is_all
        assert not read_parts(found, b"--R\n\n\n" * 40).is_all

    def test_parts_may_be_nested(self) -> None:
        """Alternatives beside a picture; a message in a message."""
        picture = ({"content-type": [b"image/png"]}, b"x")
        alternative = multipart("alternative", mail("plain"), mail("better"))
        outer = multipart("mixed", multipart("related", alternative, picture), picture)
        assert _texts(outer) == ["better", "", ""]
        inner = {"content-type": [b"message/rfc822"]}, b"Subject: x\r\n\r\nforwarded"
        assert _texts(multipart("mixed", mail("look"), inner)) == ["look", "forwarded"]

    def test_a_boundary_may_begin_like_another(self) -> None:
        """RFC 2046 §5.1.1: a delimiter is a whole line."""
        body = (
            b"preamble\n--a\nContent-Type: multipart/mixed; boundary=ab\n\n"
            b"--ab\n\none\n--ab\n\ntwo\n--ab--\n--a\n\nthree\n--a--\nepilogue"
        )
        found = {"content-type": [b"multipart/mixed; boundary=a"]}
        assert _texts((found, body)) == ["one", "two", "three"]

    @pytest.mark.parametrize(
        "parameter",
        [
            b"boundary*0=ab",
            b"boundary*0=a; boundary*1=b",
            b'boundary*1="b";\r\n boundary*0="a"',
            b"boundary*=us-ascii''a%62",
            b"boundary*0*=us-ascii'en'%61; boundary*1=b",
        ],
    )
    def test_a_boundary_may_be_in_pieces(self, parameter: bytes) -> None:
        """RFC 2231 §3, §4."""
        found = {"content-type": [b"multipart/mixed; " + parameter]}
        body = b"--ab\n\none\n--ab\nContent-Type: text/html\n\ntwo\n--ab--"
        assert _texts((found, body)) == ["one", "two"]

    def test_headers_of_a_part_may_be_folded_or_absent(self) -> None:
        """A boundary is often on a line of its own."""
        found = {"content-type": [b'multipart/mixed;\r\n\tboundary="a b"']}
        body = (
            b"--a b \r\nContent-Type: text/html;\r\n charset=iso-8859-1\r\n"
            b"CONTENT-TRANSFER-ENCODING:\tquoted-printable\r\n\r\nGr=FC=\r\nn\r\n"
            b"--a b\r\n\r\nplain\r\n--a b\r\nno headers at all\r\n--a b--"
        )
        assert _texts((found, body)) == ["Grün", "plain", "no headers at all"]

    def test_a_body_without_its_boundary_is_read_as_text(self) -> None:
        """A body always gives something."""
        found = {"content-type": [b"multipart/mixed; boundary=a"]}
        assert _texts((found, b"nothing of that kind")) == ["nothing of that kind"]

    def test_a_cut_body_gives_what_there_is(self) -> None:
        """Wherever 64 KiB end."""
        found, body = multipart("mixed", mail("one"), mail("two", encoding="base64"))
        for end in range(len(body)):
            assert len(read_parts(found, body[:end])) <= 2
        assert _texts((found, body[: body.rindex(b"\r\n--")])) == ["one", "two"]


class TestBounds:
    """Nobody makes this costly."""

    def test_parts_are_counted(self) -> None:
        """Past the last nothing is read."""
        found = {"content-type": [b"multipart/mixed; boundary=a"]}
        assert len(read_parts(found, b"--a\n\nx\n" * 9_000)) < MAX_PARTS

    def test_depth_is_counted(self) -> None:
        """What lies deeper is text."""
        headers = b"Content-Type: message/rfc822\n\n"
        body = headers * 2_000
        parts = read_parts({"content-type": [b"message/rfc822"]}, body)
        assert len(parts) == 1
        assert parts[0].text == body.removeprefix(headers * MAX_DEPTH).decode()

    @fast
    @given(hostile_headers, st.binary(max_size=400))
    def test_any_bytes_have_parts(
        self, found: dict[str, list[bytes]], body: bytes
    ) -> None:
        """Nothing is raised."""
        assert all(isinstance(part.text, str) for part in read_parts(found, body))

    @fast
    @given(
        st.lists(
            st.sampled_from(
                [
                    b"--a",
                    b"--ab",
                    b"--",
                    b"\n",
                    b"\r\n",
                    b"\r\n\r\n",
                    b"Content-Type: ",
                    b"multipart/alternative; boundary=a",
                    b"multipart/mixed; boundary=ab",
                    b"message/rfc822",
                    b"text/html; charset=utf-16",
                    b"Content-Transfer-Encoding: base64",
                    b"Content-Transfer-Encoding: quoted-printable",
                    b"=",
                    b"\xff\xfe\x00",
                    b"words",
                ]
            ),
            max_size=60,
        ).map(b"".join)
    )
    def test_any_structure_has_parts(self, body: bytes) -> None:
        """However wrong it is."""
        found = {"content-type": [b"multipart/mixed; boundary=a"]}
        assert len(read_parts(found, body)) <= MAX_PARTS

"""Which script of which web site sent a message."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from message.builders import fast, headers, hostile_values
from outgate.message.script import SEVERAL, read_script

_CALLER = "X-PHP-Originating-Script: 1001:contact.php"
_PAGE = "X-PHP-Script: shop.example/wp-login.php for 203.0.113.9"


class TestCaller:
    """PHP's own header, of `mail.add_x_header`."""

    @pytest.mark.parametrize(
        ("value", "script"),
        [
            ("1001:contact.php", "1001:contact.php"),
            ("0:rcube.php", "0:rcube.php"),
            ("0033:m1.php", "33:m1.php"),
            ("33:My Form.PHP", "33:My Form.PHP"),
            ("33:x.php(7) : eval()'d code", "33:x.php"),
            ("33:x.php(7) : eval()'d code(1) : eval()'d code", "33:x.php"),
            ("33:x.php(12) : runtime-created function", "33:x.php"),
            ("33:blüte.php", "33:bl\\xc3\\xbcte.php"),
            (f"33:{'x' * 300}", f"33:{'x' * 120}"),
            ("33:bart@example.net", "33:@"),
        ],
    )
    def test_user_and_file_name_it(self, value: str, script: str) -> None:
        """What is evaluated belongs to the file that did; long names are cut."""
        assert read_script(headers(f"X-PHP-Originating-Script: {value}")) == (
            script,
            "",
        )

    @pytest.mark.parametrize(
        "value",
        ["", "x.php", "www-data:x.php", "33:", "-1:x.php", "99999999999:x", "33:a\0b"],
    )
    def test_anything_else_names_none(self, value: str) -> None:
        """It is no line of PHP's."""
        assert read_script({"x-php-originating-script": [value.encode()]}) == ("", "")

    def test_of_several_copies_the_topmost_is_phps(self) -> None:
        """It stands before the headers that the script wrote."""
        forged = "X-PHP-Originating-Script: 1002:other.php"
        assert read_script(headers(f"{_CALLER}\n{forged}"))[0] == "1001:contact.php"

    def test_it_is_believed_before_the_other_header(self) -> None:
        """Which the script may have written."""
        assert read_script(headers(f"{_PAGE}\n{_CALLER}")) == (
            "1001:contact.php",
            "shop.example",
        )


class TestPage:
    """The header of cPanel's PHP."""

    @pytest.mark.parametrize(
        ("value", "script", "site"),
        [
            ("shop.example/a/b.php for 203.0.113.9", "/a/b.php", "shop.example"),
            ("Shop.Example/B.php for 203.0.113.9, 192.0.2.1", "/B.php", "shop.example"),
            ("shop.example:8080/b.php for ::1", "/b.php", "shop.example"),
            ("shop.example. for 203.0.113.9", "/", "shop.example"),
            ("shop.example/~anne/my form.php for x", "/~anne/my form.php", ""),
            ("shop.example/b.php/any/thing for 203.0.113.9", "/b.php", ""),
            (f"shop.example/b.PHP/{'x' * 2000} for x", "/b.PHP", ""),
            ("shop.example/b.php5/x.php for 203.0.113.9", "/b.php5", ""),
            ("192.0.2.7/for b.php for 203.0.113.9", "/for b.php", "192.0.2.7"),
        ],
    )
    def test_site_and_path_name_it(self, value: str, script: str, site: str) -> None:
        """Without what the visitor appended to the path, and without the visitor."""
        site = site or "shop.example"
        assert read_script(headers(f"X-PHP-Script: {value}")) == (
            f"{site}{script}",
            site,
        )

    @pytest.mark.parametrize(
        ("path", "shown"),
        [
            ("/optout/bart@example.net", "/optout/@"),
            ("/optout/bart%40example.net", "/optout/@"),
            ("/u/bart@example.net/a.php", "/u/@/a.php"),
            ("/optout/bart@example.net/lisa@example.net", "/optout/@/@"),
            (f"/{'x' * 110}/bart{'x' * 30}@example.net", f"/{'x' * 110}/@"),
        ],
    )
    def test_an_address_in_the_path_is_left_out(self, path: str, shown: str) -> None:
        """It may be a recipient's, and the name goes into keys and logs."""
        found = read_script(headers(f"X-PHP-Script: a.example{path} for 203.0.113.9"))
        assert found == (f"a.example{shown}", "a.example")

    @pytest.mark.parametrize(
        "value", ["", "nono", "shop.example/b.php", "/b.php for x", "a@b/c.php for x"]
    )
    def test_anything_else_names_none(self, value: str) -> None:
        """It is no line of cPanel's."""
        assert read_script(headers(f"X-PHP-Script: {value}")) == ("", "")

    def test_copies_that_differ_are_one_name(self) -> None:
        """Nobody knows which one was there first."""
        other = "X-PHP-Script: bank.example/b.php for 203.0.113.9"
        assert read_script(headers(f"{_PAGE}\n{other}")) == (SEVERAL, SEVERAL)
        assert read_script(headers(f"{_PAGE}\n{other}\n{_CALLER}")) == (
            "1001:contact.php",
            SEVERAL,
        )
        many = {"x-php-script": [b"a.example/b.php for x"] * 9}
        assert read_script(many) == (SEVERAL, SEVERAL)

    def test_copies_that_agree_are_one(self) -> None:
        """Two visitors use the same script."""
        again = _PAGE.replace("203.0.113.9", "192.0.2.1")
        assert read_script(headers(f"{_PAGE}\n{again}"))[1] == "shop.example"


def test_most_mail_has_none() -> None:
    """Nothing is told, nothing is guessed."""
    assert read_script({}) == ("", "")


_pieces = st.lists(
    st.one_of(
        st.sampled_from(
            [
                *(b"1001:", b"x.php", b"shop.example", b"/", b" for ", b"(1) : "),
                *(b".php/", b".phtml", b":80", b"203.0.113.9", b"\r\n ", b"\x00"),
            ]
        ),
        hostile_values,
        st.binary(max_size=300),
    ),
    max_size=8,
).map(b"".join)


@fast
@given(st.lists(_pieces, max_size=3), st.lists(_pieces, max_size=10))
def test_any_bytes_make_a_short_name_or_none(
    callers: list[bytes], pages: list[bytes]
) -> None:
    """It goes into keys and logs: printable ASCII, and not longer than three lines."""
    found = {"x-php-originating-script": callers, "x-php-script": pages}
    for name in read_script(found):
        assert name.isascii()
        assert name.isprintable()
        assert len(name) <= 800

"""The first address of From."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from message.builders import fast, headers, hostile_values
from outgate.message.address_list import MAX_MAILBOX_BYTES, first_mailbox
from outgate.message.headers import header_from_address, header_from_count
from outgate.model.address import Address, parse_address


def _read(value: bytes) -> str:
    found = first_mailbox(value)
    return "-" if found is None else str(found)


class TestMailboxes:
    """RFC 5322 §3.4: a mailbox is [display-name] angle-addr / addr-spec."""

    @pytest.mark.parametrize(
        ("value", "address"),
        [
            (b"anne@example.com", "anne@example.com"),
            (b"<anne@example.com>", "anne@example.com"),
            (b"Anne Example <Anne@Example.COM>", "anne@example.com"),
            (b'"Example, Anne" <anne@example.com>', "anne@example.com"),
            (b"anne@example.com (Anne Example)", "anne@example.com"),
            (b"(work) anne@example.com", "anne@example.com"),
            (b"Anne (at (home)) <anne@example.com>", "anne@example.com"),
            (b"anne @ example.com", "anne@example.com"),
            (b"<  anne@example.com >", "anne@example.com"),
            (b"<@relay.example:anne@example.com>", "anne@example.com"),
            (b'"anne example"@example.com', "anne example@example.com"),
            (b'<"anne>example"@example.com>', "anne>example@example.com"),
            (b"=?utf-8?q?Anne?= <anne@example.com>", "anne@example.com"),
            ("Änne <änne@bücher.example>".encode(), "änne@xn--bcher-kva.example"),
            (b"anne@[IPv6:2001:db8::1]", "anne@[ipv6:2001:db8::1]"),
        ],
    )
    def test_usual_forms_give_their_address(self, value: bytes, address: str) -> None:
        """Names, comments and quotes are no part of it."""
        assert _read(value) == address

    @pytest.mark.parametrize(
        ("value", "address"),
        [
            (b"anne@example.com, bart@example.net", "anne@example.com"),
            (b"Anne <anne@example.com>, Bart <bart@example.net>", "anne@example.com"),
            (b"Friends: anne@example.com, bart@example.net;", "anne@example.com"),
            (b"Friends: Anne <anne@example.com>;", "anne@example.com"),
            (b"Nobody:; anne@example.com", "anne@example.com"),
            (b", , anne@example.com", "anne@example.com"),
        ],
    )
    def test_of_several_addresses_the_first_counts(
        self, value: bytes, address: str
    ) -> None:
        """RFC 5322 §3.6.2 allows several authors; groups came with RFC 6854."""
        assert _read(value) == address

    @pytest.mark.parametrize(
        "value",
        [
            b'"anne@bank.example" <mallory@example.org>',
            b"anne@bank.example <mallory@example.org>",
            b'"Anne <anne@bank.example>" <mallory@example.org>',
            b"(anne@bank.example) mallory@example.org",
            b"=?utf-8?q?anne=40bank.example?= <mallory@example.org>",
            b"=?utf-8?q?=3Canne=40bank.example=3E?= <mallory@example.org>",
        ],
    )
    def test_an_address_in_the_name_is_only_a_name(self, value: bytes) -> None:
        """Forgers put the address there that the recipient shall see."""
        assert _read(value) == "mallory@example.org"


class TestMistakes:
    """What mail programs get wrong still has an author."""

    @pytest.mark.parametrize(
        ("value", "address"),
        [
            (b"Example, Anne <anne@example.com>", "anne@example.com"),
            (b"Re: Anne <anne@example.com>", "anne@example.com"),
            (b'Anne "the boss <anne@example.com>', "anne@example.com"),
            (b"Anne (home <anne@example.com>", "anne@example.com"),
            (b"anne@example.com (home", "anne@example.com"),
            (b'anne@example.com "', "anne@example.com"),
            (b"Anne <anne@example.com", "anne@example.com"),
            (b"Anne <<anne@example.com>>", "anne@example.com"),
            (b"Anne <mailto:anne@example.com>", "anne@example.com"),
            (b"Anne anne@example.com", "anne@example.com"),
            (b"Anne <> anne@example.com", "anne@example.com"),
            (b"=?utf-8?B?QW5uZSA8YW5uZUBleGFtcGxlLmNvbT4=?=", "anne@example.com"),
            (b"anne@example.com <>", "anne@example.com"),
            (b"MAILER-DAEMON <>", "mailer-daemon"),
            (b"Mail Delivery Subsystem <MAILER-DAEMON>", "mailer-daemon"),
            (b"root", "root"),
        ],
    )
    def test_it_is_mended(self, value: bytes, address: str) -> None:
        """An unquoted comma, an unclosed quote, a whole field in one encoded word."""
        assert _read(value) == address

    @pytest.mark.parametrize(
        "value",
        [
            b"",
            b"<>",
            b'"" <>',
            b'"Test"',
            b'"Test User"',
            b"Anne Example",
            b"@",
            b"<@>",
            b"@example.com",
            b"Friends:;",
            b"(only a comment)",
            b"(unclosed",
            b'"unclosed',
            b"=?utf-8?q?Anne?=",
            b"Anne Example <>",
        ],
    )
    def test_no_address_is_none(self, value: bytes) -> None:
        """A fact that is absent is not guessed."""
        assert _read(value) == "-"

    def test_an_address_behind_a_full_line_of_name_is_not_sought(self) -> None:
        """The scanner reads a bounded part of the field."""
        name = b"x, " * MAX_MAILBOX_BYTES
        assert _read(name + b"<anne@example.com>") == "-"


class TestHeaderFrom:
    """RFC 5322 §3.6: exactly one From."""

    def test_the_first_from_is_the_one(self) -> None:
        """Several are counted, and the topmost is read."""
        found = headers("From: anne@example.com\nFrom: bart@example.net")
        assert header_from_address(found) == Address("anne", "example.com")
        assert header_from_count(found) == 2

    def test_without_from_there_is_none(self) -> None:
        """Neither a missing nor an empty From has an address."""
        assert header_from_address({}) is None
        assert header_from_address({"from": [b" "]}) is None
        assert header_from_count({}) == 0

    @fast
    @given(hostile_values)
    def test_any_bytes_are_read(self, value: bytes) -> None:
        """Nothing is raised, and an address has a local part."""
        found = header_from_address({"from": [value]})
        assert found is None or found.local

    @fast
    @given(
        st.from_regex(r"[a-z0-9.+-]{1,20}@[a-z]{1,10}\.example", fullmatch=True),
        st.text(st.characters(min_codepoint=32, max_codepoint=0xD7FF)),
    )
    def test_a_quoted_name_never_changes_the_address(
        self, address: str, name: str
    ) -> None:
        """Whatever stands in the quotes."""
        quoted = name.replace("\\", "").replace('"', "")
        value = f'"{quoted}" <{address}>'.encode()
        assert first_mailbox(value) == parse_address(address)

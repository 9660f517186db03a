"""Addresses of people and of clients, as programs write them."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outgate.evidence.addresses import is_role, read_client, read_person
from outgate.evidence.record import RowRejected


@pytest.mark.parametrize(
    "text", ["anne@example.net", "änne+x@bücher.example", "o'neil@example.net", "a@b"]
)
def test_one_plain_address(text: str) -> None:
    """Is taken as it is."""
    assert read_person(text, "address") == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "anne",
        "@example.net",
        "anne@",
        "anne@example.net;bob@example.net",
        "anne@example.net,bob@example.net",
        "Anne <anne@example.net>",
        "anne@example.net bob",
        "anne@@example.net",
        "=cmd|' /C calc'!A0",
        "anne@exa\x00mple.net",
        "anne@example..net",
        "\ud800@example.net",
        "x" * 65 + "@example.net",
    ],
)
def test_what_is_not_one_address_beyond_doubt(text: str) -> None:
    """Rather rejected, than somebody registered who was not asked."""
    with pytest.raises(RowRejected):
        read_person(text, "address")


@pytest.mark.parametrize(
    ("text", "address", "inner", "forwarded"),
    [
        ("198.51.100.7", "198.51.100.7", False, False),
        ("::ffff:198.51.100.7", "198.51.100.7", False, False),
        ("2001:db8::7", "2001:db8::7", False, False),
        ("10.0.0.7, 198.51.100.7", "198.51.100.7", False, True),
        ("198.51.100.7,10.0.0.7", "10.0.0.7", True, True),
        ("127.0.0.1", "127.0.0.1", True, False),
        ("::1", "::1", True, False),
        ("192.168.1.1", "192.168.1.1", True, False),
        ("172.31.255.255", "172.31.255.255", True, False),
        ("172.32.0.0", "172.32.0.0", False, False),
        ("100.64.0.1", "100.64.0.1", True, False),
        ("fe80::1", "fe80::1", True, False),
        ("fd00::1", "fd00::1", True, False),
        ("0.0.0.0", "0.0.0.0", True, False),
        ("255.255.255.255", "255.255.255.255", True, False),
        ("[2001", "None", False, False),
        ("198.51.100.7:8080", "None", False, False),
        ("unknown", "None", False, False),
    ],
)
def test_a_client(text: str, address: str, inner: bool, forwarded: bool) -> None:
    """Of several, the last one is what the own proxy saw."""
    client = read_client(text)

    assert client is not None
    assert str(client.address) == address
    assert (client.is_inner, client.is_forwarded) == (inner, forwarded)


def test_nobody_is_no_client() -> None:
    """As where a source notes none."""
    assert read_client("") is None


def test_offices() -> None:
    """In any case of letters."""
    assert is_role("Postmaster@example.net")
    assert not is_role("anne@postmaster.example")


@given(st.text(max_size=30))
def test_any_text_is_read_or_rejected(text: str) -> None:
    """A plain address can be written as UTF-8."""
    read_client(text)
    with suppress(RowRejected):
        read_person(text, "address").encode()

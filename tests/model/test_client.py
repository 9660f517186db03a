"""Client addresses, and the networks around them."""

from ipaddress import IPv6Address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.strategies import fast
from outgate.model.client import parse_client, parse_network


class TestClient:
    """One address and what follows from it."""

    @pytest.mark.parametrize(
        ("text", "own", "counted", "accountable", "spellings"),
        [
            pytest.param(
                "203.0.113.9",
                "203.0.113.9",
                "203.0.113.9",
                "203.0.113.9",
                ("203.0.113.9", "203.0.113.0/24", "203.0.0.0/16"),
                id="IPv4 is counted as itself",
            ),
            pytest.param(
                "2001:DB8:1:2:3:4:5:6",
                "2001:db8:1:2:3:4:5:6",
                "2001:db8:1:2::/64",
                "2001:db8:1::/48",
                ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64", "2001:db8:1::/48"),
                id="IPv6 is counted per /64, and its /48 answers",
            ),
            pytest.param(
                "::ffff:203.0.113.9",
                "203.0.113.9",
                "203.0.113.9",
                "203.0.113.9",
                ("203.0.113.9", "203.0.113.0/24", "203.0.0.0/16"),
                id="IPv4-mapped is IPv4",
            ),
            pytest.param(
                "IPv6:2001:db8::1",
                "2001:db8::1",
                "2001:db8::/64",
                "2001:db8::/48",
                ("2001:db8::1", "2001:db8::/64", "2001:db8::/48"),
                id="as Sendmail writes it",
            ),
            pytest.param(
                "fe80::1%eth0",
                "fe80::1",
                "fe80::/64",
                "fe80::/48",
                ("fe80::1", "fe80::/64", "fe80::/48"),
                id="a zone is no part of it",
            ),
        ],
    )
    def test_what_follows_from_an_address(
        self,
        text: str,
        own: str,
        counted: str,
        accountable: str,
        spellings: tuple[str, ...],
    ) -> None:
        """Its canonical text, whose counter it has, who answers, how it is asked for."""
        client = parse_client(text)
        assert client is not None
        assert client.text == own
        assert client.counted == counted
        assert client.accountable == accountable
        assert client.spellings == spellings

    @pytest.mark.parametrize("text", ["", "localhost", "203.0.113", "203.0.113.0/24"])
    def test_what_is_no_address_is_nobody(self, text: str) -> None:
        """A unix socket has none."""
        assert parse_client(text) is None

    @fast
    @given(st.ip_addresses())
    def test_all_its_spellings_hold_it(self, address: object) -> None:
        """And to read its canonical text again changes nothing."""
        client = parse_client(str(address))
        assert client is not None
        assert parse_client(client.text) == client
        for spelling in client.spellings:
            assert client.address in ip_network(spelling)
        assert client.counted in client.spellings
        assert client.accountable in client.spellings

    @fast
    @given(st.integers(1, 2**64 - 1), st.lists(st.integers(0, 2**64 - 1), min_size=2))
    def test_a_host_cannot_choose_another_counter(
        self, network: int, hosts: list[int]
    ) -> None:
        """All addresses of one /64 are counted as one."""
        clients = [
            parse_client(str(IPv6Address(network << 64 | host))) for host in hosts
        ]
        assert len({client.counted for client in clients if client is not None}) == 1

    @fast
    @given(st.text(max_size=40))
    def test_any_text_is_an_address_or_none(self, text: str) -> None:
        """Nothing raises."""
        parse_client(text)
        parse_network(text)


class TestNetwork:
    """Networks as an operator types them."""

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("192.0.2.0/24", "192.0.2.0/24"),
            ("192.0.2.77/24", "192.0.2.0/24"),
            (" 192.0.2.1 ", "192.0.2.1/32"),
            ("2001:db8:a::1/48", "2001:db8:a::/48"),
            ("192.0.2.0/255.255.255.0", "192.0.2.0/24"),
        ],
    )
    def test_host_bits_are_allowed(self, text: str, expected: str) -> None:
        """Who types an address and a prefix means the network."""
        assert str(parse_network(text)) == expected

    @pytest.mark.parametrize("text", ["", "example.org", "192.0.2.0/33", "anne"])
    def test_what_is_neither_is_none(self, text: str) -> None:
        """It may still be a name."""
        assert parse_network(text) is None

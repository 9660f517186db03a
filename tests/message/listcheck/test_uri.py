"""One unsubscribe link: can a recipient follow it?"""

import pytest
from hypothesis import given

from message.builders import fast, hostile_values
from outgate.message.listcheck.uri import MAX_URI_CHARACTERS, parse_uri
from outgate.message.listcheck.uri_notes import UriNote


class TestUsableLinks:
    """RFC 2369 §2 and §3.2: mailto and web links."""

    @pytest.mark.parametrize(
        ("link", "scheme", "host"),
        [
            ("mailto:leave@lists.example.org", "mailto", "lists.example.org"),
            ("mailto:leave@example.org?subject=x&body=y%20z", "mailto", "example.org"),
            ("MAILTO:Leave@Example.ORG", "mailto", "example.org"),
            ("mailto:leave%2Bx%40y@example.org", "mailto", "example.org"),
            ("mailto:a@example.org,b@example.org", "mailto", "example.org"),
            ("mailto:leave@[192.0.3.1]", "mailto", "[192.0.3.1]"),
            ("https://example.org/leave?t=Zm9v&l=1,2", "https", "example.org"),
            ("https://example.org", "https", "example.org"),
            ("https://example.org?t=1@2", "https", "example.org"),
            ("https://example.org.:443/", "https", "example.org"),
            ("http://example.org:80/leave", "http", "example.org"),
            ("http://xn--bcher-kva.example.org/", "http", "xn--bcher-kva.example.org"),
            ("https://track_1.example.org/x", "https", "track_1.example.org"),
            ("https://9.9.9.9/leave", "https", "9.9.9.9"),
            ("https://[2620:fe::9]/leave", "https", "[2620:fe::9]"),
            ("https://[2620:fe::9]:443/leave", "https", "[2620:fe::9]"),
            ("https://example.org/{5B2C-11D0}", "https", "example.org"),
        ],
    )
    def test_a_recipient_can_follow_it(self, link: str, scheme: str, host: str) -> None:
        """It has a scheme that mail programs follow, and a host on the internet."""
        uri = parse_uri(link.encode())
        assert uri.usable
        assert (uri.scheme, uri.host, uri.text) == (scheme, host, link)

    def test_white_space_within_is_void(self) -> None:
        """RFC 2369 §2: whitespace inside the brackets is ignored."""
        uri = parse_uri(b" https://example.org/leave?a=b,\r\n c ")
        assert uri.text == "https://example.org/leave?a=b,c"
        assert uri.usable
        assert uri.notes == (UriNote.SPACE_IN_URI,)

    @pytest.mark.parametrize(
        "link", ["mailto:u@example.org?subject=a|b", "https://example.org/100%/x"]
    )
    def test_an_unescaped_character_is_only_noted(self, link: str) -> None:
        """RFC 3986 §2: it should be encoded; SparkPost sends such a |."""
        uri = parse_uri(link.encode())
        assert uri.usable
        assert uri.notes == (UriNote.URI_CHARACTERS,)

    def test_an_address_in_another_script_is_only_noted(self) -> None:
        """RFC 6532 allows it in mail, where all sides speak SMTPUTF8."""
        uri = parse_uri("mailto:änne@bücher.de".encode())
        assert uri.usable
        assert uri.host == "xn--bcher-kva.de"
        assert uri.notes == (UriNote.NON_ASCII_ADDRESS,)


class TestUselessLinks:
    """A link that leads nowhere does not let anyone unsubscribe."""

    @pytest.mark.parametrize(
        ("link", "note"),
        [
            ("", UriNote.SCHEME_MISSING),
            ("20060102.4711@example.org", UriNote.SCHEME_MISSING),
            ("/unsubscribe/?c=4711", UriNote.SCHEME_MISSING),
            ("www.example.org/leave", UriNote.SCHEME_MISSING),
            ("www.example.org:443/leave", UriNote.SCHEME_MISSING),
            ("<https://example.org/", UriNote.SCHEME_MISSING),
            ("tel:+4930123", UriNote.SCHEME_UNUSABLE),
            ("ftp://example.org/leave", UriNote.SCHEME_UNUSABLE),
            ("javascript:alert(1)", UriNote.SCHEME_UNUSABLE),
            ("mailto:", UriNote.ADDRESS_UNUSABLE),
            ("mailto:?subject=leave", UriNote.ADDRESS_UNUSABLE),
            ("mailto:leave", UriNote.ADDRESS_UNUSABLE),
            ("mailto:@example.org", UriNote.ADDRESS_UNUSABLE),
            ("mailto://leave@example.org", UriNote.ADDRESS_UNUSABLE),
            ("mailto:leave@", UriNote.HOST_UNUSABLE),
            ("mailto:leave@host", UriNote.HOST_UNUSABLE),
            ("mailto:leave@localhost", UriNote.HOST_PRIVATE),
            ("https:", UriNote.HOST_UNUSABLE),
            ("https:/example.org/", UriNote.HOST_UNUSABLE),
            ("https:///leave", UriNote.HOST_UNUSABLE),
            ("https://-/leave", UriNote.HOST_UNUSABLE),
            ("https://example..org/", UriNote.HOST_UNUSABLE),
            ("https://intranet/leave", UriNote.HOST_PRIVATE),
            ("https://server/leave", UriNote.HOST_UNUSABLE),
            ("https://" + "a." * 130 + "org/", UriNote.HOST_UNUSABLE),
            ("https://2130706433/leave", UriNote.HOST_UNUSABLE),
            ("https://0x7f.0.0.1/leave", UriNote.HOST_UNUSABLE),
            ("https://%65xample.org/", UriNote.HOST_UNUSABLE),
        ],
    )
    def test_without_scheme_address_or_host(self, link: str, note: UriNote) -> None:
        """RFC 3986 §3: what is missing is said."""
        uri = parse_uri(link.encode())
        assert not uri.usable
        assert note in uri.notes

    @pytest.mark.parametrize(
        "host",
        [
            "localhost",
            "LOCALHOST",
            "web.localhost",
            "lists.local",
            "lists.lan",
            "router.home.arpa",
            "lists.internal",
            "lists.invalid",
            "lists.test",
            "lists.example",
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "[::1]",
            "[fd00::1]",
            "[fe80::1]",
            "[::ffff:10.0.0.1]",
        ],
    )
    def test_a_private_host_helps_nobody_outside(self, host: str) -> None:
        """RFC 6761, 6762, 1918, 4193, 3927: it exists at home only, or nowhere."""
        for link in (f"https://{host}/leave", f"http://{host}:80/"):
            uri = parse_uri(link.encode())
            assert not uri.usable
            assert UriNote.HOST_PRIVATE in uri.notes

    @pytest.mark.parametrize(
        ("link", "note"),
        [
            ("https://example.org:8443/leave", UriNote.PORT_UNUSUAL),
            ("https://[2620:fe::9]:8443/leave", UriNote.PORT_UNUSUAL),
            ("https://example.org:x/leave", UriNote.PORT_UNUSUAL),
            ("https://anne@example.org/leave", UriNote.USER_IN_LINK),
            ("https://example.org:443@example.net/", UriNote.USER_IN_LINK),
            ("https://bücher.de/leave", UriNote.NON_ASCII),
            ("https://example.org/ä", UriNote.NON_ASCII),
            ("https://example.org/\x00", UriNote.CONTROL_IN_URI),
        ],
    )
    def test_an_odd_authority_is_refused(self, link: str, note: UriNote) -> None:
        """Ports that networks block, users as in phishing, raw bytes."""
        uri = parse_uri(link.encode())
        assert not uri.usable
        assert note in uri.notes

    @pytest.mark.parametrize(
        "link",
        [
            "{{unsubscribe_url}}",
            "https://example.org/{{id}}",
            "https://example.org/%%unsub%%",
            "https://example.org/${token}",
            "https://example.org/*|UNSUB|*",
            "https://example.org/{unsub.link}",
            "[UNSUBSCRIBE]",
            "mailto:[unsub]@example.org",
            "https://example.org/<%= id %",
        ],
    )
    def test_a_placeholder_was_not_replaced(self, link: str) -> None:
        """The list software forgot to fill the template."""
        uri = parse_uri(link.encode())
        assert not uri.usable
        assert UriNote.TEMPLATE_NOT_EXPANDED in uri.notes

    def test_a_link_longer_than_servers_accept(self) -> None:
        """RFC 9110 §4.1: 8,000 characters."""
        link = b"https://example.org/" + b"a" * MAX_URI_CHARACTERS
        uri = parse_uri(link)
        assert not uri.usable
        assert uri.notes == (UriNote.URI_TOO_LONG,)
        assert len(uri.text) == MAX_URI_CHARACTERS
        assert parse_uri(link[:MAX_URI_CHARACTERS]).usable


class TestHostileLinks:
    """Whatever stands between the brackets, it is judged."""

    @fast
    @given(hostile_values)
    def test_any_bytes_are_judged(self, value: bytes) -> None:
        """A usable link has a scheme and a host; a useless one says why."""
        uri = parse_uri(value)
        if uri.usable:
            assert uri.scheme in {"mailto", "https", "http"}
            assert "." in uri.host or ":" in uri.host
        else:
            assert uri.notes

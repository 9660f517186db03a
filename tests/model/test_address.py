"""Addresses in the one form that is compared, and what hides behind disguises."""

import time
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from model.strategies import domains, fast, locals_
from outgate.model.address import (
    MAX_ADDRESS_BYTES,
    NULL_SENDER,
    Address,
    canonical_domain,
    canonical_local,
    domain_of,
    fold,
    parse_address,
    parse_path,
)

# What disguises are made of.
_PIECES = ["prvs=", "btv1==", "srs0=", "4068eb2540", "12", "anne", "example.net"]
_PIECES += ["-", "+", "=", "==", ".", "@"]


class TestCanonical:
    """NFC and lower case; A-labels behind the `@`."""

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("anne@example.com", "anne@example.com"),
            ("Anne@Example.COM", "anne@example.com"),
            (" anne@example.com. ", "anne@example.com"),
            ("ANNE@Bücher.example", "anne@xn--bcher-kva.example"),
            ("anne@XN--BCHER-KVA.example", "anne@xn--bcher-kva.example"),
            ("anne@bu\u0308cher.example", "anne@xn--bcher-kva.example"),
            ("anne@straße.example", "anne@xn--strae-oqa.example"),
            ("anne@例え。テスト", "anne@xn--r8jz45g.xn--zckzah"),
            ("anne@example。", "anne@example"),
            ("ÄNNE@example.com", "änne@example.com"),
            ("A\u0308NNE@example.com", "änne@example.com"),
            ("\u03aa\u0301@example.com", "\u0390@example.com"),
            ('"anne"@example.com', "anne@example.com"),
            ('"anne smith"@example.com', "anne smith@example.com"),
            (r'"an\ne"@example.com', "anne@example.com"),
            ("bart@home@example.com", "bart@home@example.com"),
            ("anne", "anne"),
            ("Anne@", "anne"),
            ("@example.com", "@example.com"),
            ("anne@[192.0.2.1]", "anne@[192.0.2.1]"),
            ("anne@exa mple", "anne@exa mple"),
            ("anne@☃ .example", "anne@☃ .example"),
            ("", ""),
        ],
    )
    def test_one_mailbox_has_one_spelling(self, text: str, expected: str) -> None:
        """Or a sender would have as many counters as spellings."""
        assert str(parse_address(text)) == expected

    @fast
    @given(domains)
    def test_a_canonical_domain_stays_as_it_is(self, text: str) -> None:
        """Twice is once."""
        once = canonical_domain(text)
        assert canonical_domain(once) == once

    @fast
    @given(locals_)
    @example(r'"\"anne\""')
    @example("\u03aa\u0301")
    def test_a_canonical_local_part_stays_as_it_is(self, text: str) -> None:
        """Twice is once, quotes, escapes and growing letters included."""
        once = canonical_local(text)
        assert canonical_local(once) == once

    @fast
    @given(locals_, domains)
    def test_composed_or_not_is_the_same(self, local: str, domain: str) -> None:
        """Which of both a keyboard makes is not the sender's doing (RFC 6532 §3.1)."""
        text = f"{local}@{domain}"
        assert parse_address(unicodedata.normalize("NFD", text)) == parse_address(
            unicodedata.normalize("NFC", text)
        )

    @fast
    @given(st.text(max_size=30))
    def test_any_text_is_some_address(self, text: str) -> None:
        """Nothing raises, whatever a login or a header holds."""
        address = parse_address(text)
        assert str(address) in {address.local, f"{address.local}@{address.domain}"}


class TestPath:
    """The argument of MAIL and RCPT."""

    @pytest.mark.parametrize(
        ("raw", "expected"),
        [
            (b"<anne@example.com>", "anne@example.com"),
            (b"anne@example.com", "anne@example.com"),
            (b" <anne@example.com> ", "anne@example.com"),
            (b"<anne@example.com", "anne@example.com"),
            (b"<@a.example,@b.example:anne@example.com>", "anne@example.com"),
            (b"<anne>", "anne"),
            (b"<@>", ""),
            (b"<anne@b\xc3\xbccher.example>", "anne@xn--bcher-kva.example"),
            (b"<\xff\xfe@example.com>", r"\xff\xfe@example.com"),
            (b"<anne@\xff.example>", r"anne@\xff.example"),
        ],
    )
    def test_brackets_and_routes_are_no_part_of_it(
        self, raw: bytes, expected: str
    ) -> None:
        """Sendmail and Postfix write the same path in different ways."""
        assert str(parse_path(raw)) == expected

    @pytest.mark.parametrize("raw", [b"<>", b"", b" <> ", b"<@a.example:>"])
    def test_the_null_sender_is_a_type_of_its_own(self, raw: bytes) -> None:
        """It has no domain, and prints as MTAs log it."""
        assert parse_path(raw) == NULL_SENDER
        assert str(NULL_SENDER) == "<>"
        assert not NULL_SENDER.domain

    def test_a_long_local_part_does_not_hide_the_domain(self) -> None:
        """Of a path that is too long the end is kept: the domain stands there."""
        address = parse_path(b"<" + b"a" * 500 + b"@example.com>")
        assert isinstance(address, Address)
        assert address.domain == "example.com"
        assert len(str(address)) == MAX_ADDRESS_BYTES

    @fast
    @given(st.binary(max_size=400))
    def test_any_bytes_are_some_path(self, raw: bytes) -> None:
        """Whatever a client sends, no parser and no folding raises."""
        for path in (raw, b"<" + raw + b">"):
            sender = parse_path(path)
            assert len(str(sender)) <= 4 * MAX_ADDRESS_BYTES
            assert fold(sender).domain == sender.domain
            domain_of(path)


class TestDomainOf:
    """What a recipient's direction depends on."""

    @pytest.mark.parametrize(
        ("raw", "domain"),
        [
            (b"<bart@example.net>", "example.net"),
            (b"bart@Example.NET.", "example.net"),
            (b"<bart@b\xc3\xbccher.example>", "xn--bcher-kva.example"),
            (b'<"bart smith"@example.net>', "example.net"),
            (b"<" + b"b" * 500 + b"@example.net>", "example.net"),
            (b"<bart>", ""),
            (b"bart", ""),
            (b"<>", ""),
            (b"", ""),
        ],
    )
    def test_it_is_what_stands_behind_the_last_at(
        self, raw: bytes, domain: str
    ) -> None:
        """In canonical form, and nothing where there is no domain."""
        assert domain_of(raw) == domain

    @pytest.mark.parametrize(
        "raw",
        [
            b"<bart%outside.example@internal.example>",
            b"<outside.example!bart@internal.example>",
            b"<bart@outside.example@internal.example>",
            b'<"bart@outside.example"@internal.example>',
            b"<@internal.example:bart@internal.example>",
        ],
    )
    def test_a_local_part_that_routes_on_has_no_domain(self, raw: bytes) -> None:
        """Postfix would send it to the outside: nobody is internal by his last `@`."""
        assert not domain_of(raw)

    @fast
    @given(st.text(st.sampled_from("abz.+-=_"), min_size=1), domains)
    def test_it_agrees_with_the_path(self, local: str, domain: str) -> None:
        """Two readings of one recipient, one answer."""
        raw = f"<{local}@{domain}>".encode()
        assert domain_of(raw) == parse_path(raw).domain


class TestFold:
    """The address behind VERP, BATV, SRS and plus-tags."""

    @pytest.mark.parametrize(
        ("local", "folded"),
        [
            ("anne", "anne"),
            ("anne.smith", "anne.smith"),
            ("anne-marie", "anne-marie"),
            ("anne+news", "anne"),
            ("anne+a+b", "anne"),
            ("+news", "+news"),
            # Mailman
            ("list-bounces+bart=example.net", "list-bounces"),
            ("list-bounces+jean-12-paul=example.net", "list-bounces"),
            # ezmlm
            ("list-return-12-bart=example.net", "list-return"),
            ("anne-marie-return-7-jean-paul=example.net", "anne-marie-return"),
            # qmail, and campaign software
            ("bounce-bart=example.net", "bounce"),
            ("bounce-4711-bart=example.net", "bounce"),
            # what only looks like it
            ("a=b", "a=b"),
            ("anne-a=b", "anne-a=b"),
            ("anne=example.net", "anne=example.net"),
            ("-bart=example.net", "-bart=example.net"),
            # BATV, by the draft, the other way round, and Barracuda's
            ("prvs=4068eb2540=anne", "anne"),
            ("prvs=anne=4068eb2540", "anne"),
            ("btv1==068a4973b3a==anne", "anne"),
            ("prvs=4068eb2540=anne+news", "anne"),
            ("prvs=4068eb2540=list-bounces+bart=example.net", "list-bounces"),
            ("prvs=x=anne", "prvs=x=anne"),
            # SRS: whose mail it is says only the sender
            ("srs0=hhh=tt=example.org=anne", "srs0"),
            ("srs1=hhh=relay.example==hhh=tt=example.org=anne", "srs1"),
            ("srs0+hhh=tt=example.org=anne", "srs0"),
            ("prvs=4068eb2540=srs0=hhh=tt=example.org=anne", "srs0"),
            ("srs0", "srs0"),
            ("srs2=a", "srs2=a"),
        ],
    )
    def test_the_disguise_comes_off(self, local: str, folded: str) -> None:
        """A sender per recipient is one sender."""
        assert fold(Address(local, "example.com")) == Address(folded, "example.com")

    def test_the_null_sender_has_no_disguise(self) -> None:
        """It stays what it is."""
        assert fold(NULL_SENDER) == NULL_SENDER

    @pytest.mark.parametrize(
        "raw",
        [
            b"<SRS0=HHH=TT=example.org=anne@forwarder.example>",
            b"<PRVS=4068EB2540=anne@forwarder.example>",
            b"<Anne+News@forwarder.example>",
        ],
    )
    def test_case_is_no_disguise(self, raw: bytes) -> None:
        """RFC 5321 §2.4 lets a local part depend on it; MTAs keep it, forgers use it."""
        folded = fold(parse_path(raw))
        assert str(folded) in {"srs0@forwarder.example", "anne@forwarder.example"}

    @fast
    @given(
        st.lists(
            st.sampled_from(_PIECES),
            max_size=12,
        ).map("".join),
        domains,
    )
    def test_it_never_changes_the_domain(self, local: str, domain: str) -> None:
        """A disguise moves nobody to another customer, and leaves some local part."""
        sender = Address(local, domain)
        folded = fold(sender)
        assert isinstance(folded, Address)
        assert folded.domain == domain
        assert bool(folded.local) is bool(local)

    @pytest.mark.parametrize(
        "local",
        [
            "-" * 150 + "=" + "." * 160 + "=",
            "a-" * 80 + "a=" + ".a" * 70,
            "a" + "-1" * 60 + "-=" + "." * 190,
            "prvs=" + "a=" * 150,
        ],
    )
    def test_a_hostile_local_part_takes_no_longer(self, local: str) -> None:
        """A pattern that reads it again and again needed 15 s for this."""
        started_s = time.process_time()
        for _ in range(1000):
            fold(Address(local, "example.com"))
        assert time.process_time() - started_s < 1

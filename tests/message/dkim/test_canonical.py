"""Relaxed canonicalisation, in pieces, beside dkimpy's of the whole."""

import time
from hashlib import sha256
from itertools import pairwise

from dkim.canonicalization import Relaxed
from hypothesis import example, given, settings
from hypothesis import strategies as st

from outgate.message.dkim.canonical import (
    EMPTY_BODY_SHA256,
    BodyHash,
    canonical_header,
)

many = settings(max_examples=400, deadline=None)

# What the rules are about, and bytes that look like it.
_WORDS = (b" ", b"\t", b"\r\n", b"\n", b"\r", b"a", b"b \r\n", b"\x0b", b"\xff", b"  ")
bodies = st.lists(st.sampled_from(_WORDS), max_size=30).map(b"".join)


def hashed(*pieces: bytes) -> bytes:
    found = BodyHash()
    for piece in pieces:
        found.feed(piece)
    return found.digest()


def on_the_wire(body: bytes) -> bytes:
    """As an MTA sends it: every line ends with CRLF, the last one too."""
    wire = body.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    return wire if not wire or wire.endswith(b"\r\n") else wire + b"\r\n"


def by_dkimpy(body: bytes) -> bytes:
    canonical: bytes = Relaxed.canonicalize_body(on_the_wire(body))
    return sha256(canonical).digest()


@many
@given(bodies, st.lists(st.integers(0, 60), max_size=5))
@example(b"a \r", [2])
@example(b" \r\n \r\n", [])
@example(b"a\r\n\r\n\r\nb\r\n\r\n", [1, 2, 3, 4, 5])
def test_pieces_give_what_dkimpy_gives_for_the_whole(
    body: bytes, cuts: list[int]
) -> None:
    """Wherever an MTA cuts, CRLF and runs of spaces included."""
    places = [0, *sorted(min(cut, len(body)) for cut in cuts), len(body)]
    pieces = [body[start:end] for start, end in pairwise(places)]

    assert hashed(*pieces) == by_dkimpy(body)


@many
@given(bodies)
def test_byte_by_byte_is_the_whole(body: bytes) -> None:
    """The smallest pieces there are."""
    assert hashed(*(body[at : at + 1] for at in range(len(body)))) == hashed(body)


def test_an_empty_body_is_nothing() -> None:
    """RFC 6376 §3.4.4: the null input, and so are empty lines alone."""
    empty = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="

    assert EMPTY_BODY_SHA256.hex() == sha256(b"").hexdigest()
    assert hashed() == hashed(b"\r\n \r\n\t\r\n") == EMPTY_BODY_SHA256
    assert __import__("base64").b64encode(EMPTY_BODY_SHA256).decode() == empty


@many
@given(st.lists(st.sampled_from(_WORDS), max_size=12).map(b"".join))
def test_headers_are_those_of_dkimpy(value: bytes) -> None:
    """A fold is LF or CRLF before a space; what is between other bytes stays."""
    # dkimpy strips vertical tabs and CRs at the ends as well: the RFC does not.
    value = b"x" + value.replace(b"\n", b"\n ") + b"x"
    ((name, expected),) = Relaxed.canonicalize_headers(
        [(b"Subject", b" " + value + b"\r\n")]
    )

    assert canonical_header("subject", value) + b"\r\n" == name + b":" + expected


def test_a_body_of_empty_lines_takes_no_memory_and_a_hostile_one_little_time() -> None:
    """What is kept between pieces does not grow; runs of spaces are no trap."""
    lines, spaces = b"\r\n" * 32_000, b" " * 65_535
    found = BodyHash()
    began = time.process_time()
    for _ in range(30):
        found.feed(lines)
        found.feed(spaces)
    found.feed(b"end")
    took_s = time.process_time() - began

    assert len(found._rest) <= 2
    assert found.digest() == by_dkimpy((lines + spaces) * 30 + b"end")
    assert took_s < 2.5  # measured: 0.05 s

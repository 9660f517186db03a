"""What an envelope says about notifications: RFC 3461."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outgate.message.dsn_options import (
    decode_xtext,
    original_recipient,
    wants_failures,
)


@pytest.mark.parametrize(
    ("options", "wants"),
    [
        ([], True),
        ([b"NOTIFY=NEVER"], False),
        ([b"notify=never"], False),
        ([b"NOTIFY=SUCCESS,DELAY"], False),
        ([b"ORCPT=rfc822;bart@example.net", b"NOTIFY=success,failure"], True),
    ],
)
def test_who_wants_to_hear_of_failures(options: list[bytes], wants: bool) -> None:
    """Everybody who does not say otherwise."""
    assert wants_failures(options) is wants


@pytest.mark.parametrize(
    ("options", "original"),
    [
        ([b"NOTIFY=NEVER"], ""),
        ([b"ORCPT=bart@example.net"], ""),
        ([b"ORCPT=rfc822;bart+2Blist@example.net"], "rfc822;bart+list@example.net"),
        ([b"orcpt=rfc822;a+0D+0Ab@example.net"], "rfc822;a??b@example.net"),
    ],
)
def test_whom_the_sender_meant(options: list[bytes], original: str) -> None:
    """Decoded, and nothing that would forge a line."""
    assert original_recipient(options) == original


@given(st.binary(max_size=200))
def test_any_bytes_are_printable(text: bytes) -> None:
    """Hostile input is normal."""
    assert decode_xtext(text).isprintable()
    original_recipient([b"ORCPT=" + text])

"""Requests to confirm a subscription."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from message.builders import HeaderMap, fast, headers, hostile_headers
from outgate.message.confirmation import (
    CONFIRMATION_HEADERS,
    is_confirmation_request,
)

_COOKIE = "0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c"
_MAILMAN_3 = f"From: news-confirm+{_COOKIE}@lists.example.org\nSubject: Please confirm"
_MAILMAN_2 = f"From: news-request@lists.example.org\nSubject: confirm {_COOKIE}"
_SYMPA = (
    "From: sympa@lists.example.org\nAuto-Submitted: auto-generated\n"
    "Subject: AUTH 1a2b3c4d SUBSCRIBE news anne@example.net"
)


@pytest.mark.parametrize(
    ("block", "bulk"),
    [(_MAILMAN_3, False), (_MAILMAN_3, True), (_MAILMAN_2, True), (_SYMPA, False)],
    ids=["Mailman 3", "Mailman 2 with VERP", "Mailman 2", "Sympa"],
)
def test_list_software_is_known_by_its_words(block: str, bulk: bool) -> None:
    """A cookie, in the author's address or in the subject."""
    assert is_confirmation_request(headers(block), 1, bulk=bulk)
    assert not is_confirmation_request(headers(block), 2, bulk=bulk)


@pytest.mark.parametrize(
    "block",
    [
        # Whoever confirms sends the subject back.
        _MAILMAN_2,
        f"Auto-Submitted: auto-replied\nSubject: Re: confirm {_COOKIE}",
        "Auto-Submitted: auto-generated\nSubject: Please confirm your subscription",
        "Auto-Submitted: auto-generated\nSubject: confirm everything",
        f"Auto-Submitted: auto-generated\nSubject: confirm {_COOKIE} and buy",
        "From: news-confirm+everything@example.org",
        "Subject: x",
        "",
    ],
)
def test_other_mail_is_none(block: str) -> None:
    """A person's answer, an advert, a letter."""
    assert not is_confirmation_request(headers(block), 1, bulk=False)


@fast
@given(hostile_headers, st.integers(0, 3), st.booleans())
def test_any_headers_are_read(found: HeaderMap, recipients: int, bulk: bool) -> None:
    """And those that it names are enough."""
    named = {name: found[name] for name in found.keys() & CONFIRMATION_HEADERS}
    assert is_confirmation_request(
        found, recipients, bulk=bulk
    ) == is_confirmation_request(named, recipients, bulk=bulk)

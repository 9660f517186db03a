"""One mailbox has many spellings; they are one recipient."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.strategies import fast
from outgate.model.recipient import Recipient, recipient_reader

DOTLESS = frozenset({"gmail.com"})
READ = recipient_reader(plus_tags=True, dotless=DOTLESS)


@pytest.mark.parametrize(
    ("path", "mailbox"),
    [
        ("<bart@example.net>", "bart@example.net"),
        ("bart@example.net", "bart@example.net"),
        ("<Bart@Example.NET.>", "bart@example.net"),
        ('<"bart"@example.net>', "bart@example.net"),
        ("<bart+shop@example.net>", "bart@example.net"),
        ("<bart+shop+more@example.net>", "bart@example.net"),
        ("<+shop@example.net>", "+shop@example.net"),
        ("<b.a.r.t@gmail.com>", "bart@gmail.com"),
        ("<b.a.r.t+shop@GMail.com>", "bart@gmail.com"),
        ("<b.a.r.t@example.net>", "b.a.r.t@example.net"),
        ("<bart@bücher.example>", "bart@xn--bcher-kva.example"),
        ("<@relay.example:bart@example.net>", "bart@example.net"),
        ("<>", ""),
    ],
)
def test_spellings_of_one_mailbox(path: str, mailbox: str) -> None:
    """A tag, a case, a dot that does not count, an IDN, a route."""
    assert READ(path.encode()).mailbox == mailbox


@pytest.mark.parametrize(
    ("plus_tags", "dotless", "mailbox"),
    [
        (True, DOTLESS, "bart@gmail.com"),
        (True, frozenset(), "b.art@gmail.com"),
        (False, DOTLESS, "bart+shop@gmail.com"),
        (False, frozenset(), "b.art+shop@gmail.com"),
    ],
)
def test_the_operator_says_what_counts(
    plus_tags: bool, dotless: frozenset[str], mailbox: str
) -> None:
    """Elsewhere a plus is a letter like any other."""
    read = recipient_reader(plus_tags=plus_tags, dotless=dotless)
    assert read(b"<b.art+shop@gmail.com>").mailbox == mailbox


@pytest.mark.parametrize(
    ("path", "domain"),
    [
        (b"<bart@Local.example>", "local.example"),
        (b"<bart%example.net@local.example>", ""),
        (b"<>", ""),
        (b"<bart>", ""),
    ],
)
def test_the_domain_is_what_decides_the_direction(path: bytes, domain: str) -> None:
    """Where an MTA may route it elsewhere it is not certain."""
    assert READ(path).domain == domain


@fast
@given(st.binary(max_size=60))
def test_any_bytes_are_some_recipient(raw: bytes) -> None:
    """A hostile path raises nothing, and is always the same one."""
    read = READ(raw)
    assert isinstance(read, Recipient)
    assert READ(bytes(raw)) == read


@fast
@given(
    st.text(alphabet="abc.", min_size=1, max_size=6),
    st.text(alphabet="abc+.", max_size=6),
)
def test_a_tag_never_makes_another_person(local: str, tag: str) -> None:
    """Whatever stands behind the plus."""
    plain = READ(f"<{local}@gmail.com>".encode())
    assert READ(f"<{local}+{tag}@gmail.com>".encode()) == plain


@fast
@given(
    st.from_regex(r"[A-Za-z0-9._+=-]{1,20}@[A-Za-z0-9.-]{1,20}", fullmatch=True),
    st.booleans(),
)
def test_the_short_way_leads_to_the_same(address: str, plus_tags: bool) -> None:
    """Plain paths are read in one step; without brackets nothing is plain."""
    read = recipient_reader(plus_tags=plus_tags, dotless=DOTLESS)
    assert read(f"<{address}>".encode()) == read(address.encode())

"""Whom a message goes to: how many, inside or outside, and who they are."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outgate.model.limit import Count
from outgate.model.transaction import Session, Transaction
from outgate.policy.envelope import Envelope, read_envelope
from policy.builders import a_limit, a_policy, fast

COUNTING = a_limit("9/1d", count=Count.DISTINCT_RECIPIENTS)
POLICY = a_policy(
    COUNTING,
    local=["local.example"],
    aliases={"everyone@example.net": 40, "staff@local.example": 7},
)
PLAIN = a_policy(a_limit(), local=["local.example"], aliases=POLICY.aliases)


def a_mail(*recipients: str, beyond: int = 0) -> Transaction:
    return Transaction(
        session=Session(),
        recipients=[f"<{one}>".encode() for one in recipients],
        recipient_count=len(recipients) + beyond,
    )


def test_people_are_different_mailboxes_outside() -> None:
    """However they are spelled, in the order in which they came."""
    envelope = read_envelope(
        a_mail(
            "Bart@Example.NET",
            "bart+shop@example.net",
            "anne@local.example",
            "c.a.r.l@gmail.com",
            "carl@gmail.com",
            "carl@bücher.example",
        ),
        POLICY,
    )
    assert envelope == Envelope(
        external=5,
        internal=1,
        people=("bart@example.net", "carl@gmail.com", "carl@xn--bcher-kva.example"),
    )


def test_an_alias_is_one_mailbox_and_many_people() -> None:
    """Nobody knows who they are, so they cost as much as they are."""
    envelope = read_envelope(
        a_mail("everyone@example.net", "staff@local.example"), POLICY
    )
    assert envelope == Envelope(40, 7, ("everyone@example.net",))


def test_beyond_what_is_kept_everyone_is_external() -> None:
    """Nobody knows who they are; such a message is found by `message-exceeds-limit`."""
    envelope = read_envelope(a_mail("bart@local.example", beyond=990), POLICY)
    assert envelope == Envelope(external=990, internal=1)


@pytest.mark.parametrize("path", ["", "@", '"', "\udcff"])
def test_an_odd_path_is_nobody_or_somebody(path: str) -> None:
    """It costs one recipient; there is nobody without a name."""
    raw = f"<{path}>".encode("utf-8", "surrogateescape")
    transaction = Transaction(session=Session(), recipients=[raw], recipient_count=1)
    envelope = read_envelope(transaction, POLICY)
    assert envelope.external == 1
    assert "" not in envelope.people
    assert len(envelope.people) <= 1


def test_where_nothing_depends_on_it_nobody_is_named() -> None:
    """Only counted."""
    policy = a_policy(a_limit(), local=["local.example"])
    assert read_envelope(a_mail("bart@example.net"), policy) == Envelope(1, 0, ())


_PATHS = st.lists(
    st.one_of(
        st.sampled_from(["everyone@example.net", "staff@local.example", ""]),
        st.builds(
            "{}@{}".format,
            st.text(alphabet="aB.+x", min_size=1, max_size=5),
            st.sampled_from(["local.example", "gmail.com", "Example.net", ""]),
        ),
    ),
    max_size=12,
)


@fast
@given(_PATHS, st.integers(0, 5))
def test_people_are_some_of_who_is_counted(paths: list[str], beyond: int) -> None:
    """And it is all the same to the amounts whether they are told apart."""
    transaction = a_mail(*paths, beyond=beyond)
    envelope = read_envelope(transaction, POLICY)
    assert len(envelope.people) <= envelope.external
    assert len(set(envelope.people)) == len(envelope.people)
    assert read_envelope(transaction, PLAIN) == envelope._replace(people=())

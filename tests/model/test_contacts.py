"""Whom a customer has mailed, by the model that judges the server's script."""

from hypothesis import given
from hypothesis import strategies as st

from model.strategies import fast
from outgate.model.contacts import WEEK_US, WEEKS_KEPT, Contacts

NOW_US = 3_000 * WEEK_US + 12_345
BART, CORA = b"bart", b"cora"


def test_nobody_is_known_at_first() -> None:
    """And in the order in which they were asked about."""
    assert Contacts().strangers([CORA, BART], NOW_US) == [CORA, BART]


@fast
@given(st.integers(0, 2 * WEEKS_KEPT))
def test_who_was_mailed_is_known_for_57_weeks(weeks: int) -> None:
    """From the first moment of the week to the last."""
    contacts = Contacts()
    contacts.remember([BART], NOW_US)
    later_us = NOW_US + weeks * WEEK_US
    assert contacts.strangers([BART], later_us) == [BART] * (weeks > WEEKS_KEPT)
    contacts.remember([BART], later_us)
    assert contacts.strangers([BART], later_us + WEEKS_KEPT * WEEK_US) == []


def test_a_yearly_letter_finds_its_readers_known() -> None:
    """At whatever day of the week it is sent: 57 weeks are 399 days at least."""
    assert WEEKS_KEPT * 7 - 6 > 366 + 21


def test_who_is_forgotten_was_never_mailed() -> None:
    """And nobody minds who was not known anyway."""
    contacts = Contacts()
    contacts.remember([BART], NOW_US)
    contacts.forget([BART, CORA])
    assert contacts == Contacts()

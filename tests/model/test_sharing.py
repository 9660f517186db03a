"""To whom a content is new."""

import pytest

from outgate.model.sharing import (
    KEPT_H,
    NEW_H,
    NEW_KEPT,
    OLD_KEPT,
    STRANGERS_MOST,
    Company,
    Sharer,
    Sharers,
    company_of,
)

OWN, OTHER = b"own", b"oth"


def after(*uses: tuple[bytes, int, int]) -> Sharers:
    """Customers that reached so many strangers, at these hours."""
    sharers = Sharers()
    for customer, strangers, hour in uses:
        sharers.note(customer, strangers, hour)
    return sharers


@pytest.mark.parametrize(
    ("uses", "hour", "company"),
    [
        ((), 0, (0, 0, False)),
        (((OTHER, 3, 0),), NEW_H, (1, 3, False)),
        (((OTHER, 3, 0),), NEW_H + 1, (0, 0, False)),
        (((OTHER, 3, 0), (OTHER, 4, NEW_H)), NEW_H, (1, 7, False)),
        (((OTHER, 300, 0),), 0, (1, STRANGERS_MOST, False)),
        (((OWN, 3, 0),), NEW_H, (0, 0, False)),
        (((OWN, 3, 0),), NEW_H + 1, (0, 0, True)),
        (((OWN, 3, 0),), NEW_H + 1 + KEPT_H, (0, 0, True)),
        (((OWN, 3, 0),), NEW_H + 2 + KEPT_H, (0, 0, False)),
        (((OWN, 3, 0), (OWN, 3, 100)), 100 + KEPT_H, (0, 0, True)),
        (((OWN, 3, 0), (OWN, 3, 100)), 101 + KEPT_H, (0, 0, False)),
        (((OTHER, 3, 0), (OTHER, 3, 300)), 300, (1, 3, False)),
    ],
)
def test_who_counts(
    uses: tuple[tuple[bytes, int, int], ...],
    hour: int,
    company: tuple[int, int, bool],
) -> None:
    """Others for a day; itself from then on, as long as it goes on."""
    assert company_of(OWN, after(*uses).records, hour) == Company(*company)


def test_the_first_are_kept() -> None:
    """Old ones, until they have not used it for long."""
    old = [Sharer(b"%3d" % number, 1, 0) for number in range(OLD_KEPT + 1)]
    sharers = Sharers([*old])
    sharers.note(OWN, 1, NEW_H + 1)
    assert sharers.records == [*old[:OLD_KEPT], (OWN, 1, NEW_H + 1)]
    sharers.note(OWN, 1, NEW_H + KEPT_H + 2)
    assert [one.customer for one in sharers.records] == [OWN]


def test_who_finds_no_room_is_counted_with_the_last() -> None:
    """Who is new; and with the one before, what is more than a byte holds."""
    new = [b"%3d" % number for number in range(NEW_KEPT)]
    sharers = after(*[(one, 1, 0) for one in new], (OWN, 300, 1), (OTHER, 7, 1))
    assert [one.customer for one in sharers.records] == new
    assert [one.strangers for one in sharers.records[-3:]] == [1, 9, STRANGERS_MOST]
    assert {one.first_h for one in sharers.records} == {0}

"""Challenges: what the ledger says of a claim, and how many one person gets."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.strategies import fast
from outgate.model.challenge import (
    DAY_S,
    MAX_KEPT,
    TOLERANCE_S,
    Coverage,
    Entry,
    Recent,
    Witness,
    challenge,
    pack_entry,
    read_entry,
    witness,
)
from outgate.model.units import SECOND_US

NOW_S = 1_795_500_000
_HOUR_S = 3_600
_RETENTION_S = 30 * DAY_S
COVERAGE = Coverage().noted(NOW_S - 20 * DAY_S, _RETENTION_S)


def judged(
    ago_s: int,
    entry: Entry,
    coverage: Coverage = COVERAGE,
    *,
    through_us: bool = True,
    retention_s: int = _RETENTION_S,
) -> Witness:
    return witness(
        (NOW_S - ago_s) * SECOND_US,
        entry,
        coverage,
        NOW_S * SECOND_US,
        retention_s,
        through_us=through_us,
    )


_ASKED = Entry().noted(NOW_S - 5 * DAY_S, left=True)
_HELD = Entry().noted(NOW_S - 5 * DAY_S, left=False)


@pytest.mark.parametrize(
    ("ago_s", "entry", "expected"),
    [
        (5 * DAY_S - 60, _ASKED, Witness.CORROBORATED),
        # A list host whose clock is late.
        (5 * DAY_S + TOLERANCE_S, _ASKED, Witness.CORROBORATED),
        (5 * DAY_S + TOLERANCE_S + 1, _ASKED, Witness.CONTRADICTED),
        (0, Entry(), Witness.CONTRADICTED),
        # In the future: its clock, or a lie.
        (-60, Entry(), Witness.UNWITNESSED),
        (19 * DAY_S, Entry(), Witness.CONTRADICTED),
        # Before the first challenge of the list that was seen.
        (20 * DAY_S, Entry(), Witness.UNWITNESSED),
        (20 * DAY_S - TOLERANCE_S, Entry(), Witness.UNWITNESSED),
        (20 * DAY_S - TOLERANCE_S - 1, Entry(), Witness.CONTRADICTED),
        # Whoever released it, we would not have seen it leave.
        (4 * DAY_S, _HELD, Witness.UNWITNESSED),
        (6 * DAY_S, _HELD, Witness.CONTRADICTED),
    ],
)
def test_a_claim_is_compared(ago_s: int, entry: Entry, expected: Witness) -> None:
    """A challenge before it, none, or nobody knows."""
    assert judged(ago_s, entry) is expected


def test_nothing_is_contradicted_that_nobody_declared() -> None:
    """Elsewhere, challenges may leave by another way."""
    assert judged(0, Entry(), through_us=False) is Witness.UNWITNESSED
    assert judged(0, _ASKED, through_us=False) is Witness.CORROBORATED
    assert judged(0, Entry(), Coverage()) is Witness.UNWITNESSED


def test_what_was_forgotten_contradicts_nothing() -> None:
    """Neither now nor when the retention was shorter."""
    assert judged(10 * DAY_S, Entry(), retention_s=9 * DAY_S) is Witness.UNWITNESSED
    short = COVERAGE.noted(NOW_S - DAY_S, 2 * DAY_S)
    longer = short.noted(NOW_S, _RETENTION_S)
    assert judged(10 * DAY_S, Entry(), longer) is Witness.UNWITNESSED
    assert judged(2 * DAY_S, Entry(), longer) is Witness.CONTRADICTED


@fast
@given(
    notes=st.lists(st.tuples(st.integers(0, 40 * DAY_S), st.booleans()), max_size=8),
    claimed=st.integers(0, 40 * DAY_S),
)
def test_who_was_asked_before_is_never_contradicted(
    notes: list[tuple[int, bool]], claimed: int
) -> None:
    """Whatever left and was held, in whatever order, seen from a day later."""
    entry = Entry()
    for at_s, left in sorted(notes):
        entry = entry.noted(NOW_S + at_s, left=left)
    found = witness(
        (NOW_S + claimed) * SECOND_US,
        read_entry(pack_entry(entry)),
        Coverage(NOW_S, NOW_S, 1),
        (NOW_S + 41 * DAY_S) * SECOND_US,
        60 * DAY_S,
        through_us=True,
    )
    if any(at_s <= claimed for at_s, _ in notes):
        assert found is not Witness.CONTRADICTED
    if any(at_s <= claimed for at_s, left in notes if left):
        assert found is Witness.CORROBORATED
    if found is Witness.CORROBORATED:
        assert any(left and at_s <= claimed + TOLERANCE_S for at_s, left in notes)


@pytest.mark.parametrize("packed", [None, b"", b"x", b"\xff" * 13, b"\xff" * 15])
def test_what_nobody_can_read_is_nothing(packed: bytes | None) -> None:
    """Somebody else wrote it."""
    assert read_entry(packed) == Entry()


def test_one_list_asks_once_a_day() -> None:
    """And is told when it may ask again."""
    kept: list[Recent] = []
    first, kept = challenge(kept, b"list", NOW_S, 1, 5, binding=True)
    again, kept = challenge(kept, b"list", NOW_S + 60, 1, 5, binding=True)
    other, kept = challenge(kept, b"else", NOW_S + 60, 1, 5, binding=True)
    later, _ = challenge(kept, b"list", NOW_S + DAY_S, 1, 5, binding=True)

    assert (first.fits, again.fits, other.fits, later.fits) == (True, False, True, True)
    assert (again.same, again.own, again.others) == (1, 1, 0)
    assert again.retry_after_s == DAY_S - 60
    assert not again.charged


def test_one_customer_keeps_nobody_from_the_others() -> None:
    """However many lists it has: five of its own, one among all."""
    kept: list[Recent] = []
    for number in range(6):
        found, kept = challenge(
            kept, b"xx%02d" % number, NOW_S + number, 1, 5, binding=True
        )
        assert found.fits is (number < 5)
    for number in range(4):
        sender = b"%02dli" % number
        found, kept = challenge(kept, sender, NOW_S + 60, 1, 5, binding=True)
        assert (found.fits, found.others) == (True, number + 1)
    sixth, _ = challenge(kept, b"yyli", NOW_S + 60, 1, 5, binding=True)
    # As soon as the first customer's last one is a day old.
    assert (sixth.fits, sixth.retry_after_s) == (False, 4 + DAY_S - 60)
    # Who is among the five may go on.
    assert challenge(kept, b"00el", NOW_S + 61, 1, 5, binding=True)[0].fits


@fast
@given(
    waits=st.lists(st.integers(0, DAY_S), max_size=80),
    per_list=st.integers(1, 3),
    per_recipient=st.integers(1, 8),
    binding=st.booleans(),
)
def test_no_day_has_more_than_fit(
    waits: list[int], per_list: int, per_recipient: int, binding: bool
) -> None:
    """In any window of a day; and what waits as long as it is told to fits."""
    kept: list[Recent] = []
    left: list[tuple[bytes, int]] = []
    now_s = NOW_S
    for number, wait_s in enumerate(waits):
        now_s += wait_s % (2 * _HOUR_S) if number % 3 else wait_s
        sender = b"list" if number % 2 else b"num%d" % (number % 5)
        found, after = challenge(
            kept, sender, now_s, per_list, per_recipient, binding=binding
        )
        if not found.fits:
            then_s = now_s + found.retry_after_s
            assert challenge(
                kept, sender, then_s, per_list, per_recipient, binding=True
            )[0].fits
        if found.charged:
            left.append((sender, now_s))
        kept = after
        assert len(kept) <= MAX_KEPT
    if binding:
        for sender, at_s in left:
            day = [one for one in left if at_s <= one[1] < at_s + DAY_S]
            assert len({one[0][:2] for one in day}) <= per_recipient
            assert sum(one[0][:2] == sender[:2] for one in day) <= per_recipient
            assert sum(one[0] == sender for one in day) <= per_list

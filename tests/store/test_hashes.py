"""Keyed hashes: what they tell apart, and what they tell."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outgate.store.hashes import BAND_BYTES, BANDS, Hashes
from store.builders import some_bands
from store.running import SECRET, fast

HASHES = Hashes(SECRET)
OTHER = Hashes(b"\x01" * 32)


@fast
@given(st.lists(st.text(), max_size=9))
def test_items_are_four_bytes_each(items: list[str]) -> None:
    """In a row, whatever they are; the same ones always hash to the same."""
    hashed = HASHES.items(items)
    assert len(hashed) == 4 * len(items)
    assert hashed == b"".join(HASHES.item(item) for item in items)
    assert hashed == Hashes(SECRET).items(items)


def test_lone_surrogates_are_no_trouble() -> None:
    """Raw bytes of an address that is no UTF-8."""
    assert len(HASHES.item("b\udcffart@example.net")) == 4
    assert len(HASHES.subscriber("list", "b\udcffart@example.net")) == 8


def test_another_secret_makes_other_hashes() -> None:
    """Of each kind: a table that leaked tells nothing without it."""
    bands = some_bands(*range(12))
    assert HASHES.item("bart") != OTHER.item("bart")
    assert HASHES.bands(bands) != OTHER.bands(bands)
    assert HASHES.subscriber("list", "bart") != OTHER.subscriber("list", "bart")
    assert HASHES.shared_band(0, b"band") != OTHER.shared_band(0, b"band")
    assert HASHES.retry(b"letter") != OTHER.retry(b"letter")


def test_each_kind_has_a_purpose_of_its_own() -> None:
    """An item cannot be looked up as a band."""
    hashed = {
        HASHES.item("x")[:3],
        HASHES.bands([b"x"])[:3],
        HASHES.shared_band(0, b"x")[:3],
        HASHES.subscriber("", "x")[:3],
        bytes.fromhex(HASHES.retry(b"x"))[:3],
    }
    assert len(hashed) == 5


def test_equal_bands_at_different_places_differ() -> None:
    """Or a text that repeats itself would look like all others that do."""
    hashed = HASHES.bands(some_bands(1))
    each = {hashed[at : at + BAND_BYTES] for at in range(0, len(hashed), BAND_BYTES)}
    assert (len(hashed), len(each)) == (BAND_BYTES * BANDS, BANDS)
    assert len({HASHES.shared_band(place, b"band") for place in range(12)}) == 12


def test_what_is_compared_as_a_whole_stands_at_all_places() -> None:
    """So that it has a record of the same width."""
    whole, other = HASHES.bands([b"whole"]), HASHES.bands([b"other"])
    assert len(whole) == BAND_BYTES * BANDS
    assert all(
        whole[at : at + BAND_BYTES] != other[at : at + BAND_BYTES]
        for at in range(0, len(whole), BAND_BYTES)
    )


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("ab", "c"), ("a", "bc")),
        (("a", "x@y"), ("a", "x@z")),
        (("a", "x"), ("b", "x")),
    ],
)
def test_a_subscriber_is_another_one_elsewhere(
    one: tuple[str, str], other: tuple[str, str]
) -> None:
    """Lists cannot be compared with one another."""
    assert HASHES.subscriber(*one) != HASHES.subscriber(*other)


def test_few_people_of_one_customer_are_taken_for_another() -> None:
    """Four bytes: of 100,000 contacts, one pair or so."""
    hashed = {HASHES.item(f"bart{number}@example.net") for number in range(100_000)}
    assert len(hashed) >= 100_000 - 8

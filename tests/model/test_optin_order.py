"""Which of two events counts, and how a record is packed."""

from dataclasses import replace
from functools import reduce

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.optins import almost_records, records
from model.strategies import fast
from outgate.model.consent import Grade
from outgate.model.optin import Method, Permission, Record, State, ZoneSource
from outgate.model.optin_order import (
    MAX_RECORD_BYTES,
    PRECEDENCE_BYTES,
    erasure,
    is_record,
    later,
    outranks,
    pack,
    permission,
    precedence,
    unpack,
)

# Six months of a subscription.
JANUARY, MARCH, MAY, JUNE = (
    1_767_225_600_000_000 + 60 * n * 86_400_000_000 for n in range(4)
)


def a_consent(time_us: int | None, grade: Grade = Grade.ASSERTED) -> Record:
    zone = ZoneSource.EXPLICIT if time_us else ZoneSource.UNKNOWN
    return Record(time_us=time_us, zone=zone, method=Method.COI_WEB, grade=grade)


def a_withdrawal(time_us: int) -> Record:
    return Record(state=State.WITHDRAWN, time_us=time_us, zone=ZoneSource.EXPLICIT)


def outcome(*events: Record) -> Record | None:
    left: Record | None = None
    for event in events:
        left = later(event, left)
    return left


class TestOrder:
    """The same is left, whatever came first."""

    @fast
    @given(st.data())
    def test_the_order_of_arrival_changes_nothing(self, data: st.DataObject) -> None:
        """Once or twice, too."""
        events = data.draw(st.lists(records(), min_size=1, max_size=6))
        shuffled = data.draw(st.permutations(events * 2))
        assert outcome(*events) == outcome(*shuffled)

    @fast
    @given(records(), records())
    def test_packed_records_compare_as_records_do(
        self, one: Record, other: Record
    ) -> None:
        """A script in the store compares bytes."""
        if precedence(one) > precedence(other):
            assert outranks(one, other)
            assert pack(one)[:PRECEDENCE_BYTES] > pack(other)[:PRECEDENCE_BYTES]
        if one != other:
            assert outranks(one, other) != outranks(other, one)

    def test_a_withdrawal_ends_older_consents(self) -> None:
        """At the same moment, too; and those of which nobody knows when."""
        for consent in (a_consent(MARCH), a_consent(MAY), a_consent(None)):
            assert outcome(a_withdrawal(MAY), consent) == a_withdrawal(MAY)

    def test_who_subscribes_again_is_a_subscriber(self) -> None:
        """A confirmation after the withdrawal."""
        again = a_consent(JUNE)
        assert outcome(again, a_withdrawal(MAY), a_consent(MARCH)) == again

    @pytest.mark.parametrize("grade", [Grade.IMPORT, Grade.NONE])
    def test_an_address_in_a_file_takes_nothing_back(self, grade: Grade) -> None:
        """Whatever its date: no withdrawal, no erasure, no better consent."""
        address = a_consent(JUNE, grade)
        for record in (
            a_withdrawal(MAY),
            erasure(MAY, None),
            a_consent(MAY),
            a_consent(None, Grade.PAPER),
        ):
            assert outcome(record, address) == record

    def test_an_erasure_ends_all_but_a_newer_confirmation(self) -> None:
        """Registered lists are imported again and again."""
        erased = erasure(MAY, None)
        for old in (
            a_consent(MAY, Grade.WITNESSED),
            a_consent(None, Grade.WITNESSED),
            a_consent(JUNE, Grade.IMPORT),
            a_withdrawal(MAY),
        ):
            assert outcome(old, erased) == erased
        assert outcome(a_consent(JUNE), erased) == a_consent(JUNE)

    def test_the_better_grade_of_one_moment_counts(self) -> None:
        """The same confirmation, told by somebody else, too."""
        better = a_consent(MAY, Grade.CORROBORATED)
        assert outcome(better, a_consent(MAY)) == better

    @fast
    @given(records(), st.integers(1, JUNE))
    def test_an_erasure_always_wins(self, old: Record, now_us: int) -> None:
        """Over a clock that was ahead, too; and it keeps nothing but a time."""
        erased = erasure(now_us, old)
        left = later(erased, old)
        assert left is not None
        assert left.state is State.ERASED
        assert left == Record(state=State.ERASED, time_us=left.time_us)

    @fast
    @given(st.lists(records(), max_size=6))
    def test_the_sum_of_all_is_the_highest(self, events: list[Record]) -> None:
        """It is one of them."""
        left = reduce(later, events, None)
        assert left == max(events, key=pack, default=None)


class TestPacked:
    """What the store keeps."""

    @fast
    @given(records())
    def test_what_is_packed_is_unpacked(self, record: Record) -> None:
        """In no more bytes than a small hash may hold."""
        packed = pack(record)
        assert len(packed) <= MAX_RECORD_BYTES
        assert unpack(packed) == record
        assert permission(packed) is record.permission

    def test_the_longest_record_fits(self) -> None:
        """Exactly."""
        record = Record(
            time_us=JUNE,
            zone=ZoneSource.DECLARED,
            evidence_id="z" * 32,
            commitment=b"\xff" * 16,
            source="mailchimp3",
        )
        assert len(pack(record)) == MAX_RECORD_BYTES

    def test_an_erasure_has_nothing_but_its_time(self) -> None:
        """Ten bytes."""
        assert pack(erasure(258, None)) == b"1\0\0\0\0\0\x01\x02x0"

    @fast
    @given(almost_records())
    def test_anything_else_is_refused(self, value: bytes) -> None:
        """Whoever wrote it there: it says nothing, and nobody takes it for a record."""
        try:
            record = unpack(value)
        except ValueError:
            assert not is_record(value)
            assert permission(value) is Permission.UNKNOWN
            return
        assert is_record(value)
        assert value == pack(record)
        assert permission(value) is record.permission

    @pytest.mark.parametrize("value", [b"paper", b"1234567890", b"0yyyyyyyc5", b""])
    def test_ten_bytes_are_no_record(self, value: bytes) -> None:
        """Only an erasure is as short as that."""
        assert not is_record(value)
        assert permission(value) is Permission.UNKNOWN


def test_what_was_erased_is_unknown() -> None:
    """Nobody learns that it was there."""
    assert erasure(MAY, None).permission is Permission.UNKNOWN
    assert a_withdrawal(MAY).permission is Permission.WITHDRAWN
    assert a_consent(MAY).permission.grade is Grade.ASSERTED
    assert Permission.WITHDRAWN.grade is Permission.UNKNOWN.grade is Grade.NONE
    assert replace(a_consent(MAY), grade=Grade.NONE).permission is Permission.NONE

"""What a consent is, and what it may be worth."""

from dataclasses import replace
from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.optins import records
from model.strategies import fast
from outgate.model.consent import Grade
from outgate.model.optin import (
    MAX_EVIDENCE_BYTES,
    Method,
    OptIn,
    Record,
    State,
    ZoneSource,
    bounded,
    canonical_evidence,
    commitment_of,
    highest_grade,
)

MAY = 1_777_593_600_000_000
SALT = "c2FsdHNhbHRzYWx0c2FsdA"
IP = ip_address("192.0.2.7")


def a_record(**changes: object) -> Record:
    record = Record(
        time_us=MAY,
        offset_minutes=120,
        zone=ZoneSource.EXPLICIT,
        method=Method.COI_WEB,
        grade=Grade.ASSERTED,
    )
    return replace(record, **changes)  # type: ignore[arg-type]


def an_optin(
    record: Record, *, has_address: bool = True, evidence: bytes = b""
) -> OptIn:
    return OptIn(
        customer="choir",
        list_id="members.choir.example",
        mailbox="bart@example.net",
        record=record,
        client_ip=IP if has_address else None,
        evidence=evidence,
    )


class TestHighestGrade:
    """The policy: originating address, accurate time with its zone, or paper."""

    @pytest.mark.parametrize(
        ("record", "has_address", "grade"),
        [
            (a_record(), True, Grade.WITNESSED),
            (a_record(), False, Grade.IMPORT),
            (a_record(commitment=b"\x01" * 16), False, Grade.WITNESSED),
            (a_record(zone=ZoneSource.UNKNOWN), True, Grade.IMPORT),
            (a_record(zone=ZoneSource.DECLARED), True, Grade.WITNESSED),
            (a_record(zone=ZoneSource.SOURCE_UTC), True, Grade.WITNESSED),
            (a_record(method=Method.IMPORT), True, Grade.IMPORT),
            (a_record(method=Method.PAPER), False, Grade.PAPER),
            (a_record(method=Method.PAPER), True, Grade.PAPER),
            (
                a_record(method=Method.PAPER, zone=ZoneSource.UNKNOWN),
                True,
                Grade.IMPORT,
            ),
            (Record(state=State.WITHDRAWN, time_us=MAY), True, Grade.NONE),
        ],
    )
    def test_what_is_missing_bounds_it(
        self, record: Record, has_address: bool, grade: Grade
    ) -> None:
        """Whatever is claimed."""
        assert highest_grade(record, has_address=has_address) is grade

    @fast
    @given(records(), st.booleans())
    def test_a_claim_is_never_raised(self, record: Record, has_address: bool) -> None:
        """And nothing else of the record changes."""
        result = bounded(record, has_address=has_address)
        assert result.grade.rank >= record.grade.rank
        assert replace(result, grade=record.grade) == record
        if record.zone is ZoneSource.UNKNOWN:
            assert not result.grade.is_consent

    def test_more_than_is_known_is_refused(self) -> None:
        """An importer that forgets the bound is told."""
        with pytest.raises(ValueError, match="grade: asserted is more than is known"):
            an_optin(a_record(), has_address=False)
        assert an_optin(a_record()).record.grade is Grade.ASSERTED


class TestEvidence:
    """What stays at home, and what binds it."""

    def test_the_form_is_one(self) -> None:
        """Whatever the order of fields; the vector is of the specification's rule."""
        evidence = canonical_evidence({"ua": "Möwe/1", "salt": SALT, "ip": "192.0.2.7"})
        assert evidence == (
            b'{"ip":"192.0.2.7","salt":"c2FsdHNhbHRzYWx0c2FsdA","ua":"M\xc3\xb6we/1"}'
        )
        assert len(commitment_of(evidence)) == 16

    @pytest.mark.parametrize(
        "fields", [{}, {"salt": "short"}, {"salt": SALT, "ua": "\udcff"}]
    )
    def test_what_could_be_guessed_or_not_written_is_refused(
        self, fields: dict[str, str]
    ) -> None:
        """A commitment without salt gives an address away to whoever tries them all."""
        with pytest.raises(ValueError, match=r"salt|Unicode"):
            canonical_evidence(fields)

    def test_evidence_is_what_was_committed_to(self) -> None:
        """And it is bounded."""
        evidence = canonical_evidence({"ip": "192.0.2.7", "salt": SALT})
        record = a_record(commitment=commitment_of(evidence))
        assert an_optin(record, evidence=evidence).evidence == evidence
        with pytest.raises(ValueError, match="another one"):
            an_optin(record, evidence=evidence + b" ")
        with pytest.raises(ValueError, match="more than"):
            an_optin(record, evidence=b"x" * (MAX_EVIDENCE_BYTES + 1))

    def test_a_person_is_not_printed(self) -> None:
        """In a traceback, or a log."""
        assert "bart" not in repr(an_optin(a_record()))
        assert "192.0.2.7" not in repr(an_optin(a_record()))


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"time_us": 0}, "time_us"),
        ({"time_us": 2**53}, "time_us"),
        ({"time_us": None}, "zone"),
        ({"offset_minutes": 1440}, "offset_minutes"),
        ({"evidence_id": "x" * 33}, "evidence_id"),
        ({"evidence_id": "a b"}, "evidence_id"),
        ({"commitment": b"\x01" * 15}, "commitment"),
        ({"source": "Mailman"}, "source"),
        ({"source": "eleven-char"}, "source"),
        ({"state": State.WITHDRAWN}, "grade"),
        ({"state": State.ERASED, "grade": Grade.NONE}, "an erasure"),
        (
            {
                "state": State.WITHDRAWN,
                "grade": Grade.NONE,
                "time_us": None,
                "zone": ZoneSource.UNKNOWN,
            },
            "needs a time",
        ),
    ],
)
def test_what_cannot_be_is_refused(changes: dict[str, object], why: str) -> None:
    """Each attribute, and what does not fit together."""
    with pytest.raises(ValueError, match=why):
        a_record(**changes)

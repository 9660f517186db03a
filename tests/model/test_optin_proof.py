"""Whether evidence is what the registry says: of this consent, an earlier one, or neither."""

from dataclasses import replace

import pytest

from outgate.model.consent import Grade
from outgate.model.optin import Method, Record, State, ZoneSource
from outgate.model.optin_proof import Proof, proof_of

CONSENT = Record(
    time_us=1_773_476_813_000_000,
    zone=ZoneSource.EXPLICIT,
    method=Method.COI_WEB,
    grade=Grade.ASSERTED,
    commitment=b"c" * 16,
)
LATER = replace(CONSENT, time_us=1_773_476_814_000_000, commitment=b"d" * 16)
WITHDRAWN = Record(state=State.WITHDRAWN, time_us=LATER.time_us)
WITNESSED = replace(CONSENT, grade=Grade.WITNESSED)
CHANGED = replace(CONSENT, commitment=b"e" * 16)


@pytest.mark.parametrize(
    ("record", "opened", "proof"),
    [
        (CONSENT, CONSENT, Proof.MATCHES),
        (WITNESSED, CONSENT, Proof.MATCHES),
        (CONSENT, CHANGED, Proof.DIFFERS),
        (replace(CONSENT, commitment=b""), CHANGED, Proof.DIFFERS),
        (LATER, CONSENT, Proof.EARLIER),
        (WITHDRAWN, CONSENT, Proof.EARLIER),
        (replace(WITHDRAWN, time_us=CONSENT.time_us), CONSENT, Proof.EARLIER),
        (CONSENT, None, Proof.ELSEWHERE),
        (replace(CONSENT, commitment=b""), None, Proof.NONE),
        (WITHDRAWN, None, Proof.NONE),
    ],
)
def test_a_record_and_its_evidence(
    record: Record, opened: Record | None, proof: Proof
) -> None:
    """By the commitment first, then by the moment of the consent."""
    assert proof_of(record, opened) is proof

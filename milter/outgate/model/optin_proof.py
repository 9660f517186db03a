"""Whether evidence that is kept is what the registry's record says it is."""

from enum import StrEnum

from outgate.model.optin import Record, State


class Proof(StrEnum):
    """How evidence and the record on file belong together.

    Evidence outlasts a withdrawal, so it may be of an earlier consent than the record;
    and a list host may keep it, so that only its commitment is here.
    """

    MATCHES = "matches"
    DIFFERS = "differs"
    EARLIER = "earlier"
    ELSEWHERE = "elsewhere"
    UNREADABLE = "unreadable"
    NONE = "none"


def proof_of(record: Record, opened: Record | None) -> Proof:
    """Compare what the registry says with what was recomputed from the evidence.

    Args:
        record: the one that counts.
        opened: the consent that the evidence is of, with the commitment recomputed from
            the raw record; None where no evidence is kept.
    """
    if opened is None:
        return Proof.ELSEWHERE if record.commitment else Proof.NONE
    if record.commitment == opened.commitment:
        return Proof.MATCHES
    is_same = record.state is State.CONSENT and record.time_us == opened.time_us
    return Proof.DIFFERS if is_same else Proof.EARLIER

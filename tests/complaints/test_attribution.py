"""The table of attribution, line by line, and what no forger can reach."""

from dataclasses import fields

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outgate.complaints.attribution import (
    REPLAY_COPIES,
    Clues,
    Place,
    attribute,
)
from outgate.model.complaint import Attribution, Proof

OURS, FOREIGN = Place.OURS, Place.FOREIGN


@pytest.mark.parametrize(
    ("clues", "attribution", "proof", "is_certain", "customer"),
    [
        (
            Clues(is_traced=True, has_record=True, trace_customer="a", source=OURS),
            *(Attribution.OURS, Proof.TRACE, True, "a"),
        ),
        (
            Clues(is_traced=True, trace_customer="a"),
            *(Attribution.OURS, Proof.TRACE_EXPIRED, True, "a"),
        ),
        (
            Clues(is_traced=True, has_record=True, trace_customer="a", source=FOREIGN),
            *(Attribution.OURS, Proof.TRACE, False, "a"),
        ),
        (
            Clues(dkim_domain="a.example", dkim_customer="a"),
            *(Attribution.OURS, Proof.DKIM, True, "a"),
        ),
        (
            Clues(
                dkim_domain="a.example",
                dkim_customer="a",
                source=FOREIGN,
                foreign_copies=REPLAY_COPIES,
            ),
            *(Attribution.DKIM_REPLAY, Proof.DKIM, False, "a"),
        ),
        (
            Clues(log_customer="a", source=OURS),
            *(Attribution.OURS, Proof.LOG, False, "a"),
        ),
        (
            Clues(source=OURS, source_customer="a"),
            *(Attribution.OURS_BYPASS, Proof.NETWORK, False, "a"),
        ),
        (
            Clues(source=FOREIGN, forged_customer="a"),
            *(Attribution.JOE_JOB, Proof.ABSENCE, False, "a"),
        ),
        (
            Clues(source=FOREIGN, forged_customer="a", may_be_altered=True),
            *(Attribution.UNKNOWN, Proof.NONE, False, ""),
        ),
        (
            Clues(has_headers=False, source=OURS),
            Attribution.UNKNOWN,
            Proof.NONE,
            False,
            "",
        ),
        (Clues(), Attribution.UNKNOWN, Proof.NONE, False, ""),
    ],
)
def test_each_line(
    clues: Clues,
    attribution: Attribution,
    proof: Proof,
    is_certain: bool,
    customer: str,
) -> None:
    found = attribute(clues)

    assert (found.attribution, found.proof) == (attribution, proof)
    assert (found.is_certain, found.customer) == (is_certain, customer)


_CLUES = st.builds(
    Clues,
    **{
        one.name: {
            bool: st.booleans(),
            str: st.sampled_from(["", "a", "b"]),
            int: st.integers(0, 9),
            Place: st.sampled_from(list(Place)),
        }[one.type]  # type: ignore[index]
        for one in fields(Clues)
    },
)


@given(_CLUES)
def test_nothing_is_certain_without_our_signature(clues: Clues) -> None:
    """Names, networks and logs are what a forger writes: they never make it certain."""
    found = attribute(clues)

    if found.is_certain:
        assert found.attribution is Attribution.OURS
        assert clues.is_traced or clues.dkim_domain
        assert found.customer in {clues.trace_customer, clues.dkim_customer}


@given(_CLUES)
def test_a_source_alone_charges_nobody(clues: Clues) -> None:
    """What is only said to come from our networks is nobody's yet."""
    found = attribute(clues)

    if not clues.is_traced and not clues.dkim_domain and not clues.log_customer:
        assert found.attribution is not Attribution.OURS

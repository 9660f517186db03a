"""Whose mail a complaint is about: a table, the first line that fits.

    a trace of ours                     ours; a replay where too many others got it
    a valid DKIM signature of ours      the same
    the MTA's log knows it              ours, but not certain
    its client is in our networks       ours-bypass: it went past the gate
    a customer's domain, from elsewhere joe-job: the customer is the victim
    else                                unknown

A name in header From, a source address or a Received line can be written by anybody:
none of them ever makes anything certain.
"""

from dataclasses import dataclass
from enum import StrEnum

from outgate.model.complaint import Attribution, Proof

REPLAY_COPIES = 3
"""So many people who were not its recipients got it from hosts that are not ours."""


class Place(StrEnum):
    """Where the client is that is said to have sent the mail."""

    OURS = "ours"
    FOREIGN = "foreign"
    UNSAID = "unsaid"


@dataclass(frozen=True, slots=True, kw_only=True)
class Clues:
    """What could be found out.

    Attributes:
        has_headers: whether any of the message came along.
        is_traced: one of its trace headers has our signature.
        trace_customer: of the trace's record or pseudonym, "" where neither is known.
        has_record: whether the trace's record is still kept.
        dkim_domain: `d=` of a valid signature with a key of ours, "" for none.
        dkim_customer: who has that domain.
        log_customer: who sent it by the MTA's log.
        source: where its client is.
        source_customer: whose network that is.
        forged_customer: who has the domain that it names as its sender.
        may_be_altered: a signature of that domain is there, and cannot be judged since
            the message was changed.
        foreign_copies: people who complained of this very message, got it from
            elsewhere, and were not among its recipients.
    """

    has_headers: bool = True
    is_traced: bool = False
    trace_customer: str = ""
    has_record: bool = False
    dkim_domain: str = ""
    dkim_customer: str = ""
    log_customer: str = ""
    source: Place = Place.UNSAID
    source_customer: str = ""
    forged_customer: str = ""
    may_be_altered: bool = False
    foreign_copies: int = 0


@dataclass(frozen=True, slots=True)
class Attributed:
    """Whose it was.

    Attributes:
        is_certain: whether it may be held against the customer.
        why: one sentence.
    """

    attribution: Attribution
    proof: Proof
    is_certain: bool
    customer: str
    why: str


def attribute(clues: Clues) -> Attributed:
    """Go through the table."""
    foreign = clues.source is Place.FOREIGN
    signed = clues.is_traced or bool(clues.dkim_domain)
    customer = clues.trace_customer or clues.dkim_customer
    if signed and foreign and clues.foreign_copies >= REPLAY_COPIES:
        proof = Proof.TRACE if clues.is_traced else Proof.DKIM
        return Attributed(
            Attribution.DKIM_REPLAY,
            proof,
            is_certain=False,
            customer=customer,
            why="our message, sent again from elsewhere to people who were not its "
            "recipients",
        )
    if clues.is_traced:
        kept = "" if clues.has_record else ", whose record is gone"
        # A trace can be copied into other mail; a body that its DKIM signature covers,
        # or a host of ours, cannot.
        copied = foreign and not clues.dkim_domain
        hint = "; it came from elsewhere, so it may be a copy" if copied else ""
        return Attributed(
            Attribution.OURS,
            Proof.TRACE if clues.has_record else Proof.TRACE_EXPIRED,
            is_certain=not copied and bool(customer),
            customer=customer,
            why=f"it has a trace that we signed{kept}{hint}",
        )
    if clues.dkim_domain:
        return Attributed(
            Attribution.OURS,
            Proof.DKIM,
            is_certain=not foreign and bool(customer),
            customer=customer,
            why=f"it has a valid DKIM signature of {clues.dkim_domain} with our key",
        )
    if clues.log_customer and not foreign:
        return Attributed(
            Attribution.OURS,
            Proof.LOG,
            is_certain=False,
            customer=clues.log_customer,
            why="our MTA knows its queue id, and no other mark is there",
        )
    return _unsigned(clues)


def _unsigned(clues: Clues) -> Attributed:
    if clues.source is Place.OURS and clues.has_headers:
        return Attributed(
            Attribution.OURS_BYPASS,
            Proof.NETWORK,
            is_certain=False,
            customer=clues.source_customer,
            why="its client is said to be in our networks, and it has no mark of ours: "
            "it did not pass the gate",
        )
    forged = clues.forged_customer and clues.has_headers
    if forged and clues.source is Place.FOREIGN and not clues.may_be_altered:
        return Attributed(
            Attribution.JOE_JOB,
            Proof.ABSENCE,
            is_certain=False,
            customer=clues.forged_customer,
            why="it uses the customer's name, comes from elsewhere, and has no mark of "
            "ours",
        )
    return Attributed(
        Attribution.UNKNOWN,
        Proof.NONE,
        is_certain=False,
        customer="",
        why="no mark of ours, and nothing that says whose it was",
    )

"""Who reports, and whether that is believed (RFC 9477 §3.1)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from outgate.model.address import Address, canonical_domain, parse_address
from outgate.model.complaint import Standing
from outgate.policy.complaint_settings import BY_ADDRESS, FeedbackLoopSettings


@dataclass(frozen=True, slots=True)
class Delivery:
    """What our MTA says of a report; a sender writes none of it.

    Attributes:
        to: the address that it came to, "" where the MTA does not say.
        login: SASL login of who submitted it, "" for none.
    """

    to: str = ""
    login: str = ""


@dataclass(frozen=True, slots=True)
class Reporter:
    """Who reports.

    Attributes:
        loop: name of the `[[feedback-loop]]`, "" for none.
    """

    standing: Standing
    loop: str = ""


def judge_reporter(
    reporter: Address | None,
    delivery: Delivery,
    loops: Iterable[FeedbackLoopSettings],
    signed_by: Sequence[str],
) -> Reporter:
    """Find the feedback loop that a report is from, if it can be proven.

    Args:
        reporter: header From of the report.
        delivery: what our MTA says.
        loops: those that are enrolled.
        signed_by: domains whose DKIM signatures of the report are valid.
    """
    if reporter is not None:
        for loop in loops:
            if _is_of(reporter, loop) and _is_proven(
                reporter, delivery, loop, signed_by
            ):
                return Reporter(Standing.ENROLLED, loop.name)
    if delivery.login:
        return Reporter(Standing.CUSTOMER)
    return Reporter(Standing.STRANGER)


def _is_of(reporter: Address, loop: FeedbackLoopSettings) -> bool:
    return any(
        parse_address(one) == reporter
        if "@" in one
        else is_within(reporter.domain, canonical_domain(one))
        for one in loop.sender
    )


def _is_proven(
    reporter: Address,
    delivery: Delivery,
    loop: FeedbackLoopSettings,
    signed_by: Sequence[str],
) -> bool:
    if loop.deliver_to:
        to = parse_address(delivery.to)
        if not delivery.to or to not in map(parse_address, loop.deliver_to):
            return False
    if loop.verify == BY_ADDRESS:
        return bool(loop.deliver_to)
    # Aligned: the domain itself, or one above it that the operator named. Any parent
    # would let `example` sign for all of `co.example`.
    named = {canonical_domain(one.rpartition("@")[2]) for one in loop.sender}
    return any(
        domain == reporter.domain
        or (domain in named and is_within(reporter.domain, domain))
        for domain in map(canonical_domain, signed_by)
    )


def is_within(domain: str, above: str) -> bool:
    """Whether a domain is another one, or below it."""
    return bool(above) and (domain == above or domain.endswith(f".{above}"))

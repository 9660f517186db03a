"""What this gate itself changes in the headers of a message that leaves.

One place knows it, so that what is signed is what the MTA is told to send.
"""

from collections.abc import Iterator, Mapping, Sequence

from outgate.message.optin_evidence import EVIDENCE_HEADER
from outgate.model.trace import TRACE_HEADER
from outgate.model.verdict import Action, MailClass
from outgate.policy.decision import Decision


def removed(decision: Decision, own_header: str) -> Iterator[tuple[str, int]]:
    """Names of headers that go, and how many copies of each.

    Forged copies of our own headers go in every mode, but only from what leaves: another
    site's header is none of ours, and inbound mail passes untouched. So do all opt-in
    tokens, good or not: they are for us, and recipients of one message must not see each
    other's.
    """
    if decision.mail_class is MailClass.INBOUND:
        return
    headers = decision.transaction.headers
    for name in (own_header, TRACE_HEADER, EVIDENCE_HEADER):
        if copies := headers.get(name.lower()):
            yield name, len(copies)


def added(decision: Decision, own_header: str) -> tuple[tuple[str, str], ...]:
    """Headers that come behind all others."""
    disposition = decision.disposition
    if disposition.action is Action.TAG:
        return (*decision.headers, (own_header, disposition.tag))
    return decision.headers


def outgoing(decision: Decision, own_header: str) -> Mapping[str, Sequence[bytes]]:
    """The kept headers as they leave, by lower-case name."""
    gone = {name.lower() for name, _ in removed(decision, own_header)}
    new = added(decision, own_header)
    headers: Mapping[str, Sequence[bytes]] = decision.transaction.headers
    if not gone and not new:
        return headers
    left = {name: values for name, values in headers.items() if name not in gone}
    for name, value in new:
        key = name.lower()
        left[key] = [*left.get(key, ()), value.encode()]
    return left

"""Claims of a message's tokens, compared with the ledger of challenges.

A token says when somebody confirmed. Where its list asked him before, through us, the
record that is registered says so by its grade; where it is known that nobody asked him,
the claim is registered as it is, and the contradiction noted beside it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from outgate.model.challenge import Coverage, Entry, Witness, witness
from outgate.model.consent import Grade
from outgate.model.optin import Permission
from outgate.model.optin_order import claim_us, pack
from outgate.policy.challenge import Challenges
from outgate.policy.evidence import Weighed
from outgate.policy.questions import Evidence, PlannedClaims, Registration


def plan_claims(
    evidence: Evidence,
    people: Sequence[str],
    customer: str,
    list_id: str,
    challenges: Challenges,
) -> PlannedClaims | None:
    """What is asked of the ledger; None where no token claims a confirmation.

    Args:
        evidence: of a message of a registered list.
        people: its recipients, canonical.
        customer: whose list it is.
        list_id: lower case.
        challenges: how they are known, and kept.
    """
    tokens = evidence.tokens
    claims = {
        mailbox: claimed_us
        for mailbox in people
        if mailbox in tokens and (claimed_us := claim_us(pack(tokens[mailbox].record)))
    }
    if not claims:
        return None
    through_us = (customer, list_id) in challenges.through_us
    return PlannedClaims(claims, challenges.retention_s, through_us)


def compared(
    weighed: Weighed,
    people: Sequence[str],
    claims: PlannedClaims,
    coverage: Coverage,
    entries: Mapping[str, Entry],
    now_us: int,
) -> Weighed:
    """The same, with what the ledger says of claims that are to be registered.

    A claim that the registry has already was compared when it came.

    Args:
        weighed: what registry and tokens say.
        people: of whom `weighed.permissions` are.
        claims: what was asked.
        coverage: of the list.
        entries: by mailbox; of whom there is none was never asked.
        now_us: the store's time.
    """
    permissions = list(weighed.permissions)
    registrations: list[Registration] = []
    for one in weighed.registrations:
        said, record = None, one.record
        if claimed_us := claims.claimed_us.get(one.mailbox):
            said = witness(
                claimed_us,
                entries.get(one.mailbox, Entry()),
                coverage,
                now_us,
                claims.retention_s,
                through_us=claims.through_us,
            )
        if said is Witness.CORROBORATED:
            record = replace(record, grade=Grade.CORROBORATED)
            permissions[people.index(one.mailbox)] = Permission.CORROBORATED
        registrations.append(Registration(one.mailbox, record, said))
    return weighed._replace(permissions=permissions, registrations=registrations)

"""How a principal is called: by its own name, unless that is somebody else's.

Whoever may choose a login would otherwise share counters with a customer, an address or
mail of nobody known, and be meant by orders about them.
"""

from collections.abc import Set as AbstractSet

from outgate.model.client import parse_network
from outgate.model.identity import PrincipalKind
from outgate.policy.operator import canonical_name
from outgate.policy.settings import CustomerSettings

UNKNOWN_USER = "unknown"
UNKNOWN_CLIENT = "client:unknown"

_PREFIX_OF = {
    PrincipalKind.LOGIN: "login:",
    PrincipalKind.LOCAL_USER: "user:",
    PrincipalKind.CERTIFICATE: "cert:",
    PrincipalKind.NETWORK: "client:",
    PrincipalKind.CLIENT: "client:",
}
# No customer may have a name that begins so.
KIND_PREFIXES = tuple(dict.fromkeys(_PREFIX_OF.values()))
# Whose names people choose.
_CHOSEN = frozenset({PrincipalKind.LOGIN, PrincipalKind.LOCAL_USER})


def own_name(
    kind: PrincipalKind,
    principal: str,
    customer: CustomerSettings | None,
    customer_names: AbstractSet[str],
) -> str:
    """The principal, with its kind before it where somebody else has that name.

    Args:
        kind: of the principal.
        principal: its canonical name.
        customer: whose principal it is, None where no customer is configured.
        customer_names: of all customers, canonical.
    """
    name = canonical_name(principal)
    if customer is not None and canonical_name(customer.name) == name:
        return principal
    taken = name in customer_names
    if kind in _CHOSEN and not taken:
        taken = name.startswith(KIND_PREFIXES) or parse_network(name) is not None
        taken |= kind is PrincipalKind.LOGIN and name == UNKNOWN_USER
    return f"{_PREFIX_OF[kind]}{principal}" if taken else principal

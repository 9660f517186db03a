"""Which List-Ids a customer may use: those registered, and those in its own domains."""

from outgate.message.listcheck.list_id import OwnLists
from outgate.model.identity import PrincipalKind
from outgate.policy.customers import Match, Specificity
from outgate.policy.settings import PolicySettings


def own_lists(settings: PolicySettings, customer: str) -> OwnLists | None:
    """The identifiers of a customer; None where nothing in the settings names it.

    A domain is a customer's where all of its logins are (`@example.org`): a login at
    somebody else's domain gives no right to it.
    """
    ids = [one.id.lower() for one in settings.lists if one.customer == customer]
    named = [one for one in settings.customers if one.name == customer]
    if not ids and not named:
        return None
    matches = [Match.parse(pattern) for one in named for pattern in one.match]
    domains = [
        match.text
        for match in matches
        if match.kind is PrincipalKind.LOGIN and match.specificity is Specificity.DOMAIN
    ]
    return OwnLists(frozenset(ids), frozenset(domains))

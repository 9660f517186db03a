"""Who may have mail signed as which domain.

A signature says "this is ours" to the whole world, so a header From that anybody can
write gives no right to it. What does: `[[signature]] customers`; where that is silent,
that the domain is the customer's own (`@domain` in its `match`); and where nobody has
the domain, a login that the MTA itself gives with it.
"""

from collections.abc import Iterable

from outgate.model.address import Address, canonical_domain, parse_address
from outgate.model.identity import Accountable, PrincipalKind
from outgate.policy.customers import CustomerMap
from outgate.policy.dkim_settings import SignatureSettings
from outgate.policy.operator import canonical_name

EVERYBODY = "*"
# No login has such a name: it is of whoever has all logins of the domain.
_ANYBODY = "\0"
_SHIPPED = SignatureSettings(domain="*")


class Rights:
    """Answers for one configuration."""

    def __init__(
        self, customers: CustomerMap, signatures: Iterable[SignatureSettings]
    ) -> None:
        self._customers = customers
        self._exact: dict[str, SignatureSettings] = {}
        self._below: dict[str, SignatureSettings] = {}
        for one in signatures:
            table, domain = normal_pattern(one.domain)
            (self._below if table else self._exact)[domain] = one

    def of_domain(self, domain: str) -> SignatureSettings:
        """What is configured for a signing domain; the shipped one where nothing is."""
        if (found := self._exact.get(domain)) is not None:
            return found
        _, dot, parent = domain.partition(".")
        while dot:
            if (found := self._below.get(parent)) is not None:
                return found
            _, dot, parent = parent.partition(".")
        return self._below.get("", _SHIPPED)

    def owner(self, domain: str) -> str:
        """The customer who has all logins of a domain, "" for none."""
        found = self._customers.of_name(PrincipalKind.LOGIN, f"{_ANYBODY}@{domain}")
        return found.name if found is not None else ""

    def may_sign(
        self, domain: str, accountable: Accountable, login: str, sender: Address
    ) -> bool:
        """Whether this mail may be signed as this domain.

        Args:
            domain: `d=`.
            accountable: whose mail it is.
            login: as the MTA gave it: without the realm that we append.
            sender: of header From.
        """
        settings = self.of_domain(domain)
        if not settings.sign:
            return False
        if settings.senders and not _is_one_of(sender, settings.senders):
            return False
        if settings.customers:
            if EVERYBODY in settings.customers:
                return True
            name = canonical_name(accountable.customer)
            return any(canonical_name(one) == name for one in settings.customers)
        if owner := self.owner(domain):
            return accountable.customer == owner
        return "@" in login and parse_address(login).domain == domain


def normal_pattern(pattern: str) -> tuple[bool, str]:
    """Whether it is about what is below a domain, and that domain ("" for all)."""
    if pattern == EVERYBODY:
        return True, ""
    if pattern.startswith("*."):
        return True, canonical_domain(pattern[2:])
    return False, canonical_domain(pattern)


def _is_one_of(sender: Address, senders: Iterable[str]) -> bool:
    return any(
        sender == parse_address(one)
        if "@" in one
        else sender.domain == canonical_domain(one)
        for one in senders
    )

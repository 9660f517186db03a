"""From principal to customer: the most specific match wins.

Exact names beat domains, domains beat networks, longer prefixes beat shorter ones,
patterns with `*` come last, longest first. Two customers that match equally well are
an error of the configuration, found when it is read.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from fnmatch import translate
from ipaddress import ip_network
from typing import Self

from outgate.model.address import parse_address
from outgate.model.client import Client, Network, parse_network
from outgate.model.identity import PrincipalKind
from outgate.policy.settings import CustomerSettings


class Specificity(IntEnum):
    """How exactly a pattern names a principal, most exact first."""

    EXACT = 0
    DOMAIN = 1
    PREFIX = 2
    PATTERN = 3


_PREFIXES = {
    "user:": PrincipalKind.LOCAL_USER,
    "cert:": PrincipalKind.CERTIFICATE,
    "login:": PrincipalKind.LOGIN,
}
_SPACE = re.compile(r"\s")


@dataclass(frozen=True, slots=True)
class Match:
    """One pattern of one customer.

    Attributes:
        kind: what kind of principal it names.
        text: canonical text without its prefix.
    """

    kind: PrincipalKind
    specificity: Specificity
    text: str

    @classmethod
    def parse(cls, pattern: str) -> Self:
        """Read one entry of `[[customer]] match`.

        Raises:
            ValueError: the pattern names nobody.
        """
        kind = PrincipalKind.LOGIN
        text = pattern.strip()
        for prefix, named in _PREFIXES.items():
            if text.startswith(prefix):
                kind, text = named, text.removeprefix(prefix)
                break
        else:
            if (network := parse_network(text)) is not None:
                return cls(PrincipalKind.NETWORK, Specificity.PREFIX, str(network))
        if not text.strip("@"):
            raise ValueError("expected a login, @domain, user:name, network or pattern")
        if kind is PrincipalKind.CERTIFICATE:
            specificity = Specificity.PATTERN if "*" in text else Specificity.EXACT
            return cls(kind, specificity, text)
        if _SPACE.search(text) and '"' not in text:
            raise ValueError(
                "a name has no space: one name to an entry, `*` where it has one"
            )
        name = str(parse_address(text))
        if "*" in text:
            # `@*.example.org` means whoever has a login there.
            return cls(kind, Specificity.PATTERN, re.sub("^@", "*@", name))
        if text.startswith("@"):
            return cls(kind, Specificity.DOMAIN, name.removeprefix("@"))
        return cls(kind, Specificity.EXACT, name)


@dataclass(frozen=True, slots=True)
class CustomerMap:
    """All matches, ready for look-ups."""

    exact: Mapping[tuple[PrincipalKind, str], CustomerSettings] = field(
        default_factory=dict
    )
    domains: Mapping[tuple[PrincipalKind, str], CustomerSettings] = field(
        default_factory=dict
    )
    networks: tuple[tuple[Network, CustomerSettings], ...] = ()
    patterns: tuple[tuple[PrincipalKind, re.Pattern[str], CustomerSettings], ...] = ()

    @classmethod
    def build(cls, customers: Iterable[CustomerSettings]) -> Self:
        """Compile; the patterns must have been checked before."""
        exact: dict[tuple[PrincipalKind, str], CustomerSettings] = {}
        domains: dict[tuple[PrincipalKind, str], CustomerSettings] = {}
        networks: list[tuple[Network, CustomerSettings]] = []
        patterns: list[tuple[PrincipalKind, str, CustomerSettings]] = []
        for customer in customers:
            for pattern in customer.match:
                match = Match.parse(pattern)
                if match.specificity is Specificity.EXACT:
                    exact[match.kind, match.text] = customer
                elif match.specificity is Specificity.DOMAIN:
                    domains[match.kind, match.text] = customer
                elif match.specificity is Specificity.PATTERN:
                    patterns.append((match.kind, match.text, customer))
                else:
                    networks.append((ip_network(match.text), customer))
        networks.sort(key=lambda pair: -pair[0].prefixlen)
        patterns.sort(key=lambda row: -len(row[1]))
        return cls(
            exact,
            domains,
            tuple(networks),
            tuple(
                (kind, re.compile(translate(text)), customer)
                for kind, text, customer in patterns
            ),
        )

    def of_name(self, kind: PrincipalKind, name: str) -> CustomerSettings | None:
        """The customer of a login, a local user or a certificate."""
        if (found := self.exact.get((kind, name))) is not None:
            return found
        _, at, domain = name.rpartition("@")
        if at and (found := self.domains.get((kind, domain))) is not None:
            return found
        for pattern_kind, pattern, customer in self.patterns:
            if pattern_kind is kind and pattern.match(name):
                return customer
        return None

    def of_client(self, client: Client) -> tuple[Network, CustomerSettings] | None:
        """The customer whose network holds this client, and that network."""
        for network, customer in self.networks:
            if client.address in network:
                return network, customer
        return None


def ties(customers: Iterable[CustomerSettings]) -> list[tuple[str, str, str]]:
    """Patterns that name one thing for two customers: (pattern, one, other)."""
    seen: dict[Match, str] = {}
    found: list[tuple[str, str, str]] = []
    for customer in customers:
        for pattern in customer.match:
            try:
                match = Match.parse(pattern)
            except ValueError:
                continue
            other = seen.setdefault(match, customer.name)
            if other != customer.name:
                found.append((pattern, other, customer.name))
    return found

"""Which envelope senders are a customer's own, so that they may be told of recipients.

Whoever writes a message chooses its envelope sender, and header From as well: what is
told to somebody else's address is mail that he never asked for, and a bounce to another
list takes its readers off. So only the configuration says whose an address is.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from outgate.model.address import parse_address, read_bounce_address
from outgate.model.identity import Accountable
from outgate.policy.own_lists import own_lists
from outgate.policy.settings import PolicySettings

NOT_OWN = "the envelope sender is not the customer's"
NULL = "the envelope sender is null"
NO_ADDRESS = "the envelope sender cannot be written to"

_NULL_SENDERS = frozenset({b"", b"<>"})
# RFC 5321 §4.1.2: Dot-string or Quoted-string in ASCII, and a Domain. Without what an
# MTA may take for the way to another host (`model.address.domain_of`).
_ADDRESS = re.compile(
    rb"<?(?:[\w#$&'*+/=?^`{|}~.-]+|\"(?:[ #$&-?A-\[\]-~]|\\[\"\\])*\")@[\w.-]+>?",
    re.ASCII,
)
_MAX_BYTES = 320


@dataclass(frozen=True, slots=True)
class OwnSenders:
    """The customers of addresses and domains.

    Attributes:
        addresses: of lists' `bounces`, canonical.
        domains: of which all logins are the customer's.
        list_ids: registered ones.
        above: the domains in which registered lists are; the customer is "" where
            several have lists there.
    """

    addresses: Mapping[str, str]
    domains: Mapping[str, str]
    list_ids: Mapping[str, str]
    above: Mapping[str, str]

    @classmethod
    def build(cls, settings: PolicySettings) -> Self:
        """Read what the operator wrote."""
        domains: dict[str, str] = {}
        list_ids: dict[str, str] = {}
        above: dict[str, str] = {}
        addresses: dict[str, str] = {}
        for name in dict.fromkeys(one.name for one in settings.customers):
            own = own_lists(settings, name)
            for domain in own.domains if own is not None else ():
                _claim(domains, domain, name)
        for one in settings.lists:
            list_id = one.id.lower()
            _claim(list_ids, list_id, one.customer)
            domain = list_id.partition(".")[2]
            if "." in domain:
                _claim(above, domain, one.customer)
            if one.bounces:
                _claim(addresses, str(parse_address(one.bounces)), one.customer)
        return cls(addresses, domains, list_ids, above)

    def why_untold(
        self, path: bytes, accountable: Accountable, internal: frozenset[str]
    ) -> str:
        """Why nobody can be told at an envelope sender; "" where somebody can.

        Args:
            path: argument of MAIL.
            accountable: who sends.
            internal: domains of this network.
        """
        if path in _NULL_SENDERS:
            return NULL
        if len(path) > _MAX_BYTES or not _ADDRESS.fullmatch(path):
            return NO_ADDRESS
        return "" if self._is_own(path, accountable, internal) else NOT_OWN

    def _is_own(
        self, path: bytes, accountable: Accountable, internal: frozenset[str]
    ) -> bool:
        address = read_bounce_address(path).address
        customer = accountable.customer
        claimed = self.addresses.get(address)
        if claimed is not None:
            return claimed == customer
        if address == accountable.login:
            return True
        local, _, domain = address.rpartition("@")
        if domain in internal and local == accountable.local_user:
            return True
        claimed = self.domains.get(domain)
        if claimed is None:
            claimed = self.list_ids.get(domain)
        if claimed is None:
            claimed = self.above.get(domain)
        return claimed is not None and claimed == customer


def _claim(owners: dict[str, str], name: str, customer: str) -> None:
    """Give it to nobody where two have it."""
    owners[name] = customer if owners.get(name, customer) == customer else ""

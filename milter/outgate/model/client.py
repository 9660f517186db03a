"""Client addresses: the peer that spoke SMTP to the MTA, and the networks around it.

An IPv4 client is counted as itself. An IPv6 client is counted per /64, since a host
may choose any address in it, and its /48 is accountable for all of them.
"""

from dataclasses import dataclass
from functools import lru_cache
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)

Network = IPv4Network | IPv6Network


@dataclass(frozen=True, slots=True)
class Client:
    """One client address and what follows from it.

    Attributes:
        address: parsed; IPv4-mapped IPv6 is IPv4.
        text: canonical text form.
        counted: whose counter it has: itself, or its /64.
        accountable: who answers for it where no customer is configured: itself, or
            its /48.
        network: what a person has many addresses in: its /24 or /48.
        spellings: under which canonical names an operator's state is looked up:
            address, then its networks (/24, /16 or /64, /48).
    """

    address: IPv4Address | IPv6Address
    text: str
    counted: str
    accountable: str
    network: str
    spellings: tuple[str, ...]

    def __hash__(self) -> int:
        """Hash the text alone: clients are keys of caches that each message asks."""
        return hash(self.text)


@lru_cache(maxsize=8192)
def parse_client(text: str) -> Client | None:
    """Read an address as an MTA gives it; None where it is none (a unix socket)."""
    try:
        address = ip_address(text.removeprefix("IPv6:").partition("%")[0])
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    prefixes = (24, 16) if isinstance(address, IPv4Address) else (64, 48)
    networks = [str(ip_network((address, prefix), strict=False)) for prefix in prefixes]
    own = str(address)
    if isinstance(address, IPv4Address):
        counted = accountable = own
        network = networks[0]
    else:
        counted, accountable = networks
        network = accountable
    return Client(address, own, counted, accountable, network, (own, *networks))


def parse_network(text: str) -> Network | None:
    """Read an address or a network, host bits allowed; None where it is neither."""
    try:
        return ip_network(text.strip(), strict=False)
    except ValueError:
        return None

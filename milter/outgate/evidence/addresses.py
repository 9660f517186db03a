"""Addresses as other programs write them: of people, and of clients.

An address of a person is taken only where it is one beyond doubt: two in one cell, or a
name before it, would register somebody who was not asked. A client's is what the
program saw, or what a proxy said: of several, the last one is what the own proxy added,
all before it are what anybody could write (`X-Forwarded-For`).
"""

import re
from bisect import bisect_right
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import NamedTuple

from outgate.evidence.record import RowRejected

IpAddress = IPv4Address | IPv6Address

# What RFC 5321 §4.1.2 allows without quotes, and UTF-8 (RFC 6531 §3.3).
_ATOM = r"[^\s\"(),:;<>@\[\\\]\x00-\x20\x7f\ud800-\udfff]"
_PERSON = re.compile(rf"{_ATOM}{{1,64}}@{_ATOM}{{1,255}}")
# RFC 2142 §2-5, and what is not a person's either.
_ROLES = frozenset(
    {
        "abuse",
        "admin",
        "administrator",
        "billing",
        "contact",
        "daemon",
        "enquiries",
        "finance",
        "ftp",
        "help",
        "hello",
        "hostmaster",
        "info",
        "inquiries",
        "it",
        "list",
        "list-request",
        "mail",
        "mailer-daemon",
        "marketing",
        "news",
        "no-reply",
        "nobody",
        "noc",
        "noreply",
        "office",
        "orders",
        "postmaster",
        "press",
        "privacy",
        "root",
        "sales",
        "security",
        "service",
        "spam",
        "support",
        "sysadmin",
        "team",
        "usenet",
        "uucp",
        "webmaster",
        "www",
    }
)

# Who has these is in no public network. Networks of documentation (RFC 5737) are left
# out: nobody's evidence has them but examples.
_INNER_V4 = (
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "224.0.0.0/3",
)
_INNER_V6 = ("::/127", "fc00::/7", "fe80::/10", "ff00::/8")


class Client(NamedTuple):
    """Where somebody clicked, as a program noted it.

    Attributes:
        address: None where the text is none.
        text: as it is written.
        is_inner: whether it is in no public network.
        is_forwarded: whether it is the last of several.
    """

    address: IpAddress | None
    text: str
    is_inner: bool = False
    is_forwarded: bool = False


def read_person(text: str, column: str) -> str:
    """Give an address that is one beyond doubt.

    Raises:
        RowRejected: it is none, or more than one.
    """
    if not text:
        raise RowRejected("there is no address", column)
    if not _PERSON.fullmatch(text) or ".." in text:
        shown = text[:80].encode("ascii", "backslashreplace").decode()
        raise RowRejected(f"{shown!r} is not one plain address", column)
    return text


def is_role(address: str) -> bool:
    """Whether the mailbox is an office, and not one person's (RFC 2142)."""
    return address.partition("@")[0].lower() in _ROLES


@lru_cache(maxsize=8192)
def read_client(text: str) -> Client | None:
    """Read a client's address; None where there is none at all."""
    if not text:
        return None
    *before, last = (part.strip() for part in text.split(","))
    try:
        address = ip_address(last)
    except ValueError:
        return Client(None, text)
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    return Client(address, text, _is_inner(address), bool(before))


def _bounds(networks: tuple[str, ...]) -> tuple[list[int], list[int]]:
    read = sorted((int(one[0]), int(one[-1])) for one in map(ip_network, networks))
    return [first for first, _ in read], [last for _, last in read]


_BOUNDS = {4: _bounds(_INNER_V4), 6: _bounds(_INNER_V6)}


def _is_inner(address: IpAddress) -> bool:
    firsts, lasts = _BOUNDS[address.version]
    number = int(address)
    at = bisect_right(firsts, number) - 1
    return at >= 0 and number <= lasts[at]

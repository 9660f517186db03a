"""One link of a List-Unsubscribe header, and whether a recipient can follow it.

    <https://lists.example.org/leave?t=Zm9v>    usable
    <mailto:leave@lists.example.org>            usable
    <http://localhost/leave>                    host-private
    <20060102.4711@example.org>                 scheme-missing, a copied Message-ID

Nothing here, and nothing that reads it, ever fetches such a link: that would be an
attack on someone's internal server, or would unsubscribe the recipient (RFC 8058 §1).

Limits: a plausible host is not asked of DNS. `mailto:?to=…` is taken for a link
without address, though RFC 6068 §2 allows it: no mail program writes it.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import ip_address
from urllib.parse import unquote

from outgate.message.list_note import ListNote
from outgate.model.address import canonical_domain

# RFC 9110 §4.1: servers should accept 8,000; the longest of 674 real headers has 1,005.
MAX_URI_CHARACTERS = 8000
MAX_HOST_CHARACTERS = 253  # RFC 1035 §2.3.4, without the root dot

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*+):")
_AUTHORITY_END = re.compile(r"[/?#\\]")
# RFC 3986 §2: what may stand in a URI; a % only before two hexadecimal digits.
_NOT_ALLOWED = re.compile(r"[^A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=%-]|%(?![0-9A-Fa-f]{2})")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
# Placeholders of the usual template languages: {{x}}, {x}, ${x}, %%x%%, *|X|*, [X],
# <%= x %>. None of it is legal in a URI, so no working link looks like that; a GUID
# in braces has hyphens, an IPv6 literal has colons.
_TEMPLATE = re.compile(
    r"\{\{|\}\}|\$\{|%%|\*\||\|\*|<%"
    r"|\{[A-Za-z_][\w.]*+\}|\[[A-Za-z_][\w.]*+\]"
)
# No possessive quantifier around a group that may backtrack inside: Python before 3.11.5
# (Debian 12 has 3.11.2) then forgets what the group matched (CPython gh-106052).
_HOST = re.compile(
    r"(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)+"
    r"(?:[a-z]{2,63}|xn--[a-z0-9-]{1,59})"
)
# RFC 6761 §6, RFC 6762 §3 and appendix G, RFC 7686, RFC 9476, and ICANN's internal.
_PRIVATE_ENDS = frozenset(
    {
        "alt",
        "corp",
        "example",
        "home",
        "internal",
        "intranet",
        "invalid",
        "lan",
        "local",
        "localdomain",
        "localhost",
        "onion",
        "private",
        "test",
    }
)


@dataclass(frozen=True, slots=True)
class Uri:
    """One link.

    Attributes:
        scheme: lower case; "" where there is none.
        text: the link without white space, at most `MAX_URI_CHARACTERS`.
        host: lower-case host or mail domain; "" where there is none.
        usable: whether a recipient out on the internet could follow it.
        notes: what is odd about it, in the order it was found.
    """

    scheme: str
    text: str
    host: str = ""
    usable: bool = False
    notes: tuple[ListNote, ...] = ()


def parse_uri(inside: bytes) -> Uri:
    """Read what stood between angle brackets (RFC 2369 §2: its white space is void)."""
    compact = b"".join(inside.split())
    notes: list[ListNote] = []
    if len(compact) != len(inside):
        notes.append(ListNote.SPACE_IN_URI)
    text = compact[: MAX_URI_CHARACTERS + 1].decode("utf-8", "replace")
    scheme, host, fault = _judge_target(text)
    not_allowed = _NOT_ALLOWED.search(text) is not None
    # All placeholders but [THIS] hold something that is not allowed.
    if (not_allowed or "[" in text) and _TEMPLATE.search(text):
        fault = ListNote.TEMPLATE_NOT_EXPANDED
    elif len(compact) > MAX_URI_CHARACTERS:
        fault = ListNote.URI_TOO_LONG
    usable = fault is None
    if not text.isascii():
        notes.append(ListNote.NON_ASCII)
        # RFC 6068 §2 and RFC 6532 let an address keep its own script; a web link has
        # to be encoded, and browsers differ in what they make of one that is not.
        usable = usable and scheme == "mailto"
    elif not_allowed and fault is not ListNote.TEMPLATE_NOT_EXPANDED:
        notes.append(ListNote.URI_CHARACTERS)
        usable = usable and not _CONTROL.search(text)
    if fault:
        notes.append(fault)
    return Uri(scheme, text[:MAX_URI_CHARACTERS], host, usable, tuple(notes))


def _judge_target(text: str) -> tuple[str, str, ListNote | None]:
    """Give scheme, host and what makes the link unusable."""
    found = _SCHEME.match(text)
    # `www.example.org:443/x` has a host there, and no scheme.
    if not found or "." in found[1]:
        return "", "", ListNote.SCHEME_MISSING
    scheme = found[1].lower()
    rest = text[found.end() :]
    if scheme == "mailto":
        return scheme, *_judge_address(rest)
    if scheme in {"http", "https"}:
        return scheme, *_judge_authority(rest)
    return scheme, "", ListNote.SCHEME_UNUSABLE


def _judge_address(rest: str) -> tuple[str, ListNote | None]:
    """Judge the first address of a mailto link (RFC 6068 §2)."""
    address = rest.partition("?")[0].partition(",")[0]
    if "%" in address:
        address = unquote(address)
    local, _, domain = address.rpartition("@")
    if not local or local.startswith("//"):
        return "", ListNote.ADDRESS_UNUSABLE
    return _judge_host(domain[: MAX_HOST_CHARACTERS + 1])


def _judge_authority(rest: str) -> tuple[str, ListNote | None]:
    """Judge host and port of a web link (RFC 3986 §3.2)."""
    if not rest.startswith("//"):
        return "", ListNote.HOST_UNUSABLE
    authority = _AUTHORITY_END.split(rest[2:], maxsplit=1)[0]
    _user, at, authority = authority.rpartition("@")
    host, colon, port = authority.rpartition(":")
    if not colon or port.endswith("]"):
        host, port = authority, ""
    host, fault = _judge_host(host[: MAX_HOST_CHARACTERS + 1])
    if fault is None and at:
        fault = ListNote.USER_IN_LINK
    if fault is None and port not in {"", "80", "443"}:
        fault = ListNote.PORT_UNUSUAL
    return host, fault


# A list writes the same host into each of its messages.
@lru_cache(maxsize=1024)
def _judge_host(text: str) -> tuple[str, ListNote | None]:
    """Give the canonical host, and why nobody outside can reach it."""
    host = canonical_domain(text)
    try:
        literal = ip_address(host.strip("[]").removeprefix("ipv6:"))
    except ValueError:
        pass
    else:
        return host, None if literal.is_global else ListNote.HOST_PRIVATE
    end = host.rpartition(".")[2]
    if end in _PRIVATE_ENDS or host.endswith(".home.arpa"):  # RFC 8375 §3
        return host, ListNote.HOST_PRIVATE
    if len(host) > MAX_HOST_CHARACTERS or not _HOST.fullmatch(host):
        return host, ListNote.HOST_UNUSABLE
    return host, None

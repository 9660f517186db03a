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

from outgate.message.listcheck.uri_notes import UriNote
from outgate.model.address import canonical_domain

# RFC 9110 §4.1: servers should accept 8,000; the longest of 674 real headers has 1,005.
MAX_URI_CHARACTERS = 8000
MAX_HOST_CHARACTERS = 253  # RFC 1035 §2.3.4, without the root dot

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*+):")
_AUTHORITY_END = re.compile(r"[/?#\\]")
# RFC 3986 §2: what may stand in a URI; a % only before two hexadecimal digits.
_NOT_ALLOWED = re.compile(r"[^A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=%-]|%(?![0-9A-Fa-f]{2})")
# RFC 6068 §2: what a field of a mailto link may not hold, beside what no URI may.
_FIELDS = re.compile(r"[^=&/?]*+=[^=&/?]*+(?:&[^=&/?]*+=[^=&/?]*+)*")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
# Placeholders of the usual template languages: {{x}}, {x}, ${x}, %%x%%, %x%, *|X|*, [X],
# <%= x %>. None of it is legal in a URI, so no working link looks like that; a GUID
# in braces has hyphens, an IPv6 literal has colons.
_TEMPLATE = re.compile(
    r"\{\{|\}\}|\$\{|%%|\*\||\|\*|<%"
    r"|\{[A-Za-z_][\w.]*+\}|\[[A-Za-z_][\w.]*+\]"
    r"|%(?![0-9A-Fa-f]{2})[A-Za-z_][\w.]*+%"
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
    notes: tuple[UriNote, ...] = ()


def parse_uri(inside: bytes) -> Uri:
    """Read what stood between angle brackets (RFC 2369 §2: its white space is void)."""
    compact = b"".join(inside.split())
    notes: list[UriNote] = []
    if len(compact) != len(inside):
        notes.append(UriNote.SPACE_IN_URI)
    text = compact[: MAX_URI_CHARACTERS + 1].decode("utf-8", "replace")
    scheme, host, fault = _judge_target(text)
    not_allowed = _NOT_ALLOWED.search(text) is not None
    # All placeholders but [THIS] hold something that is not allowed.
    if (not_allowed or "[" in text) and _TEMPLATE.search(text):
        fault = UriNote.TEMPLATE_NOT_EXPANDED
    elif len(compact) > MAX_URI_CHARACTERS:
        fault = UriNote.URI_TOO_LONG
    usable = fault is None
    if not text.isascii():
        # RFC 6068 §2 and RFC 6532 let an address keep its own script; a web link has
        # to be encoded, and browsers differ in what they make of one that is not.
        is_mail = scheme == "mailto"
        notes.append(UriNote.NON_ASCII_ADDRESS if is_mail else UriNote.NON_ASCII)
        usable = usable and is_mail
    elif not_allowed and fault is not UriNote.TEMPLATE_NOT_EXPANDED:
        if _CONTROL.search(text):
            notes.append(UriNote.CONTROL_IN_URI)
            usable = False
        else:
            notes.append(UriNote.URI_CHARACTERS)
    if fault:
        notes.append(fault)
    elif scheme == "mailto" and "?" in text and not _are_fields(text):
        notes.append(UriNote.MAILTO_FIELDS)
    return Uri(scheme, text[:MAX_URI_CHARACTERS], host, usable, tuple(notes))


def _judge_target(text: str) -> tuple[str, str, UriNote | None]:
    """Give scheme, host and what makes the link unusable."""
    found = _SCHEME.match(text)
    # `www.example.org:443/x` has a host there, and no scheme.
    if not found or "." in found[1]:
        return "", "", UriNote.SCHEME_MISSING
    scheme = found[1].lower()
    rest = text[found.end() :]
    if scheme == "mailto":
        return scheme, *_judge_address(rest)
    if scheme in {"http", "https"}:
        return scheme, *_judge_authority(rest)
    return scheme, "", UriNote.SCHEME_UNUSABLE


def _judge_address(rest: str) -> tuple[str, UriNote | None]:
    """Judge the first address of a mailto link (RFC 6068 §2)."""
    address = rest.partition("?")[0].partition(",")[0]
    if "%" in address:
        address = unquote(address)
    local, _, domain = address.rpartition("@")
    if not local or local.startswith("//"):
        return "", UriNote.ADDRESS_UNUSABLE
    return _judge_host(domain[: MAX_HOST_CHARACTERS + 1])


def _are_fields(text: str) -> bool:
    """Whether name=value pairs stand behind the ? (RFC 6068 §2: hfields)."""
    return _FIELDS.fullmatch(text[:MAX_URI_CHARACTERS].partition("?")[2]) is not None


def _judge_authority(rest: str) -> tuple[str, UriNote | None]:
    """Judge host and port of a web link (RFC 3986 §3.2)."""
    if not rest.startswith("//"):
        return "", UriNote.HOST_UNUSABLE
    authority = _AUTHORITY_END.split(rest[2:], maxsplit=1)[0]
    _user, at, authority = authority.rpartition("@")
    host, colon, port = authority.rpartition(":")
    if not colon or port.endswith("]"):
        host, port = authority, ""
    host, fault = _judge_host(host[: MAX_HOST_CHARACTERS + 1])
    if fault is None and at:
        fault = UriNote.USER_IN_LINK
    if fault is None and port not in {"", "80", "443"}:
        fault = UriNote.PORT_UNUSUAL
    return host, fault


def can_be_reached(host: str) -> bool:
    """Whether anybody outside could reach a host, as far as its name tells."""
    return _judge_host(host)[1] is None


# A list writes the same host into each of its messages.
@lru_cache(maxsize=1024)
def _judge_host(text: str) -> tuple[str, UriNote | None]:
    """Give the canonical host, and why nobody outside can reach it."""
    host = canonical_domain(text)
    try:
        literal = ip_address(host.strip("[]").removeprefix("ipv6:"))
    except ValueError:
        pass
    else:
        return host, None if literal.is_global else UriNote.HOST_PRIVATE
    end = host.rpartition(".")[2]
    if end in _PRIVATE_ENDS or host.endswith(".home.arpa"):  # RFC 8375 §3
        return host, UriNote.HOST_PRIVATE
    if len(host) > MAX_HOST_CHARACTERS or not _HOST.fullmatch(host):
        return host, UriNote.HOST_UNUSABLE
    return host, None

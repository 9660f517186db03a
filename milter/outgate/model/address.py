"""Mail addresses, in the one form that is compared and counted.

A canonical address is an NFC, lower-case local part and a lower-case A-label
domain: `Änne@Bücher.example` and `ANNE@xn--bcher-kva.example` count where an
operator would expect them. RFC 5321 §2.4 lets a local part be case-sensitive; two
that differ only by case are one here, or a sender had as many counters as spellings.

`fold` takes the disguises off an envelope sender: VERP (one sender per recipient),
BATV (draft-levine-smtp-batv), SRS (forwarders) and plus-tags.

Nothing raises: whatever bytes a sender chose become *some* address.
"""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import idna

# Brackets and a source route beside the longest address (RFC 5321 §4.5.3.1.3 allows a
# path of 256 octets): what is longer is nobody's name, and no cache's key.
MAX_PATH_BYTES = 640
# RFC 5321 §4.5.3.1: 64 + 1 + 255; of longer paths only the end is compared, since the
# domain stands there.
MAX_ADDRESS_BYTES = 320

_QUOTING = re.compile(r'["\\]')
# Postfix follows all three behind a domain of its own (resolve_dequoted_address,
# allow_percent_hack, swap_bangpath).
_ROUTING = re.compile(rb"[@%!]")
_SOURCE_ROUTE = re.compile(rb"^@[^:]*:")
# The draft's prvs=TAG=anne@host, and Barracuda's btv1==TAG==anne@host.
_BATV = re.compile(r"^(?:prvs=[0-9a-z]{8,12}=|btv1==[0-9a-z]+==)(?P<local>.+)$")
_BATV_TRAILING = re.compile(r"^prvs=(?P<local>.+)=[0-9a-z]{8,12}$")
_SRS = re.compile(r"^srs[01](?P<separator>[=+-])(?P<rest>.+)$")
# Before the recipient: ezmlm list-return-12-user=domain@host, Mailman
# list-bounces+user=domain@host, and qmail, where nothing tells its dash from others,
# list-user=domain@host.
_VERP = re.compile(r"-\d+-|\+")
_VERP_DASH = re.compile(r"-")


@dataclass(frozen=True, slots=True)
class Address:
    """A canonical address; `domain` is "" where there was no `@`."""

    local: str
    domain: str

    def __str__(self) -> str:
        """Give `local@domain`, or the local part where there is no domain."""
        return f"{self.local}@{self.domain}" if self.domain else self.local


@dataclass(frozen=True, slots=True)
class NullSender:
    """`MAIL FROM:<>`, the sender of bounces (RFC 5321 §4.5.5)."""

    domain: str = ""

    def __str__(self) -> str:
        """Give `<>`, as in logs of MTAs."""
        return "<>"


NULL_SENDER = NullSender()
EnvelopeSender = Address | NullSender


@lru_cache(maxsize=4096)
def canonical_domain(text: str) -> str:
    """Lower-case A-label form of a domain (UTS 46); as it is where there is none."""
    domain = text.strip().rstrip(". ").lower()
    if domain.isascii():
        return domain
    try:
        return idna.encode(domain, uts46=True).decode("ascii").rstrip(".")
    except (idna.IDNAError, UnicodeError):
        return unicodedata.normalize("NFC", domain)


def canonical_local(text: str) -> str:
    """NFC, lower case, without the quotes and backslashes of a quoted string."""
    if '"' in text:
        text = _QUOTING.sub("", text).strip()
    text = text.lower()
    # Only now: lower case may be longer, and then it composes anew.
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def parse_address(text: str) -> Address:
    """Read `local@domain`; the last `@` divides."""
    local, at, domain = text.strip().rpartition("@")
    if not at:
        return Address(canonical_local(domain), "")
    return Address(canonical_local(local), canonical_domain(domain))


def parse_path(raw: bytes) -> EnvelopeSender:
    r"""Read the argument of MAIL or RCPT, with or without brackets.

    Sendmail and Postfix's SMTP server give brackets, Postfix's local submission does
    not. A source route is dropped (RFC 5321 §4.1.1.3). Bytes that are not UTF-8 stay
    readable as `\\xNN`.
    """
    path = raw.strip()
    if path[:1] == b"<":
        path = path[1:].removesuffix(b">")
    if path[:1] == b"@":
        path = _SOURCE_ROUTE.sub(b"", path)
    if not path:
        return NULL_SENDER
    return parse_address(path[-MAX_ADDRESS_BYTES:].decode("utf-8", "backslashreplace"))


def domain_of(raw: bytes) -> str:
    """Canonical domain of a path: all that a recipient's direction depends on.

    "" where there is none, and where an MTA whose domain it is would send the mail on
    to a host in the local part: `user%outside.example@here.example`.
    """
    local, at, domain = raw.rpartition(b"@")
    if not at or _ROUTING.search(local):
        return ""
    return canonical_domain(
        domain.strip()
        .removesuffix(b">")[-MAX_ADDRESS_BYTES:]
        .decode("utf-8", "backslashreplace")
    )


def fold(sender: EnvelopeSender, *, guess: bool = True) -> EnvelopeSender:
    """Give the address behind VERP, BATV, SRS or a plus-tag.

    Only the local part is folded, never the domain: a folded address is an attribute
    of its customer, and no disguise may move it to another one. An SRS address folds
    to `srs0@` its forwarder: whose mail it forwards says only the sender.

    Args:
        sender: as it was sent.
        guess: whether the first dash is taken for that of VERP where nothing else tells.
    """
    if isinstance(sender, NullSender):
        return sender
    local = _without_batv(sender.local)
    if _SRS.match(local):
        return Address(local[:4], sender.domain)
    head, _, host = local.partition("=")
    found = _VERP.search(head) or (_VERP_DASH.search(head) if guess else None)
    if "." in host and found:
        local = head[: found.start()] or local
    base = local.partition("+")[0]
    return Address(base or local, sender.domain)


def _without_batv(local: str) -> str:
    found = _BATV.match(local) or _BATV_TRAILING.match(local)
    return found["local"] if found else local


class BounceAddress(NamedTuple):
    """An envelope sender as the address that takes a list's bounces.

    Attributes:
        address: canonical, without BATV, VERP and plus-tag; "" for the null sender.
        has_recipient: whether VERP wrote a recipient into it.
    """

    address: str
    has_recipient: bool


def read_bounce_address(path: bytes) -> BounceAddress:
    """An envelope sender as lists are registered with it; nothing is guessed.

    A dash may be anywhere in a list's name: `news-bounces-user=example.net@` is nobody's.
    """
    return _read_bounce_address(path[:MAX_PATH_BYTES])


@lru_cache(maxsize=4096)
def _read_bounce_address(path: bytes) -> BounceAddress:
    sender = parse_path(path)
    if isinstance(sender, NullSender):
        return BounceAddress("", False)
    plain = _without_batv(sender.local)
    folded = fold(sender, guess=False)
    return BounceAddress(str(folded), "." in plain.partition("=")[2])


def read_sender(path: bytes) -> tuple[EnvelopeSender, EnvelopeSender]:
    """An envelope sender as it was sent, and the one behind its disguise."""
    return _read_sender(path[:MAX_PATH_BYTES])


@lru_cache(maxsize=4096)
def _read_sender(path: bytes) -> tuple[EnvelopeSender, EnvelopeSender]:
    sender = parse_path(path)
    return sender, fold(sender)


def shown_sender(path: bytes) -> str:
    """An envelope sender for people to read: a log, a record, a digest.

    VERP writes the recipient into the sender, and recipients are shown to nobody.
    """
    return str(read_sender(path)[1])

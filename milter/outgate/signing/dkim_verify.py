"""Verifies DKIM signatures, with dkimpy: of reports by DNS, of old mail by our archive.

dkimpy refuses a signature whose `x=` is over. That is right for mail that comes in, and
wrong for mail that is complained of a month later: `verify_old` sets the tag aside.
"""

import binascii
import re
from collections.abc import Callable, Iterator
from typing import Any

import dkim
from dkim.util import InvalidTagValueList
from dns.exception import DNSException, Timeout
from dns.resolver import NoNameservers, resolve

from outgate.model.errors import EX_TEMPFAIL, StartError
from outgate.signing.dkim_archive import DnsFunc, KeyArchive

MAX_SIGNATURES = 8
_DNS_TIMEOUT_S = 5.0
_TIME = re.compile(rb"(?:^|;)\s*t\s*=\s*(\d{1,12})\s*(?:;|\Z)")
_US = 1_000_000
# What signatures make dkimpy raise: it leaks some exceptions of what it stands on.
_HOSTILE = (
    dkim.DKIMException,
    InvalidTagValueList,
    binascii.Error,
    ValueError,
    TypeError,
    KeyError,
    IndexError,
)
# dkimpy and dnspython have no types that say more.
Signer = Any
Answer = Any


def verify_by_dns(
    message: bytes, wanted: Callable[[str], bool], dnsfunc: DnsFunc | None = None
) -> tuple[str, ...]:
    """Domains (`d=`) of valid signatures of a mail that came in just now.

    Args:
        message: as it came.
        wanted: which domains matter; nobody else's DNS is asked.
        dnsfunc: another resolver than the system's.

    Raises:
        StartError: DNS does not answer: try again later.
    """
    signer = _open(message)
    if signer is None:
        return ()
    resolver = dnsfunc or _ask_dns

    def look_up(name: bytes | str, timeout: float = _DNS_TIMEOUT_S) -> bytes | None:
        text = name.decode("latin-1") if isinstance(name, bytes) else name
        domain = text.rstrip(".").lower().partition("._domainkey.")[2]
        return resolver(name, timeout=timeout) if wanted(domain) else None

    return tuple(
        dict.fromkeys(
            domain
            for index in range(_count(signer))
            if (domain := _valid(signer, index, look_up))
        )
    )


def verify_old(message: bytes, archive: KeyArchive) -> tuple[str, ...]:
    """Domains (`d=`) of signatures that keys of ours made, however old.

    A signature with `l=` is none: what is behind its end is anybody's.

    Raises:
        StartError: the archive cannot be read.
    """
    signer = _open(message)
    if signer is None:
        return ()
    found = []
    for index in range(_count(signer)):
        value = [
            value for name, value in signer.headers if name.lower() == b"dkim-signature"
        ][index]
        said = _TIME.search(re.sub(rb"\s+", b" ", value))
        at_us = int(said[1]) * _US if said else 0
        domain = _valid(signer, index, archive.dnsfunc(at_us), old=True)
        if domain:
            found.append(domain)
    return tuple(dict.fromkeys(found))


def _open(message: bytes) -> Signer:
    try:
        return dkim.DKIM(message, timeout=int(_DNS_TIMEOUT_S))
    except dkim.DKIMException:
        return None


def _count(signer: Signer) -> int:
    names = [name.lower() for name, _ in signer.headers]
    return min(names.count(b"dkim-signature"), MAX_SIGNATURES)


def _valid(signer: Signer, index: int, look_up: DnsFunc, *, old: bool = False) -> str:
    """`d=` of one signature, "" where it is not valid."""
    try:
        if not old:
            is_valid = signer.verify(index, look_up)
        else:
            prepared = _prepared(signer, index)
            if prepared is None:
                return ""
            is_valid = signer.verify_sig(*prepared, look_up)
    except _HOSTILE:
        return ""
    if not is_valid or b"l" in signer.signature_fields:
        return ""
    domain: bytes = signer.domain
    return domain.decode("latin-1").lower()


def _prepared(signer: Signer, index: int) -> tuple[Any, Any, Any] | None:
    """As dkimpy prepares a signature, but without its end (RFC 6376 §3.5, `x=`)."""
    headers = [one for one in signer.headers if one[0].lower() == b"dkim-signature"]
    fields = dkim.parse_tag_value(headers[index][1])
    signer.signature_fields = fields
    aged = {name: value for name, value in fields.items() if name != b"x"}
    dkim.validate_signature_fields(aged)
    signer.domain, signer.selector = aged[b"d"], aged[b"s"]
    names = [name.lower() for name in re.split(rb"\s*:\s*", aged[b"h"])]
    signer.include_headers = tuple(names)
    return aged, names, headers[index]


def _ask_dns(name: bytes | str, timeout: float = _DNS_TIMEOUT_S) -> bytes | None:
    text = name.decode("latin-1") if isinstance(name, bytes) else name
    try:
        answer = resolve(text, "TXT", lifetime=timeout)
    except (Timeout, NoNameservers) as error:
        raise StartError(f"DNS: {text}: {error}", EX_TEMPFAIL) from error
    except DNSException:
        # There is none, or no such name can be.
        return None
    return next(_records(answer), None)


def _records(answer: Answer) -> Iterator[bytes]:
    for record in answer:
        yield b"".join(record.strings)

"""One `Opt-In-Evidence` header: a list host says that a recipient asked for a list.

    Opt-In-Evidence: v=1; a=ed25519; d=lists.example.org; s=2026a;
     l=news.example.org; m=coi; t=2026-03-14T09:26:53+01:00;
     e=01JPA7Q3X8; eh=THhGkStaNrI9ypjUgBPOFQ; b=co799VNan7…

The recipient is signed, and stands nowhere: a token that somebody reads names nobody,
and one that is copied to another recipient fails. This module reads and prints; who
signed is for those who have keys.

Strict, since nothing unsigned may ride along: each tag once, none that version 1 does
not know, `v` first and `b` last, values of printable ASCII.
"""

import binascii
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from hashlib import sha256

from outgate.message.cfws import unfold
from outgate.model.address import MAX_PATH_BYTES, canonical_domain
from outgate.model.consent import Grade, TokenResult
from outgate.model.optin import MAX_TIME_US, Method, Record, ZoneSource, bounded
from outgate.model.optin_time import parse_local

EVIDENCE_HEADER = "Opt-In-Evidence"
EVIDENCE_HEADERS = frozenset({EVIDENCE_HEADER.lower()})

MAX_TOKEN_BYTES = 1024
"""Of one header's value, folds included; with all tags but long names it is 284."""

SIGNING_PREFIX = "opt-in-evidence/1\n"

_VERSION = "1"
_WHITE_SPACE = b" \t"
_SOURCE = "header"


class Algorithm(StrEnum):
    """How a token is signed."""

    ED25519 = "ed25519"
    HMAC_SHA256 = "hmac-sha256"

    @property
    def signature_bytes(self) -> int:
        """Size of a signature."""
        return 64 if self is Algorithm.ED25519 else 32


# Tags in the order in which they are signed, and what each may say.
_MOMENT = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?(?:Z|[+-]\d\d:\d\d)"
_GRAMMAR: Mapping[str, re.Pattern[str]] = {
    tag: re.compile(pattern, re.ASCII)
    for tag, pattern in {
        "v": _VERSION,
        "a": "|".join(Algorithm),
        "d": r"[a-z0-9.-]{1,253}",
        "s": r"[a-z0-9.-]{1,63}",
        # RFC 2919 §2, as `list_headers` reads it.
        "l": r"[a-z0-9!#$%&'*+/=?^_`{|}~.-]{1,255}",
        "m": "|".join(Method),
        "t": _MOMENT,
        "x": _MOMENT,
        "e": r"[A-Za-z0-9_-]{1,32}",
        "r": r"[0-9a-f]{2}",
        "eh": r"[A-Za-z0-9_-]{22}",
        "b": r"[A-Za-z0-9_-]{43,86}",
    }.items()
}
_REQUIRED = ("v", "a", "d", "s", "l", "m", "t", "e", "b")


@dataclass(frozen=True, slots=True)
class Refused:
    """A header that is no token.

    Attributes:
        result: `malformed` or `too-large`.
        why: one sentence for whoever wrote the signer.
    """

    result: TokenResult
    why: str


@dataclass(frozen=True, kw_only=True)
class Token:
    """What one header asserts, as it was written.

    Attributes:
        algorithm: tag `a`; the key's record decides, this one must agree.
        issuer: tag `d`, who signs.
        selector: tag `s`, with which of its keys.
        list_id: tag `l`, lower case, no brackets.
        method: tag `m`.
        time: tag `t`, when it was confirmed; RFC 3339 with a zone.
        expires: tag `x`, when the token (not the consent) ends; "" for never.
        evidence_id: tag `e`, under which the issuer keeps its record.
        routing_hint: tag `r`, two hex digits; "" for none.
        commitment: tag `eh`, base64url of half a SHA-256 over the record; "" for none.
        signature: tag `b`; b"" before it is signed.

    Raises:
        ValueError: a value is none that the header may hold.
    """

    algorithm: Algorithm
    issuer: str
    selector: str
    list_id: str
    method: Method
    time: str
    expires: str = ""
    evidence_id: str
    routing_hint: str = ""
    commitment: str = ""
    signature: bytes = field(default=b"", repr=False)

    def __post_init__(self) -> None:
        """Refuse what could not be read back."""
        for tag, value in self._tags():
            if _GRAMMAR[tag].fullmatch(value) is None:
                raise ValueError(f"{tag}={value}: {_expected(tag)}")
        if self.signature and len(self.signature) != self.algorithm.signature_bytes:
            raise ValueError(
                f"b: {len(self.signature)} bytes, expected "
                f"{self.algorithm.signature_bytes} for {self.algorithm}"
            )
        for tag, value in (("t", self.time), ("x", self.expires)):
            if value:
                _moment(tag, value)
        if self.confirmed_us > MAX_TIME_US:
            raise ValueError(f"t={self.time}: there is no such time")
        try:
            from_base64url(self.commitment)
        except ValueError as error:
            raise ValueError(f"eh: {error}") from None

    @property
    def key_name(self) -> str:
        """Under which its key is registered: `<issuer>:<selector>`."""
        return f"{self.issuer}:{self.selector}"

    @cached_property
    def confirmed_us(self) -> int:
        """`time` in microseconds since the epoch."""
        return _moment("t", self.time)[0]

    @cached_property
    def expires_us(self) -> int:
        """`expires` in microseconds since the epoch, 0 for never."""
        return _moment("x", self.expires)[0] if self.expires else 0

    @cached_property
    def record(self) -> Record:
        """What the registry may keep of it.

        A signature says who asserts, not that the recipient confirmed: it is `asserted`
        at best, and only what was confirmed. Without a commitment nothing holds the
        issuer to one record of time and address, so only a sheet of paper needs none.
        """
        time_us, offset_minutes = _moment("t", self.time)
        claimed = Record(
            time_us=time_us,
            offset_minutes=offset_minutes,
            zone=ZoneSource.EXPLICIT,
            method=self.method,
            grade=Grade.ASSERTED if self.method.is_confirmed else Grade.PAPER,
            evidence_id=self.evidence_id,
            commitment=from_base64url(self.commitment),
            source=_SOURCE,
        )
        return bounded(claimed, has_address=False)

    def signed(self, path: bytes) -> bytes:
        """The bytes that are signed for one recipient.

        Args:
            path: argument of RCPT, with or without brackets.
        """
        lines = [f"{tag}={value}\n" for tag, value in self._tags()]
        text = f"{SIGNING_PREFIX}{''.join(lines)}".encode("ascii")
        return b"%brcpt=%b\n" % (text, normal_recipient(path))

    def _tags(self) -> Iterator[tuple[str, str]]:
        """All but the signature, in the order in which they are signed."""
        yield "v", _VERSION
        yield "a", self.algorithm.value
        yield "d", self.issuer
        yield "s", self.selector
        yield "l", self.list_id
        yield "m", self.method.value
        yield "t", self.time
        if self.expires:
            yield "x", self.expires
        yield "e", self.evidence_id
        if self.routing_hint:
            yield "r", self.routing_hint
        if self.commitment:
            yield "eh", self.commitment

    def __str__(self) -> str:
        """The header's value, on one line."""
        tags = (*self._tags(), ("b", to_base64url(self.signature)))
        return "; ".join(f"{tag}={value}" for tag, value in tags)

    def folded(self) -> str:
        r"""The header's value over several lines, joined by LF and a tab."""
        lines: list[str] = []
        line = ""
        for tag in str(self).split(" "):
            if line and len(line) + len(tag) > _FOLD_AT:
                lines.append(line)
                line = ""
            line += f" {tag}" if line else tag
        return "\n\t".join((*lines, line))


# RFC 5322 §2.1.1 wants lines of 78; the first one has the header's name before it.
_FOLD_AT = 60


def parse_token(value: bytes) -> Token | Refused:
    """Read one header's value; never raises.

    At most `MAX_TOKEN_BYTES` are looked at, each of them a fixed number of times.
    """
    if len(value) > MAX_TOKEN_BYTES:
        return Refused(
            TokenResult.TOO_LARGE,
            f"{len(value)} bytes, at most {MAX_TOKEN_BYTES} are read",
        )
    try:
        tags = _read_tags(unfold(value))
        return Token(
            algorithm=Algorithm(tags["a"]),
            issuer=tags["d"],
            selector=tags["s"],
            list_id=tags["l"],
            method=Method(tags["m"]),
            time=tags["t"],
            expires=tags.get("x", ""),
            evidence_id=tags["e"],
            routing_hint=tags.get("r", ""),
            commitment=tags.get("eh", ""),
            signature=from_base64url(tags["b"]),
        )
    except ValueError as error:
        return Refused(TokenResult.MALFORMED, str(error))


def _read_tags(value: bytes) -> dict[str, str]:
    tags: dict[str, str] = {}
    for part in value.split(b";"):
        tag, equals, text = part.strip(_WHITE_SPACE).decode("latin-1").partition("=")
        grammar = _GRAMMAR.get(tag)
        if not equals or grammar is None:
            raise ValueError(f"{tag[:16]!r} is no tag of version {_VERSION}")
        if tag in tags:
            raise ValueError(f"{tag} stands there twice")
        if "b" in tags:
            raise ValueError(f"{tag} stands behind b, which must be last")
        if not tags and tag != "v":
            raise ValueError(f"{tag} stands before v, which must be first")
        if grammar.fullmatch(text) is None:
            raise ValueError(f"{tag}={text[:80]!r}: {_expected(tag)}")
        tags[tag] = text
    if missing := [tag for tag in _REQUIRED if tag not in tags]:
        raise ValueError(f"there is no {', '.join(missing)}")
    return tags


def _expected(tag: str) -> str:
    return {
        "t": "expected a time such as 2026-03-14T09:26:53+01:00, with its zone",
        "x": "expected a time such as 2027-04-14T00:00:00Z, with its zone",
    }.get(tag, f"expected {_GRAMMAR[tag].pattern}")


def _moment(tag: str, text: str) -> tuple[int, int]:
    """Microseconds since the epoch, and minutes east of UTC."""
    try:
        time_us, offset_minutes = parse_local(text)
    except ValueError:
        time_us = offset_minutes = 0
    if time_us <= 0:
        raise ValueError(f"{tag}={text}: there is no such time")
    return time_us, offset_minutes


def normal_recipient(path: bytes) -> bytes:
    """The form of a recipient that is signed.

    Without brackets, ASCII letters of the local part and the domain in lower case, the
    domain as A-labels. Tags and dots stay: the token is for whom the list host mails.
    """
    address = path.strip().removeprefix(b"<").removesuffix(b">")
    local, at, domain = address.rpartition(b"@")
    if not at:
        return address.lower()
    text = domain.decode("utf-8", "backslashreplace")
    return b"%b@%b" % (local.lower(), canonical_domain(text).encode())


def normal_recipients(paths: list[bytes]) -> dict[bytes, bytes]:
    """Different recipients, normal form to the path as it was sent.

    A path that no address fits into is nobody's.
    """
    return {
        normal_recipient(path): path for path in paths if len(path) <= MAX_PATH_BYTES
    }


def routing_hint(evidence_id: str, normal: bytes) -> str:
    """Tag `r`: eight bits that tell whose token it may be, among a few.

    Args:
        evidence_id: tag `e`, the salt.
        normal: as `normal_recipient` gives it.
    """
    return sha256(b"%b\n%b" % (evidence_id.encode(), normal)).hexdigest()[:2]


def to_base64url(octets: bytes) -> str:
    """RFC 4648 §5, without padding."""
    return urlsafe_b64encode(octets).decode().rstrip("=")


def from_base64url(text: str) -> bytes:
    """Read it back; only the one spelling that `to_base64url` writes.

    Raises:
        ValueError: it is none, or has bits that nobody would see.
    """
    try:
        octets = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (binascii.Error, ValueError):
        octets = b""
    if to_base64url(octets) != text:
        raise ValueError(f"{text[:96]!r} is no base64url without padding")
    return octets

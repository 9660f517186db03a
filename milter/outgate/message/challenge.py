"""Challenges: which request to confirm a subscription a message is, and of which list.

By its headers (`message.confirmation`), or by the one link that the software of the list
puts into it:

    https://…/subscription/optin/<uuid>?l=<uuid>                              listmonk
    https://…/?p=confirm&uid=<32 hexadecimal digits>                          phpList
    https://…/?mailpoet_router&endpoint=subscription&action=confirm&data=…    MailPoet
    https://…/auth/<digits>/subscribe?email=…                                 Sympa on the web

or by a pattern of the operator's. A challenge goes to one person, is short, and leads
nowhere else: an advert that borrows such a link, or such an author, is none. One that
leads to the author's own site alone cannot be told from a challenge; it gains little, since
nobody is spared a count for a challenge, and each list has one a day for each person.

Limits: what is put into a challenge beside the link is not understood. A request to
confirm that somebody leaves is told from one to join only by its link, or by an English
subject; in other languages Mailman words both alike.
"""

import re
from collections.abc import Iterator, Sequence
from enum import StrEnum
from html import unescape
from typing import NamedTuple

from outgate.message.confirmation import is_confirmation_request
from outgate.message.headers import (
    Headers,
    decode_text,
    first_value,
    header_from_address,
)
from outgate.message.links import host_of, hosts_of
from outgate.message.mime_text import Parts, read_parts

# MailPoet's, with all its markup, has 20 KiB.
MAX_CHALLENGE_BYTES = 40_960
# Mailman's and Sympa's have 2 KiB of text, in some languages encoded.
MAX_REQUEST_BYTES = 10_240
_MAX_LINKS = 20
_MAX_LINK_CHARACTERS = 2_000
MAX_PATTERN_CHARACTERS = 200
_MIN_PATTERN_CHARACTERS = 4

_HREF = re.compile(
    rf"""href\s{{0,8}}=\s{{0,8}}["']?\s{{0,8}}(https?://[^\s"'<>]{{1,{_MAX_LINK_CHARACTERS}}})""",
    re.IGNORECASE,
)
_LINK = re.compile(
    rf"""https?://[^\s"'<>]{{1,{_MAX_LINK_CHARACTERS}}}""", re.IGNORECASE
)
_MAILMAN = re.compile(r"(.{1,200})-confirm\+[0-9a-f]{20,64}")
_SYMPA = re.compile(r"auth [0-9a-f]{8,64} (?:sub|subscribe) (\S{1,200})")
_LEAVING = re.compile(r"\b(?:leave|unsubscri)", re.IGNORECASE)

# Where the makers' own "powered by" leads.
_MAKERS = frozenset(
    {
        *("listmonk.app", "mailpoet.com", "phplist.com", "phplist.org"),
        *("list.org", "sympa.community", "sympa.org"),
    }
)


class Software(StrEnum):
    """What sent it."""

    MAILMAN = "mailman"
    SYMPA = "sympa"
    LISTMONK = "listmonk"
    PHPLIST = "phplist"
    MAILPOET = "mailpoet"
    OTHER = "other"


class Challenge(NamedTuple):
    """A request to confirm a subscription.

    Attributes:
        software: by which words.
        list_name: as it names the list: `news@lists.example.org` or `news`, lower case;
            "" where it does not.
        pattern: which of the patterns it was found by; -1 for none.
    """

    software: Software
    list_name: str = ""
    pattern: int = -1


class Pattern:
    """A text with `*` for anything, looked for in a subject or a link.

    Read from left to right, each piece once: the time is linear, whatever both are.
    """

    __slots__ = ("_pieces",)

    def __init__(self, text: str) -> None:
        """Read it.

        Raises:
            ValueError: it is too long, or says nothing.
        """
        if len(text) > MAX_PATTERN_CHARACTERS:
            raise ValueError(f"expected at most {MAX_PATTERN_CHARACTERS} characters")
        self._pieces = tuple(one for one in text.lower().split("*") if one)
        if max(map(len, self._pieces), default=0) < _MIN_PATTERN_CHARACTERS:
            raise ValueError(
                f"expected {_MIN_PATTERN_CHARACTERS} characters or more in a row, such "
                "as /confirm/*?list="
            )

    def matches(self, text: str) -> bool:
        """Whether it is somewhere in a text of lower case."""
        at = 0
        for piece in self._pieces:
            found = text.find(piece, at)
            if found < 0:
                return False
            at = found + len(piece)
        return True


def by_headers(headers: Headers, *, bulk: bool) -> Challenge | None:
    """The challenge that a message to one recipient is by its headers.

    Args:
        headers: lower-case names to values.
        bulk: whether it declares itself bulk.
    """
    if not is_confirmation_request(headers, 1, bulk=bulk):
        return None
    subject = _subject(headers)
    author = header_from_address(headers)
    if author is not None and (found := _MAILMAN.fullmatch(author.local.lower())):
        if _LEAVING.search(subject):
            return None
        return Challenge(Software.MAILMAN, f"{found[1]}@{author.domain}")
    if found := _SYMPA.match(subject):
        return Challenge(Software.SYMPA, found[1])
    # The author of Mailman 2 is `news-request@…`, where it has no VERP.
    name, at, domain = str(author or "").lower().partition("@")
    if at and name.endswith("-request"):
        return Challenge(Software.MAILMAN, f"{name.removesuffix('-request')}@{domain}")
    return Challenge(Software.MAILMAN)


def is_plain_request(headers: Headers, body: bytes, size_bytes: int) -> bool:
    """Whether a body is one that Mailman or Sympa asks by: short text, one host at most.

    Args:
        headers: lower-case names to values.
        body: its first bytes.
        size_bytes: of the whole body.
    """
    if size_bytes > MAX_REQUEST_BYTES or size_bytes > len(body):
        return False
    parts = read_parts(headers, body)
    is_text = parts.is_all and all(one.kind == "text/plain" for one in parts)
    return is_text and _leads_to_one_host(parts)


def leads_to_one_host(headers: Headers, body: bytes, size_bytes: int) -> bool:
    """Whether a body has the size of a challenge, and leads to one host at most.

    Args:
        headers: lower-case names to values.
        body: its first bytes.
        size_bytes: of the whole body.
    """
    if size_bytes > MAX_CHALLENGE_BYTES or size_bytes > len(body):
        return False
    return _leads_to_one_host(read_parts(headers, body))


def by_content(
    headers: Headers, body: bytes, size_bytes: int, patterns: Sequence[Pattern] = ()
) -> Challenge | None:
    """The challenge that a message to one recipient is by its link or a pattern.

    Args:
        headers: lower-case names to values.
        body: its first bytes.
        size_bytes: of the whole body.
        patterns: of the operator's, for this sender.
    """
    if size_bytes > MAX_CHALLENGE_BYTES or size_bytes > len(body):
        return None
    subject = _subject(headers)
    number = _place(patterns, subject)
    if not _may_have_link(headers, body) and number < 0:
        return None
    parts = read_parts(headers, body)
    links = _links(parts)
    if links is None or not _leads_to_one_host(parts):
        return None
    software = None
    for link in links:
        known = software_of(link)
        place = _place(patterns, link.lower())
        if known is None and place < 0:
            continue
        software = software or known or Software.OTHER
        number = number if number >= 0 else place
        if host_of(link) in _MAKERS:
            return None
    if software is not None:
        return Challenge(software, pattern=number)
    return Challenge(Software.OTHER, pattern=number) if number >= 0 else None


def software_of(link: str) -> Software | None:
    """Whose confirmation a link is, None for nobody's."""
    path, _, query = link.partition("?")
    if _LISTMONK.search(path):
        return Software.LISTMONK
    if _SYMPA_PATH.search(path):
        return Software.SYMPA
    if _PHPLIST.search(query):
        return Software.PHPLIST
    words = query.split("&", _MAX_QUERY_WORDS)
    router = any(one.partition("=")[0] == "mailpoet_router" for one in words)
    if router and {"endpoint=subscription", "action=confirm"} <= set(words):
        return Software.MAILPOET
    return None


_MAX_QUERY_WORDS = 12
_LISTMONK = re.compile(r"/subscription/optin/[0-9a-f]{8}-[0-9a-f-]{27}/?$")
_SYMPA_PATH = re.compile(r"/auth/[0-9a-f]{8,64}/(?:subscribe|sub)/?$")
_PHPLIST = re.compile(r"(?:^|&)p=confirm&uid=[0-9a-f]{16,64}(?:&|$)")


def _may_have_link(headers: Headers, body: bytes) -> bool:
    """Whether it is worth to be read: a link shows, or an encoding hides it."""
    return b"http" in body or "content-transfer-encoding" in headers or b"64" in body


def _links(parts: Parts) -> list[str] | None:
    """What a reader could follow; None where that is too much for a challenge."""
    found: list[str] = []
    for link in _each_link(parts):
        if len(found) == _MAX_LINKS:
            return None
        found.append(link)
    return found


def _each_link(parts: Parts) -> Iterator[str]:
    for part in parts:
        is_html = part.kind == "text/html"
        for found in (_HREF if is_html else _LINK).finditer(part.text):
            yield unescape(found[1]) if is_html else found[0].rstrip(".,;)")


def _leads_to_one_host(parts: Parts) -> bool:
    hosts = hosts_of(parts) - _MAKERS
    return parts.is_all and len(hosts) <= 1 and "" not in hosts


def _subject(headers: Headers) -> str:
    return decode_text(first_value(headers, "subject") or b"").strip().lower()


def _place(patterns: Sequence[Pattern], text: str) -> int:
    return next((place for place, one in enumerate(patterns) if one.matches(text)), -1)

"""Recipients in the form in which different ones are counted.

One mailbox has many spellings: case, IDN, a plus-tag (RFC 5233 calls it detail), dots
at providers that ignore them. A sender had as many recipients as spellings, and a
person would be a stranger under each.
"""

import re
from collections.abc import Callable
from collections.abc import Set as AbstractSet
from functools import lru_cache
from typing import NamedTuple

from outgate.model.address import NullSender, domain_of, parse_path

# What nearly all have; nothing in it can mean anything else. A message may have
# thousands of them, and this is read in half the time.
_PLAIN = re.compile(rb"<([A-Za-z0-9._+=-]{1,64})@([A-Za-z0-9.-]{0,190}[A-Za-z0-9])>")


class Recipient(NamedTuple):
    """One recipient.

    Attributes:
        mailbox: canonical, without tag; "" where the path is empty.
        domain: by which its direction is decided; "" where that is not certain.
    """

    mailbox: str
    domain: str


def recipient_reader(
    *, plus_tags: bool, dotless: AbstractSet[str]
) -> Callable[[bytes], Recipient]:
    """Make the function that reads one argument of RCPT.

    Args:
        plus_tags: whether what follows `+` in a local part is dropped.
        dotless: canonical domains that ignore dots in local parts.
    """

    @lru_cache(maxsize=16384)
    def read(raw: bytes) -> Recipient:
        if plain := _PLAIN.fullmatch(raw):
            local, domain = plain[1].decode().lower(), plain[2].decode().lower()
            certain = domain
        else:
            certain = domain_of(raw)
            parsed = parse_path(raw)
            if isinstance(parsed, NullSender):
                return Recipient("", certain)
            local, domain = parsed.local, parsed.domain
        if plus_tags:
            local = local.partition("+")[0] or local
        if domain in dotless:
            local = local.replace(".", "")
        return Recipient(f"{local}@{domain}", certain)

    return read


def is_mailbox(text: str) -> bool:
    """Whether a canonical mailbox is one, with a local part and a domain."""
    local, _, domain = text.rpartition("@")
    return bool(local and domain) and len(text.split()) == 1

r"""The first address of an address list (RFC 5322 §3.4), for people and for forgers.

    "Example, Anne" <anne@example.com>      anne@example.com
    anne@example.com (Anne (at home))       anne@example.com
    Friends: anne@example.com, bart@…;      anne@example.com
    "anne@bank.example" <mallory@…>         mallory@…: a name proves nothing
    =?utf-8?B?QW5uZSA8YW5uZUB4Pg==?=        anne@x: some wrap the whole field

Hand-written because the standard library's parsers take a millisecond, or raise, on
mail that exists. One pass from left to right; what a person forgot to close is mended
by taking the last `<…@…>` of the field.

Limits: of several `@` in a bare address the last one divides. A comment inside angle
brackets is not removed.
"""

import re

from outgate.message.cfws import NOT_FOUND, comment_end, quoted_end
from outgate.message.encoded_words import decode_words
from outgate.model.address import Address, parse_path

# One full line (RFC 5322 §2.1.1); the longest From in 2,265 real messages has 305. What
# is made of nothing but delimiters costs a microsecond for each.
MAX_MAILBOX_BYTES = 998

_ATOM = rb'[^\s<>"(),:;\\\[\]@]+'
# What nearly all mail has: a name without or with quotes, and one address.
_USUAL = re.compile(
    rb'(?:[^"(<>,:;\\]*+|"[^"\\]*+"\s*+)<(' + _ATOM + rb"@" + _ATOM + rb")>"
)
_DELIMITER = re.compile(rb'["(<,:;]')


def first_mailbox(value: bytes) -> Address | None:
    """Read the first address of an unfolded From, Sender or the like.

    Returns:
        The address, without a domain where the field gives none, or None.
    """
    if usual := _USUAL.fullmatch(value):
        return _parse(usual[1])
    value = value[:MAX_MAILBOX_BYTES]
    if b"=?" in value and b"@" not in value:
        value = decode_words(value).encode("utf-8", "replace")
        return _scan(value) if b"@" in value else None
    return _scan(value)


def _scan(value: bytes) -> Address | None:
    # What stands outside of brackets and comments; reset at the end of each mailbox.
    bare: list[bytes] = []
    # One word without @ is an address only where it is all there is: `From: root`.
    alone = True
    position = 0
    while mark := _DELIMITER.search(value, position):
        start, sign = mark.start(), mark[0]
        bare.append(value[position:start])
        if sign == b"<":
            position, inside = _angle(value, start)
            # A list of addresses and a name with an unquoted comma look alike: go on
            # until something has an @.
            if b"@" in inside or position == len(value):
                return _address(inside) or _bare_address(bare, alone=alone)
            bare.clear()
        elif sign in {b'"', b"("}:
            end = (quoted_end if sign == b'"' else comment_end)(value, start)
            if end == NOT_FOUND:
                return _last_angle(value[start:]) or _bare_address(bare, alone=alone)
            bare.append(value[start:end] if sign == b'"' else b" ")
            position = end
        else:
            # RFC 5322 §3.4: what a colon ends is the name of a group, unless it is
            # the colon of an IPv6 literal.
            position = start + 1
            alone = False
            if sign == b":" and any(b"@" in piece for piece in bare):
                bare.append(sign)
            elif sign != b":" and (found := _bare_address(bare, alone=False)):
                return found
            else:
                bare.clear()
    bare.append(value[position:])
    return _bare_address(bare, alone=alone)


def _angle(value: bytes, start: int) -> tuple[int, bytes]:
    """Give the position behind an angle address, and what it holds."""
    inner = start + 1
    if value[inner : inner + 1] == b'"':
        inner = max(quoted_end(value, inner), inner)
    end = value.find(b">", inner)
    if end == NOT_FOUND:
        end = len(value)
    return min(end + 1, len(value)), value[start + 1 : end]


def _last_angle(value: bytes) -> Address | None:
    _, opened, rest = value.rpartition(b"<")
    inside = rest.partition(b">")[0]
    return _address(inside) if opened and b"@" in inside else None


def _bare_address(pieces: list[bytes], *, alone: bool) -> Address | None:
    text = b"".join(pieces)
    local, at, domain = text.rpartition(b"@")
    if not at:
        words = text.split()
        is_name = len(words) != 1 or words[0][:1] == b'"'
        return _address(words[0]) if alone and not is_name else None
    local = local.rstrip()
    quoted = [piece for piece in pieces if piece[:1] == b'"']
    if quoted and local.endswith(quoted[-1]):
        local = quoted[-1]
    else:
        local = b"".join(local.split()[-1:])
    return _address(local + at + b"".join(domain.split()[:1]))


def _address(inside: bytes) -> Address | None:
    text = inside.strip(b" \t\r\n<")
    if text[:7].lower() == b"mailto:":
        text = text[7:]
    if text[:1] != b'"':
        text = b"".join(text.split())
    return _parse(text)


def _parse(text: bytes) -> Address | None:
    path = parse_path(text)
    return path if isinstance(path, Address) and path.local else None

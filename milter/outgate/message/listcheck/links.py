"""The links of a list header, in angle brackets with commas between (RFC 2369 §2).

    <https://example.org/leave?a=1,2>, <mailto:leave@example.org> (by mail)

A comma within brackets divides nothing. Of a header that does not begin with a bracket
nothing is read, of another everything up to what is no link in brackets.
"""

import re
from collections.abc import Iterator, Sequence

from outgate.message.cfws import NOT_FOUND, skip_cfws, unfold
from outgate.message.encoded_words import decode_words
from outgate.message.listcheck.note import Level, Note
from outgate.message.listcheck.uri import Uri, can_be_reached, parse_uri

# Senders name two (mailto and https); one of 674 real headers has nine.
MAX_URIS = 16
# One link of the largest size that anybody has to take; the links of real headers have
# 1,005 characters at most. What stands behind them is not looked at.
MAX_UNSUBSCRIBE_BYTES = 8_192

# The plainest link that there is, and the one that most list mail begins with.
_PLAIN_LINK = re.compile(
    rb"[ \t]*<https?://([A-Za-z0-9.-]{4,253})[/?][A-Za-z0-9._~/?#&=;:,+@-]{0,2000}>"
)
_NO = re.compile(rb"no(?![^ \t\r\n(])", re.IGNORECASE)


class LinksNote(Note):
    """Notes on a header that should hold links."""

    HEADER_EMPTY = (
        "header-empty",
        Level.WEAK,
        "The header is empty, or holds nothing but a comment.",
        "Write a link in <angle brackets>, or leave the header out.",
        "RFC 2369 §2",
    )
    NOT_BRACKETED = (
        "not-bracketed",
        Level.WEAK,
        (
            "The header does not start with a link in <angle brackets>, so mail programs"
            " ignore it."
        ),
        "Put each link in angle brackets, and any words in (parentheses) behind it.",
        "RFC 2369 §2",
    )
    BRACKET_UNCLOSED = (
        "bracket-unclosed",
        Level.WEAK,
        "A link has no closing bracket; from there on the header is ignored.",
        "Close the bracket.",
        "RFC 2369 §2",
    )
    STRAY_TEXT = (
        "stray-text",
        Level.FIX,
        (
            "Behind a link stands something other than another link in <angle"
            " brackets>; it is ignored, and so is what follows."
        ),
        "Put each link in angle brackets, with commas between, and nothing else.",
        "RFC 2369 §2",
    )
    COMMA_MISSING = (
        "comma-missing",
        Level.FIX,
        "Two links have no comma between them.",
        "Put a comma between them.",
        "RFC 2369 §2",
    )
    TOO_MANY_URIS = (
        "too-many-uris",
        Level.FIX,
        "There are more links than anyone would try; the rest is not read.",
        "Name one https: link and one mailto: link.",
        "RFC 2369 §2",
    )
    ENCODED_WORD = (
        "encoded-word",
        Level.FIX,
        (
            "The header is written as =?encoded words?=, which are not allowed there;"
            " many mail programs see no link."
        ),
        "Tell your software not to encode it; break long lines between two links.",
        "RFC 2047 §5",
    )
    COMMENT = (
        "comment",
        Level.OK,
        "There are words in (parentheses) beside a link, as there may be.",
        "",
        "RFC 2369 §2",
    )
    LIST_POST_NO = (
        "list-post-no",
        Level.OK,
        "Nobody may post to the list: it is one of announcements.",
        "",
        "RFC 2369 §3.4",
    )


def says_no(value: bytes) -> bool:
    """Whether a List-Post says that nobody may post: `NO (announcements)`."""
    text = unfold(value)
    return _NO.match(text, skip_cfws(text, 0)) is not None


def begins_with_plain_link(value: bytes) -> bool:
    """Whether a header begins with a usable link of the plainest kind.

    Of such a one `each_link` says the same, at five times the cost; of any other this
    says nothing.
    """
    found = _PLAIN_LINK.match(value)
    return found is not None and can_be_reached(found[1].decode("ascii"))


def read_links(values: Sequence[bytes], notes: list[Note]) -> tuple[Uri, ...]:
    """Read the links of the topmost value, in the sender's order of preference."""
    return tuple(each_link(values, notes))


def each_link(values: Sequence[bytes], notes: list[Note]) -> Iterator[Uri]:
    """Read them one after the other, for somebody who may not want all.

    Args:
        values: all values of the header, at least one.
        notes: takes what there is to say, link by link.
    """
    value = unfold(values[0])[:MAX_UNSUBSCRIBE_BYTES]
    if not value:
        notes.append(LinksNote.HEADER_EMPTY)
        return
    if value[:2] == b"=?":
        notes.append(LinksNote.ENCODED_WORD)
        value = decode_words(value).encode("utf-8", "replace")
    count = 0
    position = _skip(value, 0, notes)
    while position < len(value):
        if value[position : position + 1] != b"<":
            # RFC 2369 §2: ignored from here on, and as a whole if nothing was read.
            notes.append(LinksNote.STRAY_TEXT if count else LinksNote.NOT_BRACKETED)
            break
        end = value.find(b">", position)
        if end == NOT_FOUND:
            notes.append(LinksNote.BRACKET_UNCLOSED)
            break
        if count == MAX_URIS:
            notes.append(LinksNote.TOO_MANY_URIS)
            break
        uri = parse_uri(value[position + 1 : end])
        count += 1
        notes.extend(uri.notes)
        yield uri
        position = _skip(value, end + 1, notes)
        if value[position : position + 1] == b",":
            position = _skip(value, position + 1, notes)
        elif value[position : position + 1] == b"<":
            notes.append(LinksNote.COMMA_MISSING)
    else:
        if not count:
            notes.append(LinksNote.HEADER_EMPTY)


def _skip(value: bytes, start: int, notes: list[Note]) -> int:
    position = skip_cfws(value, start)
    if position > start + 1 and value.find(b"(", start, position) != NOT_FOUND:
        notes.append(LinksNote.COMMENT)
    return position

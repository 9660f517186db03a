"""Folds, comments and quoted strings: the white space of mail headers (RFC 5322).

Works on bytes, from left to right, and never looks at a byte twice: an opening that
nothing closes ends the reading instead of being tried again as text.

Limits: a comment in a quoted string or an encoded word is what RFC 5322 says it is,
text. What a sender forgot to close is not guessed.
"""

import re

WHITE_SPACE = b" \t\r\n"
NOT_FOUND = -1

# Possessive, so that a missing quote costs one pass and no second try.
_QUOTED_REST = re.compile(rb'[^"\\]*+(?:\\.[^"\\]*+)*+"', re.DOTALL)
_COMMENT_MARK = re.compile(rb"\\.|[()]", re.DOTALL)
_TEXT = re.compile(rb"[^ \t\r\n]")


def unfold(value: bytes) -> bytes:
    """Take the folds out of a header's value, and the white space around it.

    RFC 5322 §2.2.3: a line break goes, the white space behind it stays. Sendmail and
    Postfix join lines by LF, a client's CRLF may be left.
    """
    if b"\n" in value:
        # Three of these cost a fifth of one regular expression.
        value = value.replace(b"\r\n", b"\n")
        value = value.replace(b"\n ", b" ").replace(b"\n\t", b"\t")
    return value.strip(WHITE_SPACE)


def quoted_end(value: bytes, start: int) -> int:
    """Where the quoted string ends that opens at `start` (RFC 5322 §3.2.4).

    Returns:
        The position behind its closing quote, or `NOT_FOUND`.
    """
    found = _QUOTED_REST.match(value, start + 1)
    return found.end() if found else NOT_FOUND


def comment_end(value: bytes, start: int) -> int:
    """Where the comment ends that opens at `start`; comments nest (RFC 5322 §3.2.2).

    Returns:
        The position behind its closing parenthesis, or `NOT_FOUND`.
    """
    depth = 0
    for mark in _COMMENT_MARK.finditer(value, start):
        if mark[0] == b"(":
            depth += 1
        elif mark[0] == b")":
            depth -= 1
            if depth == 0:
                return mark.end()
    return NOT_FOUND


def skip_cfws(value: bytes, start: int) -> int:
    """First position from `start` that is neither white space nor in a comment.

    An unclosed comment is not skipped, so that the caller meets its parenthesis.
    """
    position = start
    while found := _TEXT.search(value, position):
        position = found.start()
        end = comment_end(value, position) if found[0] == b"(" else NOT_FOUND
        if end == NOT_FOUND:
            return position
        position = end
    return len(value)

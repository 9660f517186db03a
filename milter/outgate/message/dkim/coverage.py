"""Which headers a signature covers (RFC 6376 §5.4, §8.15).

A covered header is named once more than it is there ("oversigned"), so that nobody can
add another; but for Date and Message-ID where there is none. Headers of lists are named so only where the message is list mail of the
customer's own: a list elsewhere adds its own ones to what passes it, and the signature
would break. RFC 8058 §4 wants List-Unsubscribe and List-Unsubscribe-Post covered.
"""

import re
from collections.abc import Iterable
from typing import NamedTuple

from outgate.message.dkim.canonical import canonical_header
from outgate.message.headers import Headers

ALWAYS_OVERSIGNED = (
    "From",
    "To",
    "Cc",
    "Subject",
    "Date",
    "Message-ID",
    "Reply-To",
    "Sender",
    "MIME-Version",
    "Content-Type",
    "Content-Transfer-Encoding",
    "In-Reply-To",
    "References",
    "Feedback-ID",
    # RFC 9477 §3: who wants complaints, and about which message.
    "CFBL-Address",
    "CFBL-Feedback-ID",
    "Outgate-Trace",
)
OF_LISTS = (
    "List-Id",
    "List-Unsubscribe",
    "List-Unsubscribe-Post",
    "List-Help",
    "List-Owner",
    "List-Post",
    "List-Archive",
    "List-Subscribe",
)
SIGNED_HEADERS = frozenset(name.lower() for name in (*ALWAYS_OVERSIGNED, *OF_LISTS))
UNSIGNABLE_HEADERS = frozenset(
    # RFC 6376 §5.4: what MTAs on the way change, remove or add.
    {
        "return-path",
        "received",
        "dkim-signature",
        "authentication-results",
        "comments",
        "keywords",
        "bcc",
    }
)
"""Names that nobody may add to the list."""

# RFC 5322 §3.6 allows one of each; a `h=` of thousands of names is an attack.
MAX_COPIES = 16

# Sendmail adds these where they are missing when it sends, after the milter, and so do
# relays: a signature that denies them would break.
_ADDED_BY_MTAS = frozenset({"date", "message-id"})
_ADDRESSES = frozenset({"from", "to", "cc", "reply-to", "sender"})
# Commas between addresses, and what is skipped: each alternative takes all it can, so
# that the time is linear.
_COMMAS = re.compile(rb'"(?:[^"\\]|\\.)*"?|\((?:[^()\\]|\\.)*\)?| ?, ?', re.DOTALL)
_ALWAYS = tuple(name.lower() for name in ALWAYS_OVERSIGNED)
_LISTS = tuple(name.lower() for name in OF_LISTS)


class Coverage(NamedTuple):
    """What a signature covers.

    Attributes:
        names: the `h=` tag, lower case.
        data: these headers in relaxed form, each with CRLF.
    """

    names: tuple[str, ...]
    data: bytes


def cover(
    headers: Headers,
    *,
    also: Iterable[str] = (),
    oversign_lists: bool,
    by_sendmail: bool = False,
) -> Coverage | None:
    """Choose the headers of a message; None where one has too many copies.

    Args:
        headers: lower-case names to values, the topmost first.
        also: more names, lower case; covered where they are there.
        oversign_lists: whether headers of lists are named once more, too.
        by_sendmail: whether Sendmail sends it, which writes lists of addresses anew.
    """
    names: list[str] = []
    data: list[bytes] = []
    for group, once_more in ((_ALWAYS, True), (_LISTS, oversign_lists), (also, False)):
        for name in group:
            if values := headers.get(name):
                if len(values) > MAX_COPIES:
                    return None
                # §5.4.2: from the last one to the first.
                for value in reversed(values):
                    names.append(name)
                    line = canonical_header(name, value)
                    if by_sendmail and name in _ADDRESSES:
                        line = _COMMAS.sub(_with_space, line)
                    data.append(line)
            if once_more and (values or name not in _ADDED_BY_MTAS):
                names.append(name)
    data.append(b"")
    return Coverage(tuple(names), b"\r\n".join(data))


def _with_space(found: re.Match[bytes]) -> bytes:
    """`a,b` as Sendmail sends it: `a, b`; texts in quotes and comments as they are."""
    return b", " if found[0].strip() == b"," else found[0]

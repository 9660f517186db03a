"""Where a message leads: the hosts of its links, forms, pictures and styles.

Whatever in a text looks like an address of the web counts, wherever it stands: mail
programs follow `href`, load `src`, send to `action`, obey `<meta http-equiv=refresh>`
and make links of words. Addresses without a scheme (`//host`) count in HTML, as do those
with line ends, backslashes or references in them, which browsers read past.

Limits: a bare name (`shop.example`) is no link here, though some programs make one of it;
where a host forwards to is not known.
"""

import re
from collections.abc import Iterable, Iterator
from html import unescape

from outgate.message.mime_text import Part

_REST = r"""[^\s"'<>(),;]*"""
_AUTHORITY = r"""([^\s"'<>(),;/?#]+)"""
_WORDS = rf"(?<![\w@.-])(www\.[\w-][^\s\"'<>(),;/?#]*){_REST}"
_IN_TEXT = re.compile(
    rf"(?:https?|ftp):/*+{_AUTHORITY}?{_REST}|{_WORDS}", re.IGNORECASE
)
_IN_HTML = re.compile(
    rf"(?:(?:https?|ftp):/*+|(?<![\w:/%.?&+~\#!$*@-])//++(?=[\w\[])){_AUTHORITY}?{_REST}"
    rf"|{_WORDS}",
    re.IGNORECASE,
)
# What browsers leave out of an address (WHATWG URL, "basic URL parser").
_LEFT_OUT = str.maketrans("\\", "/", "\t\r\n")
# Names of formats, which nobody visits.
_FORMATS = frozenset({"schemas.microsoft.com", "w3.org"})


def hosts_of(parts: Iterable[Part]) -> set[str]:
    """The hosts that a message leads to, lower case, without `www.`; "" for an odd one.

    Args:
        parts: as `read_parts` gives them.
    """
    found: set[str] = set()
    for part in parts:
        text = part.text
        if part.kind != "text/html":
            found.update(_hosts(_IN_TEXT, text.replace("\\", "/")))
            continue
        text = unescape(text)
        # Both: a line end parts two addresses, or is within one.
        found.update(_hosts(_IN_HTML, text.replace("\\", "/")))
        found.update(_hosts(_IN_HTML, text.translate(_LEFT_OUT)))
    return found - _FORMATS


def host_of(link: str) -> str:
    """The host of an address with a scheme; "" for none."""
    return next(_hosts(_IN_TEXT, link.replace("\\", "/")), "")


def _hosts(expression: re.Pattern[str], text: str) -> Iterator[str]:
    for found in expression.finditer(text):
        yield _bare(found[1] or found[2] or "")


def _bare(authority: str) -> str:
    host = authority.rpartition("@")[2].lower()
    if not host.startswith("["):
        host = host.partition(":")[0]
    return host.rstrip(".").removeprefix("www.")

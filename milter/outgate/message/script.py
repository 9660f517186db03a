"""Which script of which web site sent a message, as PHP says.

    X-PHP-Originating-Script: 1001:contact.php                       (mail.add_x_header)
    X-PHP-Script: shop.example/wp-login.php for 203.0.113.9          (cPanel's PHP)

PHP's mail() writes the first before the headers that the script gives it (php-src,
ext/standard/mail.c, since 5.3), so of several copies the topmost is PHP's, and it is
believed before the other header, which the script may have written. Where cPanel puts
its own is not known: copies of it that differ are all taken for one, `several`.

A page that takes an address in its path (`/optout/bart@example.net`) would put it into
keys and logs: that part of a path is replaced by `@`.

Whoever starts `sendmail` himself can write either. So a name selects a counter of its
own customer, and the caller believes it only for mail of local users.

Limits: PHP names the file that called mail(), which in most web applications is the same
library for all of their mail.
"""

import re

from outgate.message.headers import Headers, first_value
from outgate.model.address import canonical_domain

SCRIPT_HEADERS = frozenset({"x-php-originating-script", "x-php-script"})

SEVERAL = "several"
"""Instead of a name, where copies of a header differ."""

# More is no file name (255 bytes on most systems) behind a host name (253).
_MAX_VALUE_BYTES = 1024
# Names are cut there: what begins alike shares a counter, which lowers none.
_MAX_NAME_BYTES = 120
_MAX_COPIES = 8

_ORIGINATING = re.compile(rb"([0-9]{1,10}):([^\x00-\x1f\x7f]+)")
# `x.php(12) : eval()'d code`: the number is another one in each version of the script.
_EVALUATED = re.compile(rb"\([0-9]+\) : ")
_SITE = re.compile(
    rb"([A-Za-z0-9][A-Za-z0-9.-]{0,252})(?::[0-9]{1,5})?(/[^\x00-\x1f\x7f]*)?"
)
# Percent-encoded, and encoded twice, as well.
_ADDRESS = re.compile(rb"@|%(?:25)?40")
# PHP_SELF ends with whatever the visitor's URL has behind the script.
_BEHIND_SCRIPT = re.compile(rb"(?i)(?<=\.php)/|(?<=\.phtml)/|(?<=\.php[0-9])/")


def read_script(headers: Headers) -> tuple[str, str]:
    """Give script and site, "" for what is not told, in printable ASCII.

    A script is `<uid>:<file>`, or `<site>/<path>` where only cPanel's header names it.
    """
    caller = _caller(first_value(headers, "x-php-originating-script"))
    values = headers.get("x-php-script", ())
    found = {_page(value) for value in values[:_MAX_COPIES]}
    if len(found) > 1 or len(values) > _MAX_COPIES:
        return caller or SEVERAL, SEVERAL
    page, site = found.pop() if found else ("", "")
    return caller or page, site


def _caller(value: bytes | None) -> str:
    """`<uid>:<file>`."""
    found = _ORIGINATING.fullmatch((value or b"")[:_MAX_VALUE_BYTES].strip())
    if found is None:
        return ""
    name = _EVALUATED.split(found[2], maxsplit=1)[0]
    return f"{int(found[1])}:{_shown(name)}" if name else ""


def _page(value: bytes) -> tuple[str, str]:
    """`<site>/<path>`, and the site."""
    told = b" ".join(value[:_MAX_VALUE_BYTES].split())
    behind = _BEHIND_SCRIPT.search(told)
    if behind is not None:
        told = told[: behind.start()]
    else:
        told, visitor, _ = told.rpartition(b" for ")
        if not visitor:
            return "", ""
    found = _SITE.fullmatch(told)
    if found is None:
        return "", ""
    site = canonical_domain(found[1].decode("ascii"))
    return f"{site}{_shown(found[2] or b'/')}", site


def _shown(name: bytes) -> str:
    parts = (b"@" if _ADDRESS.search(part) else part for part in name.split(b"/"))
    return b"/".join(parts)[:_MAX_NAME_BYTES].decode("ascii", "backslashreplace")

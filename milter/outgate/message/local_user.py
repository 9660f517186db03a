r"""The system user who called `sendmail` on this host.

Sendmail's submission program writes it into the topmost Received line, and hands the
message to its own daemon by SMTP, where the milter sees it as the first header:

    Received: (from anne@localhost)
        by host.example.org (8.17.1.9/8.17.1.9/Submit) id 5A1B2C3D4E5F;
        Tue, 3 Mar 2026 10:00:00 GMT

Whoever speaks SMTP to the daemon can write such a line too. The caller believes it
only on a connection that none but the submission program can use.

Limits: Postfix hides its own line (`from userid 1000`) from milters.
"""

import re

from outgate.message.headers import Headers, first_value

LOCAL_USER_HEADERS = frozenset({"received"})

# useradd(8) and adduser(8): at most 32 characters; a dot is what Debian allows beside
# the portable set.
_SUBMITTED = re.compile(
    rb"\(from ([A-Za-z_][A-Za-z0-9_.-]{0,31})@localhost\)[ \t]{1,80}"
    rb"by [A-Za-z0-9._-]{1,255} \([^\s()]{1,200}\) id [A-Za-z0-9]{1,64}[; \t]"
)


def sendmail_local_user(headers: Headers) -> str | None:
    """User of the topmost Received line, if it is one of Sendmail's submission."""
    value = first_value(headers, "received")
    found = _SUBMITTED.match(value) if value else None
    return found[1].decode("ascii") if found else None

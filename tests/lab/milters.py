"""A milter as an MTA is told about it, in the words of either MTA.

`Milter(8890)` is a port on loopback, `Milter(Path("/run/x.sock"))` a unix socket; a
relative path is relative to Postfix's queue directory, as Postfix reads it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from lab.ports import LOOPBACK

Action = Literal["accept", "reject", "tempfail", "quarantine"]

# op.me §5.11: F=R rejects, F=T tempfails; without F= the filter is passed over.
_SENDMAIL_FLAGS: Mapping[Action, str] = {
    "accept": "",
    "reject": ", F=R",
    "tempfail": ", F=T",
}


@dataclass(frozen=True, slots=True)
class Milter:
    """Where a milter listens, and what the MTA does when it fails.

    Attributes:
        where: a TCP port on 127.0.0.1, or the path of a unix socket.
        on_failure: what happens to mail when the milter is away or answers too late.
        connect_timeout: seconds.
        command_timeout: seconds for the answer to one command.
        content_timeout: seconds for the answer at the end of the message.
    """

    where: int | Path
    on_failure: Action = "tempfail"
    connect_timeout: int = 5
    command_timeout: int = 10
    content_timeout: int = 30

    def for_postfix(self) -> str:
        """Write one element of `smtpd_milters`."""
        where = (
            f"inet:{LOOPBACK}:{self.where}"
            if isinstance(self.where, int)
            else f"unix:{self.where}"
        )
        return (
            f"{{ {where}, default_action={self.on_failure}, "
            f"connect_timeout={self.connect_timeout}s, "
            f"command_timeout={self.command_timeout}s, "
            f"content_timeout={self.content_timeout}s }}"
        )

    def for_sendmail(self) -> str:
        """Write the equates of an INPUT_MAIL_FILTER."""
        if self.on_failure not in _SENDMAIL_FLAGS:
            raise ValueError(f"Sendmail has no F= flag for {self.on_failure!r}")
        where = (
            f"inet:{self.where}@{LOOPBACK}"
            if isinstance(self.where, int)
            else f"unix:{self.where}"
        )
        return (
            f"S={where}{_SENDMAIL_FLAGS[self.on_failure]}, "
            f"T=C:{self.connect_timeout}s;S:{self.command_timeout}s;"
            f"R:{self.command_timeout}s;E:{self.content_timeout}s"
        )

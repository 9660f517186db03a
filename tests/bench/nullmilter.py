"""A milter that does nothing, written as pymilter's manual says: the yardstick.

    python nullmilter.py unix:/run/null.sock

`Milter.Base` with the fewest callbacks that a filter of senders, recipients and headers
needs: MAIL, RCPT, header, end-of-message; no reply where the protocol allows it and the
manual's decorators offer it. Whatever a filter in Python does costs this much before
its first line of policy.
"""

import sys
from collections.abc import Callable
from typing import Any, TypeVar

import Milter

Method = TypeVar("Method", bound=Callable[..., int])
# The manual's decorators, with types.
declined: Callable[[Method], Method] = Milter.nocallback
unanswered: Callable[[Method], Method] = Milter.noreply

# As Outgate's engine: otherwise a thousand connections at once would not measure the
# same.
_BACKLOG = 4096
_IDLE_TIMEOUT_S = 7200


class Null(Milter.Base):  # type: ignore[misc] # pymilter has no types
    """Takes a message apart and lets it go."""

    @declined
    def connect(self, _host: str, _family: int, _address: Any) -> int:
        return int(Milter.CONTINUE)

    @declined
    def hello(self, _name: str) -> int:
        return int(Milter.CONTINUE)

    def envfrom(self, _sender: str, *_parameters: str) -> int:
        return int(Milter.CONTINUE)

    @unanswered
    def envrcpt(self, _recipient: str, *_parameters: str) -> int:
        return int(Milter.CONTINUE)

    @declined
    def data(self) -> int:
        return int(Milter.CONTINUE)

    @declined
    def unknown(self, _command: str) -> int:
        return int(Milter.CONTINUE)

    @unanswered
    def header(self, _name: str, _value: str) -> int:
        return int(Milter.CONTINUE)

    @declined
    def eoh(self) -> int:
        return int(Milter.CONTINUE)

    @declined
    def body(self, _chunk: bytes) -> int:
        return int(Milter.CONTINUE)

    def eom(self) -> int:
        return int(Milter.CONTINUE)


def main() -> None:
    """Serve the socket of the command line until SIGTERM."""
    Milter.factory = Null
    Milter.set_flags(Milter.ADDHDRS | Milter.CHGHDRS | Milter.QUARANTINE)
    Milter.setbacklog(_BACKLOG)
    Milter.runmilter("null", sys.argv[1], _IDLE_TIMEOUT_S)


if __name__ == "__main__":
    main()

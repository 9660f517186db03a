"""What an operator would have instead: so many recipients per hour and sender.

A fixed window for each login, else client, else local user, from its first message on,
as the rate limits of policy daemons for Postfix have it. A message that does not fit is
refused whole and costs nothing.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from scenarios.mail import HOUR_S, Message

LIMITS = (100, 300, 1000)


@dataclass(slots=True)
class PlainLimiter:
    """One limit.

    Attributes:
        limit: recipients per hour.
    """

    limit: int
    _windows: dict[str, tuple[float, int]] = field(default_factory=dict)

    def admits(self, message: Message) -> bool:
        """Judge and charge one message; times must not go back."""
        name = message.origin.name
        start_s, used = self._windows.get(name, (message.at_s, 0))
        if message.at_s - start_s >= HOUR_S:
            start_s, used = message.at_s, 0
        cost = len(message.recipients)
        admitted = used + cost <= self.limit
        self._windows[name] = (start_s, used + cost if admitted else used)
        return admitted


@dataclass(frozen=True, slots=True)
class PlainResult:
    """What one limit did.

    Attributes:
        limit: recipients per hour.
        reached: recipients of unwanted mail.
        stopped: wanted messages that it refused.
    """

    limit: int
    reached: int
    stopped: int


def limit_plainly(limit: int, day: Iterable[Message]) -> PlainResult:
    """Play a day before a plain limit."""
    limiter = PlainLimiter(limit)
    reached = stopped = 0
    for message in day:
        admitted = limiter.admits(message)
        if message.unwanted:
            reached += len(message.recipients) if admitted else 0
        elif not admitted:
            stopped += 1
    return PlainResult(limit, reached, stopped)

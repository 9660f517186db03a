"""What a scenario is: a story, its traffic before and on the day, and its target."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from random import Random

from scenarios.mail import Message, Origin

# What is smaller is the point of a scenario, and stays as it is.
_NOT_SCALED = 150
_MONTH_DAYS = 30
_WEEK_DAYS = 7
_MOST_HISTORY = 20_000

# Our network. Customers' clients and servers of ours have addresses in it.
INSIDE = "192.0.2."
NETWORK = """
[network]
internal = ["127.0.0.0/8", "::1/128", "192.0.2.0/24", "2001:db8:a::/48"]
forwarders = ["192.0.2.25"]
[domains]
local = ["coop.example"]
"""


@dataclass(frozen=True, slots=True)
class Play:
    """With what a scenario is made.

    Attributes:
        seed: of all chance.
        scale: 1 for the full size; large numbers are multiplied by it.
    """

    seed: str
    scale: float = 1.0

    def rng(self, stream: str) -> Random:
        """Chance of its own for each stream: a day is the same without its history."""
        return Random(f"{self.seed}/{stream}")

    @property
    def month(self) -> range:
        """Days of normal mail before the day: a month, at a small scale a week."""
        return range(-max(_WEEK_DAYS, round(_MONTH_DAYS * min(1, self.scale))), 0)

    def days_of(self, a_day: int) -> range:
        """The same for a machine that sends so much a day that fewer days tell all."""
        days = max(_WEEK_DAYS, _MOST_HISTORY // a_day)
        return range(max(self.month.start, -days), 0)

    def size(self, full: int) -> int:
        """So many at this scale."""
        return (
            full if full <= _NOT_SCALED else max(_NOT_SCALED, round(full * self.scale))
        )


@dataclass(frozen=True, slots=True)
class Members:
    """Consent on file before the history begins.

    Attributes:
        customer: who keeps the list.
        list_id: of the list.
        addresses: of those who confirmed.
    """

    customer: str
    list_id: str
    addresses: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Acts:
    """The traffic of one scenario.

    Attributes:
        history: what was sent before the day.
        day: what is played.
        members: consent on file.
    """

    history: Iterable[Message]
    day: Iterable[Message]
    members: tuple[Members, ...] = ()


Make = Callable[[Play], Acts]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One row of the table.

    Attributes:
        key: the letter, with the disguise.
        story: in a few words.
        make: its traffic; the same for the same `Play`.
        settings: what its operator configured, TOML.
        target: of a bad one, recipients that may be reached before the gate closes;
            None for a good one, of which nothing may be stopped.
    """

    key: str
    story: str
    make: Make
    settings: str = NETWORK
    target: int | None = None

    @property
    def is_bad(self) -> bool:
        """Whether the gate is there to stop it."""
        return self.target is not None


def at_home(login: str, host: int) -> Origin:
    """Somebody who logs in from a client of ours."""
    return Origin(login=login, client=f"{INSIDE}{host}")

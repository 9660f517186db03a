"""Plans as `policy` makes them, and a clock that goes on when it is told to."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from outgate.message.fingerprint import BANDS
from outgate.model.gcra import Level
from outgate.model.limit import Count, Limit, Per
from outgate.model.standing import Conduct
from outgate.model.units import Rate
from outgate.policy.questions import Answers, Plan, PlannedCharge

ANNE = "anne@example.com"
# Tuesday, 24 November 2026, and an odd number of microseconds.
START_US = 1_795_500_000_123_457
DAY_US = 86_400_000_000


class Clock:
    """Time that goes on when it is told to."""

    def __init__(self, now_us: int = START_US) -> None:
        self.now_us = now_us

    def __call__(self) -> int:
        return self.now_us

    def monotonic_s(self) -> float:
        return self.now_us / 1_000_000

    def wait(self, seconds: float) -> None:
        self.now_us += round(seconds * 1_000_000)


def a_charge(
    *,
    name: str = "messages-hourly",
    identity: str = ANNE,
    interval_us: int = 1_000_000,
    burst: int = 5,
    cost: int = 1,
    binding: bool = True,
) -> PlannedCharge:
    rate = Rate(1, timedelta(microseconds=interval_us))
    limit = Limit(
        name=name, per=Per.LOGIN, count=Count.MESSAGES, rate=rate, burst=burst
    )
    return PlannedCharge(limit, identity, rate, burst, cost, binding)


def of_strangers(
    *,
    name: str = "strangers-daily",
    interval_us: int = DAY_US // 10,
    burst: int = 10,
    binding: bool = True,
    most: int = 1,
) -> PlannedCharge:
    """A limit on strangers, for a message with so many recipients at most."""
    charge = a_charge(
        name=name, interval_us=interval_us, burst=burst, cost=most, binding=binding
    )
    limit = replace(charge.limit, count=Count.STRANGERS)
    return replace(charge, limit=limit)


def of_different(
    *items: str,
    name: str = "different-daily",
    window_us: int = DAY_US,
    limit: int = 10,
    binding: bool = True,
) -> PlannedCharge:
    """A limit on different ones, and what a message has of them."""
    rate = Rate(limit, timedelta(microseconds=window_us))
    declared = Limit(
        name=name,
        per=Per.LOGIN,
        count=Count.DISTINCT_RECIPIENTS,
        rate=rate,
        burst=limit,
    )
    return PlannedCharge(declared, ANNE, rate, limit, len(items), binding, items)


def a_campaign(
    *,
    interval_us: int = DAY_US,
    burst: int = 5,
    share: int = 60,
    binding: bool = True,
) -> PlannedCharge:
    """The limit on strangers that one content may reach."""
    rate = Rate(1, timedelta(microseconds=interval_us))
    limit = Limit(
        name="strangers-per-campaign",
        per=Per.CAMPAIGN,
        count=Count.STRANGERS,
        rate=rate,
        burst=burst,
        share=share,
    )
    return PlannedCharge(limit, "", rate, burst, 0, binding)


def some_people(count: int, first: int = 0) -> tuple[str, ...]:
    """So many mailboxes, always the same."""
    return tuple(f"bart{number}@example.net" for number in range(first, first + count))


def some_bands(*numbers: int) -> tuple[bytes, ...]:
    """The bands of one content: equal numbers, at the same place, are shared."""
    given = numbers if len(numbers) == BANDS else numbers * BANDS
    return tuple(b"band %d" % number for number in given)


def a_plan(
    *charges: PlannedCharge,
    customer: str = ANNE,
    names: Sequence[str] = (),
    own_names: Sequence[str] = (),
    message: bytes = b"dinner on Friday",
    people: Sequence[str] = (),
    greeting: bool = True,
    subscribed: str = "",
    campaign: PlannedCharge | None = None,
    bands: Sequence[bytes] = (),
    conduct: Conduct | None = None,
) -> Plan:
    return Plan(
        customer=customer,
        names=(customer, *names),
        own_names=(customer, *own_names),
        charges=list(charges),
        retry_material=message,
        external=max(1, len(people)),
        internal=0,
        principal=customer,
        people=tuple(people),
        greeting=greeting and not subscribed,
        subscribed=subscribed,
        campaign=campaign,
        bands=tuple(bands),
        conduct=conduct,
    )


def plain(answers: Answers) -> list[Level]:
    """The levels, without what there is to give back."""
    return [level._replace(charged=0) for level in answers.levels]


def a_message(
    number: int,
    *,
    people: tuple[str, ...],
    content: int = 0,
    room: int = 1_000,
    burst: int = 1_000,
) -> Plan:
    """A message against one limit of each kind."""
    return a_plan(
        a_charge(name="messages", interval_us=DAY_US, burst=room),
        of_strangers(interval_us=DAY_US, burst=room, most=len(people)),
        of_different(*people, limit=room, window_us=30 * DAY_US),
        people=people,
        message=b"%d" % number,
        campaign=a_campaign(burst=burst),
        bands=some_bands(content),
    )


def narrowed(plan: Plan, place: int, *, burst: int) -> Plan:
    """The same where one of its limits has room for so many."""
    charges = list(plan.charges)
    charges[place] = replace(charges[place], burst=burst)
    return replace(plan, charges=charges)

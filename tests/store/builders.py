"""Plans as `policy` makes them, and a clock that goes on when it is told to."""

from collections.abc import Sequence
from datetime import timedelta

from outgate.model.limit import Count, Limit, Per
from outgate.model.units import Rate
from outgate.policy.questions import Plan, PlannedCharge

ANNE = "anne@example.com"
# Tuesday, 24 November 2026, and an odd number of microseconds.
START_US = 1_795_500_000_123_457


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


def a_plan(
    *charges: PlannedCharge,
    customer: str = ANNE,
    names: Sequence[str] = (),
    own_names: Sequence[str] = (),
    message: bytes = b"dinner on Friday",
) -> Plan:
    return Plan(
        customer=customer,
        names=(customer, *names),
        own_names=(customer, *own_names),
        charges=list(charges),
        retry_material=message,
        external=1,
        internal=0,
    )

"""One scenario before a real gate: what was sent, who was reached, what was stopped.

While a gate is shut, most of a flood says nothing new: only some of it is played. A
gate that opens again gets all of it; one that stays shut, in the end none.
"""

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from lab.redis import RedisServer
from outgate.store.client import connect
from scenarios.gatehouse import Gatehouse
from scenarios.mail import Message
from scenarios.memory import How, register, remember
from scenarios.plain import LIMITS, PlainResult, limit_plainly
from scenarios.registered import settings_of
from scenarios.scenario import Acts, Play, Scenario
from store.running import Store, endpoint, narrow_wire, new_keys

# So many unwanted messages stopped in a row, and the gate has shut.
SHUT_AFTER = 100
# While it is, one in so many is played …
PLAYED_OF = 20
# … until so many of those were stopped in a row.
GIVE_UP_AFTER = 1000


@dataclass(slots=True, kw_only=True)
class Result:
    """What came of one day before one gate.

    Attributes:
        sent: messages that were played.
        reached: recipients of unwanted mail before the gate shut.
        later: recipients of it afterwards.
        stopped: wanted messages that were not let out at once.
        tagged: wanted messages with a tag.
        reasons: of all that was stopped or tagged: action and reason.
        virtual_s: from the first to the last message played.
        wall_s: how long that took, history included.
        remembered: messages of the history that were sent, and stopped.
    """

    sent: int = 0
    reached: int = 0
    later: int = 0
    stopped: int = 0
    tagged: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    virtual_s: float = 0.0
    wall_s: float = 0.0
    remembered: Counter[str] = field(default_factory=Counter)


@dataclass(slots=True, kw_only=True)
class Row:
    """One scenario under one seed.

    Attributes:
        scenario: its key.
        offered: messages of the day, played or not.
        first_day: before an empty gate.
        after: before one that has watched the history; None without any.
        plain: before plain limits.
    """

    scenario: str
    offered: int
    first_day: Result
    after: Result | None
    plain: tuple[PlainResult, ...]


@contextmanager
def store_of(server: RedisServer) -> Iterator[Store]:
    """A store that nobody else uses."""
    target = endpoint(server)
    wire = narrow_wire(target)
    try:
        with connect(target) as client:
            yield Store(server, client, wire)
    finally:
        wire.close()


def run_row(store: Store, scenario: Scenario, play: Play, more: str = "") -> Row:
    """Play a scenario before an empty gate, before one with its history, plainly.

    Args:
        store: nobody else's.
        scenario: which.
        play: its seed and scale.
        more: settings for all scenarios alike, TOML.
    """
    acts = scenario.make(play)
    day = list(acts.day)
    first_day = run(store, scenario, Acts((), day, acts.members), more)
    after = run(store, scenario, Acts(acts.history, day, acts.members), more)
    return Row(
        scenario=scenario.key,
        offered=len(day),
        first_day=first_day,
        after=after if after.remembered else None,
        plain=tuple(limit_plainly(limit, day) for limit in LIMITS),
    )


def run(
    store: Store,
    scenario: Scenario,
    acts: Acts,
    more: str = "",
    how: How = How.WATCHED,
) -> Result:
    """Play these acts before a new gate."""
    started_s = time.monotonic()
    house = Gatehouse(store, new_keys(), settings_of(scenario, more))
    register(house, acts.members)
    remembered = remember(house, acts.history, how)
    result = _play(house, list(acts.day))
    result.remembered = remembered
    result.wall_s = time.monotonic() - started_s
    return result


def _play(house: Gatehouse, day: Sequence[Message]) -> Result:
    result = Result()
    in_a_row = number = 0
    shut = False
    first_s = last_s = day[0].at_s if day else 0.0
    for message in day:
        if message.unwanted:
            number += 1
            asleep = in_a_row >= SHUT_AFTER and number % PLAYED_OF
            if asleep or in_a_row >= GIVE_UP_AFTER:
                continue
        decision = house.offer(message)
        action = decision.disposition.action
        last_s = message.at_s
        result.sent += 1
        if decision.disposition.reason is not None:
            result.reasons[f"{action} {decision.disposition.reason}"] += 1
        if not message.unwanted:
            result.stopped += not action.lets_out
            result.tagged += action.lets_out and decision.disposition.tag != ""
        elif not action.lets_out:
            in_a_row += 1
            shut = shut or in_a_row >= SHUT_AFTER
        else:
            in_a_row = 0
            if shut:
                result.later += len(message.recipients)
            else:
                result.reached += len(message.recipients)
    result.virtual_s = last_s - first_s
    return result

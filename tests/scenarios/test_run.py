"""Scenarios before the real gate and a real store: the simulator, and small targets.

At full size, with three seeds, they are in `test_bench`.
"""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from lab.redis import RedisServer
from lab.skips import or_skip
from outgate.model.errors import ConfigError
from scenarios.__main__ import main
from scenarios.catalogue import BY_KEY, SCENARIOS
from scenarios.gatehouse import Gatehouse
from scenarios.mail import EPOCH_S, HOUR_S, Content, Message, Origin
from scenarios.memory import How
from scenarios.playing import most_jobs, play_all
from scenarios.registered import settings_of
from scenarios.run import SHUT_AFTER, Row, run, store_of
from scenarios.scenario import Acts, Scenario
from scenarios.table import misses, table
from store.running import Store, new_keys

_TENTH = 0.1
# Five an hour and sender, and nothing else in the way.
_FIVE = """
[[limit]]
name = "messages-per-login-hourly"
per = "login"
count = "messages"
rate = "5/1h"
"""
ANNE = Origin(login="anne@example.org", client="192.0.2.1")
ELSEWHERE = Origin(client="203.0.113.9")


@pytest.fixture(scope="module")
def store() -> Iterator[Store]:
    """To a server that only these tests use."""
    with ExitStack() as stack:
        with or_skip():
            server = stack.enter_context(RedisServer())
        yield stack.enter_context(store_of(server))


def messages(
    *times: float, origin: Origin = ANNE, unwanted: bool = False
) -> list[Message]:
    return [
        Message(
            at_s=at_s,
            origin=origin,
            sender="anne@example.org",
            recipients=(f"reader{number}@example.net",),
            unwanted=unwanted,
            write=lambda number=number: Content(  # type: ignore[misc]
                (("Message-ID", b"<%d@example.org>" % number),), b"%d\r\n" % number
            ),
        )
        for number, at_s in enumerate(times)
    ]


def a_scenario(*, target: int | None = None) -> Scenario:
    return Scenario(key="test", story="", make=lambda play: Acts((), ()), target=target)


@pytest.fixture(scope="module")
def reduced() -> dict[str, Row]:
    """Every scenario with one seed, at a tenth of its size."""
    with or_skip():
        rows = play_all(SCENARIOS, seeds=1, scale=_TENTH, jobs=most_jobs())
        return {row.scenario: row for row in rows}


@pytest.mark.timeout(300)
@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda one: one.key)
def test_a_reduced_run(reduced: dict[str, Row], scenario: Scenario) -> None:
    """Every message is judged, the target is met, and the row is told."""
    row = reduced[scenario.key]

    results = [one for one in (row.first_day, row.after) if one is not None]
    for result in results:
        assert 0 < result.sent <= row.offered
        assert "internal-error" not in str(result.reasons)
        assert "store-unavailable" not in str(result.reasons)
        if not scenario.is_bad:
            assert result.sent == row.offered
            assert result.reached == result.later == 0
    assert row.after is not None or scenario.key == "u"
    assert not misses(scenario, [row]), results
    assert scenario.story in "\n".join(table([scenario], {scenario.key: [row]}))


def test_time_is_virtual(store: Store) -> None:
    """Limits drain by the time of the messages, and decisions carry it."""
    house = Gatehouse(store, new_keys(), settings_of(a_scenario(), _FIVE))
    actions = []
    for message in messages(0, 0, 0, 0, 0, 1, HOUR_S, 2 * HOUR_S):
        decision = house.offer(message)
        actions.append(decision.disposition.action.lets_out)

        assert decision.now_us == (EPOCH_S + message.at_s) * 1_000_000
    assert actions == [True] * 5 + [False] + [True] * 2


@pytest.mark.parametrize("how", [How.WATCHED, How.SENT])
def test_history_is_not_counted_as_the_day(store: Store, how: How) -> None:
    """What it used up is used up; what of it was stopped, or would have been, is told."""
    acts = Acts(messages(*[-100.0] * 7), messages(0, 1))

    result = run(store, a_scenario(), acts, _FIVE, how)

    assert result.remembered == {"sent": 7, "stopped": 2}
    assert (result.sent, result.stopped) == (2, 2)
    assert result.reasons == {"quarantine limit-exceeded": 2}


def test_runs_do_not_meet(store: Store) -> None:
    """Each gate begins with an empty store."""
    results = [
        run(store, a_scenario(), Acts((), messages(*range(5))), _FIVE) for _ in range(2)
    ]

    assert [result.stopped for result in results] == [0, 0]


def test_a_flood_is_not_played_to_its_end(store: Store) -> None:
    """Once the gate has shut some of it is played, then none; wanted mail always is."""
    bad = messages(*(0.001 * place for place in range(40_000)), unwanted=True)
    wanted = messages(50.0, origin=Origin(login="bart@example.org"))

    result = run(store, a_scenario(target=5), Acts((), bad + wanted), _FIVE)

    assert result.reached == 5
    assert SHUT_AFTER < result.sent < 2_000
    assert result.stopped == 0
    assert result.virtual_s == 50.0


def test_a_gate_that_opens_again_is_noticed(store: Store) -> None:
    """What gets out afterwards is told apart."""
    bad = messages(*(30.0 * place for place in range(1_000)), unwanted=True)

    result = run(
        store, a_scenario(target=5), Acts((), bad), _FIVE.replace("5/1h", "1/12h")
    )

    assert result.reached == 1
    # Some eight hours: the limit drained once in twelve.
    assert result.later == 0

    result = run(
        store, a_scenario(target=5), Acts((), bad), _FIVE.replace("5/1h", "2/4h")
    )

    assert result.later > 0


def test_mail_that_is_not_ours_proves_nothing(store: Store) -> None:
    """A client that no setting names: it would pass unjudged."""
    house = Gatehouse(store, new_keys(), settings_of(a_scenario()))

    with pytest.raises(ConfigError, match="outbound"):
        house.offer(messages(0, origin=ELSEWHERE)[0])


def test_targets_are_those_of_the_policy() -> None:
    """All bad scenarios have one."""
    targets = {key: one.target for key, one in BY_KEY.items() if one.is_bad}

    assert {targets[key] for key in targets if key.startswith("a")} == {60}
    assert [targets[key] for key in "bcdefghi"] == [150, 60, 60, 120, 120, 60, 50, 60]


def test_the_command_prints_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    """Both kinds of scenarios, and what a message cost."""
    with or_skip():
        assert main(["--only", "j,e", "--seeds", "1", "--scale", "0.02"]) == 0

    told = capsys.readouterr().out
    assert "one a minute for a week" in told
    assert "a note to 15 friends" in told
    assert "a second" in told


def test_the_command_knows_its_scenarios(capsys: pytest.CaptureFixture[str]) -> None:
    """A wrong letter is an error, and not an empty table."""
    assert main(["--only", "j,nobody"]) == 2
    assert "nobody" in capsys.readouterr().err

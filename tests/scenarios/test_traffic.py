"""The mail of the simulated days: always the same, in order, and as its scenario says."""

from itertools import islice, pairwise
from random import Random

import pytest

from scenarios.catalogue import BY_KEY, SCENARIOS
from scenarios.mail import DAY_S, EPOCH_S, Message
from scenarios.people import crowd, first_name
from scenarios.scenario import Play, Scenario

_SMALL = 0.01
_SOME = 300

each = pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda one: one.key)


def opening(scenario: Scenario, seed: str) -> list[Message]:
    acts = scenario.make(Play(seed, _SMALL))
    return [*islice(acts.history, _SOME), *islice(acts.day, _SOME)]


def told(messages: list[Message]) -> list[object]:
    return [
        (one.at_s, one.origin, one.sender, one.recipients, one.unwanted, one.write())
        for one in messages
    ]


@each
def test_one_seed_gives_one_traffic(scenario: Scenario) -> None:
    """Envelopes and texts, made twice."""
    assert told(opening(scenario, "7")) == told(opening(scenario, "7"))


@each
def test_another_seed_gives_another(scenario: Scenario) -> None:
    """Or several seeds would say what one says."""
    assert told(opening(scenario, "7")) != told(opening(scenario, "8"))


@each
def test_a_day_does_not_depend_on_its_history(scenario: Scenario) -> None:
    """The first day is the same day."""
    alone = list(islice(scenario.make(Play("7", _SMALL)).day, _SOME))
    acts = scenario.make(Play("7", _SMALL))
    list(acts.history)

    assert told(list(islice(acts.day, _SOME))) == told(alone)


@each
def test_time_does_not_go_back(scenario: Scenario) -> None:
    """History ends before the day begins, and each is in order."""
    acts = scenario.make(Play("7", _SMALL))
    history = [one.at_s for one in acts.history]
    day = [one.at_s for one in acts.day]

    for times in (history, day):
        assert all(before <= after for before, after in pairwise(times))
    assert not history or history[-1] < 0 <= day[0]


@each
def test_what_is_written_is_mail(scenario: Scenario) -> None:
    """With the headers that every message has, and a body that is seen whole."""
    for message in opening(scenario, "7")[-20:]:
        content = message.write()
        names = {name for name, _ in content.headers}

        assert {"Date", "From", "To", "Message-ID", "Subject"} <= names
        assert 20 < len(content.body) < 65_536
        assert message.recipients


@each
def test_only_bad_scenarios_have_unwanted_mail(scenario: Scenario) -> None:
    """And all of them have."""
    day = scenario.make(Play("7", _SMALL)).day

    assert any(one.unwanted for one in day) is scenario.is_bad


def test_sizes_are_those_of_the_stories() -> None:
    """At full size; what is counted is recipients."""
    expected = {"j": 15, "k": 60, "m": 120, "r": 900, "u": 150, "s": 4000, "y": 300}

    for key, size in expected.items():
        day = BY_KEY[key].make(Play("7")).day
        assert len({who for one in day for who in one.recipients}) == size, key


def test_strangers_are_different_people() -> None:
    """A flood that wrote twice to the same would be smaller than it says."""
    people = crowd(Random(7), 20_000)

    assert len(set(people)) == len(people)


def test_the_history_of_the_yearly_letter_is_a_year_old() -> None:
    """Twelve months, on the same weekday."""
    first = next(iter(BY_KEY["y"].make(Play("7")).history))

    assert -366 * DAY_S < first.at_s < -360 * DAY_S


def test_the_day_is_a_monday() -> None:
    """Offices are open."""
    assert EPOCH_S % DAY_S == 0
    # 1 January 1970 was a Thursday.
    assert (EPOCH_S // DAY_S) % 7 == 4


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("anne.miller42@bigmail.example", "Anne"),
        ("bart1234@x.example", "Bart"),
        ("c_weber@x.example", "C"),
    ],
)
def test_names_are_guessed_from_addresses(address: str, name: str) -> None:
    """As every mailing does."""
    assert first_name(address) == name

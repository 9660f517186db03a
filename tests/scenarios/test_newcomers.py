"""New customers before the real gate and a real store: friends pass, bulk does not."""

from collections.abc import Iterator
from contextlib import ExitStack
from random import Random

import pytest

from lab.redis import RedisServer
from lab.skips import or_skip
from outgate.config.reader import parse
from outgate.model.verdict import Reason
from outgate.policy.decision import Decision
from scenarios.gatehouse import Gatehouse
from scenarios.habits import in_batches, quietly, to_each
from scenarios.mail import DAY_S, HOUR_S, Traffic
from scenarios.mailings import advert
from scenarios.people import crowd
from scenarios.run import store_of
from scenarios.scenario import NETWORK, at_home
from scenarios.writing import business, note
from store.running import Store, new_keys

LOGIN = "rosa@new.example"
HOME = at_home(LOGIN, 60)
PROBATION = """
[[customer]]
name = "rosa"
match = ["rosa@new.example"]
profile = "probation"
"""
# Ten strangers a content at first, fifty after a month.
WARM_UP = """
[[profile]]
name = "normal"
start = 20
most = 200
"""


@pytest.fixture(scope="module")
def store() -> Iterator[Store]:
    """To a server that only these tests use."""
    with ExitStack() as stack:
        with or_skip():
            server = stack.enter_context(RedisServer())
        yield stack.enter_context(store_of(server))


def a_house(store: Store, settings: str) -> Gatehouse:
    return Gatehouse(
        store, new_keys(), parse(f'mode = "enforce"\n{NETWORK}\n{settings}')
    )


def adverts(day: float, count: int, seed: str) -> Traffic:
    """One mailing to strangers, a message a minute."""
    rng = Random(seed)
    times = [day * DAY_S + 60 * place for place in range(count)]
    return to_each(rng, times, HOME, LOGIN, crowd(rng, count), advert)


def play(house: Gatehouse, traffic: Traffic) -> list[Decision]:
    return [house.offer(message) for message in traffic]


def let_out(decisions: list[Decision]) -> int:
    return sum(one.disposition.action.lets_out for one in decisions)


class TestProbation:
    """A customer whom nobody knows yet."""

    def test_a_note_to_fifteen_friends_passes(self, store: Store) -> None:
        """In one message, or in as many as there are friends."""
        rng = Random("friends")
        friends = crowd(rng, 15)
        house = a_house(store, PROBATION)
        together = in_batches(rng, HOUR_S, HOME, LOGIN, friends, note, batch=15)
        assert let_out(play(house, together)) == 1

        times = [HOUR_S + 60.0 * place for place in range(15)]
        house = a_house(store, PROBATION)
        each = to_each(rng, times, HOME, LOGIN, crowd(rng, 15), note)
        assert let_out(play(house, each)) == 15

    def test_a_mailing_to_a_hundred_strangers_does_not(self, store: Store) -> None:
        """Fifteen have it; a customer of the normal profile reaches fifty."""
        for settings, most in ((PROBATION, 15), ("", 50)):
            decisions = play(a_house(store, settings), adverts(0, 100, "advert"))
            assert let_out(decisions) == most
            assert decisions[-1].verdict.reasons == (Reason.BULK_TO_STRANGERS,)

    def test_a_first_working_day_passes(self, store: Store) -> None:
        """Forty letters of business to people who never heard of the customer."""
        rng = Random("business")
        times = [9 * HOUR_S + 600.0 * place for place in range(40)]
        letters = to_each(rng, times, HOME, LOGIN, crowd(rng, 40), business)
        assert let_out(play(a_house(store, PROBATION), letters)) == 40


class TestWarmUp:
    """Limits that grow with good conduct."""

    def test_a_mailing_reaches_more_the_longer_one_behaves(self, store: Store) -> None:
        """Ten, thirty, fifty, a hundred: as the operator drew the line."""
        for days, most in ((0, 10), (15, 30), (30, 50), (60, 100), (300, 100)):
            house = a_house(store, WARM_UP)
            rng = Random("before")
            month = range(-days, 0) if days < 90 else range(-days, -days + 9)
            play(house, quietly(rng, HOME, LOGIN, month))
            # It grows a little while it is being sent.
            reached = let_out(play(house, adverts(0.5, 120, f"{days}")))
            assert most <= reached <= most + 4

    def test_a_stopped_mailing_takes_it_back(self, store: Store) -> None:
        """A month later it may reach fifty again."""
        house = a_house(store, WARM_UP)
        rng = Random("behaved")
        play(house, quietly(rng, HOME, LOGIN, range(-70, 0)))
        first = play(house, adverts(0, 150, "first"))
        assert first[-1].answers is not None
        assert let_out(first) == 100
        (second,) = play(house, adverts(1, 1, "second"))
        assert second.answers is not None
        assert second.answers.standing < 25
        (later,) = play(house, adverts(31, 1, "later"))
        assert later.answers is not None
        assert later.answers.standing >= 100

    def test_the_reply_and_the_log_name_the_limit_in_force(self, store: Store) -> None:
        """Or nobody understands why fifty are not fifty."""
        decisions = play(a_house(store, WARM_UP), adverts(0, 11, "eleven"))
        finding = decisions[-1].verdict.findings[0]
        assert finding.detail == "strangers-per-campaign 10/1w, 20% of 50/1w"
        assert "of whom you may reach 10/1w now" in finding.public

    def test_friends_pass_at_once(self, store: Store) -> None:
        """One note to each: no content of them reached ten strangers."""
        rng = Random("friends")
        times = [HOUR_S + 60.0 * place for place in range(15)]
        notes = to_each(rng, times, HOME, LOGIN, crowd(rng, 15), note)
        assert let_out(play(a_house(store, WARM_UP), notes)) == 15

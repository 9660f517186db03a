"""Whom a customer has mailed: on a real server, and as the twin has it."""

import shlex
from dataclasses import dataclass, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outgate.model.contacts import WEEK_US, WEEKS_KEPT, Contacts
from outgate.model.limit import Count
from outgate.policy.questions import Answers, Plan
from outgate.store.counters import Counters
from outgate.store.erasure import Kind
from outgate.store.hashes import Hashes
from outgate.store.keys import Keys
from pages.redis import ONE_LINERS
from store.builders import (
    ANNE,
    DAY_US,
    START_US,
    Clock,
    a_charge,
    a_plan,
    of_strangers,
    some_people,
)
from store.remembered import count_strangers, send_to_a_crowd, sizes_of
from store.running import SECRET, Store, fast, new_keys

_HASHES = Hashes(SECRET)


@dataclass(frozen=True)
class Step:
    """One message.

    Attributes:
        weeks: that pass before it.
        people: whom it goes to.
        commit: whether it is charged, or only looked at.
        undone: whether it is not let out after all.
        met: whether it leaves all the same.
        erased: who is erased after it, None for nobody.
    """

    weeks: int
    people: frozenset[int]
    commit: bool
    undone: bool
    met: bool
    erased: int | None


_STEPS = st.builds(
    Step,
    weeks=st.sampled_from([0, 0, 1, 2, 28, WEEKS_KEPT, WEEKS_KEPT + 1, 120]),
    people=st.frozensets(st.integers(0, 30), min_size=1, max_size=8),
    commit=st.sampled_from([True, True, True, False]),
    undone=st.booleans(),
    met=st.booleans(),
    erased=st.one_of(st.none(), st.integers(0, 30)),
)


@fast
@given(steps=st.lists(_STEPS, min_size=1, max_size=15), crowd=st.sampled_from([0, 700]))
def test_the_scripts_say_what_the_twin_says(
    store: Store, steps: list[Step], crowd: int
) -> None:
    """Any history: the same strangers; also where they are spread over pages."""
    keys, clock = new_keys(), Clock()
    counters = store.counters(keys, clock)
    twin = Contacts()
    if crowd:
        others = a_plan(people=some_people(crowd, first=1_000))
        counters.look_up(others)
        twin.remember(map(_HASHES.item, others.people), clock.now_us)
    for step in steps:
        clock.now_us += step.weeks * WEEK_US
        if clock.now_us - START_US > 250 * WEEK_US:
            # Weeks come round again; nobody minds who was mailed five years ago.
            break
        plan = a_plan(people=[f"bart{one}@example.net" for one in step.people])
        hashes = [_HASHES.item(one) for one in plan.people]
        strangers = twin.strangers(hashes, clock.now_us)
        before = dict(twin.weeks)

        answers = counters.look_up(plan, commit=step.commit)

        assert split(answers) == strangers
        if not step.commit:
            continue
        twin.remember(hashes, clock.now_us)
        if step.undone:
            counters.settle(plan, answers, held_bytes=0)
            twin.forget(strangers)
            assert {one for one in before if one not in twin.weeks} <= set(strangers)
            if step.met:
                counters.meet(plan)
                twin.remember(hashes, clock.now_us)
        if step.erased is not None:
            one = _HASHES.item(f"bart{step.erased}@example.net")
            store.erase(Kind.CONTACTS, keys.contacts(ANNE), one)
            twin.forget([one])


def split(answers: Answers) -> list[bytes]:
    return [
        answers.strangers[at : at + 4] for at in range(0, len(answers.strangers), 4)
    ]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def counters(store: Store, keys: Keys, clock: Clock) -> Counters:
    return store.counters(keys, clock)


def strangers(counters: Counters, *people: str) -> int:
    """How many of them are strangers; nothing is remembered."""
    return counters.look_up(a_plan(people=people), commit=False).stranger_count


BART = "bart@example.net"
CORA = "cora@example.net"


class TestWeeks:
    """57 of them, about 400 days."""

    def test_a_yearly_letter_finds_its_readers_known(
        self, counters: Counters, clock: Clock
    ) -> None:
        """At Christmas, and again at the next."""
        for _ in range(4):
            counters.look_up(a_plan(people=[BART]))
            clock.wait(396 * 86_400)
            assert strangers(counters, BART) == 0

    def test_who_was_mailed_too_long_ago_is_a_stranger_again(
        self, counters: Counters, clock: Clock
    ) -> None:
        """Nobody remembers whoever wrote once, years ago."""
        counters.look_up(a_plan(people=[BART]))
        clock.now_us += WEEKS_KEPT * WEEK_US
        assert strangers(counters, BART) == 0
        clock.now_us += WEEK_US
        assert strangers(counters, BART) == 1

    def test_mail_refreshes_a_contact(self, counters: Counters, clock: Clock) -> None:
        """Known from the last message on, not from the first."""
        counters.look_up(a_plan(people=[BART, CORA]))
        clock.now_us += 50 * WEEK_US
        counters.look_up(a_plan(people=[BART]))
        clock.now_us += 50 * WEEK_US
        assert (strangers(counters, BART), strangers(counters, CORA)) == (0, 1)

    @pytest.mark.parametrize("crowd", [0, 600])
    def test_a_clock_that_went_back_makes_no_strangers(
        self, counters: Counters, clock: Clock, crowd: int
    ) -> None:
        """Another server takes over, and its week has not begun yet."""
        counters.look_up(a_plan(people=(BART, *some_people(crowd))))
        clock.now_us -= WEEK_US
        assert strangers(counters, BART) == 0
        counters.look_up(a_plan(people=[BART]))
        clock.now_us += 57 * WEEK_US
        assert strangers(counters, BART) == 0

    def test_only_the_first_of_a_week_is_new(
        self, counters: Counters, clock: Clock
    ) -> None:
        """What counts for usual amounts: whoever had no mail yet this week."""
        plan = a_plan(people=[BART, CORA])
        assert counters.look_up(plan).renewed == 2
        assert counters.look_up(plan).renewed == 0
        clock.now_us += WEEK_US
        assert counters.look_up(a_plan(people=[BART])).renewed == 1
        assert counters.look_up(plan).renewed == 1


class TestPages:
    """Beyond 512 new ones, contacts are spread over pages."""

    @pytest.mark.parametrize("crowd", [511, 512, 513, 1_500])
    def test_all_are_known_afterwards(
        self, counters: Counters, store: Store, keys: Keys, crowd: int
    ) -> None:
        """In one message or in many, before the table is spread and after."""
        people = some_people(crowd)
        for first in range(0, crowd, 100):
            counters.look_up(a_plan(people=people[first : first + 100]))

        assert strangers(counters, *people) == 0
        pages = int(store.ask("HLEN", keys.contacts(ANNE))) - 1
        assert (pages > 0) is (crowd > 512)

    def test_a_page_is_refreshed_too(self, counters: Counters, clock: Clock) -> None:
        """Also in the very message that spreads the table."""
        counters.look_up(a_plan(people=(BART, *some_people(600))))
        clock.now_us += 50 * WEEK_US
        counters.look_up(a_plan(people=(BART, *some_people(600, first=600))))
        clock.now_us += 50 * WEEK_US
        assert strangers(counters, BART) == 0
        assert strangers(counters, *some_people(600)) > 590

    @pytest.mark.parametrize("crowd", [3, 600])
    def test_what_did_not_leave_is_forgotten(
        self, counters: Counters, store: Store, keys: Keys, crowd: int
    ) -> None:
        """All of them and nobody else, also where they were spread already."""
        counters.look_up(a_plan(people=[BART]))
        plan = a_plan(people=(BART, *some_people(crowd)))
        counters.settle(plan, counters.look_up(plan), held_bytes=0)

        assert strangers(counters, *some_people(crowd)) >= crowd - 1
        assert strangers(counters, BART) == 0

    def test_expired_ones_leave_the_pages(
        self, counters: Counters, clock: Clock, store: Store, keys: Keys
    ) -> None:
        """Whoever is not mailed for long takes no memory: it does not pile up."""
        for year in range(5):
            for part in range(5):
                people = some_people(1_000, first=10_000 * year + 1_000 * part)
                counters.look_up(a_plan(people=people))
            clock.now_us += 60 * WEEK_US
        kept = sum(len(value) for value in store.ask("HVALS", keys.contacts(ANNE)))
        assert kept <= 2 * 3 * 5_000

    def test_a_full_page_keeps_the_newest(
        self, counters: Counters, store: Store, keys: Keys
    ) -> None:
        """Whoever mails more than there is room for forgets whom he mailed first."""
        for first in range(0, 150_000, 1_000):
            counters.look_up(a_plan(people=some_people(1_000, first=first)))

        sizes = [len(page) // 3 for page in store.ask("HVALS", keys.contacts(ANNE))]
        assert max(sizes) <= 256
        # Some were taken for an older one, who is forgotten now.
        assert strangers(counters, *some_people(10_000, first=140_000)) <= 100
        assert strangers(counters, *some_people(10_000)) > 2_000

    @pytest.mark.parametrize("turn", [0, 1])
    def test_pages_are_swept_in_turn(
        self,
        counters: Counters,
        clock: Clock,
        store: Store,
        keys: Keys,
        turn: int,
    ) -> None:
        """Not all by every message: that would cost many times its own worth."""
        key, week = keys.contacts(ANNE), clock.now_us // WEEK_US
        page = (week + turn) % 64
        records = [b"%2d%c" % (10, week % 256)]
        records += [b"%2d%c" % (20 + one, (week - 100) % 256) for one in range(10)]
        store.client.hset(key, str(page), b"".join(records))
        # Somebody of this page is among them.
        counters.look_up(a_plan(people=some_people(4_000)))

        found = store.client.hget(key, str(page))
        assert found is not None
        assert found.startswith(records[0])
        assert (records[1] in found) is (turn > 0)


def test_a_message_without_strangers_passes_a_full_limit(counters: Counters) -> None:
    """Known people cost nothing, however many strangers there were before."""
    limit = of_strangers(burst=2)
    counters.look_up(a_plan(limit, people=[BART, CORA]))
    assert not counters.look_up(a_plan(limit, people=["dan@example.net"])).allowed

    answers = counters.look_up(a_plan(limit, people=[BART, CORA]))

    assert (answers.allowed, answers.levels[0].used) == (True, 2)
    assert answers.levels[0].charged == 0


def test_it_costs_as_many_as_are_strangers(counters: Counters) -> None:
    """Not as many as there are recipients."""
    counters.look_up(a_plan(people=some_people(8)))
    answers = counters.look_up(
        a_plan(of_strangers(burst=3, most=10), people=some_people(10))
    )
    assert (answers.allowed, answers.levels[0].used) == (True, 2)
    assert answers.levels[0].charged == 2


def test_a_refusal_remembers_nobody(
    counters: Counters, store: Store, keys: Keys
) -> None:
    """Who never got the mail is still a stranger; all-or-none holds for people, too."""
    plan = a_plan(of_strangers(burst=2), people=some_people(3))
    for attempt in range(3):
        answers = counters.look_up(plan)
        assert (answers.allowed, answers.stranger_count) == (False, 3)
        assert answers.attempts == attempt
    assert {name.partition(":")[0] for name in store.names(keys)} == {"seen"}


class TestAfterwards:
    """What is noted only when the mail has left."""

    def a_list(self, people: int) -> Plan:
        return a_plan(
            of_strangers(burst=3), people=some_people(people), subscribed="choir"
        )

    def test_who_asked_for_a_list_is_not_charged(
        self, counters: Counters, store: Store, keys: Keys
    ) -> None:
        """A look-up tells strangers, and leaves it at that."""
        answers = counters.look_up(self.a_list(9))

        assert (answers.allowed, answers.stranger_count) == (True, 9)
        assert answers.levels[0].charged == 0
        assert store.names(keys) == set()

    def test_who_did_not_ask_is_charged_afterwards(
        self, counters: Counters, store: Store, keys: Keys
    ) -> None:
        """And is known from then on; whoever asked is not."""
        plan = self.a_list(9)
        answers = counters.look_up(plan)
        answers.strangers = answers.strangers[: 2 * 4]
        counters.introduce(plan, answers)

        again = counters.look_up(plan, commit=False)
        assert (again.stranger_count, again.levels[0].used) == (7, 2)

    def test_who_is_taken_out_costs_nothing(self, counters: Counters) -> None:
        """No recipient, no different one, no stranger, no contact."""
        people = some_people(9)
        amount = a_charge(name="recipients", burst=99, cost=9)
        amount.limit = replace(amount.limit, count=Count.RECIPIENTS)
        different = a_charge(name="different", burst=99, interval_us=DAY_US, cost=9)
        different.limit = replace(different.limit, count=Count.DISTINCT_RECIPIENTS)
        different.items = people
        plan = self.a_list(9)
        plan.charges += [amount, different]
        answers = counters.look_up(plan)
        gone = frozenset(people[:2])
        answers.strangers = answers.strangers[: 3 * 4]
        counters.spare(plan, answers, gone, 2)
        counters.introduce(plan, answers, gone)

        amount.cost = 0
        again = counters.look_up(plan, commit=False)
        assert [level.used for level in again.levels[1:]] == [7, 9]
        assert len(again.levels[2].charged or b"") == 2 * 4  # type: ignore[arg-type]
        assert (again.stranger_count, again.attempts) == (8, 0)

    def test_a_domain_nobody_else_is_in_is_given_back(self, counters: Counters) -> None:
        """One that others of the message are in stays."""
        people = ("a@one.example", "b@one.example", "c@two.example")
        domains = a_charge(name="domains", burst=99, interval_us=DAY_US, cost=2)
        domains.limit = replace(domains.limit, count=Count.RECIPIENT_DOMAINS)
        domains.items = ("one.example", "two.example")
        plan = self.a_list(3)
        plan.people = people
        plan.charges.append(domains)
        answers = counters.look_up(plan)
        counters.spare(plan, answers, frozenset((people[0], people[2])), 2)

        again = counters.look_up(plan, commit=False)
        assert again.levels[1].charged == counters._hashes.items(["two.example"])

    def test_without_room_they_are_known_all_the_same(self, counters: Counters) -> None:
        """They have the mail; the counter has had its say before."""
        plan = self.a_list(9)
        answers = counters.look_up(plan)
        counters.introduce(plan, answers)

        again = counters.look_up(plan, commit=False)
        assert (again.stranger_count, again.levels[0].used) == (0, 0)

    def test_giving_back_takes_only_what_was_given(self, counters: Counters) -> None:
        """A list's readers were never remembered, so nobody is forgotten."""
        counters.look_up(a_plan(people=some_people(1)))
        plan = self.a_list(9)
        counters.settle(plan, counters.look_up(plan), held_bytes=0)

        assert strangers(counters, *some_people(9)) == 8

    def test_meeting_charges_nothing(
        self, counters: Counters, store: Store, keys: Keys
    ) -> None:
        """In monitor mode mail leaves that was given back: people are known now."""
        plan = a_plan(of_strangers(), people=some_people(3))
        counters.settle(plan, counters.look_up(plan), held_bytes=0)
        counters.meet(plan)

        assert strangers(counters, *plan.people) == 0
        answers = counters.look_up(plan, commit=False)
        assert answers.levels[0].used == 0
        assert answers.attempts == 0
        assert counters.look_up(plan, commit=False).today == 3


def test_the_line_of_the_manual_makes_strangers_of_all(
    counters: Counters, store: Store, keys: Keys
) -> None:
    """Of a customer who mailed bought addresses while the gate watched."""
    (line,) = (one for one, _ in ONE_LINERS if one.startswith("DEL "))
    counters.look_up(a_plan(people=some_people(9)))
    assert strangers(counters, *some_people(9)) == 0

    command, key = shlex.split(line)
    key = key.replace("outgate:", f"{keys.namespace}:").replace(
        "{choir}", f"{{{ANNE}}}"
    )
    assert store.client.execute_command(command, key) == 1
    assert strangers(counters, *some_people(9)) == 9


@pytest.mark.parametrize("number", [10_000, 100_000])
def test_many_contacts_are_kept_small(
    counters: Counters, store: Store, keys: Keys, number: int
) -> None:
    """At most 1 % of strangers are taken for known, at five bytes each and a little."""
    send_to_a_crowd(counters, number)

    # The latest ones were spread, so some of them may have met another's two bytes.
    assert strangers(counters, *some_people(2_000, first=number - 2_000)) == 0
    assert count_strangers(counters, 10_000) >= 9_900
    assert sizes_of(store, keys)["contacts"] <= 512 * 1024
    assert counters.look_up(a_plan(), commit=False).now_us == START_US

"""What a customer has mailed, by content: on a real server, and as the twin has it."""

import struct
from dataclasses import dataclass, replace
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outgate.model.content import FEW, HOUR_US, HOURS_KEPT, PEOPLE_MAX, PLACES, Contents
from outgate.model.gcra import NEVER
from outgate.policy.questions import Answers, Plan, PlannedCharge
from outgate.store.counters import Counters
from outgate.store.erasure import Kind
from outgate.store.hashes import BAND_BYTES, BANDS, Hashes
from outgate.store.keys import Keys
from store.builders import (
    ANNE,
    DAY_US,
    Clock,
    a_campaign,
    a_charge,
    a_plan,
    some_bands,
    some_people,
)
from store.running import SECRET, Store, fast, new_keys

_HASHES = Hashes(SECRET)
_RECORD = 60
_HEAD = struct.Struct(">ddIB")
_NOBODY = bytes(4)


@dataclass(frozen=True)
class Step:
    """One message.

    Attributes:
        wait_h: hours that pass before it.
        bands: of its content.
        people: whom it goes to.
        undone: whether it is not let out after all.
        commit: whether it is charged, or only looked at.
        slower: by which factor the limit drains more slowly for this message.
        erased: who is erased after it, where it was charged; None for nobody.
    """

    wait_h: int
    bands: tuple[int, ...]
    people: frozenset[int]
    undone: bool
    commit: bool
    slower: int
    erased: int | None


_STEPS = st.builds(
    Step,
    wait_h=st.sampled_from([0, 0, 1, 30, 400, HOURS_KEPT, HOURS_KEPT + 1]),
    # Few values, so that contents share bands with one another, and with several.
    bands=st.one_of(
        st.integers(0, 3).map(lambda one: (one,) * BANDS),
        st.tuples(*[st.integers(0, 9)] * BANDS),
    ),
    people=st.one_of(
        st.frozensets(st.integers(0, 9), min_size=1, max_size=3),
        st.integers(4, 90).map(lambda size: frozenset(range(size))),
        st.integers(4, 90).map(lambda size: frozenset(range(50, 50 + size))),
    ),
    undone=st.booleans(),
    commit=st.sampled_from([True, True, True, False]),
    slower=st.sampled_from([1, 1, 1, 2, 7]),
    erased=st.one_of(st.none(), st.integers(0, 90)),
)


@fast
@given(
    steps=st.lists(_STEPS, min_size=1, max_size=14),
    burst=st.sampled_from([2, 5, 60]),
    share=st.sampled_from([0, 60, 90]),
)
def test_the_scripts_say_what_the_twin_says(
    store: Store, steps: list[Step], burst: int, share: int
) -> None:
    """Any history: the same contents in the same order, reached by the same people."""
    keys, clock = new_keys(), Clock()
    counters = store.counters(keys, clock)
    twin = Contents()
    for number, step in enumerate(steps):
        clock.now_us += step.wait_h * HOUR_US
        campaign = a_campaign(
            interval_us=DAY_US * step.slower, burst=burst, share=share
        )
        plan = a_plan(
            people=[f"bart{one}@example.net" for one in sorted(step.people)],
            message=b"%d" % number,
            campaign=campaign,
            bands=some_bands(*step.bands),
        )
        hashes = [_HASHES.item(one) for one in plan.people]
        bands = split(_HASHES.bands(plan.bands), BAND_BYTES)
        rate_us = campaign.rate.interval_us
        before = stored(store, keys)

        answers = counters.look_up(plan, commit=step.commit)

        spread = answers.spread
        assert spread is not None
        unknown = answers.stranger_count
        fits = twin.fits(bands, hashes, unknown, burst, share, clock.now_us, rate_us)
        assert (answers.allowed, spread.fits) == (fits, fits)
        if not fits or not step.commit:
            assert stored(store, keys) == before
            continue
        added = twin.remember(bands, hashes, unknown, clock.now_us, rate_us)
        entry = twin.entries[-1]
        assert split(spread.added, 4) == added
        assert spread.strangers == entry.strangers(clock.now_us, rate_us)
        assert stored(store, keys) == expected(twin)
        if step.undone:
            counters.settle(plan, answers, held_bytes=0)
            twin.forget(bands, added, unknown, clock.now_us, rate_us)
            assert stored(store, keys) == expected(twin)
        if step.erased is not None:
            one = _HASHES.item(f"bart{step.erased}@example.net")
            reached = twin.erase(one)
            assert store.erase(Kind.CONTENT, keys.content(ANNE), one) == reached
            assert stored(store, keys) == expected(twin)


def split(text: bytes, width: int) -> list[bytes]:
    return [text[at : at + width] for at in range(0, len(text), width)]


# Bands, hour, people, depth, strangers ever; then what drains.
Row = tuple[bytes, int, list[bytes], int, int, tuple[int, int] | None]


def stored(store: Store, keys: Keys) -> list[Row]:
    """The table as the server keeps it; every field of it belongs to a content."""
    values = iter(store.ask("HGETALL", keys.content(ANNE)))
    table = dict(zip(values, values, strict=True))
    rows: list[Row] = []
    for record in split(table.pop(b"index", b""), _RECORD):
        bands, hour, field, few = struct.unpack(">36sHBB", record[:40])
        if field:
            value = table.pop(b"%d" % field)
            tat_us, interval_us, ever, depth = _HEAD.unpack_from(value)
            people = split(value[_HEAD.size :], 4)
            drains = (int(tat_us), int(interval_us))
            rows.append((bands, hour, people, depth, ever, drains))
        else:
            people = [one for one in split(record[40:], 4) if one != _NOBODY]
            rows.append((bands, hour, people, 0, few, None))
    assert not table
    return rows


def expected(twin: Contents) -> list[Row]:
    return [
        (
            b"".join(entry.bands),
            entry.hour % 65536,
            entry.people,
            entry.depth,
            entry.ever,
            None if entry.is_small else (entry.tat_us, entry.counted_us),
        )
        for entry in twin.entries
    ]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def counters(store: Store, keys: Keys, clock: Clock) -> Counters:
    return store.counters(keys, clock)


def mail(
    counters: Counters,
    *bands: int,
    people: int = 1,
    first: int = 0,
    campaign: PlannedCharge | None = None,
    commit: bool = True,
) -> Answers:
    """Send one message of a content to so many people."""
    plan = a_mail(*bands, people=people, first=first, campaign=campaign)
    return counters.look_up(plan, commit=commit)


def a_mail(
    *bands: int, people: int, first: int = 0, campaign: PlannedCharge | None = None
) -> Plan:
    return a_plan(
        people=some_people(people, first),
        campaign=campaign or a_campaign(interval_us=1_000_000, burst=1_000_000),
        bands=some_bands(*bands),
    )


def reached(answers: Answers) -> int:
    assert answers.spread is not None
    return answers.spread.reached


class TestFound:
    """Which messages say the same."""

    @pytest.mark.parametrize("place", range(BANDS))
    @pytest.mark.parametrize("people", [1, 9])
    def test_any_band_at_its_place_will_do(
        self, counters: Counters, place: int, people: int
    ) -> None:
        """A copy shares one of twelve at least; an unrelated text shares none."""
        mail(counters, *range(BANDS), people=people)
        copy = [100 + number for number in range(BANDS)]
        copy[place] = place
        assert reached(mail(counters, *copy, first=50)) == people + 1

    def test_the_same_band_elsewhere_is_another_one(self, counters: Counters) -> None:
        """Or each text would be twelve times as likely to look like another."""
        mail(counters, *range(BANDS), people=5)
        assert reached(mail(counters, *range(1, BANDS + 1), first=50)) == 1

    def test_a_mailing_that_changes_slowly_is_known_by_its_first_message(
        self, counters: Counters
    ) -> None:
        """What has nothing in common with it is a mailing of its own."""
        mail(counters, *[1] * 12)
        mail(counters, *[1] * 6, *[2] * 6, first=1)
        assert reached(mail(counters, *[2] * 12, first=2)) == 1

    def test_what_is_compared_as_a_whole_is_found(self, counters: Counters) -> None:
        """Pictures and the shortest of texts have one band."""
        plan = replace(a_mail(1, people=3), bands=(b"whole",))
        assert reached(counters.look_up(plan)) == 3
        assert reached(counters.look_up(plan)) == 3
        other = replace(plan, bands=(b"other",))
        assert reached(counters.look_up(other, commit=False)) == 3

    def test_other_customers_have_other_contents(self, counters: Counters) -> None:
        """What many of them send is another question."""
        plan = a_mail(1, people=3)
        counters.look_up(plan)
        answers = counters.look_up(
            replace(plan, customer="bart", people=some_people(1, first=9))
        )
        assert reached(answers) == 1


class TestTable:
    """64 contents."""

    @pytest.mark.parametrize("people", [1, FEW + 1])
    def test_64_are_kept(self, counters: Counters, people: int) -> None:
        """The least recently used one makes room."""
        for number in range(PLACES + 1):
            mail(counters, number, people=people, first=10 * number)
        look = partial(mail, counters, first=9_000, commit=False)
        assert reached(look(PLACES)) == people + 1
        assert reached(mail(counters, 1, first=10)) == people
        assert reached(look(0)) == 1
        mail(counters, 0, people=people, first=8_000)
        # Number 1 was used again, so number 2 went.
        assert reached(look(1)) == people + 1
        assert reached(look(2)) == 1

    @pytest.mark.parametrize("decoys", [1, FEW, FEW + 1, 90])
    def test_a_mailing_is_not_flushed_for_free(
        self, counters: Counters, decoys: int
    ) -> None:
        """By any number of mailings to own mailboxes, however many these are."""
        mail(counters, 500, people=decoys, first=9_000)
        mail(counters, 0, people=FEW + 1)
        for number in range(1, 3 * PLACES):
            answers = mail(counters, number, people=decoys, first=9_000)
            assert answers.stranger_count == 0
        assert reached(mail(counters, 0, first=50)) == FEW + 2

    @pytest.mark.parametrize(("strangers", "flushed"), [(23, False), (24, True)])
    def test_what_it_takes_to_flush_it(
        self, counters: Counters, strangers: int, flushed: bool
    ) -> None:
        """64 others, of which each reached half as many strangers or more."""
        mail(counters, 0, people=47)
        for number in range(1, PLACES + 1):
            mail(counters, number, people=strangers, first=100 * number)
        seen = reached(mail(counters, 0, first=9_000, commit=False))
        assert seen == (1 if flushed else 48)

    def test_letters_do_not_flush_a_newsletter_at_once(
        self, counters: Counters
    ) -> None:
        """To known people alone, while others of its customer write to strangers."""
        counters.look_up(a_plan(people=some_people(40)))
        mail(counters, 0, people=40)
        for number in range(1, PLACES):
            mail(counters, number, first=100 * number)
        assert reached(mail(counters, 0, first=9_000)) == 41

    def test_64_other_mailings_flush_it(
        self, counters: Counters, store: Store, keys: Keys
    ) -> None:
        """That is what it takes; and nothing of it stays behind."""
        for number in range(300):
            mail(counters, number, people=FEW + 1, first=10 * number)
        oldest = mail(counters, 300 - PLACES, first=9_000, commit=False)
        assert reached(oldest) == FEW + 2
        assert reached(mail(counters, 299 - PLACES, first=9_000, commit=False)) == 1
        assert len(stored(store, keys)) == PLACES

    @fast
    @given(
        mailings=st.lists(
            st.tuples(
                st.integers(0, 90), st.sampled_from([0, 1, 5, 6, 11, 12, 25, 300])
            ),
            max_size=8,
        )
    )
    def test_a_full_table_is_as_the_twin_has_it(
        self, store: Store, mailings: list[tuple[int, int]]
    ) -> None:
        """Whatever makes room for what."""
        keys, clock = new_keys(), Clock()
        counters = store.counters(keys, clock)
        twin = Contents()
        full = [(number, number % 8) for number in range(PLACES)]
        for place, (number, people) in enumerate([*full, *mailings]):
            # Somebody known, and so many strangers.
            who = (*some_people(1), *some_people(people, 1_000 * place + 1_000))
            plan = replace(a_mail(number, people=1), people=who)
            answers = counters.look_up(plan)
            twin.remember(
                split(_HASHES.bands(plan.bands), BAND_BYTES),
                [_HASHES.item(one) for one in who],
                answers.stranger_count,
                clock.now_us,
                1_000_000,
            )
        assert stored(store, keys) == expected(twin)

    def test_its_largest_size(
        self, counters: Counters, store: Store, keys: Keys
    ) -> None:
        """64 contents of 64 people each: 20 KiB and what Redis adds."""
        for number in range(PLACES):
            mail(counters, number, people=PEOPLE_MAX)
        used = int(store.ask("MEMORY", "USAGE", keys.content(ANNE), "SAMPLES", 0))
        assert used <= 28 * 1024


class TestReached:
    """How many people, and how many of them strangers."""

    def test_each_counts_once(self, counters: Counters) -> None:
        """Whoever gets a second copy was reached already."""
        assert reached(mail(counters, 1, people=2)) == 2
        assert reached(mail(counters, 1, people=2)) == 2
        assert reached(mail(counters, 1, people=3, first=1)) == 4

    @pytest.mark.parametrize("number", [200, 5_000, 50_000])
    def test_beyond_64_they_are_sampled(self, counters: Counters, number: int) -> None:
        """Within four standard errors of 15 %."""
        for first in range(0, number, 1_000):
            answers = mail(counters, 1, people=min(1_000, number - first), first=first)
            assert answers.allowed
        about = reached(mail(counters, 1, commit=False))
        assert abs(about - number) <= 4 * 1.2 / PEOPLE_MAX**0.5 * number

    def test_strangers_drain_and_readers_do_not(
        self, counters: Counters, clock: Clock
    ) -> None:
        """A week later there is room for others; the mailing is still known."""
        campaign = a_campaign(interval_us=DAY_US, burst=7, share=0)
        assert mail(counters, 1, people=7, campaign=campaign).allowed
        refused = mail(counters, 1, people=2, first=50, campaign=campaign)
        assert refused.spread is not None
        assert not refused.allowed
        assert refused.spread.retry_after_us == 2 * DAY_US
        clock.now_us += 2 * DAY_US
        answers = mail(counters, 1, people=2, first=50, campaign=campaign)
        assert answers.spread is not None
        assert (answers.allowed, answers.spread.reached) == (True, 9)
        assert answers.spread.strangers == 7

    def test_more_than_the_burst_never_fits(self, counters: Counters) -> None:
        """Waiting would not help, and the answer says so."""
        answers = mail(counters, 1, people=8, campaign=a_campaign(burst=7, share=60))
        assert answers.spread is not None
        assert (answers.allowed, answers.spread.retry_after_us) == (False, NEVER)


class TestShare:
    """A mailing to mostly known readers may reach more strangers than the burst."""

    # 40 known readers, of a content with burst 5 and share 60.
    @pytest.mark.parametrize("strangers", [5, 6, 59, 60, 61, 80])
    @pytest.mark.parametrize("at_once", [True, False])
    def test_it_goes_on_as_long_as_few_enough_are_strangers(
        self, counters: Counters, strangers: int, at_once: bool
    ) -> None:
        """In one message or one by one: 60 of 100, and not one more.

        Counted without sampling: of 64 people at most.
        """
        known = 24
        most = known * 60 // 40
        campaign = a_campaign(burst=5, share=60)
        counters.look_up(a_plan(people=some_people(known)))
        assert mail(counters, 1, people=known, campaign=campaign).allowed
        if at_once:
            answers = mail(counters, 1, people=strangers, first=500, campaign=campaign)
            assert answers.allowed is (strangers <= most)
        else:
            passed = sum(
                mail(counters, 1, first=500 + number, campaign=campaign).allowed
                for number in range(strangers)
            )
            assert passed == min(strangers, most)

    def test_strangers_of_last_week_still_count_for_the_share(
        self, counters: Counters, clock: Clock
    ) -> None:
        """They have drained, but whom it ever reached says what kind of mail it is."""
        campaign = a_campaign(interval_us=DAY_US // 6, burst=6, share=60)
        counters.look_up(a_plan(people=some_people(4)))
        for day in range(5):
            first = 100 * day + 100
            assert mail(counters, 1, people=6, first=first, campaign=campaign).allowed
            clock.now_us += DAY_US
        mail(counters, 1, people=4, campaign=campaign)
        # 30 of 34 were strangers: the burst is what it may have.
        assert mail(counters, 1, people=6, first=900, campaign=campaign).allowed
        assert not mail(counters, 1, first=950, campaign=campaign).allowed

    def test_known_readers_always_get_it(self, counters: Counters) -> None:
        """However many strangers it reached before."""
        campaign = a_campaign(burst=5, share=0)
        counters.look_up(a_plan(people=some_people(100)))
        mail(counters, 1, people=5, first=500, campaign=campaign)
        assert not mail(counters, 1, first=600, campaign=campaign).allowed
        assert mail(counters, 1, people=100, campaign=campaign).allowed


class TestExpiry:
    """30 days after the last message, to the hour."""

    @pytest.mark.parametrize("people", [1, 9])
    def test_a_content_is_forgotten_by_itself(
        self, counters: Counters, clock: Clock, people: int
    ) -> None:
        """Other mail of the customer does not keep it alive."""
        mail(counters, 1, people=people)
        clock.now_us += 20 * DAY_US
        mail(counters, 2, people=5)
        clock.now_us += 10 * DAY_US
        assert reached(mail(counters, 1, first=50, commit=False)) == people + 1
        clock.now_us += HOUR_US
        assert reached(mail(counters, 1, first=50)) == 1
        assert reached(mail(counters, 1, first=51)) == 2
        assert reached(mail(counters, 2, first=50)) == 6

    def test_nothing_of_it_stays(
        self, counters: Counters, clock: Clock, store: Store, keys: Keys
    ) -> None:
        """Neither its record nor its field."""
        for number in range(20):
            mail(counters, number, people=5)
        clock.now_us += 31 * DAY_US
        mail(counters, 30, people=1)
        assert store.ask("HLEN", keys.content(ANNE)) == 1
        assert len(stored(store, keys)) == 1

    def test_use_keeps_it(self, counters: Counters, clock: Clock) -> None:
        """A signature that never changes is a content for ever."""
        for number in range(8):
            assert reached(mail(counters, 1, first=number)) == number + 1
            clock.now_us += 25 * DAY_US

    def test_a_clock_that_went_back_forgets_nothing(
        self, counters: Counters, clock: Clock
    ) -> None:
        """Another server takes over whose hour has not begun yet."""
        mail(counters, 1, people=5)
        clock.now_us -= HOUR_US
        assert reached(mail(counters, 1, first=50)) == 6

    def test_its_key_lives_thirty_days(
        self, counters: Counters, store: Store, keys: Keys
    ) -> None:
        """From the last message on."""
        mail(counters, 1)
        left_s = int(store.ask("TTL", keys.content(ANNE)))
        assert 0 <= 30 * 86_400 - left_s <= 5


class TestAnotherRate:
    """A limit that was changed keeps what was counted."""

    def test_raising_it_helps_at_once(self, counters: Counters) -> None:
        """An operator's override is for the next message."""
        slow = a_campaign(interval_us=DAY_US, burst=7, share=0)
        mail(counters, 1, people=7, campaign=slow)
        assert not mail(counters, 1, first=50, campaign=slow).allowed
        fast_one = a_campaign(interval_us=DAY_US // 10, burst=70, share=0)
        answers = mail(counters, 1, people=63, first=50, campaign=fast_one)
        assert answers.spread is not None
        assert (answers.allowed, answers.spread.strangers) == (True, 70)


class TestUndone:
    """A message that was not let out after all."""

    @pytest.mark.parametrize("before", [0, 1, 2, 5, 6, 30])
    @pytest.mark.parametrize("people", [1, 2, 5, 6, 30])
    def test_everything_is_as_before(
        self,
        counters: Counters,
        store: Store,
        keys: Keys,
        before: int,
        people: int,
    ) -> None:
        """Whom it reached, and how many strangers; in whatever form it is kept."""
        mail(counters, 9)
        if before:
            mail(counters, 1, people=before)
        kept = stored(store, keys)
        plan = a_mail(1, people=people, first=20)
        counters.settle(plan, counters.look_up(plan), held_bytes=0)
        assert stored(store, keys) == kept

    def test_the_first_message_leaves_nothing(
        self, counters: Counters, store: Store, keys: Keys
    ) -> None:
        """Not even a place that another content would need."""
        plan = a_mail(1, people=3)
        counters.settle(plan, counters.look_up(plan), held_bytes=0)
        assert not store.ask("EXISTS", keys.content(ANNE))

    def test_what_it_had_reached_before_stays(self, counters: Counters) -> None:
        """Only those whom this message added are taken out."""
        mail(counters, 1, people=5)
        plan = a_mail(1, people=5, first=3)
        counters.settle(plan, counters.look_up(plan), held_bytes=0)
        assert reached(mail(counters, 1, people=5, commit=False)) == 5
        assert reached(mail(counters, 1, people=6, commit=False)) == 6


def test_a_refused_content_charges_nothing(
    counters: Counters, store: Store, keys: Keys
) -> None:
    """No counter, no contact, no usual amount: the attempt alone."""
    plan = a_plan(
        a_charge(),
        people=some_people(6),
        campaign=a_campaign(burst=5),
        bands=some_bands(1),
    )
    answers = counters.look_up(plan)
    assert not answers.allowed
    assert (answers.levels[0].fits, answers.levels[0].used) == (True, 0)
    assert store.names(keys) == {f"seen:{{{ANNE}}}:{counters.retry_id(plan)}"}


def test_a_content_that_only_watches_stops_nothing(
    counters: Counters, store: Store, keys: Keys
) -> None:
    """It reports, and is not charged beyond its limit; the rest is."""
    plan = a_mail(1, people=6, campaign=a_campaign(burst=5, binding=False))
    answers = counters.look_up(plan)
    assert answers.spread is not None
    assert (answers.allowed, answers.spread.fits) == (True, False)
    assert stored(store, keys) == []
    assert counters.look_up(plan, commit=False).stranger_count == 0

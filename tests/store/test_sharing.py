"""The same content from many customers."""

import struct
from dataclasses import dataclass, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outgate.model.content import HOUR_US
from outgate.model.limit import Count, Per
from outgate.model.sharing import NEW_KEPT, OLD_KEPT, Sharer, Sharers, company_of
from outgate.policy.questions import Neighbours, Plan
from outgate.policy.settings import CustomerSettings
from outgate.store.counters import Counters
from outgate.store.hashes import Hashes
from outgate.store.keys import Keys
from policy.builders import ANNE, a_case, a_limit, a_policy, a_transaction
from store.builders import (
    DAY_US,
    Clock,
    a_campaign,
    a_plan,
    some_bands,
    some_people,
)
from store.running import SECRET, Store, fast, new_keys

_TTL_S = 10 * 86_400
_WEEK_US = 7 * DAY_US
_HASHES = Hashes(SECRET)
_RECORD = struct.Struct(">3sBH")


@dataclass(frozen=True)
class Step:
    """One message to strangers.

    Attributes:
        wait_h: hours that pass before it.
        customer: of 40.
        people: how many strangers.
        let_out: whether it is noted, or only looked at.
    """

    wait_h: int
    customer: int
    people: int
    let_out: bool


STEPS = st.builds(
    Step,
    # A clock that goes back, a day, eight of them, and an hour around each.
    wait_h=st.sampled_from([0, 0, 0, 1, -1, 23, 24, 25, 168, 191, 192, 193, 217, 218]),
    customer=st.one_of(st.integers(0, 4), st.integers(0, 40)),
    people=st.sampled_from([1, 2, 100, 300]),
    let_out=st.sampled_from([True, True, True, False]),
)


@fast
@given(
    steps=st.lists(STEPS, min_size=1, max_size=20),
    old=st.sampled_from([0, 3, OLD_KEPT - 1, OLD_KEPT]),
    new=st.sampled_from([0, 3, NEW_KEPT - 1, NEW_KEPT]),
)
def test_the_script_says_what_the_twin_says(
    store: Store, steps: list[Step], old: int, new: int
) -> None:
    """Any history of customers, in empty rooms and full ones: the same records."""
    keys, clock = new_keys(), Clock()
    counters = store.counters(keys, clock)
    twin = Sharers(crowd(old, new, clock.now_us // HOUR_US))
    if twin.records:
        put(store, keys, counters, twin.records)
    for number, step in enumerate(steps):
        clock.now_us += step.wait_h * HOUR_US
        hour = clock.now_us // HOUR_US
        # Nobody is known from an earlier message.
        people = some_people(step.people, first=1_000 * number)
        plan = replace(a_mail(f"customer{step.customer}", 1), people=people)
        own = _HASHES.item(plan.customer)[:3]

        answers = counters.look_up(plan)

        expected = company_of(own, twin.records, hour)
        assert answers.neighbours == Neighbours(*expected)
        if step.let_out:
            counters.introduce(plan, answers)
            twin.note(own, answers.stranger_count, hour)
        for found in stored(store, keys):
            assert found == [
                (one.customer, one.strangers, one.first_h % 65536)
                for one in twin.records
            ]
    # Many customers have many keys; other tests look through all.
    store.client.delete(*[f"{keys.namespace}:{name}" for name in store.names(keys)])


def crowd(old: int, new: int, hour: int) -> list[Sharer]:
    """So many customers to whom a content is old, then so many to whom it is new."""
    return [
        Sharer(
            _HASHES.item(f"customer{number}")[:3],
            1 + 50 * (number % 6),
            hour - (30 if number < old else number % 3),
        )
        for number in range(old + new)
    ]


def put(store: Store, keys: Keys, counters: Counters, records: list[Sharer]) -> None:
    """Make these the records of every band of `a_mail(…, 1)`."""
    send(counters, a_mail("anybody", 1))
    value = b"".join(
        _RECORD.pack(one.customer, one.strangers, one.first_h % 65536)
        for one in records
    )
    for name in store.names(keys):
        if name.startswith("shared:"):
            store.client.set(f"{keys.namespace}:{name}", value)


def stored(store: Store, keys: Keys) -> list[list[tuple[bytes, int, int]]]:
    """The records of each band."""
    names = [name for name in store.names(keys) if name.startswith("shared:")]
    return [
        list(_RECORD.iter_unpack(store.ask("GET", f"{keys.namespace}:{name}")))
        for name in names
    ]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def counters(store: Store, keys: Keys, clock: Clock) -> Counters:
    return store.counters(keys, clock)


def a_mail(customer: str, *bands: int, people: int = 1) -> Plan:
    """A message to people whom no customer has mailed before."""
    return a_plan(
        customer=customer,
        people=some_people(people),
        campaign=a_campaign(burst=1_000),
        bands=some_bands(*bands),
    )


def send(counters: Counters, plan: Plan) -> Neighbours | None:
    """Let a message out, as the gate does; gives who else sends it."""
    answers = counters.look_up(plan)
    if answers.strangers:
        counters.introduce(plan, answers)
    return answers.neighbours


@pytest.mark.parametrize("compared", [True, False])
def test_a_customer_whose_content_is_left_alone_has_none_here(
    counters: Counters, store: Store, keys: Keys, *, compared: bool
) -> None:
    """Neither a mailing of its own nor a part of others'; its contacts are counted."""
    policy = a_policy(
        a_limit(count=Count.STRANGERS),
        a_limit("50/7d", per=Per.CAMPAIGN, count=Count.STRANGERS),
        customers=[
            CustomerSettings(name="quiet", match=(ANNE,), fingerprints=compared)
        ],
    )
    mail = a_transaction(ANNE)
    mail.body = b"apples bring colour down every friday garden house"
    plan = a_case(policy, mail).plan
    assert send(counters, plan) == (Neighbours(0, 0) if compared else None)
    found = {name.partition(":")[0] for name in store.names(keys)}
    about_content = {"content", "shared"} if compared else set()
    assert found == {"contacts", "count", "usual"} | about_content


def test_others_are_counted_with_their_strangers(counters: Counters) -> None:
    """Five hijacked accounts: each sees those before it, and not itself."""
    for number in range(5):
        seen = send(counters, a_mail(f"customer{number}", 1, people=number + 1))
        assert seen == Neighbours(number, sum(range(1, number + 1)))
    again = counters.look_up(a_mail("customer0", 1), commit=False)
    assert again.neighbours == Neighbours(4, 2 + 3 + 4 + 5)


def test_what_goes_to_known_people_is_nobodys_business(counters: Counters) -> None:
    """A notice that many customers send to their own readers."""
    counters.look_up(a_mail("anne", 2))
    send(counters, a_mail("anne", 1))
    assert send(counters, a_mail("bart", 1)) == Neighbours(0, 0)


def test_one_customer_alone_is_no_neighbour(counters: Counters) -> None:
    """However often it sends."""
    for first in range(3):
        plan = replace(a_mail("anne", 1), people=some_people(1, first))
        assert send(counters, plan) == Neighbours(0, 0)


@pytest.mark.parametrize("place", range(12))
def test_a_third_of_the_bands_is_shared(counters: Counters, place: int) -> None:
    """Of two copies most have one of these in common; each costs memory."""
    send(counters, a_mail("anne", *range(12)))
    copy = [100 + number for number in range(12)]
    copy[place] = place
    seen = send(counters, a_mail("bart", *copy))
    assert seen == Neighbours(int(place % 3 == 0), int(place % 3 == 0))


def test_the_same_band_elsewhere_is_another_one(counters: Counters) -> None:
    """As within one customer."""
    send(counters, a_mail("anne", *range(12)))
    assert send(counters, a_mail("bart", *range(3, 15))) == Neighbours(0, 0)


def test_what_is_compared_as_a_whole_is_not_shared(
    counters: Counters, store: Store, keys: Keys
) -> None:
    """`Thanks!`: two customers who write that have nothing in common."""
    plan = replace(a_mail("anne", 1), bands=(b"whole",))
    assert send(counters, plan) is None
    assert not [name for name in store.names(keys) if name.startswith("shared:")]


class TestNew:
    """A content is new to a customer for a day."""

    def test_a_template_of_many_customers_is_nobodys_campaign(
        self, counters: Counters, clock: Clock
    ) -> None:
        """Once each has sent it for longer than a day; however often they go on."""
        shops = [f"shop{number}" for number in range(8)]
        for shop in shops:
            send(counters, a_mail(shop, 1, people=20))
        for day in range(1, 4):
            clock.now_us += DAY_US + HOUR_US
            for shop in shops:
                plan = replace(a_mail(shop, 1), people=some_people(20, 100 * day))
                assert send(counters, plan) == Neighbours(0, 0, familiar=True)
        # Who copies it now is alone.
        assert send(counters, a_mail("copier", 1)) == Neighbours(0, 0)

    def test_once_a_week_is_often_enough(
        self, counters: Counters, clock: Clock
    ) -> None:
        """An hour later in the week, too."""
        for week in range(5):
            plan = replace(a_mail("choir", 1), people=some_people(1, week))
            seen = send(counters, plan)
            assert seen == Neighbours(0, 0, familiar=week > 0)
            clock.now_us += _WEEK_US + HOUR_US

    def test_what_was_not_used_for_long_is_new_again(
        self, counters: Counters, clock: Clock
    ) -> None:
        """Eight days, to the hour."""
        send(counters, a_mail("choir", 1))
        clock.now_us += 2 * DAY_US
        send(counters, replace(a_mail("choir", 1), people=some_people(1, 1)))
        clock.now_us += 8 * DAY_US
        look = a_mail("choir", 1)
        assert counters.look_up(look, commit=False).neighbours == (0, 0, True)
        clock.now_us += HOUR_US
        assert counters.look_up(look, commit=False).neighbours == (0, 0, False)

    def test_a_day_is_twenty_four_hours(self, counters: Counters, clock: Clock) -> None:
        """Whoever began before it does not count, nor whom he reached."""
        send(counters, a_mail("early", 1, people=9))
        clock.now_us += 12 * HOUR_US
        send(counters, a_mail("late", 1, people=3))
        send(counters, replace(a_mail("early", 1), people=some_people(2, 50)))
        look = a_mail("third", 1)
        assert counters.look_up(look, commit=False).neighbours == Neighbours(2, 14)
        clock.now_us += 12 * HOUR_US
        assert counters.look_up(look, commit=False).neighbours == Neighbours(2, 14)
        clock.now_us += HOUR_US
        assert counters.look_up(look, commit=False).neighbours == Neighbours(1, 3)

    def test_what_it_takes_in_memory(
        self, counters: Counters, store: Store, keys: Keys, clock: Clock
    ) -> None:
        """Four keys a content, of so many bytes; however many customers send it."""
        hour = clock.now_us // HOUR_US
        send(counters, a_mail("customer0", 1))
        sizes = [used(store, keys)]
        for old, new in ((0, NEW_KEPT), (OLD_KEPT, NEW_KEPT)):
            put(store, keys, counters, crowd(old, new, hour))
            for number in range(5):
                send(counters, a_mail(f"another{old}.{number}", 1))
            sizes.append(used(store, keys))
        for size, most in zip(sizes, (168, 360, 1_900), strict=True):
            assert max(size) <= most

        names = [name for name in store.names(keys) if name.startswith("shared:")]
        assert len(names) == 4
        for name in names:
            full = f"{keys.namespace}:{name}"
            assert store.ask("STRLEN", full) == _RECORD.size * (OLD_KEPT + NEW_KEPT)
            assert 0 <= _TTL_S - int(store.ask("TTL", full)) <= 5


def used(store: Store, keys: Keys) -> list[int]:
    """Bytes of each shared band."""
    return [
        int(store.ask("MEMORY", "USAGE", f"{keys.namespace}:{name}"))
        for name in store.names(keys)
        if name.startswith("shared:")
    ]


class TestCrowds:
    """Whoever sent a content before hides nobody who begins to."""

    @pytest.mark.parametrize("scouts", [NEW_KEPT - 1, NEW_KEPT, 33, 100])
    def test_scouts_of_the_same_day_hide_nobody(
        self, counters: Counters, clock: Clock, scouts: int
    ) -> None:
        """One stranger each; those who find no room are counted all the same."""
        for number in range(scouts):
            send(counters, a_mail(f"scout{number}", 1))
        clock.now_us += HOUR_US
        for number in range(5):
            seen = send(counters, a_mail(f"hijacked{number}", 1, people=49))
            assert seen is not None
            assert seen.customers == min(scouts + number, NEW_KEPT)
            assert seen.strangers == scouts + 49 * number

    @pytest.mark.parametrize("people", [1, 49, 255, 300])
    def test_strangers_beyond_the_room_add_up_to_many(
        self, counters: Counters, people: int
    ) -> None:
        """For high `[campaign] strangers`: one record alone holds 255."""
        for number in range(NEW_KEPT + 2_000 // people):
            send(counters, a_mail(f"customer{number}", 1, people=people))
        seen = counters.look_up(a_mail("last", 1), commit=False).neighbours
        assert seen is not None
        assert seen.strangers >= 1_000

    @pytest.mark.parametrize("scouts", [NEW_KEPT, 33, 100])
    def test_scouts_of_the_day_before_hide_nobody(
        self, counters: Counters, clock: Clock, scouts: int
    ) -> None:
        """Their room is free again, and they are old."""
        for number in range(scouts):
            send(counters, a_mail(f"scout{number}", 1))
        clock.now_us += 26 * HOUR_US
        for number in range(NEW_KEPT):
            seen = send(counters, a_mail(f"hijacked{number}", 1, people=49))
            assert seen == Neighbours(number, 49 * number)

    @pytest.mark.parametrize("shops", [33, 100, OLD_KEPT, 300])
    def test_a_template_of_many_shops_hides_nobody(
        self, store: Store, keys: Keys, counters: Counters, clock: Clock, shops: int
    ) -> None:
        """They began weeks ago and go on; accounts that copy it are new."""
        put(store, keys, counters, crowd(shops, 0, clock.now_us // HOUR_US))
        for number in (0, 17, 32):
            shop = a_mail(f"customer{number}", 1)
            assert send(counters, shop) == Neighbours(0, 0, familiar=True)
        for number in range(NEW_KEPT):
            seen = send(counters, a_mail(f"hijacked{number}", 1, people=49))
            assert seen == Neighbours(number, 49 * number)
        shop = a_mail("customer32", 1)
        last = counters.look_up(shop, commit=False).neighbours
        assert last == Neighbours(NEW_KEPT, NEW_KEPT * 49, familiar=True)

    def test_the_first_keep_their_room(
        self, store: Store, keys: Keys, counters: Counters, clock: Clock
    ) -> None:
        """Where the latest did, a template of 300 shops would stay new to all."""
        hour = clock.now_us // HOUR_US
        put(store, keys, counters, crowd(OLD_KEPT, NEW_KEPT, hour))
        clock.now_us += 26 * HOUR_US
        send(counters, a_mail("another", 1))
        for number, familiar in ((0, True), (OLD_KEPT - 1, True), (OLD_KEPT, False)):
            look = a_mail(f"customer{number}", 1)
            seen = counters.look_up(look, commit=False).neighbours
            assert seen == Neighbours(1, 1, familiar=familiar)


def test_many_strangers_are_255(counters: Counters) -> None:
    """One byte: nobody asks whether it was a thousand."""
    send(counters, a_mail("anne", 1, people=300))
    assert send(counters, a_mail("bart", 1)) == Neighbours(1, 255)


@pytest.mark.parametrize("value", ["", "x", "a word that somebody set"])
def test_somebody_elses_value_is_no_trouble(
    counters: Counters, store: Store, keys: Keys, value: str
) -> None:
    """Whatever it is taken for, mail goes on."""
    send(counters, a_mail("anne", 1))
    for name in store.names(keys):
        if name.startswith("shared:"):
            store.ask("SET", f"{keys.namespace}:{name}", value)
    assert send(counters, a_mail("bart", 1)) is not None


def test_a_key_of_another_type_is_no_neighbour(
    counters: Counters, store: Store, keys: Keys
) -> None:
    """The error of one band leaves the others' answers."""
    send(counters, a_mail("anne", 1))
    name = next(name for name in store.names(keys) if name.startswith("shared:"))
    store.ask("DEL", f"{keys.namespace}:{name}")
    store.ask("RPUSH", f"{keys.namespace}:{name}", "a list")
    assert send(counters, a_mail("bart", 1)) == Neighbours(1, 1)

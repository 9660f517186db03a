"""The same content from many customers."""

from dataclasses import replace

import pytest

from outgate.model.limit import Count, Per
from outgate.policy.questions import Neighbours, Plan
from outgate.policy.settings import CustomerSettings
from outgate.store.counters import Counters
from outgate.store.keys import Keys
from policy.builders import ANNE, a_case, a_limit, a_policy, a_transaction
from store.builders import Clock, a_campaign, a_plan, some_bands, some_people
from store.running import Store

_KEPT = 32
_TTL_S = 3 * 86_400


@pytest.fixture
def counters(store: Store, keys: Keys) -> Counters:
    return store.counters(keys, Clock())


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


def test_thirty_two_customers_are_kept(
    counters: Counters, store: Store, keys: Keys
) -> None:
    """The latest; four bytes for each."""
    for number in range(40):
        seen = send(counters, a_mail(f"customer{number}", 1))
        assert seen is not None
        assert seen.customers == min(number, _KEPT)
    # Whoever sends again is among the latest.
    send(counters, replace(a_mail("customer8", 1), people=some_people(1, 5)))
    send(counters, a_mail("last", 1))
    seen = counters.look_up(a_mail("customer8", 1), commit=False).neighbours
    assert seen == Neighbours(_KEPT - 1, _KEPT - 1)

    names = [name for name in store.names(keys) if name.startswith("shared:")]
    assert len(names) == 4
    for name in names:
        full = f"{keys.namespace}:{name}"
        assert store.ask("STRLEN", full) == 4 * _KEPT
        assert 0 <= _TTL_S - int(store.ask("TTL", full)) <= 5


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

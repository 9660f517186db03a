"""Operators' state, read whole and tended: by one keeper, and by two at a time."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outgate.policy.operator import Order, format_moment, parse_entry
from outgate.policy.snapshot import Snapshot
from outgate.store.keys import Keys
from outgate.store.localcopy import LocalCopy
from outgate.store.orders import HOST_SILENCE_US, Orders, State, Trouble
from outgate.store.trouble import Client
from store.builders import ANNE
from store.running import Store, fast, new_keys

LIMITS = frozenset({"messages-per-login-hourly"})
PAST = "until=2020-02-02T20:20:20Z"
FUTURE = "until=2120-02-02T20:20:20Z"


@dataclass
class Desk:
    """Redis as on-call sees it, and keepers that look at it."""

    client: Client
    keys: Keys

    def type(self, order: Order, name: str | bytes, value: str | bytes) -> None:
        self.client.hset(self.keys.order(order), name, value)

    def take_back(self, order: Order, name: str) -> None:
        self.client.hdel(self.keys.order(order), name)

    def value(self, order: Order, name: str) -> str | None:
        value: bytes | None = self.client.hget(self.keys.order(order), name)
        return None if value is None else value.decode()

    def keeper(self) -> Orders:
        return Orders(self.client, self.keys)

    def round(self) -> State:
        """What a keeper does once a second."""
        keeper = self.keeper()
        state = keeper.read(LIMITS)
        keeper.tend(state)
        return state

    def audit(self) -> list[dict[str, str]]:
        return [
            {name.decode(): value.decode() for name, value in fields.items()}
            for _, fields in self.client.xrange(self.keys.audit)
        ]

    def events(self) -> list[tuple[str, str]]:
        return [(one["event"], one["name"]) for one in self.audit()]


@pytest.fixture
def desk(client: Client, keys: Keys) -> Desk:
    return Desk(client, keys)


class TestReading:
    """What a round sees."""

    def test_all_four_hashes_are_read(self, desk: Desk) -> None:
        """Raw values for the local copy, entries for everybody else."""
        for order, value in (
            (Order.QUARANTINE, "phished"),
            (Order.SUSPEND, f"{FUTURE} by=bart bot"),
            (Order.ALLOW, "rules=limit-exceeded newsletter week"),
            (Order.LIMIT, "recipients=5000/1d"),
        ):
            desk.type(order, ANNE, value)
        state = desk.keeper().read(LIMITS)

        assert {order: set(fields) for order, fields in state.hashes.items()} == {
            order: {ANNE} for order in Order
        }
        assert state.hashes[Order.QUARANTINE][ANNE] == b"phished"
        assert [(one.order, one.by) for one in state.entries if one.by] == [
            (Order.SUSPEND, "bart")
        ]
        assert state.troubles == []

    def test_nothing_there_is_nothing(self, desk: Desk) -> None:
        """A store that was never used."""
        state = desk.round()
        assert state.hashes == {order: {} for order in Order}
        assert (state.entries, state.troubles, desk.events()) == ([], [], [])

    def test_reading_changes_nothing(self, store: Store, desk: Desk) -> None:
        """`outgate doctor` reads, and leaves the rest to the keeper."""
        desk.type(Order.QUARANTINE, ANNE, "for=1h phished")
        before = store.writes()
        desk.keeper().read(LIMITS)
        assert store.writes() == before

    def test_the_time_is_the_stores(self, store: Store, desk: Desk) -> None:
        """Hosts with wrong clocks end an order at the same moment."""
        seconds, micros = map(int, store.ask("TIME"))
        state = desk.keeper().read(LIMITS)
        assert 0 <= state.now_us - (seconds * 1_000_000 + micros) < 60_000_000

    @pytest.mark.parametrize("order", list(Order))
    def test_a_wrong_type_is_reported_and_the_others_are_read(
        self, desk: Desk, order: Order
    ) -> None:
        """`SET outgate:suspend 203.0.113.9` instead of HSET: told, with the cure."""
        for other in Order:
            words = "recipients=1/1d" if other is Order.LIMIT else "for=1h"
            desk.type(other, ANNE, words)
        desk.client.set(desk.keys.order(order), "203.0.113.9")
        state = desk.round()

        (trouble,) = state.troubles
        assert (trouble.order, trouble.name) == (order, "")
        assert f"use HSET {desk.keys.order(order)}" in trouble.message
        assert {one.order for one in state.entries} == set(Order) - {order}
        assert state.hashes[order] == {}

    @pytest.mark.parametrize(
        ("order", "value", "told"),
        [
            (Order.QUARANTINE, "for=soon phished", "for=soon"),
            (Order.SUSPEND, "until=2026-11-24T12:00:00 bot", "zone"),
            (Order.ALLOW, "rules=everything", "rules=everything"),
            (Order.LIMIT, "recipients=many", "recipients=many"),
            (Order.LIMIT, "please", "expected a limit"),
            (Order.LIMIT, "nonsense=5/1d", "no such limit or count: nonsense"),
        ],
    )
    def test_a_bad_value_is_reported(
        self, desk: Desk, order: Order, value: str, told: str
    ) -> None:
        """By hash and name, with what was expected; the round goes on."""
        desk.type(order, ANNE, value)
        (trouble,) = desk.round().troubles
        assert (trouble.order, trouble.name) == (order, ANNE)
        assert told in trouble.message

    @pytest.mark.parametrize(
        ("order", "value", "acts"),
        [
            (Order.QUARANTINE, "for=1hour phished", "the order acts, without an end"),
            (Order.SUSPEND, f"{FUTURE} ticket=4711", "the order acts"),
            (Order.ALLOW, "for=1hour newsletter", "the order does nothing"),
            (Order.LIMIT, "recipient=50/1d", "the order does nothing"),
            (Order.LIMIT, "recipient=50/1d bytes=9/1d", "the rest of the order acts"),
            (Order.LIMIT, "bytes=9/1d for=1hour", "the order does nothing"),
        ],
    )
    def test_a_report_says_whether_the_order_acts(
        self, desk: Desk, order: Order, value: str, acts: str
    ) -> None:
        """Whoever reads it at night wants to know; what does nothing is not counted."""
        desk.type(order, ANNE, value)
        state = desk.round()
        (trouble,) = state.troubles
        assert trouble.message.endswith(f"; {acts}")
        assert state.in_force[order] == (acts != "the order does nothing")

    def test_a_name_that_nobody_has_acts_on_nobody(self, desk: Desk) -> None:
        """Though the words are in order."""
        desk.type(Order.QUARANTINE, "carol @example.org", "for=1h phished")
        state = desk.round()
        assert [one.message for one in state.troubles] == [
            "an address has no space; the order does nothing"
        ]
        assert state.in_force[Order.QUARANTINE] == 0

    def test_a_misspelt_count_is_asked_about(self, desk: Desk) -> None:
        """As every other word is."""
        desk.type(Order.LIMIT, ANNE, "recipient=50/1d")
        (trouble,) = desk.round().troubles
        assert "no such limit or count: recipient; did you mean recipients=?" in (
            trouble.message
        )

    def test_known_limits_are_no_trouble(self, desk: Desk) -> None:
        """Names from the configuration, and count words."""
        desk.type(Order.LIMIT, ANNE, "messages-per-login-hourly=5/1h messages=9/1d")
        assert desk.round().troubles == []

    def test_a_name_that_is_no_text_is_reported(self, desk: Desk) -> None:
        """No message could ever match it; it is told, and nothing else happens."""
        desk.type(Order.QUARANTINE, b"anne\xff", "for=1h phished")
        desk.type(Order.QUARANTINE, "anne\\xff", "another one")
        state = desk.round()

        (trouble,) = state.troubles
        assert trouble == Trouble(
            Order.QUARANTINE, "anne\\xff", "is no UTF-8, and so nobody's name"
        )
        assert state.hashes[Order.QUARANTINE] == {"anne\\xff": b"another one"}
        assert desk.client.hget(desk.keys.order(Order.QUARANTINE), b"anne\xff")


class TestStamping:
    """`for=` becomes `until=`."""

    def test_a_duration_becomes_a_moment(self, desk: Desk) -> None:
        """From the store's time, to the second, with everything else as typed."""
        desk.type(Order.QUARANTINE, ANNE, "by=anne for=1h phished,  ticket 4711")
        state = desk.round()
        until = format_moment(state.now_us + 3_600_000_000)

        assert desk.value(Order.QUARANTINE, ANNE) == (
            f"by=anne until={until} phished,  ticket 4711"
        )
        assert state.hashes[Order.QUARANTINE][ANNE].decode() == desk.value(
            Order.QUARANTINE, ANNE
        )

    @pytest.mark.parametrize(
        ("typed", "stamped"),
        [
            ("for=1h", "{}"),
            ("  for=1h", "  {}"),
            ("\tfor=1h phished", "\t{} phished"),
            ("for=1h\n", "{}\n"),
            ("by=anne   for=1h", "by=anne   {}"),
            ("for=1h she asked for=2h", "{} she asked for=2h"),
            ("by=anne for=1h text for= all", "by=anne {} text for= all"),
        ],
    )
    def test_only_the_word_is_replaced(
        self, desk: Desk, typed: str, stamped: str
    ) -> None:
        """Blanks stay, and free text may say `for=` as often as it likes."""
        desk.type(Order.QUARANTINE, ANNE, typed)
        state = desk.round()
        until = f"until={format_moment(state.now_us + 3_600_000_000)}"

        assert desk.value(Order.QUARANTINE, ANNE) == stamped.format(until)
        assert desk.round().stamped == {}

    def test_bytes_that_are_no_text_stay(self, desk: Desk) -> None:
        """A terminal in Latin-1: what was typed is kept as it is."""
        desk.type(Order.QUARANTINE, ANNE, b"for=1h Gr\xf6\xdfe")
        desk.round()
        raw = desk.client.hget(desk.keys.order(Order.QUARANTINE), ANNE)
        assert raw.endswith(b"Z Gr\xf6\xdfe")

    def test_a_change_in_between_is_not_overwritten(self, desk: Desk) -> None:
        """Read, changed by a person, tended: the person wins."""
        desk.type(Order.QUARANTINE, ANNE, "for=1h phished")
        keeper = desk.keeper()
        state = keeper.read(LIMITS)
        desk.type(Order.QUARANTINE, ANNE, "for=2h still phished")
        keeper.tend(state)

        assert desk.value(Order.QUARANTINE, ANNE) == "for=2h still phished"
        assert desk.events() == []
        desk.round()
        assert desk.events() == [("quarantine-set", ANNE)]

    def test_an_order_taken_back_in_between_stays_away(self, desk: Desk) -> None:
        """Read, deleted by a person, tended: it is not written again."""
        desk.type(Order.QUARANTINE, ANNE, "for=1h phished")
        keeper = desk.keeper()
        state = keeper.read(LIMITS)
        desk.take_back(Order.QUARANTINE, ANNE)
        keeper.tend(state)
        desk.round()

        assert desk.value(Order.QUARANTINE, ANNE) is None
        assert desk.events() == []


class TestExpiry:
    """An order that has ended."""

    def test_it_is_removed_and_audited_once(self, desk: Desk) -> None:
        """One event, `expired`: nobody removed it."""
        desk.type(Order.SUSPEND, ANNE, f"{FUTURE} by=bart bot")
        desk.round()
        desk.type(Order.SUSPEND, ANNE, f"{PAST} by=bart bot")
        for _ in range(3):
            desk.round()

        assert desk.value(Order.SUSPEND, ANNE) is None
        assert desk.events() == [("suspend-set", ANNE), ("suspend-expired", ANNE)]
        assert desk.audit()[-1] == {
            "event": "suspend-expired",
            "name": ANNE,
            "actor": "bart",
            "until": "2020-02-02T20:20:20Z",
            "text": "bot",
            "value": "until=2020-02-02T20:20:20Z by=bart bot",
        }

    def test_what_was_noted_ends_with_one_event(self, desk: Desk) -> None:
        """It was audited when it was set, and its mark goes with it."""
        desk.type(Order.QUARANTINE, ANNE, f"{PAST} phished")
        state = desk.keeper().read(LIMITS)
        state.now_us = 1
        desk.keeper().tend(state)
        assert desk.events() == [("quarantine-set", ANNE)]
        for _ in range(2):
            desk.round()

        assert desk.events()[1:] == [("quarantine-expired", ANNE)]
        assert desk.client.hlen(desk.keys.audited) == 0

    def test_a_prolongation_in_between_is_kept(self, desk: Desk) -> None:
        """Read as ended, prolonged by a person, tended: it stays."""
        desk.type(Order.SUSPEND, ANNE, PAST)
        keeper = desk.keeper()
        state = keeper.read(LIMITS)
        desk.type(Order.SUSPEND, ANNE, FUTURE)
        keeper.tend(state)

        assert desk.value(Order.SUSPEND, ANNE) == FUTURE

    def test_what_has_no_end_stays(self, desk: Desk) -> None:
        """No `for=`, no `until=`: until somebody takes it back."""
        desk.type(Order.SUSPEND, ANNE, "bot")
        for _ in range(3):
            desk.round()
        assert desk.value(Order.SUSPEND, ANNE) == "bot"


class TestProfile:
    """An order that gives a sender another profile."""

    def test_one_that_does_not_exist_is_reported(self, desk: Desk) -> None:
        """With the name that is meant."""
        desk.type(Order.LIMIT, ANNE, "profile=probaton for=30d")
        desk.type(Order.LIMIT, "bart", "profile=probation for=30d by=anne")
        state = desk.keeper().read(LIMITS, {"normal", "probation"})
        (trouble,) = state.troubles
        assert trouble.name == ANNE
        assert trouble.message == (
            "profile=probaton: no such profile; did you mean probation?; "
            "the order does nothing"
        )


class TestAudit:
    """Who did what, and why."""

    def test_each_order_is_written_once(self, desk: Desk) -> None:
        """Actor, end and text; however many rounds go by."""
        desk.type(Order.QUARANTINE, ANNE, f"{FUTURE} by=anne phished, ticket 4711")
        for _ in range(3):
            desk.round()
        assert desk.audit() == [
            {
                "event": "quarantine-set",
                "name": ANNE,
                "actor": "anne",
                "until": "2120-02-02T20:20:20Z",
                "text": "phished, ticket 4711",
                "value": f"{FUTURE} by=anne phished, ticket 4711",
            }
        ]

    def test_who_does_not_say_who_is_redis_cli(self, desk: Desk) -> None:
        """`by=` names a person; without it, the tool is all that is known."""
        desk.type(Order.SUSPEND, "203.0.113.9", "bot")
        desk.round()
        assert desk.audit()[0]["actor"] == "redis-cli"

    def test_a_stamped_order_is_audited_with_its_end(self, desk: Desk) -> None:
        """Not as it was typed: `until=` is what counts from now on."""
        desk.type(Order.QUARANTINE, ANNE, "for=1h by=anne phished")
        state = desk.round()
        (event,) = desk.audit()
        assert event["until"] == format_moment(state.now_us + 3_600_000_000)
        assert event["actor"] == "anne"

    def test_a_changed_value_is_another_order(self, desk: Desk) -> None:
        """Set again: a second event, and no removal."""
        for text in ("phished", "phished, ticket 4711", "phished"):
            desk.type(Order.QUARANTINE, ANNE, text)
            desk.round()
        assert [one["text"] for one in desk.audit()] == [
            "phished",
            "phished, ticket 4711",
            "phished",
        ]
        assert {event for event, _ in desk.events()} == {"quarantine-set"}

    def test_an_order_taken_back_is_removed(self, desk: Desk) -> None:
        """By whom, Redis does not tell."""
        desk.type(Order.ALLOW, "two words", "by=anne newsletter")
        desk.round()
        desk.take_back(Order.ALLOW, "two words")
        for _ in range(2):
            desk.round()
        assert desk.events() == [
            ("allow-set", "two words"),
            ("allow-removed", "two words"),
        ]

    def test_the_same_name_in_two_hashes_is_two_orders(self, desk: Desk) -> None:
        """Each has its own events."""
        desk.type(Order.SUSPEND, ANNE, "bot")
        desk.type(Order.QUARANTINE, ANNE, "bot")
        desk.round()
        desk.take_back(Order.SUSPEND, ANNE)
        desk.round()
        assert sorted(desk.events()) == [
            ("quarantine-set", ANNE),
            ("suspend-removed", ANNE),
            ("suspend-set", ANNE),
        ]

    def test_a_hash_that_was_overwritten_took_its_orders_along(
        self, desk: Desk
    ) -> None:
        """A SET upon the hash ends them; the round does not stumble over it."""
        desk.type(Order.SUSPEND, ANNE, "bot")
        desk.round()
        desk.client.set(desk.keys.order(Order.SUSPEND), "oops")
        for _ in range(2):
            desk.round()
        assert desk.events() == [("suspend-set", ANNE), ("suspend-removed", ANNE)]

    def test_marks_of_a_newer_version_are_left_alone(self, desk: Desk) -> None:
        """Two versions share a store during an upgrade."""
        desk.client.hset(desk.keys.audited, "throttle anne 0123456789ab", 1)
        desk.client.hset(desk.keys.audited, b"\xff\xfe", 1)
        for _ in range(2):
            desk.round()
        assert desk.client.hlen(desk.keys.audited) == 2
        assert desk.events() == []


def _type_for(desk: Desk) -> None:
    desk.type(Order.QUARANTINE, ANNE, "for=1h phished")


def _type_plain(desk: Desk) -> None:
    desk.type(Order.QUARANTINE, ANNE, "phished")


def _type_ended(desk: Desk) -> None:
    desk.type(Order.QUARANTINE, ANNE, f"{PAST} phished")


def _change(desk: Desk) -> None:
    desk.type(Order.QUARANTINE, ANNE, "phished, ticket 4711")


def _take_back(desk: Desk) -> None:
    desk.take_back(Order.QUARANTINE, ANNE)


# What a person does to an order that is in the audit, and what is written then.
_STEPS = [
    (_type_for, ["quarantine-set"]),
    (_type_plain, []),
    (_type_ended, ["quarantine-expired"]),
    (_change, ["quarantine-set"]),
    (_take_back, ["quarantine-removed"]),
]
# Two keepers' rounds, each a read and then a tend, in every order that keeps that.
_WEAVES = sorted(
    {
        weave
        for weave in itertools.permutations("aAbB")
        if weave.index("a") < weave.index("A") and weave.index("b") < weave.index("B")
    }
)


class TestTwoKeepers:
    """Two hosts look at the same store; reads and steps come in any order."""

    @pytest.mark.parametrize("weave", _WEAVES, ids="".join)
    @pytest.mark.parametrize(("step", "expected"), _STEPS)
    def test_each_step_is_audited_once(
        self,
        desk: Desk,
        weave: tuple[str, ...],
        step: Callable[[Desk], None],
        expected: list[str],
    ) -> None:
        """Whatever a person does, before or between: one event each, then silence."""
        for moment in range(4):
            self._start(desk)
            self._weave(desk, weave, step, moment)
            for _ in range(2):
                desk.round()
            events = [event for event, _ in desk.events()]
            assert events == ["quarantine-set", *expected]

    def _start(self, desk: Desk) -> None:
        """An order that everybody knows."""
        desk.keys = new_keys()
        _type_plain(desk)
        desk.round()

    def _weave(
        self,
        desk: Desk,
        weave: tuple[str, ...],
        step: Callable[[Desk], None],
        moment: int,
    ) -> None:
        keepers = {"a": desk.keeper(), "b": desk.keeper()}
        states: dict[str, State] = {}
        for at, what in enumerate(weave):
            if at == moment:
                step(desk)
            name = what.lower()
            if what == name:
                states[name] = keepers[name].read(LIMITS)
            else:
                keepers[name].tend(states[name])

    @pytest.mark.parametrize("weave", _WEAVES, ids="".join)
    def test_two_new_orders_are_two_events(
        self, desk: Desk, weave: tuple[str, ...]
    ) -> None:
        """Nothing was there before; one is typed before, one in between."""
        for moment in range(4):
            desk.keys = new_keys()
            _type_for(desk)

            def type_another(desk: Desk) -> None:
                desk.type(Order.SUSPEND, "bart", "for=1d bot")

            self._weave(desk, weave, type_another, moment)
            for _ in range(2):
                desk.round()
            assert sorted(desk.events()) == [
                ("quarantine-set", ANNE),
                ("suspend-set", "bart"),
            ]


class TestHosts:
    """How many hosts share the limits."""

    def test_hosts_are_counted(self, desk: Desk, keys: Keys) -> None:
        """Each once, however often it says so."""
        keeper = desk.keeper()
        assert keeper.announce("mx1", 1_000_000) == 1
        assert keeper.announce("mx2", 1_500_000) == 2
        assert keeper.announce("mx1", 2_000_000) == 2

    def test_a_host_that_is_silent_is_forgotten(self, desk: Desk) -> None:
        """A minute, and the others share its part."""
        keeper = desk.keeper()
        keeper.announce("mx1", 1_000_000)
        keeper.announce("mx2", 1_000_000 + HOST_SILENCE_US - 1)
        assert keeper.announce("mx2", 1_000_000 + HOST_SILENCE_US - 1) == 2
        assert keeper.announce("mx2", 1_000_000 + HOST_SILENCE_US) == 1
        # A clock that went back: this host is here, whatever it says.
        assert keeper.announce("mx3", 1) >= 1


_WORDS = st.sampled_from(
    [
        "for=1h",
        "for=999999999999999w",
        "for=99999999d",
        "for=0s",
        "until=1",
        "until=99999999999999999999",
        "until=9999-12-31T23:59:59-23:59",
        "until=0001-01-01T00:00:00+14:00",
        "until=²",
        "by=anne",
        "by=",
        "rules=limit-exceeded",
        "rules=,",
        "recipients=5000/1d",
        "recipients=1/366d",
        "=",
        "phished",
        "\n",
        "\x00",
        "\N{LINE SEPARATOR}",
    ]
)
_VALUES = st.one_of(
    st.binary(max_size=60),
    st.lists(_WORDS, max_size=5).map(lambda words: " ".join(words).encode()),
    st.just(b"x" * 5_000),
)
_NAMES = st.one_of(
    st.binary(max_size=20),
    st.sampled_from(
        [
            ANNE.encode(),
            b"",
            b" ",
            b"192.0.2.0/24",
            b"192.0.2.1/24",
            b"2001:DB8::/32",
            b"::/0",
            b"@example.com",
            "bücher.example".encode(),
            b"xn--a",
            b"quarantine anne",
            b"a/b",
        ]
    ),
)


@fast
@given(
    typed=st.dictionaries(
        st.sampled_from(list(Order)),
        st.dictionaries(_NAMES, _VALUES, max_size=4),
        max_size=4,
    )
)
def test_whatever_is_typed_the_rounds_go_on(
    store: Store,
    tmp_path_factory: pytest.TempPathFactory,
    typed: dict[Order, dict[bytes, bytes]],
) -> None:
    """Any names and values: nothing is raised, and after two rounds nothing changes."""
    desk = Desk(store.client, new_keys())
    for order, fields in typed.items():
        for name, value in fields.items():
            desk.type(order, name, value)
    for _ in range(2):
        desk.round()
    before, events = store.writes(), desk.events()
    state = desk.round()

    assert (store.writes(), desk.events()) == (before, events)
    assert len(events) == len(set(events))
    copy = LocalCopy(tmp_path_factory.mktemp("copy") / "operator.json")
    copy.write(state.hashes, 3)
    assert copy.refresh()
    assert copy.snapshot() == Snapshot.build(
        (
            parse_entry(order, name, value)
            for order in sorted(state.hashes)
            for name, value in sorted(state.hashes[order].items())
        ),
        hosts=3,
    )

"""Whoever writes, in whatever order: what ends a subscription is not undone by what is older.

Importers, operators, tokens of messages under way, an old export and erasures write one
person's subscriptions of one List-Id, which two customers have. Between what a writer
read and what it writes, others write. The real server is compared with the rules alone
(`later`), and what people rely on is checked besides, without them.
"""

import json
from base64 import b64encode
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from message.tokens import a_token
from outgate.model.consent import Grade
from outgate.model.optin import Method, Record, State, ZoneSource
from outgate.model.optin_order import erasure, later, outranks
from outgate.policy.operator import format_moment
from outgate.policy.questions import Answers, Evidence, Plan
from outgate.signing.vault import Vault
from outgate.store.consents import place_of
from outgate.store.counters import Counters
from outgate.store.erasure import Erasure
from outgate.store.hashes import Hashes
from outgate.store.keys import Keys
from outgate.store.registry import Registry
from outgate.store.transfer import FORM, VERSION, Restore
from store.builders import ANNE, START_US, Clock, a_plan
from store.optins import BART, LIST, an_optin
from store.running import SECRET, Store, fast, new_keys

CUSTOMERS = (ANNE, "choir")
HASHES = Hashes(SECRET)
SECOND_US = 1_000_000

_whose = st.sampled_from(CUSTOMERS)
# Before the clock's start and while it runs: older and newer than any erasure.
_moments = st.integers(-3, 14).map(lambda one: START_US + one * SECOND_US)
_EVENTS = st.one_of(
    st.tuples(
        st.just("load"),
        _whose,
        st.sampled_from([Grade.WITNESSED, Grade.PAPER, Grade.IMPORT]),
    ),
    st.tuples(st.just("import"), _whose, _moments),
    st.tuples(st.just("withdraw"), _whose, _moments),
    st.tuples(st.just("remove"), _whose, st.none()),
    st.tuples(st.just("erase"), st.sampled_from([*CUSTOMERS, ""]), st.none()),
    st.tuples(st.just("ask"), _whose, _moments),
    st.tuples(st.just("write"), st.just(""), st.integers(0, 3)),
    st.tuples(st.just("back-up"), st.just(""), st.none()),
    st.tuples(st.just("restore"), st.just(""), st.integers(0, 3)),
)
Event = tuple[str, str, Any]


@dataclass
class World:
    """The server, its writers, and what must be there by the rules."""

    store: Store
    keys: Keys = field(default_factory=new_keys)
    clock: Clock = field(default_factory=Clock)
    expected: dict[str, Record | None] = field(
        default_factory=lambda: dict.fromkeys(CUSTOMERS)
    )
    ended_us: dict[str, int] = field(
        default_factory=lambda: dict.fromkeys(CUSTOMERS, 0)
    )
    asked: list[tuple[str, Plan, Answers, Record | None]] = field(default_factory=list)
    backups: list[tuple[list[bytes], dict[str, Record | None]]] = field(
        default_factory=list
    )

    def __post_init__(self) -> None:
        client, clock = self.store.client, self.clock
        self.registry = Registry(
            client, self.keys, HASHES, sealer=Vault(SECRET), test_now_us=clock
        )
        self.counters: Counters = self.store.counters(self.keys, clock)
        self.erasure = Erasure(client, self.keys, HASHES, test_now_us=clock)
        for customer in CUSTOMERS:
            self.registry.introduce(customer, LIST)

    def happen(self, what: str, whose: str, value: Any) -> None:
        """One event."""
        self.clock.now_us += SECOND_US
        match what:
            case "load":
                self.registry.load(whose, LIST, [BART], value)
                self.apply(whose, Record(grade=value))
            case "import":
                optin = an_optin(value, customer=whose, evidence=True)
                self.registry.register([optin])
                self.apply(whose, optin.record)
            case "withdraw":
                record = Record(
                    state=State.WITHDRAWN, time_us=value, zone=ZoneSource.SOURCE_UTC
                )
                self.registry.withdraw(whose, LIST, [BART], record)
                self.apply(whose, record)
            case "remove":
                self.registry.remove(whose, LIST, [BART])
                there = self.expected[whose]
                if there is not None and there.state is State.CONSENT:
                    # As if it had never been, nor what it had overtaken.
                    self.expected[whose], self.ended_us[whose] = None, 0
            case "erase":
                them = [whose] if whose else list(CUSTOMERS)
                self.erasure.erase(BART, [], them)
                for one in them:
                    self.erase(one)
            case _:
                self._happen_late(what, whose, value)

    def _happen_late(self, what: str, whose: str, value: Any) -> None:
        """What reads now, and writes when others have written."""
        match what:
            case "ask":
                self.ask(whose, value)
            case "write" if value < len(self.asked):
                owner, plan, answers, news = self.asked.pop(value)
                self.counters.register(plan, answers)
                # What was posted is done by the time that an answer comes.
                self.store.ask("PING")
                if news is not None:
                    self.apply(owner, news)
            case "back-up":
                self.backups.append((self.exported(), dict(self.expected)))
            case "restore" if value < len(self.backups):
                lines, records = self.backups[value]
                Restore(self.registry, "5e").run(lines)
                for owner, kept in records.items():
                    if kept is not None:
                        self.apply(owner, kept)

    def apply(self, whose: str, record: Record) -> None:
        self.expected[whose] = later(record, self.expected[whose])
        if record.state is not State.CONSENT:
            self.ended_us[whose] = max(self.ended_us[whose], record.time_us or 0)

    def erase(self, whose: str) -> None:
        there = self.expected[whose]
        if there is not None and there.state is not State.ERASED:
            self.expected[whose] = erasure(self.clock.now_us, there)
            self.ended_us[whose] = max(self.ended_us[whose], self.clock.now_us)

    def ask(self, whose: str, time_us: int) -> None:
        """A message comes; what its token says is written when it has left."""
        token = a_token(time=format_moment(time_us), method=Method.COI_MAIL)
        plan = a_plan(people=[BART], subscribed=LIST, customer=whose)
        plan.evidence = Evidence({}, {BART: token})
        answers = self.counters.look_up(plan)
        known = self.expected[whose]
        counts = known is None or outranks(token.record, known)
        assert bool(answers.registrations) is counts
        # It is no stranger by its token, unless the registry knows better.
        has_asked = counts or (known is not None and known.permission.is_consent)
        assert answers.stranger_count == (not has_asked)
        self.asked.append((whose, plan, answers, token.record if counts else None))

    def exported(self) -> list[bytes]:
        """As `export` writes it; that one reads 16,384 hashes, of which two hold ours."""
        head = {
            FORM: VERSION,
            "secret-id": "5e",
            "lists": [(c, LIST) for c in CUSTOMERS],
        }
        lines = [json.dumps(head).encode() + b"\n"]
        for customer in CUSTOMERS:
            place = place_of(HASHES, customer, LIST, BART)
            row: dict[str, object] = {"list": LIST, "bucket": place.bucket}
            for name, key in (
                ("record", self.keys.optin(LIST, place.bucket)),
                ("evidence", self.keys.evidence(LIST, place.bucket)),
            ):
                if (value := self.store.client.hget(key, place.field)) is not None:
                    row[name] = b64encode(value).decode()
            if "record" in row:
                row["field"] = b64encode(place.field).decode()
                lines.append(json.dumps(row).encode() + b"\n")
        end = {"rows": len(lines) - 1, "sha256": sha256(b"".join(lines)).hexdigest()}
        return [*lines, json.dumps(end).encode() + b"\n"]

    def check(self) -> None:
        """What is there, and what a message of each customer is told."""
        for customer in CUSTOMERS:
            found = self.registry.find(customer, LIST, BART)
            assert (found and found.record) == self.expected[customer]
            plan = a_plan(people=[BART], subscribed=LIST, customer=customer)
            (permission,) = self.counters.look_up(plan, commit=False).permissions
            if permission.is_consent:
                assert found is not None
                # A subscription that was ended is one again by something newer alone.
                ended_us = self.ended_us[customer]
                assert not ended_us or (found.record.time_us or 0) > ended_us
            if found is not None and found.record.state is State.ERASED:
                assert not found.has_evidence


@fast
@given(st.lists(_EVENTS, max_size=10))
@example(
    [
        ("load", ANNE, Grade.WITNESSED),
        ("load", "choir", Grade.WITNESSED),
        ("back-up", "", None),
        ("erase", ANNE, None),
        ("restore", "", 0),
        ("load", ANNE, Grade.WITNESSED),
    ]
)
@example(
    [
        ("ask", ANNE, START_US),
        ("withdraw", ANNE, START_US),
        ("erase", "", None),
        ("write", "", 0),
    ]
)
def test_whatever_happens(store: Store, events: list[Event]) -> None:
    """Several writers, one after the other and in between."""
    world = World(store)
    for event in events:
        world.happen(*event)
        world.check()


_CONSENTS = (
    ("load", ANNE, Grade.WITNESSED),
    ("import", ANNE, START_US),
    ("ask", ANNE, START_US),
    ("restore", "", 0),
)


@pytest.mark.parametrize("end", ["withdraw", "erase"])
@pytest.mark.parametrize("again", _CONSENTS, ids=lambda one: one[0])
def test_what_is_older_than_its_end_brings_nobody_back(
    store: Store, end: str, again: Event
) -> None:
    """By no way in; a newer confirmation does, and its end ends it again."""
    world = World(store)

    def is_subscriber() -> bool:
        plan = a_plan(people=[BART], subscribed=LIST, customer=ANNE)
        (permission,) = world.counters.look_up(plan, commit=False).permissions
        return permission.is_consent

    for event in (("import", ANNE, START_US), ("back-up", "", None)):
        world.happen(*event)
    assert is_subscriber()
    world.happen(end, ANNE, START_US + SECOND_US)
    assert not is_subscriber()
    for event in (again, ("write", "", 0), ("remove", ANNE, None), again):
        world.happen(*event)
        assert not is_subscriber()
    world.happen("import", ANNE, world.clock.now_us)
    assert is_subscriber()
    world.happen(end, ANNE, world.clock.now_us)
    assert not is_subscriber()
    world.check()

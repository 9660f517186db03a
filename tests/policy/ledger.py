"""The port `Store` on dictionaries, for whoever tests policy without a server.

It keeps the promises of the port by the same models that judge the scripts: it charges
all or none, knows strangers and contents, and remembers what it was asked.
"""

from collections import defaultdict
from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from datetime import timedelta
from hashlib import blake2b

from outgate.model import optin
from outgate.model.challenge import (
    Bombing,
    Coverage,
    Entry,
    Recent,
    Witness,
    challenge,
)
from outgate.model.contacts import WEEK_US, Contacts
from outgate.model.content import Content, Contents
from outgate.model.distinct import Window, add, news, prune, remove, retry_after_us
from outgate.model.gcra import NEVER, Charge, Level, check_all, refund, rescale
from outgate.model.limit import Count
from outgate.model.optin_order import later, pack
from outgate.model.standing import WHOLE, Record, scaled_burst, scaled_interval_us
from outgate.model.units import SECOND_US, Rate, to_us
from outgate.policy.evidence import weigh
from outgate.policy.operator import Order
from outgate.policy.questions import (
    HASH_BYTES,
    Answers,
    Neighbours,
    Plan,
    PlannedChallenge,
    PlannedCharge,
    Source,
    Spread,
)
from outgate.policy.witness import compared

NOW_US = 1_795_500_000 * SECOND_US

Key = tuple[str, str, str]
# A message against a counter that nothing fits into: what no counter says is refused.
_NEVER = Charge(1, 0, 1)


@dataclass(slots=True)
class Clock:
    """Time that passes when a test says so."""

    now_us: int = NOW_US

    def __call__(self) -> int:
        return self.now_us


@dataclass(slots=True)
class Settlement:
    """One call of `Store.settle`."""

    plan: Plan
    answers: Answers
    held_bytes: int


def hash_of(item: str) -> bytes:
    """As the store tells items apart; without a secret."""
    return blake2b(item.encode("utf-8", "replace"), digest_size=HASH_BYTES).digest()


@dataclass(slots=True)
class Ledger:
    """What a store knows.

    Attributes:
        consents: by (List-Id, mailbox): what the registry keeps.
        asked_about: customer, list and mailbox of each question at RCPT.
        usual: by principal: recipients of today, and the faded peak.
        neighbours: who else sends whatever is asked about.
    """

    clock: Clock
    source: Source = Source.STORE
    tats_us: dict[Key, int] = field(default_factory=dict)
    counted_us: dict[Key, int] = field(default_factory=dict)
    windows: dict[Key, Window] = field(default_factory=lambda: defaultdict(Window))
    contacts: dict[str, Contacts] = field(default_factory=lambda: defaultdict(Contacts))
    contents: dict[str, Contents] = field(default_factory=lambda: defaultdict(Contents))
    consents: dict[tuple[str, str], optin.Record] = field(default_factory=dict)
    usual: dict[str, tuple[int, int]] = field(default_factory=dict)
    records: dict[str, Record] = field(default_factory=dict)
    neighbours: Neighbours | None = None
    orders: dict[tuple[Order, str], bytes] = field(default_factory=dict)
    attempts: dict[tuple[str, bytes], int] = field(default_factory=dict)
    held: dict[str, tuple[int, int]] = field(default_factory=dict)
    asked: list[Plan] = field(default_factory=list)
    settled: list[Settlement] = field(default_factory=list)
    introduced: list[Plan] = field(default_factory=list)
    spared: list[tuple[list[str], int]] = field(default_factory=list)
    met: list[Plan] = field(default_factory=list)
    asked_about: list[tuple[str, str, str]] = field(default_factory=list)
    asked_people: dict[str, list[Recent]] = field(default_factory=dict)
    challenges: list[tuple[PlannedChallenge, bool]] = field(default_factory=list)
    entries: dict[tuple[str, str], Entry] = field(default_factory=dict)
    coverage: dict[str, Coverage] = field(default_factory=dict)
    contradictions: dict[tuple[str, str], int | None] = field(default_factory=dict)

    def look_up(self, plan: Plan) -> Answers:
        self.asked.append(plan)
        standing = self._standing(plan)
        charges = [_in_force(charge, standing) for charge in plan.charges]
        answers = self._look_up(replace(plan, charges=charges), standing)
        answers.bombing = self._bombing(plan)
        if plan.conduct is not None and self.source is Source.STORE:
            record = self.records[plan.customer]
            if not (answers.allowed or answers.attempts) and plan.conduct.noted:
                record.stopped_us = answers.now_us
        return answers

    def has_withdrawn(self, customer: str, list_id: str, mailbox: str) -> bool | None:
        self.asked_about.append((customer, list_id, mailbox))
        if self.source is not Source.STORE:
            return None
        kept = self.consents.get((list_id, mailbox))
        return kept is not None and kept.state is optin.State.WITHDRAWN

    def note_challenge(self, plan: Plan, *, left: bool) -> None:
        assert plan.challenge is not None
        self.challenges.append((plan.challenge, left))
        list_id, now_s = plan.challenge.list_id, self.clock.now_us // SECOND_US
        name = (list_id, plan.challenge.mailbox)
        self.entries[name] = self.entries.get(name, Entry()).noted(now_s, left=left)
        if left:
            known = self.coverage.get(list_id, Coverage())
            retention_s = plan.challenge.retention_s
            self.coverage[list_id] = known.noted(now_s, retention_s)

    def _bombing(self, plan: Plan) -> Bombing | None:
        planned = plan.challenge
        if planned is None or self.source is not Source.STORE:
            return None
        found, self.asked_people[planned.mailbox] = challenge(
            self.asked_people.get(planned.mailbox, []),
            hash_of(plan.customer)[:2] + hash_of(planned.sender)[:2],
            self.clock.now_us // SECOND_US,
            planned.per_list,
            planned.per_recipient,
            binding=planned.binding,
        )
        return found

    def _standing(self, plan: Plan) -> int:
        conduct, now_us = plan.conduct, self.clock.now_us
        if conduct is None:
            return WHOLE
        known = bool(self.contacts[plan.customer].weeks)
        fresh = Record.begin(conduct, now_us, known=known)
        return self.records.setdefault(plan.customer, fresh).standing(conduct, now_us)

    def _look_up(self, plan: Plan, standing: int) -> Answers:
        now_us = self.clock.now_us
        if self.source in {Source.ACCEPT, Source.DEFER}:
            return Answers(now_us=now_us, source=self.source, trouble="down")
        people = [hash_of(one) for one in plan.people]
        contacts = self.contacts[plan.customer]
        strangers = contacts.strangers(people, now_us)
        unknown = len(strangers) if plan.greeting else 0
        renewed = sum(contacts.weeks.get(one) != now_us // WEEK_US for one in people)
        if plan.campaign is not None:
            plan = replace(plan, campaign=_in_force(plan.campaign, standing))
        spread = self._spread(plan, people, unknown)
        windows = [self._window(plan, charge) for charge in plan.charges]
        refused = any(
            not level.fits and charge.binding
            for charge, level in zip(plan.charges, windows, strict=True)
        )
        if spread is not None and plan.campaign is not None:
            refused = refused or (not spread.fits and plan.campaign.binding)
        keys = _keys(plan)
        charges = _charges(plan.charges, unknown)
        allowed, levels, after = check_all(
            [*self._tats_us(keys, charges), *([0] if refused else [])],
            [*charges, *([_NEVER] if refused else [])],
            now_us,
        )
        found = [
            window if charge.limit.count.is_distinct else level
            for charge, window, level in zip(
                plan.charges, windows, levels, strict=False
            )
        ]
        if allowed:
            self._write(plan, people, unknown, spread, found)
            self._note(keys, charges, after)
        messages, held_bytes = self.held.get(plan.customer, (0, 0))
        today, peak = self.usual.get(plan.principal, (0, 0))
        answers = Answers(
            now_us=now_us,
            source=self.source,
            allowed=allowed,
            levels=found,
            attempts=self.attempts.get((plan.customer, plan.retry_material), 0),
            held_messages=messages,
            held_bytes=held_bytes,
            strangers=b"".join(strangers),
            renewed=renewed if plan.greeting else 0,
            today=today,
            peak=peak,
            standing=standing,
            spread=spread,
            neighbours=self.neighbours,
        )
        if self.source is Source.STORE:
            self._tell(plan, answers)
        return answers

    def settle(
        self, plan: Plan, answers: Answers, *, held_bytes: int, stopped: bool = False
    ) -> None:
        self.settled.append(Settlement(plan, answers, held_bytes))
        if plan.challenge is not None and answers.bombing and answers.bombing.charged:
            self.asked_people[plan.challenge.mailbox].pop()
        self.attempts[plan.customer, plan.retry_material] = answers.attempts + 1
        if held_bytes:
            messages, already = self.held.get(plan.customer, (0, 0))
            self.held[plan.customer] = (messages + 1, already + held_bytes)
        if not answers.allowed or answers.source is not Source.STORE:
            return
        if stopped and plan.conduct is not None and not answers.attempts:
            self.records[plan.customer].stopped_us = self.clock.now_us
        if plan.campaign is not None:
            campaign = _in_force(plan.campaign, answers.standing)
            plan = replace(plan, campaign=campaign)
        strangers = _split(answers.strangers) if plan.greeting else []
        self.contacts[plan.customer].forget(strangers)
        if answers.spread is not None and answers.spread.fits:
            self.contents[plan.customer].forget(
                _bands(plan),
                _split(answers.spread.added),
                len(strangers),
                self.clock.now_us,
                _interval_us(plan),
            )
        in_force = [_in_force(charge, answers.standing) for charge in plan.charges]
        keys, charges = _keys(plan), _charges(in_force, len(strangers))
        tats_us = self._tats_us(keys, charges)
        for key, charge, planned, level, tat_us in zip(
            keys, charges, plan.charges, answers.levels, tats_us, strict=False
        ):
            if level.fits and planned.limit.count.is_distinct:
                assert isinstance(level.charged, bytes)
                remove(self.windows[key], _split(level.charged))
            elif level.fits:
                self._note([key], [charge], [refund(tat_us, charge)])

    def introduce(
        self, plan: Plan, answers: Answers, removed: AbstractSet[str] = frozenset()
    ) -> None:
        assert answers.strangers
        gone = set(map(hash_of, removed))
        people = [one for one in _split(answers.strangers) if one not in gone]
        if not people:
            return
        self.introduced.append(plan)
        if not plan.greeting:
            self.contacts[plan.customer].remember(people, self.clock.now_us)

    def register(self, plan: Plan, answers: Answers) -> None:
        for mailbox, record, said in answers.registrations:
            self.keep(plan.subscribed, mailbox, record)
            if said is Witness.CONTRADICTED:
                self.contradictions[plan.subscribed, mailbox] = record.time_us

    def keep(self, list_id: str, mailbox: str, record: optin.Record) -> None:
        kept = later(record, self.consents.get((list_id, mailbox)))
        assert kept is not None
        self.consents[list_id, mailbox] = kept

    def spare(
        self, plan: Plan, answers: Answers, removed: AbstractSet[str], recipients: int
    ) -> None:
        self.spared.append((sorted(removed), recipients))
        for key, planned, charge in zip(
            _keys(plan), plan.charges, _charges(plan.charges, 0), strict=True
        ):
            if answers.allowed and planned.limit.count is Count.RECIPIENTS:
                given = replace(charge, cost=recipients)
                self._note([key], [charge], [refund(self.tats_us[key], given)])

    def meet(self, plan: Plan) -> None:
        self.met.append(plan)
        people = map(hash_of, plan.people)
        self.contacts[plan.customer].remember(people, self.clock.now_us)

    def used(self, customer: str, limit: str, identity: str) -> int:
        """Units in a counter now, by the rate of the last question about it."""
        for plan in reversed(self.asked):
            for charge in plan.charges:
                key = (plan.customer, charge.limit.name, charge.identity)
                if key == (customer, limit, identity):
                    left_us = self.tats_us.get(key, 0) - self.clock.now_us
                    return max(0, -(-left_us // charge.rate.interval_us))
        return 0

    def _tats_us(self, keys: list[Key], charges: list[Charge]) -> list[int]:
        """As limits of other rates see what was counted."""
        return [
            rescale(
                self.tats_us.get(key, 0),
                self.counted_us.get(key, 0),
                charge.interval_us,
                self.clock.now_us,
            )
            for key, charge in zip(keys, charges, strict=True)
        ]

    def _note(
        self, keys: list[Key], charges: list[Charge], tats_us: Iterable[int]
    ) -> None:
        for key, charge, tat_us in zip(keys, charges, tats_us, strict=False):
            self.tats_us[key] = tat_us
            self.counted_us[key] = charge.interval_us

    def _spread(self, plan: Plan, people: list[bytes], unknown: int) -> Spread | None:
        campaign = plan.campaign
        if campaign is None:
            return None
        now_us, interval_us = self.clock.now_us, _interval_us(plan)
        contents, bands = self.contents[plan.customer], _bands(plan)
        burst, share = campaign.burst, campaign.limit.share
        fits = contents.fits(bands, people, unknown, burst, share, now_us, interval_us)
        entry = contents.find(bands, now_us) or Content(bands, 0)
        used = entry.strangers(now_us, interval_us)
        added = b"".join(one for one in people if one not in entry.people)
        over_us = NEVER if unknown > burst else (used + unknown - burst) * interval_us
        return Spread(
            fits=fits,
            strangers=used + (unknown if fits else 0),
            retry_after_us=0 if fits else over_us,
            reached=entry.reached() + (len(added) // HASH_BYTES if fits else 0),
            added=added,
        )

    def _window(self, plan: Plan, charge: PlannedCharge) -> Level:
        if not charge.limit.count.is_distinct:
            return Level(True, 0, 0)
        key = (plan.customer, charge.limit.name, charge.identity)
        window, window_us = self.windows[key], to_us(charge.rate.period)
        items = [hash_of(item) for item in charge.items]
        prune(window, self.clock.now_us, window_us)
        retry_us = retry_after_us(
            window, items, charge.burst, self.clock.now_us, window_us
        )
        added = news(window, items)
        used = window.count() + (0 if retry_us else len(added))
        return Level(not retry_us, used, retry_us, b"".join(added))

    def _write(
        self,
        plan: Plan,
        people: list[bytes],
        unknown: int,
        spread: Spread | None,
        levels: list[Level],
    ) -> None:
        now_us = self.clock.now_us
        if plan.greeting:
            self.contacts[plan.customer].remember(people, now_us)
        if spread is not None and spread.fits:
            self.contents[plan.customer].remember(
                _bands(plan), people, unknown, now_us, _interval_us(plan)
            )
        for key, charge, level in zip(_keys(plan), plan.charges, levels, strict=True):
            if charge.limit.count.is_distinct and level.fits:
                items = [hash_of(item) for item in charge.items]
                add(self.windows[key], items, now_us, to_us(charge.rate.period))

    def _tell(self, plan: Plan, answers: Answers) -> None:
        """What stands outside the script: orders, and who asked for a list."""
        answers.suspend = self._values(Order.SUSPEND, plan.names)
        answers.quarantine = self._values(Order.QUARANTINE, plan.names)
        answers.allow = self._values(Order.ALLOW, plan.own_names)
        if plan.subscribed:
            known = [self.consents.get((plan.subscribed, one)) for one in plan.people]
            weighed = weigh(plan, [pack(one) if one else b"" for one in known])
            if plan.claims is not None:
                entries = {
                    mailbox: self.entries.get((plan.subscribed, mailbox), Entry())
                    for mailbox in plan.claims.claimed_us
                }
                coverage = self.coverage.get(plan.subscribed, Coverage())
                weighed = compared(
                    *(weighed, plan.people, plan.claims, coverage, entries),
                    answers.now_us,
                )
            answers.permissions, answers.registrations, answers.overruled = weighed
            asked = {
                hash_of(mailbox)
                for mailbox, one in zip(plan.people, weighed.permissions, strict=True)
                if one.is_consent
            }
            answers.strangers = b"".join(
                one for one in _split(answers.strangers) if one not in asked
            )

    def _values(self, order: Order, names: tuple[str, ...]) -> list[bytes | None]:
        return [self.orders.get((order, name)) for name in names]


def _in_force(charge: PlannedCharge, standing: int) -> PlannedCharge:
    """As the script counts; `PlannedCharge.at` is what a person reads."""
    if not charge.earned:
        return charge
    interval_us = scaled_interval_us(charge.rate.interval_us, standing)
    return replace(
        charge,
        rate=Rate(1, timedelta(microseconds=interval_us)),
        burst=scaled_burst(charge.burst, standing),
    )


def _split(hashes: bytes) -> list[bytes]:
    return [hashes[at : at + HASH_BYTES] for at in range(0, len(hashes), HASH_BYTES)]


def _bands(plan: Plan) -> tuple[bytes, ...]:
    return plan.bands if len(plan.bands) > 1 else plan.bands * 12


def _interval_us(plan: Plan) -> int:
    return plan.campaign.rate.interval_us if plan.campaign is not None else 1


def _keys(plan: Plan) -> list[Key]:
    return [
        (plan.customer, charge.limit.name, charge.identity) for charge in plan.charges
    ]


def _charges(planned: Iterable[PlannedCharge], unknown: int) -> list[Charge]:
    return [
        Charge(
            charge.rate.interval_us,
            charge.burst,
            _cost(charge, unknown),
            charge.binding,
        )
        for charge in planned
    ]


def _cost(charge: PlannedCharge, unknown: int) -> int:
    count = charge.limit.count
    if count.is_distinct:
        return 0
    return unknown if count is Count.STRANGERS else charge.cost

"""The port that policy sees: the store, or what the operator chose instead.

`on-failure` decides what happens while the store does not answer:

    degraded   this host's own counters and the last known operator state
    accept     mail passes; the last known operator state still acts
    defer      mail waits (rule `store-unavailable`)

What is held meanwhile is counted on this host in each of them, for the cap of
`[quarantine]`.

No trouble of the store reaches policy as an exception, and none is silent: each is
counted by kind, and the log says once when the store went and when it came back.
"""

import sqlite3
from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from enum import StrEnum
from typing import Protocol

from outgate.model.errors import ScriptError, StoreError
from outgate.policy.compiled import Policy
from outgate.policy.decision import Decision
from outgate.policy.grace import ListKey
from outgate.policy.ports import NowUs
from outgate.policy.questions import Answers, Plan, Source
from outgate.policy.snapshot import Snapshot
from outgate.store.breaker import Breaker, GivenUp
from outgate.store.counters import Counters
from outgate.store.local import LocalCounters


class OnFailure(StrEnum):
    """`[store] on-failure`."""

    DEGRADED = "degraded"
    ACCEPT = "accept"
    DEFER = "defer"


class Watcher(Protocol):
    """Hears of the store's troubles: metrics and the log."""

    def store_failed(self, kind: str, message: str) -> None:
        """Count one failure."""

    def store_down(self, message: str) -> None:
        """Say that nobody asks the store for now."""

    def store_up(self) -> None:
        """Say that the store answers again."""


class Front:
    """Answers every question, by the store if it can."""

    def __init__(
        self,
        counters: Counters,
        local: LocalCounters,
        snapshot: Callable[[], Snapshot],
        now_us: NowUs,
        monotonic_s: Callable[[], float],
        watcher: Watcher,
        breaker: Breaker,
        *,
        on_failure: OnFailure = OnFailure.DEGRADED,
    ) -> None:
        self._counters = counters
        self._local = local
        self._snapshot = snapshot
        self._now_us = now_us
        self._monotonic_s = monotonic_s
        self._watcher = watcher
        self._on_failure = on_failure
        self._breaker = breaker
        # Whether this host may have counted what is held. A process that begins does not
        # know what became of those before it.
        self._stood_in = True

    @property
    def degraded(self) -> bool:
        """Whether the store is known to be away."""
        return not self._breaker.closed

    def introduce(
        self, plan: Plan, answers: Answers, removed: AbstractSet[str] = frozenset()
    ) -> None:
        """Charge strangers who were let out uncounted; nobody waits."""
        try:
            self._counters.introduce(plan, answers, removed)
        except StoreError as error:
            self._watcher.store_failed(error.kind, str(error))

    def spare(
        self, plan: Plan, answers: Answers, removed: AbstractSet[str], recipients: int
    ) -> None:
        """Give back what removed recipients cost; nobody waits."""
        try:
            self._counters.spare(plan, answers, removed, recipients)
        except StoreError as error:
            self._watcher.store_failed(error.kind, str(error))

    def meet(self, plan: Plan) -> None:
        """Remember recipients of a message that left all the same; nobody waits."""
        try:
            self._counters.meet(plan)
        except StoreError as error:
            self._watcher.store_failed(error.kind, str(error))

    def register(self, plan: Plan, answers: Answers) -> None:
        """Put what tokens say into the registry; nobody waits."""
        try:
            self._counters.register(plan, answers)
        except StoreError as error:
            self._watcher.store_failed(error.kind, str(error))

    def note_challenge(self, plan: Plan, *, left: bool) -> None:
        """Put a challenge into its list's ledger; nobody waits."""
        try:
            self._counters.note_challenge(plan, left=left)
        except StoreError as error:
            self._watcher.store_failed(error.kind, str(error))

    def add_to_list_day(
        self, key: ListKey, now_us: int, counts: Mapping[str, int]
    ) -> None:
        """Count a message of a registered list; nobody waits."""
        try:
            self._counters.add_to_list_day(key, now_us, counts)
        except StoreError as error:
            self._watcher.store_failed(error.kind, str(error))

    def keep_trace(self, decision: Decision, policy: Policy) -> None:
        """Keep what tells whose a message was; nobody waits."""
        if self.degraded:
            # Nobody would take it, and the breaker is for who waits.
            return
        try:
            self._counters.keep_trace(decision, policy)
        except StoreError as error:
            self._watcher.store_failed(error.kind, str(error))

    def look_up(self, plan: Plan, *, commit: bool = True) -> Answers:
        """Ask the store, or whoever stands in for it."""
        started_s = self._monotonic_s()
        try:
            if not self._breaker.may_ask(started_s):
                self._stood_in = True
                raise GivenUp("nobody asks for now")
            answers = self._counters.look_up(plan, commit=commit)
        except StoreError as error:
            self._note_trouble(error)
            answers = self._instead(plan, error.kind, commit=commit)
        else:
            self._note_success()
        answers.store_us = int((self._monotonic_s() - started_s) * 1_000_000)
        return answers

    def has_withdrawn(self, customer: str, list_id: str, mailbox: str) -> bool | None:
        """Ask the registry about one recipient; None while nobody answers."""
        try:
            if not self._breaker.may_ask(self._monotonic_s()):
                raise GivenUp("nobody asks for now")
            withdrawn = self._counters.has_withdrawn(customer, list_id, mailbox)
        except StoreError as error:
            self._note_trouble(error)
            return None
        self._note_success()
        return withdrawn

    def settle(
        self, plan: Plan, answers: Answers, *, held_bytes: int, stopped: bool = False
    ) -> None:
        """Give a charge back where it was made."""
        try:
            if answers.source is Source.STORE:
                self._counters.settle(
                    plan, answers, held_bytes=held_bytes, stopped=stopped
                )
                return
            if held_bytes:
                self._local.hold(plan.customer, held_bytes, answers.now_us)
            if answers.source is Source.LOCAL:
                self._local.settle(plan, answers, self._snapshot().hosts)
        except StoreError as error:
            self._watcher.store_failed(error.kind, str(error))
        except sqlite3.Error as error:
            self._watcher.store_failed("local", str(error))

    def _note_trouble(self, error: StoreError) -> None:
        self._watcher.store_failed(error.kind, str(error))
        if isinstance(error, ScriptError):
            # It failed on one customer's key: the server itself answers.
            self._note_success()
        elif not isinstance(error, GivenUp) and self._breaker.failed(
            self._monotonic_s()
        ):
            self._watcher.store_down(str(error))

    def _note_success(self) -> None:
        if self._breaker.succeeded():
            self._watcher.store_up()
            self._stood_in = True
        if not self._stood_in:
            return
        self._stood_in = False
        try:
            self._local.forget_held()
        except sqlite3.Error as error:
            self._watcher.store_failed("local", str(error))

    def _instead(self, plan: Plan, trouble: str, *, commit: bool) -> Answers:
        now_us = self._now_us()
        source = Source.DEFER if self._on_failure is OnFailure.DEFER else Source.ACCEPT
        answers = Answers(now_us=now_us, source=source)
        try:
            if self._on_failure is OnFailure.DEGRADED:
                answers = self._local.look_up(
                    plan, now_us, self._snapshot().hosts, commit=commit
                )
            else:
                # An operator's quarantine acts in every direction, and has its cap.
                answers.held_messages, answers.held_bytes = self._local.held(
                    plan.customer, now_us
                )
        except sqlite3.Error as error:
            self._watcher.store_failed("local", str(error))
        answers.trouble = trouble
        return answers

"""Reports to lists' maintainers: from a worker's decision to the mail.

A worker adds up what it sees of a list and writes a record once a minute at most. The
keeper adds up what comes, waits a little for more, and tells the maintainer once in
`[notify] warn-every`, whichever host it is.
"""

import threading
import time
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from outgate.config.checks import parse_host_port
from outgate.config.settings import Settings
from outgate.daemon.digests import BUDGET_S, PAUSE_AFTER_FAILURE_S, SENDING_S
from outgate.log.lines import Log
from outgate.metrics import names
from outgate.metrics.status import Status
from outgate.model.errors import MtaError
from outgate.model.units import SECOND_US
from outgate.model.verdict import Action, Reason
from outgate.notify.letter import send
from outgate.notify.list_report import Reported, render
from outgate.policy.decision import Decision
from outgate.policy.grace import Deadline, ListKey
from outgate.policy.permission import coverage
from outgate.store.claims import Claims
from outgate.store.keys import Keys
from outgate.store.lists import Lists, Told
from outgate.store.outbox import Outbox, Record

LIST_REPORT = "list-report"
"""Kind of the records in the outbox."""

GATHER_S = 300.0
"""How long the keeper waits for more of a mailing before it tells."""

_EVERY_US = 60 * SECOND_US
_MOST_LISTS = 1000
_OLD_US = 2 * 24 * 3600 * SECOND_US


@dataclass(slots=True)
class _Sum:
    """What was seen of one list and not told yet."""

    contact: str
    since_us: int
    uncovered: int = 0
    people: int = 0
    withdrawn: int = 0
    held: int = 0
    bombed: int = 0

    def add(
        self,
        uncovered: int = 0,
        people: int = 0,
        withdrawn: int = 0,
        held: int = 0,
        bombed: int = 0,
    ) -> None:
        self.uncovered += uncovered
        self.people += people
        self.withdrawn += withdrawn
        self.held += held
        self.bombed += bombed


class ListReportWriter:
    """An observer that writes down which list lacks how many consents."""

    def __init__(
        self, outbox: Outbox, log: Log, contacts: Mapping[ListKey, str]
    ) -> None:
        """Keep what is known of maintainers.

        Args:
            outbox: where records go.
            log: hears of lost ones.
            contacts: of lists that have one of their own.
        """
        self._outbox = outbox
        self._log = log
        self._contacts = contacts
        self._lock = threading.Lock()
        # The least recently written first.
        self._sums: OrderedDict[ListKey, _Sum] = OrderedDict()
        self._written_us: dict[ListKey, int] = {}

    def observe(self, decision: Decision) -> None:
        """Add a message up where somebody is to be told of it."""
        plan, accountable = decision.plan, decision.accountable
        if plan is None:
            return
        if plan.subscribed:
            list_id, more = plan.subscribed, _lacking(decision)
        else:
            list_id, more = _bombing(decision)
        if more is None:
            return
        key = plan.customer, list_id
        contact = self._contacts.get(key, "")
        if not contact and accountable is not None:
            contact = accountable.reachable
        if not contact:
            return
        now_us = decision.now_us
        with self._lock:
            one = self._sums.setdefault(key, _Sum(contact, now_us))
            one.add(**more)
            if now_us - self._written_us.get(key, 0) < _EVERY_US:
                return
            self._written_us[key] = now_us
            del self._sums[key]
            if len(self._sums) > _MOST_LISTS:
                self._sums.popitem(last=False)
        self._write(key, one)

    def _write(self, key: ListKey, one: _Sum) -> None:
        record: Record = {
            "kind": LIST_REPORT,
            "customer": key[0],
            "list": key[1],
            "contact": one.contact,
            "uncovered": one.uncovered,
            "people": one.people,
            "withdrawn": one.withdrawn,
            "held": one.held,
            "bombed": one.bombed,
            "since-us": one.since_us,
        }
        try:
            self._outbox.append(record)
        except OSError as error:
            self._log.error("list-report-lost", list=key[1], message=str(error))


def _lacking(decision: Decision) -> dict[str, int] | None:
    """What the list's mail lacks, where the rule acts; None where nobody is told.

    What a few lack, their notifications say.
    """
    plan, answers = decision.plan, decision.answers
    if plan is None or answers is None or not _acts(decision, _LACKING):
        return None
    found = coverage(decision.transaction, plan, answers)
    if found is None:
        return None
    return {
        "uncovered": found.without_consent,
        "people": found.people,
        "withdrawn": len(found.withdrawn),
        "held": decision.disposition.action is Action.QUARANTINE,
    }


def _bombing(decision: Decision) -> tuple[str, dict[str, int] | None]:
    """The list whose request to confirm was stopped, each request once."""
    plan, answers = decision.plan, decision.answers
    if plan is None or plan.challenge is None or not plan.challenge.list_id:
        return "", None
    # A retry is no request of its own.
    if answers is None or answers.attempts or not _acts(decision, _BOMBING):
        return "", None
    if decision.disposition.action.lets_out:
        return "", None
    return plan.challenge.list_id, {"bombed": 1}


_LACKING = Reason.LIST_WITHOUT_CONSENT
_BOMBING = Reason.SUBSCRIPTION_BOMBING


def _acts(decision: Decision, reason: Reason) -> bool:
    return any(
        one.reason is reason and one.binding and one.action is not Action.ACCEPT
        for one in decision.verdict.findings
    )


class ListReports:
    """What is to be told, and is told; two threads of the keeper use it.

    Attributes:
        deadlines: of lists, as the keeper saw them last.
    """

    def __init__(
        self,
        settings: Settings,
        claims: Claims,
        lists: Lists,
        keys: Keys,
        status: Status,
        log: Log,
        *,
        monotonic_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self.deadlines: Mapping[ListKey, Deadline] = {}
        self._notify = settings.notify
        self._claims = claims
        self._lists = lists
        self._keys = keys
        self._status = status
        self._log = log
        self._monotonic_s = monotonic_s
        self._lock = threading.Lock()
        self._sums: OrderedDict[ListKey, _Sum] = OrderedDict()
        self._due_s: dict[ListKey, float] = {}

    def add(self, record: Record) -> None:
        """Take a record from the outbox; where there are too many, the oldest goes.

        Raises:
            KeyError, ValueError: it is none that a worker wrote.
        """
        key = str(record["customer"]), str(record["list"])
        words = ("uncovered", "people", "withdrawn", "held")
        counts = [int(record[name]) for name in words]
        # A record of an older worker has none.
        counts.append(int(record.get("bombed", 0)))
        fresh = _Sum(str(record["contact"]), int(record["since-us"]))
        with self._lock:
            one = self._sums.setdefault(key, fresh)
            one.add(*counts)
            self._due_s.setdefault(key, self._monotonic_s() + GATHER_S)
            if len(self._sums) > _MOST_LISTS:
                oldest, _ = self._sums.popitem(last=False)
                self._due_s.pop(oldest, None)

    def send_due(self, now_us: int) -> None:
        """Tell maintainers, each list once in `warn-every`.

        Raises:
            StoreError: the store did not answer.
        """
        server = parse_host_port(self._notify.smtp)
        if not self._notify.sender or server is None:
            return
        started_s = self._monotonic_s()
        by_contact: dict[str, dict[ListKey, _Sum]] = defaultdict(dict)
        with self._lock:
            for key, one in list(self._sums.items()):
                if one.since_us + _OLD_US < now_us:
                    self._drop(key)
                elif self._due_s[key] <= started_s:
                    by_contact[one.contact][key] = one
        for contact, about in by_contact.items():
            if self._monotonic_s() - started_s > BUDGET_S:
                return
            self._send(contact, about, server, now_us)

    def _send(
        self,
        contact: str,
        about: dict[ListKey, _Sum],
        server: tuple[str, int],
        now_us: int,
    ) -> None:
        every_s = max(1, int(self._notify.warn_every.total_seconds()))
        # What comes meanwhile is added up until it may be told.
        claimed = {
            key: self._reported(key, one)
            for key, one in about.items()
            if self._claims.claim(self._keys.report(*key), min(every_s, SENDING_S))
        }
        if not claimed:
            return
        told = list(claimed.values())
        sender = self._notify.sender
        try:
            send(render(told, sender=sender, to=contact, now_us=now_us), *server)
        except MtaError as error:
            self._status.count(names.NOTIFY_FAILURES, "list-report")
            self._log.warning("list-report-not-sent", message=str(error))
            for key in claimed:
                self._claims.forget(self._keys.report(*key))
                self._due_s[key] = self._monotonic_s() + PAUSE_AFTER_FAILURE_S
            return
        self._log.info("list-report-sent", to=contact, lists=len(told))
        for key, one in claimed.items():
            self._claims.keep(self._keys.report(*key), every_s)
            if one.people:
                self._lists.tell(key, Told(one.uncovered, one.people, now_us))
            with self._lock:
                self._drop(key)

    def _reported(self, key: ListKey, one: _Sum) -> Reported:
        before = self._lists.told(key)
        deadline = self.deadlines.get(key)
        return Reported(
            contact=one.contact,
            customer=key[0],
            list_id=key[1],
            uncovered=one.uncovered,
            people=one.people,
            withdrawn=one.withdrawn,
            held=one.held,
            bombed=one.bombed,
            since_us=one.since_us,
            until_us=deadline.until_us if deadline is not None else 0,
            before=(before[0].uncovered, before[0].people) if before else None,
        )

    def _drop(self, key: ListKey) -> None:
        self._sums.pop(key, None)
        self._due_s.pop(key, None)

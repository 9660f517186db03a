"""Notices of limits that are nearly used up: from a worker's decision to the mail.

A worker writes a record into the outbox, for one limit once an hour: a sender who stays
near a limit costs the disk nothing more. The keeper gathers what comes and sends it, of
one limit once in `warn-every`, whichever host it is; what could not be sent it tries
again. What a keeper that dies forgets, the workers' next records bring back.
"""

import threading
import time
from collections import OrderedDict, defaultdict
from collections.abc import Callable

from outgate.config.checks import parse_host_port
from outgate.config.settings import Settings
from outgate.daemon.digests import BUDGET_S, PAUSE_AFTER_FAILURE_S, SENDING_S
from outgate.log.lines import Log
from outgate.metrics import names
from outgate.metrics.status import Status
from outgate.model.errors import MtaError
from outgate.model.limit import Per
from outgate.model.units import SECOND_US, to_us
from outgate.model.verdict import Reason
from outgate.notify.letter import send
from outgate.notify.notice import Warned, render
from outgate.policy.decision import Decision
from outgate.policy.nearing import Nearing, nearing
from outgate.store.claims import Claims
from outgate.store.keys import Keys
from outgate.store.outbox import Outbox, Record

NEAR_LIMIT = "near-limit"
"""Kind of the records in the outbox."""

_HOUR_S = 3_600
_HOUR_US = _HOUR_S * SECOND_US
_DAY_US = 24 * _HOUR_US
# More limits than come to their end on one host within an hour.
_MOST_TOLD = 4096
_MOST_PENDING = 1000
_MOST_PENDING_OF_CUSTOMER = 20
# A sender may have as many of these as it likes, and writes them: a VERP address names a
# recipient, a script or a site may be any text. For all together there is one notice.
_CHOSEN_BY_SENDER = frozenset({Per.ADDRESS, Per.DOMAIN, Per.LIST, Per.SCRIPT, Per.SITE})


class NoticeWriter:
    """An observer that writes down who is to be told of a limit."""

    def __init__(self, outbox: Outbox, log: Log) -> None:
        self._outbox = outbox
        self._log = log
        self._lock = threading.Lock()
        # The least recently written first.
        self._written_us: OrderedDict[tuple[str, str, str], int] = OrderedDict()

    def observe(self, decision: Decision) -> None:
        """Write a record of each limit that was not written lately."""
        plan, answers = decision.plan, decision.answers
        accountable = decision.accountable
        if plan is None or answers is None or accountable is None:
            return
        if not accountable.reachable or not _warns(decision):
            return
        for near in nearing(plan, answers, decision.verdict.findings):
            record = _record(
                near, plan.customer, accountable.reachable, decision.now_us
            )
            if self._is_new(record, decision.now_us):
                self._write(record)

    def _is_new(self, record: Record, now_us: int) -> bool:
        key = str(record["customer"]), str(record["limit"]), str(record["identity"])
        with self._lock:
            written = self._written_us
            if key in written and now_us - written[key] < _HOUR_US:
                return False
            written[key] = now_us
            written.move_to_end(key)
            if len(written) > _MOST_TOLD:
                written.popitem(last=False)
            return True

    def _write(self, record: Record) -> None:
        try:
            self._outbox.append(record)
        except OSError as error:
            self._log.error("notice-lost", limit=record["limit"], message=str(error))


def _warns(decision: Decision) -> bool:
    return any(
        finding.reason is Reason.NEAR_LIMIT and finding.binding
        for finding in decision.verdict.findings
    )


def _record(near: Nearing, customer: str, contact: str, now_us: int) -> Record:
    charge = near.charge
    limit, rate = charge.limit, charge.rate
    period_us = to_us(rate.period)
    drains_us = period_us if limit.count.is_distinct else near.used * rate.interval_us
    return {
        "kind": NEAR_LIMIT,
        "customer": customer,
        "contact": contact,
        "limit": limit.name,
        "identity": "" if limit.per in _CHOSEN_BY_SENDER else charge.identity,
        "count": limit.count.value,
        "rate": str(rate),
        "used": near.used,
        "burst": charge.burst,
        "since-us": now_us,
        "free-us": now_us + drains_us,
    }


class Notices:
    """What is to be told, and is told; two threads of the keeper use it."""

    def __init__(
        self,
        settings: Settings,
        claims: Claims,
        keys: Keys,
        status: Status,
        log: Log,
        *,
        monotonic_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._monotonic_s = monotonic_s
        self._notify = settings.notify
        self._claims = claims
        self._keys = keys
        self._status = status
        self._log = log
        self._lock = threading.Lock()
        self._pending: OrderedDict[tuple[str, str, str], Warned] = OrderedDict()
        self._not_before_s: dict[str, float] = {}

    def add(self, record: Record) -> None:
        """Take a record from the outbox; of one limit the latest is told.

        Where there are too many, the oldest of that customer goes, or else of all.

        Raises:
            KeyError, ValueError: it is none that a worker wrote.
        """
        warned = _warned(record)
        with self._lock:
            self._pending[warned.key] = warned
            own = [key for key in self._pending if key[0] == warned.customer]
            if len(own) > _MOST_PENDING_OF_CUSTOMER:
                del self._pending[own[0]]
            if len(self._pending) > _MOST_PENDING:
                self._pending.popitem(last=False)

    def send_due(self, now_us: int) -> None:
        """Send what is due: at most one mail to an address in an hour.

        Raises:
            StoreError: the store did not answer.
        """
        notify = self._notify
        server = parse_host_port(notify.smtp)
        by_contact: dict[str, list[Warned]] = defaultdict(list)
        for warned in self._fresh(now_us):
            by_contact[warned.contact].append(warned)
        if not notify.sender or server is None:
            return
        started_s = self._monotonic_s()
        for contact, about in by_contact.items():
            if self._monotonic_s() - started_s > BUDGET_S:
                self._log.warning("notices-late", message="the others wait for a round")
                return
            if self._monotonic_s() >= self._not_before_s.get(contact, 0.0):
                self._send(contact, about, server, now_us)

    def _fresh(self, now_us: int) -> list[Warned]:
        """What waits; what waited for a day is no news any more."""
        with self._lock:
            for key, warned in list(self._pending.items()):
                if warned.since_us + _DAY_US < now_us:
                    del self._pending[key]
            return list(self._pending.values())

    def _send(
        self, contact: str, about: list[Warned], server: tuple[str, int], now_us: int
    ) -> None:
        every_s = max(1, int(self._notify.warn_every.total_seconds()))
        claims = self._claims
        claimed = {}
        for warned in about:
            key = self._keys.notice(*warned.key)
            if claims.claim(key, min(every_s, SENDING_S)):
                claimed[key] = warned
            else:
                # Told already, or another host is about to.
                self._drop(warned)
        if not claimed:
            return
        told = list(claimed.values())
        try:
            send(
                render(told, sender=self._notify.sender, to=contact, now_us=now_us),
                *server,
            )
        except MtaError as error:
            self._pause(contact, PAUSE_AFTER_FAILURE_S)
            self._status.count(names.NOTIFY_FAILURES, "notice")
            self._log.warning("notice-not-sent", message=str(error))
            for key in claimed:
                claims.forget(key)
            return
        self._pause(contact, _HOUR_S)
        self._log.info("notice-sent", to=contact, limits=len(told))
        for key, warned in claimed.items():
            claims.keep(key, every_s)
            self._drop(warned)

    def _pause(self, contact: str, seconds: float) -> None:
        now_s = self._monotonic_s()
        self._not_before_s = {
            one: until_s
            for one, until_s in self._not_before_s.items()
            if until_s > now_s
        } | {contact: now_s + seconds}

    def _drop(self, warned: Warned) -> None:
        with self._lock:
            self._pending.pop(warned.key, None)


def _warned(record: Record) -> Warned:
    return Warned(
        contact=str(record["contact"]),
        customer=str(record["customer"]),
        limit=str(record["limit"]),
        identity=str(record["identity"]),
        count=str(record["count"]),
        rate=str(record["rate"]),
        used=int(record["used"]),
        burst=int(record["burst"]),
        since_us=int(record["since-us"]),
        free_us=int(record["free-us"]),
    )

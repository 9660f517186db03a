"""Held mail, looked after: what is gone, what is overdue; who is to be told of what.

All of it waits for others: a queue listing is a process of the MTA's, a digest a dialogue
with a server that may be silent. So it lives in a thread of its own, and the keeper's
round (orders, outbox, its own end) waits for none of it.
"""

import threading
import time
from collections.abc import Callable, Mapping

from outgate.config.settings import Settings
from outgate.daemon.compose import Places, now_us
from outgate.daemon.digests import Digests
from outgate.daemon.dsns import Dsns
from outgate.daemon.listreports import ListReports
from outgate.daemon.mtanames import MtaNames
from outgate.daemon.notices import Notices
from outgate.daemon.steps import Steps
from outgate.log.lines import Log
from outgate.metrics import names
from outgate.metrics.status import Status
from outgate.model.errors import MtaError, StoreError
from outgate.mta.queue import list_held
from outgate.store.claims import Claims
from outgate.store.dsnspool import DsnSpool
from outgate.store.holds import Holds, flaw, not_listed
from outgate.store.keys import Keys
from outgate.store.lists import Lists

# Hold queues change slowly, and listing one is a process of its own.
_EVERY_S = 10.0
_LEAST_PAUSE_S = 1.0

Records = list[Mapping[str, str]]


class Holding:
    """One look after the other.

    Attributes:
        notices: mail about limits; it is sent in the same thread.
        reports: mail about lists.
        dsns: mail about removed recipients; it needs no store.
    """

    def __init__(
        self,
        settings: Settings,
        holds: Holds,
        claims: Claims,
        lists: Lists,
        keys: Keys,
        mta_names: MtaNames,
        steps: Steps,
        status: Status,
        log: Log,
        may: Callable[[], bool],
    ) -> None:
        # Whether the store may be used now.
        self._may = may
        self._command = settings.quarantine.queue_command
        self._holds = holds
        self._mta_names = mta_names
        self._steps = steps
        self._status = status
        self._log = log
        self._digests = Digests(settings, claims, keys, status, log)
        self.notices = Notices(settings, claims, keys, status, log)
        self.reports = ListReports(settings, claims, lists, keys, status, log)
        spool = DsnSpool(Places.of(settings).dsns)
        self.dsns = Dsns(settings, spool, status, log)
        self._wake = threading.Event()
        self._told: set[tuple[str, str, str]] = set()

    def start(self) -> None:
        """Live in a thread of its own, until the process ends."""
        threading.Thread(target=self._live, name="holding", daemon=True).start()

    def soon(self) -> None:
        """Look soon: something was held, or is to be told."""
        self._wake.set()

    def _live(self) -> None:
        while True:
            self._wake.wait(_EVERY_S)
            self._wake.clear()
            started_s = time.monotonic()
            self._steps.run("dsns", lambda: self.dsns.send_due(now_us()))
            if self._may():
                try:
                    self._steps.run("holds", self._tend)
                    self._steps.run("notices", lambda: self.notices.send_due(now_us()))
                    self._steps.run("reports", lambda: self.reports.send_due(now_us()))
                except StoreError as error:
                    # The keeper's own round says it loudly.
                    self._log.debug("holds-not-tended", message=str(error))
            # A slow listing has earned the machine a rest.
            time.sleep(max(_LEAST_PAUSE_S, time.monotonic() - started_s))

    def _tend(self) -> None:
        now = now_us()
        records = self._usable(self._holds.all())
        gone: Records = []
        self._steps.run("hold-queue", lambda: gone.extend(self._gone(records, now)))
        for record in gone:
            self._holds.gone(record)
        missing = {id(record) for record in gone}
        held = [record for record in records if id(record) not in missing]
        self._measure(held, now)
        self._steps.run("recount", lambda: self._holds.recount(held))
        self._steps.run("digests", lambda: self._digests.send_due(held, now))

    def _usable(self, records: Records) -> Records:
        """Leave out what a person wrote by hand, and say so once."""
        flaws = {
            (record["mta"], record["queue-id"], why)
            for record in records
            if (why := flaw(record))
        }
        for mta, queue_id, why in sorted(flaws - self._told):
            self._log.warning(
                "hold-record-unusable", mta=mta, queue_id=queue_id, message=why
            )
        self._told = flaws
        self._status.put(names.HELD_UNUSABLE, len(flaws))
        return [record for record in records if not flaw(record)]

    def _gone(self, records: Records, now: int) -> Records:
        """Records of messages that this host's MTA does not hold any more."""
        if not self._command:
            return [
                record
                for record in records
                if record["mta"] in self._mta_names.seen
                and int(record["until-us"]) <= now
            ]
        try:
            listed = frozenset(one.queue_id for one in list_held(self._command))
        except MtaError as error:
            self._log.warning("hold-queue-not-listed", message=str(error))
            return []
        # A message held a moment ago may not be in this listing yet.
        settled = [
            record
            for record in records
            if int(record["since-us"]) < now - int(_EVERY_S * 1_000_000)
        ]
        return [
            record
            for mta in self._mta_names.own(records, listed)
            for record in not_listed(settled, mta, listed)
        ]

    def _measure(self, held: Records, now: int) -> None:
        since = [int(record["since-us"]) for record in held]
        overdue = sum(int(record["until-us"]) <= now for record in held)
        self._status.put(names.HELD_MESSAGES, len(held))
        self._status.put(names.HELD_BYTES, sum(int(record["size"]) for record in held))
        self._status.put(names.HELD_OVERDUE, overdue)
        oldest_s = (now - min(since)) / 1_000_000 if since else 0.0
        self._status.put(names.HELD_OLDEST, max(0.0, oldest_s))

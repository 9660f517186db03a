"""The keeper: everything that no message waits for. Its death stops no mail.

Once a second it reads the operators' hashes and writes the local copy, once in a while
it tends holds and digests, and always it empties the outbox and serves HTTP. A store
that is away only means that a round is skipped.
"""

import json
import os
import select
import socket
import time
from collections.abc import Mapping

from outgate import __version__
from outgate.config.checks import parse_host_port
from outgate.config.settings import Settings
from outgate.daemon.children import DRAIN, READY
from outgate.daemon.compose import Places, make_log, now_us
from outgate.daemon.digests import Digests
from outgate.log.lines import Log
from outgate.metrics import names
from outgate.metrics.endpoint import Endpoint as HttpEndpoint
from outgate.metrics.status import Status
from outgate.model.errors import MtaError, OutgateError, StoreError
from outgate.mta.queue import list_held
from outgate.policy.compiled import Policy
from outgate.policy.operator import Order
from outgate.store.client import connect
from outgate.store.holds import Holds, not_listed
from outgate.store.keys import Keys
from outgate.store.localcopy import LocalCopy
from outgate.store.orders import Orders, State
from outgate.store.outbox import Outbox
from outgate.store.strays import Strays
from outgate.store.wire import Endpoint

_ROUND_S = 1.0
# Hold queues change slowly, and listing one is a process of its own.
_HOLDS_EVERY_S = 10.0


def keep(
    settings: Settings, policy: Policy, endpoint: Endpoint, control: socket.socket
) -> None:
    """Live as the keeper until ordered to end."""
    log = make_log(settings)
    keeper = Keeper(settings, policy, endpoint, log)
    keeper.serve_http()
    control.send(READY)
    while True:
        started_s = time.monotonic()
        try:
            keeper.round()
        except OutgateError as error:
            log.debug("keeper-round", message=str(error))
        pause_s = max(0.0, _ROUND_S - (time.monotonic() - started_s))
        readable, _, _ = select.select([control], [], [], pause_s)
        if readable and control.recv(16)[:1] in {DRAIN, b""}:
            keeper.last_round()
            return


class Keeper:
    """One round after the other."""

    def __init__(
        self, settings: Settings, policy: Policy, endpoint: Endpoint, log: Log
    ) -> None:
        self._settings = settings
        self._policy = policy
        self._log = log
        self._places = Places.of(settings)
        keys = Keys(settings.store.namespace)
        client = connect(endpoint)
        self._orders = Orders(client, keys)
        self._strays = Strays(client, keys)
        self._holds = Holds(client, keys)
        self._digests = Digests(settings, self._holds, log)
        self._outbox = Outbox(self._places.spool)
        self._copy = LocalCopy(self._places.local_copy)
        self._status = Status()
        self._host = socket.gethostname()
        self._told: set[tuple[str, str, str]] = set()
        self._holds_at_s = 0.0
        self._store_up: bool | None = None
        self._status.put(names.BUILD, 1, __version__, settings.mode.value)

    def serve_http(self) -> None:
        """Open the endpoint; a port that is taken costs metrics, not mail."""
        listen = self._settings.metrics.listen
        address = parse_host_port(listen)
        if address is None:
            return
        try:
            HttpEndpoint(address, self._places.metrics, self._status).start()
        except OSError as error:
            self._log.error(
                "metrics-not-served",
                listen=listen,
                message=error.strerror or str(error),
            )

    def round(self) -> None:
        """Everything that is due now."""
        self._read_supervisor()
        try:
            self._tend_orders()
            if self._empty_outbox():
                # What is newly held shows at once.
                self._holds_at_s = 0.0
            if time.monotonic() >= self._holds_at_s:
                self._holds_at_s = time.monotonic() + _HOLDS_EVERY_S
                self._tend_holds()
        except StoreError as error:
            self._note_store(up=False, message=str(error))
        else:
            self._note_store(up=True, message="")
        self._status.put(names.OUTBOX, self._outbox.waiting())

    def last_round(self) -> None:
        """Put what workers wrote at their end into the store."""
        try:
            self._empty_outbox()
        except StoreError as error:
            self._log.warning(
                "outbox-kept", records=self._outbox.waiting(), message=str(error)
            )

    def _tend_orders(self) -> None:
        state = self._orders.read(self._policy.limit_names())
        state.troubles += self._strays.look()
        self._orders.tend(state)
        state.hosts = self._orders.announce(self._host, state.now_us)
        self._copy.write(state.hashes, state.hosts)
        self._report_troubles(state)
        self._status.put(names.HOSTS, state.hosts)
        self._status.put_all(
            names.ORDERS,
            {order.value: len(state.hashes.get(order, {})) for order in Order},
        )
        self._status.put(names.ORDER_TROUBLES, len(state.troubles))

    def _report_troubles(self, state: State) -> None:
        """Log what cannot be used, once for each new trouble."""
        current = {(one.order, one.name, one.message) for one in state.troubles}
        for order, name, message in sorted(current - self._told):
            self._log.warning(
                "operator-trouble", order=order, name=name, message=message
            )
        self._told = current

    def _empty_outbox(self) -> int:
        return self._outbox.drain(self._holds.apply, f"{time.time_ns()}-{os.getpid()}")

    def _tend_holds(self) -> None:
        records = self._holds.all()
        command = self._settings.quarantine.queue_command
        now = now_us()
        gone: list[Mapping[str, str]] = []
        if command:
            try:
                listed = frozenset(one.queue_id for one in list_held(command))
            except MtaError as error:
                self._log.warning("hold-queue-not-listed", message=str(error))
            else:
                # A message held a moment ago may not be in this listing yet.
                settled = [
                    record
                    for record in records
                    if int(record["since-us"]) < now - int(_HOLDS_EVERY_S * 1_000_000)
                ]
                gone = not_listed(settled, self._own_mta(records), listed)
        else:
            gone = [record for record in records if int(record["until-us"]) <= now]
        for record in gone:
            self._holds.gone(record)
        missing = {id(record) for record in gone}
        held = [record for record in records if id(record) not in missing]
        self._holds.recount(held)
        self._measure_holds(held, now)
        self._digests.send_due(held, now)

    def _own_mta(self, records: list[Mapping[str, str]]) -> str:
        """The MTA on this host, as its messages name it."""
        configured = self._settings.quarantine.mta
        if configured:
            return configured
        known = {record["mta"] for record in records}
        return self._host if self._host in known or len(known) != 1 else known.pop()

    def _measure_holds(self, held: list[Mapping[str, str]], now: int) -> None:
        since = [int(record["since-us"]) for record in held]
        overdue = sum(int(record["until-us"]) <= now for record in held)
        self._status.put(names.HELD_MESSAGES, len(held))
        self._status.put(names.HELD_BYTES, sum(int(record["size"]) for record in held))
        self._status.put(names.HELD_OVERDUE, overdue)
        oldest_s = (now - min(since)) / 1_000_000 if since else 0.0
        self._status.put(names.HELD_OLDEST, max(0.0, oldest_s))

    def _note_store(self, *, up: bool, message: str) -> None:
        if up is not self._store_up:
            if not up:
                self._log.error("keeper-store-down", message=message)
            elif self._store_up is not None:
                self._log.warning("keeper-store-up")
        self._store_up = up
        self._status.put(names.STORE_UP, float(up))
        serving = self._status.detail != "starting"
        self._status.ready = serving and up
        if serving:
            self._status.detail = "ready" if up else f"degraded: {message}"

    def _read_supervisor(self) -> None:
        try:
            told = json.loads(self._places.supervisor.read_text())
            workers, restarts = told["workers"], told["restarts"]
            reloads, serving = told["reloads"], bool(told["serving"])
        except (OSError, ValueError, KeyError, TypeError):
            return
        self._status.put_all(names.WORKERS, workers)
        self._status.put_all(names.WORKER_RESTARTS, restarts)
        self._status.put_all(names.RELOADS, reloads)
        if serving and self._status.detail == "starting":
            self._status.detail = "ready"

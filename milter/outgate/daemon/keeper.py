"""The keeper: everything that no message waits for. Its death stops no mail.

Once a second it reads the operators' hashes and writes the local copy, empties the
outbox and sees to it that HTTP is served; what may take longer has a thread of its own
(`holding`). A store that is away only means that a round is skipped, and a step that
fails keeps no other from being taken.
"""

import json
import os
import select
import socket
import time
from contextlib import suppress
from itertools import product

from outgate import __version__
from outgate.complaints.unread import folder_in
from outgate.config.checks import parse_host_port
from outgate.daemon.children import DRAIN, READY
from outgate.daemon.compose import Places, make_log
from outgate.daemon.holding import Holding
from outgate.daemon.listreports import LIST_REPORT
from outgate.daemon.mtanames import MtaNames
from outgate.daemon.notices import NEAR_LIMIT
from outgate.daemon.plan import Plan
from outgate.daemon.refusal import Refusal
from outgate.daemon.standing import Standing
from outgate.daemon.steps import Steps
from outgate.log.lines import Log
from outgate.metrics import names
from outgate.metrics.complaint_names import COMPLAINTS, COMPLAINTS_UNREAD
from outgate.metrics.endpoint import Endpoint as HttpEndpoint
from outgate.metrics.status import Status
from outgate.model.errors import StoreError
from outgate.policy.grace import deadlines
from outgate.signing.secret import key_id
from outgate.store.claims import Claims
from outgate.store.client import connect
from outgate.store.complaints import Complaints
from outgate.store.holds import Holds
from outgate.store.keys import Keys
from outgate.store.lists import Lists
from outgate.store.localcopy import LocalCopy
from outgate.store.orders import Orders, State
from outgate.store.outbox import Outbox, Record
from outgate.store.strays import Strays
from outgate.store.traces import TraceRoom

_ROUND_S = 1.0
# A keeper that leaves keeps its port for a moment.
_HTTP_GRACE_S = 3.0


def keep(plan: Plan, control: socket.socket) -> None:
    """Live as the keeper until ordered to end."""
    log = make_log(plan.settings)
    keeper = Keeper(plan, log)
    control.send(READY)
    while True:
        started_s = time.monotonic()
        keeper.round()
        pause_s = max(0.0, _ROUND_S - (time.monotonic() - started_s))
        readable, _, _ = select.select([control], [], [], pause_s)
        if readable and control.recv(16)[:1] in {DRAIN, b""}:
            keeper.last_round()
            log.flush()
            return


class Keeper:
    """One round after the other."""

    def __init__(self, plan: Plan, log: Log) -> None:
        settings = plan.settings
        self._settings = settings
        self._policy = plan.policy
        self._log = log
        self._places = Places.of(settings)
        self._status = Status()
        self._steps = Steps(log, self._status)
        keys = Keys(settings.store.namespace)
        client = connect(plan.endpoint)
        self._standing = Standing(
            client,
            keys,
            key_id(plan.secret),
            Refusal(self._places.refusal),
            log,
            self._status,
            is_embedded=not settings.store.url,
        )
        self._orders = Orders(client, keys)
        self._strays = Strays(client, keys)
        self._holds = Holds(client, keys)
        self._lists = Lists(client, keys)
        keep_s = int(settings.trace.keep.total_seconds())
        self._traces = TraceRoom(client, keys, keep_s, int(settings.trace.memory))
        self._dropped = 0
        self._status.put(names.TRACES_DROPPED, 0)
        self._complaints = Complaints(client, keys)
        self._outbox = Outbox(self._places.spool)
        self._unread = folder_in(self._places.state)
        self._copy = LocalCopy(self._places.local_copy)
        self._mta_names = MtaNames(self._places.mta_names, settings.quarantine.mta)
        # Its thread has a connection of its own.
        apart = connect(plan.endpoint)
        self._holding = Holding(
            settings,
            Holds(apart, keys),
            Claims(apart),
            Lists(apart, keys),
            keys,
            self._mta_names,
            self._steps,
            self._status,
            log,
            lambda: self._standing.ours,
        )
        self._holding.start()
        self._host = socket.gethostname()
        self._told: set[tuple[str, str, str]] = set()
        self._http: HttpEndpoint | None = None
        self._born_s = time.monotonic()
        self._http_trouble = ""
        self._store_up: bool | None = None
        self._refused = False
        self._status.put(names.BUILD, 1, __version__, settings.mode.value)

    def round(self) -> None:
        """Everything that is due now."""
        run = self._steps.run
        run("supervisor", self._read_supervisor)
        run("http", self._serve_http)
        try:
            if run("store-check", self._standing.check) and self._standing.ours:
                run("orders", self._tend_orders)
                run("outbox", self._empty_outbox)
                run("traces", self._tend_traces)
                run("complaints", self._count_complaints)
        except StoreError as error:
            self._standing.forget()
            self._note_store(up=False, message=str(error))
        else:
            ours = self._standing.ours
            why = "" if ours else self._standing.why or "the store was not checked"
            self._note_store(up=True, message=why)
        run("mta-names", self._mta_names.sync)
        run("outbox-size", self._count_outbox)
        run("dsns-waiting", self._count_dsns)
        run("complaints", self._count_unread)

    def last_round(self) -> None:
        """Put what workers wrote at their end into the store."""
        try:
            if self._standing.ours:
                self._steps.run("outbox", self._empty_outbox)
        except StoreError as error:
            self._log.warning("outbox-kept", message=str(error))
        self._steps.run("mta-names", self._mta_names.sync)

    def _serve_http(self) -> None:
        """Open the endpoint; a port that is taken costs metrics, not mail.

        Tried in each round: the keeper before this one may still have the port.
        """
        listen = self._settings.metrics.listen
        address = parse_host_port(listen)
        if address is None or self._http is not None:
            return
        try:
            http = HttpEndpoint(address, self._places.metrics, self._status)
        except OSError as error:
            trouble = error.strerror or str(error)
            late = time.monotonic() - self._born_s > _HTTP_GRACE_S
            if late and trouble != self._http_trouble:
                self._http_trouble = trouble
                self._log.error("metrics-not-served", listen=listen, message=trouble)
            return
        http.start()
        self._http = http
        if self._http_trouble:
            self._log.warning("metrics-served", listen=listen)

    def _tend_orders(self) -> None:
        run = self._steps.run
        policy = self._policy
        state = self._orders.read(policy.limit_names(), policy.profiles, policy)
        run("strays", lambda: state.troubles.extend(self._strays.look()))
        run("order-upkeep", lambda: self._orders.tend(state))
        run("hosts", lambda: self._count_hosts(state))
        if policy.lists:
            run("lists", self._note_lists)
        run(
            "local-copy",
            lambda: self._copy.write(
                state.hashes,
                state.hosts,
                state.optin_keys,
                self._holding.reports.deadlines,
            ),
        )
        self._report_troubles(state)
        in_force = {order.value: number for order, number in state.in_force.items()}
        self._status.put_all(names.ORDERS, in_force)
        self._status.put(names.ORDER_TROUBLES, len(state.troubles))

    def _tend_traces(self) -> None:
        self._dropped += self._traces.tend()
        self._status.put(names.TRACES_DROPPED, self._dropped)
        self._status.put(names.TRACE_BYTES, self._traces.used_bytes)

    def _note_lists(self) -> None:
        policy = self._policy
        found = self._lists.note(policy.lists, enforced=policy.acts_on_lists)
        self._holding.reports.deadlines = deadlines(
            found.enforced_us,
            {key: us for key, us in found.first_us.items() if key in policy.lists},
            found.ordered,
            policy.grace_us,
        )

    def _count_hosts(self, state: State) -> None:
        state.hosts = self._orders.announce(self._host, state.now_us)
        self._status.put(names.HOSTS, state.hosts)

    def _report_troubles(self, state: State) -> None:
        """Log what cannot be used, once for each new trouble."""
        current = {(one.order, one.name, one.message) for one in state.troubles}
        for order, name, message in sorted(current - self._told):
            self._log.warning(
                "operator-trouble", order=order, name=name, message=message
            )
        self._told = current

    def _empty_outbox(self) -> None:
        stamp = f"{time.time_ns()}-{os.getpid()}"
        if self._outbox.drain(self._apply, stamp):
            # What is newly held shows at once, and who is to be told is.
            self._holding.soon()

    def _apply(self, record: Record) -> None:
        kind = record.get("kind")
        if kind == NEAR_LIMIT:
            self._holding.notices.add(record)
            return
        if kind == LIST_REPORT:
            self._holding.reports.add(record)
            return
        # The outbox is this host's alone: who is named in it speaks to this host.
        self._mta_names.learn(str(record["mta"]))
        self._holds.apply(record)

    def _count_outbox(self) -> None:
        self._status.put(names.OUTBOX, self._outbox.waiting())

    def _count_dsns(self) -> None:
        if self._holding.dsns.measure():
            self._holding.soon()

    def _count_complaints(self) -> None:
        totals = self._complaints.totals()
        (_, attributions), (_, feeds) = COMPLAINTS.labels
        for labels in product(attributions, feeds):
            self._status.put(COMPLAINTS, totals.get(labels, 0), *labels)

    def _count_unread(self) -> None:
        # Another account's folder is for `outgate doctor` to tell.
        with suppress(OSError):
            self._status.put(COMPLAINTS_UNREAD, self._unread.count())

    def _note_store(self, *, up: bool, message: str) -> None:
        """Tell what the round saw; a message beside `up` says why it is not used."""
        if up is not self._store_up:
            if not up:
                self._log.error("keeper-store-down", message=message)
            elif self._store_up is not None:
                self._log.warning("keeper-store-up")
            if up:
                self._holding.soon()
        self._store_up = up
        self._status.put(names.STORE_UP, float(up))
        serving = self._status.detail != "starting"
        self._status.ready = serving and up and self._standing.ours
        if serving:
            self._status.detail = f"degraded: {message}" if message else self._ready()

    def _ready(self) -> str:
        """What is said of a daemon that serves."""
        if self._refused:
            return (
                "ready; the last reload was refused, the configuration before it serves"
            )
        return "ready"

    def _read_supervisor(self) -> None:
        try:
            told = json.loads(self._places.supervisor.read_text())
            workers, restarts = told["workers"], told["restarts"]
            reloads, serving = told["reloads"], bool(told["serving"])
            self._refused = bool(told["refused"])
        except (OSError, ValueError, KeyError, TypeError):
            return
        self._status.put_all(names.WORKERS, workers)
        self._status.put_all(names.WORKER_RESTARTS, restarts)
        self._status.put_all(names.RELOADS, reloads)
        if serving and self._status.detail == "starting":
            self._status.detail = self._ready()

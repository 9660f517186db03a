"""Builds the objects of one process, once: the only place that knows them all."""

import os
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from outgate.config.settings import ListenSettings, Settings
from outgate.daemon.dsns import DsnWriter
from outgate.daemon.listreports import ListReportWriter
from outgate.daemon.notices import NoticeWriter
from outgate.daemon.watching import ListDayWriter, LoggedVerifier, TraceKeeper
from outgate.log.canonical import MessageLine
from outgate.log.lines import Log
from outgate.metrics.observer import Observer as MetricsObserver
from outgate.metrics.recorder import Recorder
from outgate.model.address import shown_sender
from outgate.model.errors import EX_CONFIG, StartError
from outgate.model.identity import Path as SubmissionPath
from outgate.model.verdict import Action, Mode
from outgate.mta.session import Socket
from outgate.policy.compiled import LIMIT_REASONS, Policy
from outgate.policy.decision import Decision
from outgate.policy.gate import Gate
from outgate.policy.ports import Observer
from outgate.policy.snapshot import Snapshot
from outgate.signing.dkim import DkimSigner
from outgate.signing.dkim_book import Book
from outgate.signing.tokens import TokenVerifier
from outgate.signing.trace import TraceSigner
from outgate.signing.tracer import MessageTracer
from outgate.store.breaker import Breaker
from outgate.store.counters import Counters
from outgate.store.dsnspool import DsnSpool
from outgate.store.embedded import EmbeddedStore
from outgate.store.front import Front, OnFailure
from outgate.store.keys import Keys
from outgate.store.local import LocalCounters
from outgate.store.localcopy import LocalCopy
from outgate.store.outbox import Outbox
from outgate.store.wire import Endpoint, Wire

# How often the free space of the hold queue's disk is looked at.
_DISK_CHECK_S = 1.0


def now_us() -> int:
    """This machine's time in microseconds since the epoch."""
    return time.time_ns() // 1_000


@dataclass(frozen=True, slots=True)
class Places:
    """Files of the daemon, from `[paths]`."""

    state: Path
    runtime: Path

    @classmethod
    def of(cls, settings: Settings) -> "Places":
        """Resolve the configured directories."""
        return cls(Path(settings.paths.state), Path(settings.paths.runtime))

    @property
    def metrics(self) -> Path:
        """Counters of all processes."""
        return self.runtime / "metrics"

    @property
    def spool(self) -> Path:
        """The outbox."""
        return self.state / "spool"

    @property
    def dsns(self) -> Path:
        """Delivery status notifications that wait."""
        return self.spool / "dsn"

    @property
    def store(self) -> Path:
        """The embedded server's files."""
        return self.state / "store"

    @property
    def lock(self) -> Path:
        """Held by the one daemon that uses this state."""
        return self.state / "lock"

    @property
    def local_copy(self) -> Path:
        """Operator state as the keeper last saw it."""
        return self.state / "operator.json"

    @property
    def optin_keys(self) -> Path:
        """Secrets of list hosts on this very machine."""
        return self.state / "optin-keys"

    @property
    def dkim_keys(self) -> Path:
        """The archive of public keys."""
        return self.state / "dkim-keys.ndjson"

    @property
    def degraded(self) -> Path:
        """Counters of this host while the store is away."""
        return self.runtime / "degraded.sqlite3"

    @property
    def refusal(self) -> Path:
        """Why the store is not used, while it belongs to somebody else."""
        return self.runtime / "store-refused"

    @property
    def mta_names(self) -> Path:
        """How this host's MTA calls itself."""
        return self.state / "mta-names.json"

    @property
    def supervisor(self) -> Path:
        """What the supervisor says of its children."""
        return self.runtime / "supervisor.json"

    def secret(self, settings: Settings) -> Path:
        """The key behind keyed hashes."""
        return Path(settings.secrets.file or self.state / "secret")


def make_log(settings: Settings) -> Log:
    """The log of this process."""
    return Log(now_us, style=settings.log.format, level=settings.log.level)


def endpoint_of(settings: Settings) -> Endpoint:
    """Where the store is; the embedded one where no URL is configured.

    Raises:
        StartError: the password file cannot be read.
    """
    store = settings.store
    password = ""
    if store.password_file:
        try:
            password = Path(store.password_file).read_text(encoding="utf-8").strip()
        except (OSError, ValueError) as error:
            # What is wrong with a text is not told by its exception without the text.
            why = error.strerror if isinstance(error, OSError) else "is not UTF-8"
            raise StartError(
                f"store.password-file: {store.password_file}: cannot be read: {why}",
                EX_CONFIG,
            ) from None
    url = store.url or EmbeddedStore(Places.of(settings).store).url
    return Endpoint(url=url, password=password, timeout_s=store.timeout.total_seconds())


def default_listen(settings: Settings) -> tuple[ListenSettings, ...]:
    """Configured sockets, or the one in the runtime directory."""
    if settings.listen:
        return settings.listen
    return (ListenSettings(address=f"unix:{settings.paths.runtime}/outgate.sock"),)


def socket_of(listen: ListenSettings) -> Socket:
    """What sessions of one socket have in common."""
    return Socket(
        path=listen.path,
        login_realm=listen.login_realm,
        local_user=listen.local_user,
        bodies=listen.bodies,
        replies="end-of-message"
        if listen.path is SubmissionPath.LOCAL_SUBMISSION
        else listen.replies,
    )


class LocalHost:
    """What a process knows without asking: the local copy, the disk."""

    def __init__(self, copy: LocalCopy, spool: str, min_free_bytes: int) -> None:
        self._copy = copy
        self._spool = spool
        self._min_free_bytes = min_free_bytes
        self._disk_full = False
        self._checked_s = 0.0

    def snapshot(self) -> Snapshot:
        """The latest copy of operator state."""
        return self._copy.snapshot()

    def disk_full(self) -> bool:
        """Whether less than `min-free` is left."""
        return self._disk_full

    def refresh(self, monotonic_s: float) -> None:
        """Look at the files again; called from the control thread."""
        self._copy.refresh()
        if monotonic_s - self._checked_s >= _DISK_CHECK_S:
            self._checked_s = monotonic_s
            self._disk_full = self._is_disk_full()

    def _is_disk_full(self) -> bool:
        try:
            disk = os.statvfs(self._spool)
        except OSError:
            # Another machine's queue: nothing to be seen from here.
            return False
        return disk.f_bavail * disk.f_frsize < self._min_free_bytes


class StoreWatcher:
    """Counts the store's troubles, and logs when it goes and comes."""

    def __init__(self, log: Log, recorder: Recorder | None) -> None:
        self._log = log
        self._recorder = recorder

    def store_failed(self, kind: str, message: str) -> None:
        """Count one failure; its text is for debugging, the outage is told once."""
        if self._recorder is not None:
            self._recorder.store_errors.labels(kind).inc()
        self._log.debug("store-error", kind=kind, message=message)

    def store_down(self, message: str) -> None:
        """Say that nobody asks the store for now."""
        self._log.error("store-down", message=message)

    def store_up(self) -> None:
        """Say that the store answers again."""
        self._log.warning("store-up")


class HoldKeeper:
    """An observer that keeps why a message is held, by queue id."""

    def __init__(self, outbox: Outbox, log: Log) -> None:
        self._outbox = outbox
        self._log = log

    def observe(self, decision: Decision) -> None:
        """Write one record for a message that is held now."""
        disposition = decision.disposition
        accountable = decision.accountable
        if disposition.action is not Action.QUARANTINE or accountable is None:
            return
        transaction = decision.transaction
        try:
            self._outbox.append(
                {
                    "kind": "held",
                    "mta": transaction.session.mta_name,
                    "queue-id": transaction.queue_id,
                    "customer": accountable.customer,
                    "contact": accountable.reachable,
                    "login": accountable.login,
                    "sender": shown_sender(transaction.sender),
                    "recipients": transaction.recipient_count,
                    "size": max(1, transaction.size_bytes),
                    "reasons": ",".join(
                        finding.reason.value for finding in decision.verdict.findings
                    ),
                    "detail": "; ".join(
                        finding.detail for finding in decision.verdict.findings
                    ),
                    # Of these alone the detail is the customer's business.
                    "limits": "; ".join(
                        finding.detail
                        for finding in decision.verdict.findings
                        if finding.reason in LIMIT_REASONS
                    ),
                    "since-us": decision.now_us,
                    "until-us": disposition.hold_until_us,
                }
            )
        except OSError as error:
            self._log.error(
                "hold-record-lost",
                queue_id=transaction.queue_id,
                message=str(error),
            )


def make_front(
    settings: Settings,
    endpoint: Endpoint,
    secret: bytes,
    snapshot: Callable[[], Snapshot],
    watcher: StoreWatcher,
    breaker: Breaker | None = None,
) -> Front:
    """The store as policy sees it."""
    breaker = breaker or Breaker()
    return Front(
        Counters(Wire(endpoint, breaker), Keys(settings.store.namespace), secret),
        LocalCounters(Places.of(settings).degraded),
        snapshot,
        now_us,
        time.monotonic,
        watcher,
        breaker,
        on_failure=OnFailure(settings.store.on_failure),
    )


def make_host(settings: Settings) -> LocalHost:
    """Local knowledge of a process."""
    quarantine = settings.quarantine
    return LocalHost(
        LocalCopy(Places.of(settings).local_copy),
        quarantine.spool,
        int(quarantine.min_free),
    )


def make_gate(
    settings: Settings,
    policy: Policy,
    front: Front,
    host: LocalHost,
    recorder: Recorder,
    log: Log,
    worker: int,
    secret: bytes,
    signer: DkimSigner | None = None,
    tracer: MessageTracer | None = None,
) -> Gate:
    """The gate of one worker, with everyone who hears of decisions."""
    outbox = Outbox(Places.of(settings).spool)
    observers: list[Observer] = [
        HoldKeeper(outbox, log),
        ListDayWriter(front),
        MetricsObserver(recorder, policy),
        MessageLine(log, worker),
    ]
    if settings.trace.keep:
        observers.append(TraceKeeper(front, policy))
    if settings.notify.sender and settings.mode is Mode.ENFORCE:
        observers.append(NoticeWriter(outbox, log))
        contacts = {
            (one.customer, one.id.lower()): one.contact
            for one in settings.list
            if one.contact
        }
        observers.append(ListReportWriter(outbox, log, contacts))
    reporter = DsnWriter(DsnSpool(Places.of(settings).dsns), secret)
    verifier = LoggedVerifier(TokenVerifier(Places.of(settings).optin_keys), log)
    return Gate(
        policy, front, host, now_us, observers, verifier, reporter, signer, tracer
    )


def make_signer(
    settings: Settings, policy: Policy, book: Book | None, log: Log
) -> DkimSigner | None:
    """Who signs; None where no key is configured."""
    if book is None:
        return None

    def failed(source: str, error: Exception) -> None:
        log.error("dkim-error", key=source, message=str(error))

    return DkimSigner(book, policy, settings.dkim, settings.signature, failed)


def make_tracer(
    policy: Policy, secret: bytes, rotated: tuple[bytes, ...], log: Log
) -> MessageTracer:
    """Who marks what leaves."""

    def failed(error: Exception) -> None:
        log.error("trace-error", message=repr(error))

    return MessageTracer(TraceSigner(secret, rotated), policy, failed)


def log_exception(log: Log, stage: str) -> None:
    """Write the traceback of the exception that is being handled, on one line."""
    log.error("callback-error", stage=stage, traceback=traceback.format_exc())

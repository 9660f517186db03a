"""From a configuration file to a running supervisor.

Everything that an operator can get wrong is found here, before a single message is
touched: one clear line each, and an exit code of sysexits.h.
"""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from outgate.config.reader import load
from outgate.config.settings import Settings
from outgate.daemon.compose import (
    Places,
    default_listen,
    endpoint_of,
    make_log,
    now_us,
)
from outgate.daemon.plan import Plan
from outgate.daemon.sockets import open_all
from outgate.daemon.storecheck import check_store
from outgate.daemon.storeserver import StoreServer
from outgate.daemon.supervisor import Supervisor
from outgate.log.lines import Log
from outgate.metrics.recorder import fresh_directory
from outgate.model.errors import (
    EX_CANTCREAT,
    EX_CONFIG,
    EX_TEMPFAIL,
    StartError,
)
from outgate.policy.compiled import Policy
from outgate.signing.dkim_archive import ArchivedKey, KeyArchive
from outgate.signing.dkim_book import Book, read_book
from outgate.signing.secret import make_secret, read_secret
from outgate.store.embedded import EmbeddedStore


def run(config: Path | None) -> None:
    """Run the daemon until it is stopped.

    Args:
        config: the file; None for no configuration at all.

    Raises:
        ConfigError: the file cannot be used.
        StartError: something else cannot.
    """
    settings = load_settings(config)
    places = Places.of(settings)
    log = make_log(settings)
    _make_directories(places)
    with _lock(places.lock):
        fresh_directory(places.metrics)
        listeners = open_all(
            (f"listen[{index}]", listen)
            for index, listen in enumerate(default_listen(settings))
        )
        store = None
        if not settings.store.url:
            store = StoreServer(EmbeddedStore(places.store), log)
        try:
            if store is not None:
                store.start()
            plan = make_plan(settings)
            note_keys(plan, log)
            check_store(plan, log)
        except BaseException:
            if store is not None:
                store.stop()
            for listener in listeners:
                listener.close()
            raise
        supervisor = Supervisor(
            plan,
            listeners,
            reload=lambda: _reload(config, settings, log),
            log=log,
            store=store,
        )
        supervisor.run()


def load_settings(config: Path | None) -> Settings:
    """The settings of a file, or the defaults.

    Raises:
        ConfigError: the file cannot be used.
    """
    return load(config) if config is not None else Settings()


def make_plan(settings: Settings) -> Plan:
    """Everything that children need, resolved.

    Raises:
        StartError: the secret, the password file, a key of DKIM or one of its tables
            cannot be used.
    """
    path = Places.of(settings).secret(settings)
    own_store = not settings.store.url
    if own_store and not settings.secrets.file and not path.exists():
        secret = make_secret(path)
    else:
        secret = read_secret(path)
    return Plan(
        settings=settings,
        policy=Policy.build(settings.for_policy()),
        endpoint=endpoint_of(settings),
        secret=secret,
        trace_secrets=tuple(read_secret(Path(one)) for one in settings.secrets.trace),
        book=read_book(settings.dkim),
    )


def note_keys(plan: Plan, log: Log) -> None:
    """Put the public keys into the archive; say so where there is none.

    Raises:
        StartError: the archive cannot be read or written.
    """
    if plan.book is None:
        log.info("dkim-off", message="no keys are configured: nothing is signed")
    now = now_us()
    archive = KeyArchive(Places.of(plan.settings).dkim_keys)
    archive.note_in_use(_archived(plan.book, now), now)


def _archived(book: Book | None, now: int) -> list[ArchivedKey]:
    return [
        ArchivedKey(
            domain=one.domain,
            selector=one.selector,
            algorithm=one.key.algorithm,
            public=one.key.public,
            from_us=now,
        )
        for one in (book.keys.values() if book is not None else ())
    ]


def _reload(config: Path | None, started: Settings, log: Log) -> Plan:
    """Read the configuration again; what needs a restart says so.

    Raises:
        ConfigError: the file cannot be used.
        StartError: a change that only a restart can make, or a store or a secret that
            cannot be used.
    """
    settings = load_settings(config)
    if settings.paths != started.paths:
        raise StartError("paths: a change needs a restart", EX_CONFIG)
    if bool(settings.store.url) != bool(started.store.url):
        raise StartError(
            "store.url: from or to the embedded store needs a restart", EX_CONFIG
        )
    plan = make_plan(settings)
    check_store(plan, log)
    note_keys(plan, log)
    return plan


def _make_directories(places: Places) -> None:
    for key, directory in (
        ("state", places.state),
        ("state", places.spool),
        ("runtime", places.runtime),
    ):
        try:
            directory.mkdir(mode=0o750, parents=True, exist_ok=True)
            # What cannot be written must show now, not with the first held message.
            probe = directory / f".probe-{os.getpid()}"
            probe.touch()
            probe.unlink()
        except OSError as error:
            raise StartError(
                f"paths.{key}: {directory} cannot be written: {error.strerror}",
                EX_CANTCREAT,
            ) from error


@contextlib.contextmanager
def _lock(path: Path) -> Iterator[None]:
    """Hold the state directory alone."""
    with path.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            pid = file.read().strip() or "unknown"
            raise StartError(
                f"{path.parent} belongs to a running daemon, pid {pid}", EX_TEMPFAIL
            ) from None
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        yield

"""What the commands of `outgate evidence` are made of: orders, the registry, progress."""

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING, ClassVar

import click

from outgate.cli.context import Context
from outgate.cli.evidence_sink import BACKGROUND_BYTES, RegistrySink
from outgate.cli.optin_open import (
    Opened,
    end_progress,
    open_registry,
    read_address,
    read_addresses,
    read_policy,
    report,
    whose_list,
)

if TYPE_CHECKING:
    from outgate.evidence.folders import Folder
    from outgate.evidence.importing import Order
    from outgate.evidence.moments import Zone
    from outgate.evidence.progress import ProgressFile
    from outgate.model.client import Network


class Bar:
    """How far it is, on one line of a terminal."""

    _shown: ClassVar[bool] = False

    def __init__(self, word: str, total_bytes: int) -> None:
        self._word = word
        self._total_bytes = max(total_bytes, 1)
        self._done_bytes = 0
        self._percent = -1

    def add(self, size_bytes: int) -> None:
        """So many bytes more; what was packed has more than its file."""
        self._done_bytes += size_bytes
        percent = min(100 * self._done_bytes // self._total_bytes, 100)
        if percent != self._percent and sys.stderr.isatty():
            self._percent = percent
            Bar._shown = True
            click.echo(f"\r{self._word}: {percent} %   ", nl=False, err=True)

    @classmethod
    def end(cls) -> None:
        """Go to the next line."""
        if cls._shown:
            click.echo(err=True)
            cls._shown = False


def order_of(
    context: Context,
    *,
    kind_name: str,
    list_id: str,
    customer: str,
    source_list: str,
    source_version: str,
    zone: "Zone | None",
    encoding: str,
    logs: Sequence[Path],
    own: "Sequence[Network]",
    files: Sequence[Path],
    is_dry: bool,
) -> "Order":
    """What is to be done, from what was written on the command line.

    Raises:
        click.UsageError: no such list, or an option that this format has not.
        OutgateError: the configuration, the secret or a file cannot be read.
    """
    import time

    from outgate.daemon.compose import Places
    from outgate.evidence.contract import Origin
    from outgate.evidence.format import Ask
    from outgate.evidence.formats import BY_NAME
    from outgate.evidence.importing import Order
    from outgate.evidence.judge import Circumstances
    from outgate.evidence.reading import sha256_of, sources_of
    from outgate.signing.secret import read_secret

    kind = BY_NAME[kind_name]
    if logs and not kind.logs:
        raise click.UsageError(f"--logs: the format {kind.name} reads none")
    owner, name = whose_list(context, list_id, customer)
    settings = context.settings()
    meant = zone or kind.zone
    sources = [one for file in files for one in sources_of(file, encoding)]
    log_sources = [one for file in logs for one in sources_of(file, encoding)]
    origins = {
        file: Origin(owner, name, kind.source, source_version, sha256_of(file), meant)
        for file in files
    }
    salt_key = b"" if is_dry else read_secret(Places.of(settings).secret(settings))
    return Order(
        kind=kind,
        sources=sources,
        ask=Ask(meant, tuple(log_sources)),
        list_id=name,
        origins=origins,
        source_list=source_list,
        around=Circumstances(
            now_us=time.time_ns() // 1_000, own=(*own, *_own_networks(context, owner))
        ),
        recipient=read_policy(context).recipient,
        salt_key=salt_key,
    )


def _own_networks(context: Context, owner: str) -> "list[Network]":
    """Networks that the configuration says are the customer's."""
    from outgate.model.client import parse_network

    patterns = [
        pattern
        for one in context.settings().customer
        if one.name == owner
        for pattern in one.match
    ]
    return [one for one in map(parse_network, (*patterns, owner)) if one is not None]


def sink_of(context: Context, order: "Order") -> RegistrySink:
    """The registry, to write to."""
    size_bytes = sum(one.size_bytes for one in order.sources)
    return RegistrySink(
        partial(open_to_write, context),
        in_background=size_bytes > BACKGROUND_BYTES,
    )


def open_to_write(context: Context) -> Opened:
    """The registry."""
    return open_registry(context, writes=True)


def noted_in(context: Context, order: "Order", store_id: str) -> "ProgressFile":
    """Where it is noted how far this import has come."""
    from outgate.evidence.progress import ProgressFile

    first = next(iter(order.origins.values()))
    return ProgressFile(
        evidence_folder(context, "imports"),
        order.kind.name,
        first.customer,
        first.list_id,
        first.zone.name,
        order.source_list,
        *(one.file_sha256 for one in order.origins.values()),
        store_id=store_id,
    )


def evidence_folder(context: Context, name: str) -> "Folder":
    """Of scans, or of imports under way."""
    from outgate.evidence.folders import Folder

    return Folder(Path(context.settings().paths.state), "evidence", name)


@contextmanager
def opened_rows(path: Path) -> Iterator[IO[str]]:
    """A new file for judged rows, readable by its owner alone.

    Raises:
        StartError: it exists, or cannot be written.
    """
    from outgate.model.errors import EX_CANTCREAT, StartError

    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise StartError(
            f"{path} cannot be written: {error.strerror}", EX_CANTCREAT
        ) from error
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        yield file


def add_sheet(
    context: Context,
    *,
    list_id: str,
    customer: str,
    scan: Path,
    date_text: str,
    zone: "Zone | None",
    zone_name: str,
    place: str,
    collector: str,
    addresses: Sequence[str],
    file: Path | None,
    actor: str,
    as_json: bool,
) -> None:
    """Keep the scan, and register who signed.

    Raises:
        click.UsageError: an address or the date is none.
        OutgateError: the scan cannot be kept, or the store did not answer.
    """
    import time

    from outgate.daemon.compose import Places
    from outgate.evidence.moments import NO_ZONE, ZoneMissing
    from outgate.evidence.paper import Sheet, keep_scan, opt_ins, read_collected
    from outgate.evidence.record import RowRejected
    from outgate.signing.secret import read_secret
    from outgate.signing.vault import Vault

    owner, name = whose_list(context, list_id, customer)
    policy = read_policy(context)
    mailboxes = [read_address(one, policy) for one in addresses]
    if file is not None:
        mailboxes.extend(read_addresses(file, policy))
    try:
        collected = read_collected(date_text, zone or NO_ZONE)
    except ZoneMissing as error:
        raise click.UsageError(f"--date: {error}: expected --tz, too") from None
    except RowRejected as error:
        raise click.UsageError(f"--date: {error}") from None
    if collected.time_us > time.time_ns() // 1_000:
        raise click.UsageError(f"--date: {date_text} is in the future")
    settings = context.settings()
    registry = open_registry(context, writes=True).registry
    secret = read_secret(Places.of(settings).secret(settings))
    digest = keep_scan(scan, evidence_folder(context, "scans"), Vault(secret))
    sheet = Sheet(digest, collected, zone_name, place, collector)
    tally = registry.register(opt_ins(sheet, owner, name, mailboxes, secret))
    end_progress()
    report(
        registry,
        tally,
        name,
        "paper-added",
        f"scan {digest[:12]}",
        actor,
        as_json=as_json,
    )

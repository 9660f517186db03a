"""`outgate evidence`: what other programs know of who asked for a list, and paper."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from outgate.cli.context import Context
from outgate.cli.dossier import dossier, show
from outgate.cli.optin_open import BY, CUSTOMER, JSON, LIST
from outgate.cli.scans import show_scan
from outgate.model.errors import EX_FOUND

if TYPE_CHECKING:
    from collections.abc import Iterable

    from outgate.evidence.importing import Order
    from outgate.evidence.moments import Zone
    from outgate.model.client import Network

_TZ = click.option(
    "--tz",
    "zone_name",
    default="",
    metavar="ZONE",
    help="IANA zone in which times are meant that say none, such as Europe/Vienna.",
)


def _known(_context: click.Context, _option: click.Parameter, value: str) -> str:
    """A name of a format; their table is read when it is needed."""
    from outgate.evidence.formats import BY_NAME

    if value not in BY_NAME:
        raise click.BadParameter(f"{value!r} is none of {', '.join(BY_NAME)}")
    return value


@click.group()
def evidence() -> None:
    """Import evidence of opt-in, and show it on request.

    Begin with a dry run: it says what a file proves, and what to do about the rest. The
    manual has a page on all formats.
    """


@evidence.command()
def formats() -> None:
    """Print the formats that can be imported."""
    from outgate.evidence.formats import FORMATS

    for one in FORMATS:
        click.echo(f"{one.name:<14} {one.shape:<22} {one.title}")


@evidence.command("import")
@click.option(
    "--format",
    "kind_name",
    required=True,
    callback=_known,
    metavar="NAME",
    help="One that `outgate evidence formats` prints.",
)
@LIST
@CUSTOMER
@click.option(
    "--source-list",
    default="",
    metavar="NAME",
    help="The list as the source calls it; rows of others are passed over.",
)
@click.option("--source-version", default="", help="Of the software, for the record.")
@_TZ
@click.option(
    "--encoding",
    type=click.Choice(["utf-8", "utf-16-le", "utf-16-be", "latin-1", "windows-1252"]),
    help="Of the files. Default: UTF-8, or what a mark at their beginning says.",
)
@click.option(
    "--logs",
    type=click.Path(path_type=Path),
    multiple=True,
    help="Logs that complete the evidence, as CSV (Sympa); repeatable.",
)
@click.option(
    "--server-ip",
    multiple=True,
    metavar="NETWORK",
    help="Of the list host: no subscriber is there; repeatable. Networks of the "
    "customer's `match` count without it.",
)
@click.option("--dry-run", is_flag=True, help="Judge and report; write nothing.")
@click.option(
    "--rejects",
    type=click.Path(path_type=Path),
    help="New file for rows that could not be read, with the reason.",
)
@click.option(
    "--rows",
    "rows_file",
    type=click.Path(path_type=Path),
    help="New file for all judged rows, one JSON object a line.",
)
@click.option("--again", is_flag=True, help="Import anew what was imported already.")
@BY
@JSON
@click.argument(
    "files", type=click.Path(path_type=Path), nargs=-1, required=True, metavar="FILE..."
)
@click.pass_obj
def import_(
    context: Context,
    kind_name: str,
    list_id: str,
    customer: str,
    source_list: str,
    source_version: str,
    zone_name: str,
    encoding: str | None,
    logs: tuple[Path, ...],
    server_ip: tuple[str, ...],
    rejects: Path | None,
    rows_file: Path | None,
    actor: str,
    files: tuple[Path, ...],
    *,
    dry_run: bool,
    again: bool,
    as_json: bool,
) -> None:
    """Judge the rows of FILEs and register who asked for a list.

    FILEs are parts of one export, in their order; gzip and zip are opened. Each row gets
    a grade: asserted where its confirmation has a time with its zone and a client's
    address, and nothing speaks against it; import otherwise. Times without a zone are
    refused, the file as a whole, until --tz says what is meant.

    Once more does no harm, and an import that was stopped goes on where it was, if the
    store says what is on disk and has all of it yet. A dry run needs neither a daemon
    nor the store.

    Exits 0 where every row was read, whatever it proves; 1 where rows were rejected;
    65 where a file is refused as a whole; 75 where the store went away: run it again.
    """
    import json
    from contextlib import ExitStack
    from functools import partial

    from outgate.cli.evidence_open import Bar, noted_in, opened_rows, order_of, sink_of
    from outgate.evidence.importing import Outlets, run

    order = order_of(
        context,
        kind_name=kind_name,
        list_id=list_id,
        customer=customer,
        source_list=source_list,
        source_version=source_version,
        zone=_zone(zone_name),
        encoding=encoding or "",
        logs=logs,
        own=_networks(server_ip),
        files=files,
        is_dry=dry_run,
    )
    with ExitStack() as stack:
        total_bytes = sum(one.size_bytes for one in order.sources)
        outlets = Outlets(
            rejects=rejects,
            rows=stack.enter_context(opened_rows(rows_file)) if rows_file else None,
            looked=Bar("looked at", total_bytes).add,
            done=Bar("judged" if dry_run else "imported", total_bytes).add,
        )
        sink = None
        if not dry_run:
            sink = outlets.sink = stack.enter_context(sink_of(context, order))
            outlets.noted = noted_in(context, order, sink.store_id)
            outlets.say = partial(click.echo, err=True)
            if warning := sink.warning():
                outlets.say(warning)
            if again:
                outlets.noted.forget()
        report = run(order, outlets)
    Bar.end()
    if sink is not None:
        sink.note(order, report, actor)
    if as_json:
        extra = sink.tally(report) if sink is not None else {}
        click.echo(json.dumps({**report.as_json(), **extra}, sort_keys=True))
    else:
        _tell(order, report.lines(), is_dry=dry_run)
        if sink is not None:
            for line in sink.lines(report):
                click.echo(line)
    if report.rejected:
        if rejects is None:
            click.echo("--rejects FILE keeps the rejected rows", err=True)
        sys.exit(EX_FOUND)


@evidence.command("add-paper")
@LIST
@CUSTOMER
@click.option(
    "--scan",
    type=click.Path(path_type=Path),
    required=True,
    help="Of the sheet; a sealed copy is kept, under its SHA-256.",
)
@click.option(
    "--date",
    "date_text",
    required=True,
    help="When people signed: a day, or a time with its offset.",
)
@_TZ
@click.option("--place", required=True, help="Where they signed.")
@click.option("--collector", required=True, help="Who collected it, and stands for it.")
@click.option(
    "--addresses",
    "file",
    type=click.Path(path_type=Path, allow_dash=True),
    help="File of the addresses on the sheet, one a line; `-` is standard input.",
)
@BY
@JSON
@click.argument("addresses", nargs=-1, metavar="[ADDRESS]...")
@click.pass_obj
def add_paper(
    context: Context,
    list_id: str,
    customer: str,
    scan: Path,
    date_text: str,
    zone_name: str,
    place: str,
    collector: str,
    file: Path | None,
    actor: str,
    addresses: tuple[str, ...],
    *,
    as_json: bool,
) -> None:
    """Register who signed a sheet of paper.

    ADDRESSes are those on the sheet. The scan goes into the folder of evidence, in the
    state directory, sealed with the secret; the registry keeps its hash with day, place
    and collector. A day needs --tz. `outgate evidence show-scan` gives the scan back.
    """
    from outgate.cli.evidence_open import add_sheet

    if not addresses and file is None:
        raise click.UsageError("expected ADDRESSes, or --addresses FILE")
    for option, text in (("--place", place), ("--collector", collector)):
        if not 0 < len(text.strip()) <= 200:  # noqa: PLR2004 - as in `paper`
            raise click.UsageError(f"{option}: expected 1 to 200 characters")
    add_sheet(
        context,
        list_id=list_id,
        customer=customer,
        scan=scan,
        date_text=date_text,
        zone=_zone(zone_name),
        zone_name=zone_name,
        place=place.strip(),
        collector=collector.strip(),
        addresses=addresses,
        file=file,
        actor=actor,
        as_json=as_json,
    )


evidence.add_command(dossier)
evidence.add_command(show)
evidence.add_command(show_scan)


def _tell(order: "Order", lines: "Iterable[str]", *, is_dry: bool) -> None:
    from outgate.log.lines import escape

    names = ", ".join(dict.fromkeys(str(one.file) for one in order.sources))
    click.echo(escape(f"{names}: {order.kind.title}"))
    for line in lines:
        # Reasons show what stood in cells.
        click.echo(escape(line))
    if is_dry:
        click.echo("dry run: nothing was written")


def _zone(name: str) -> "Zone | None":
    from outgate.evidence.moments import declared_zone

    if not name:
        return None
    try:
        return declared_zone(name)
    except ValueError as error:
        raise click.UsageError(f"--tz: {error}") from None


def _networks(texts: tuple[str, ...]) -> "list[Network]":
    from outgate.model.client import parse_network

    networks = []
    for text in texts:
        network = parse_network(text)
        if network is None:
            raise click.UsageError(f"--server-ip: {text!r} is no address or network")
        networks.append(network)
    return networks

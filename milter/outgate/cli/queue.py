"""`outgate queue`: what is held, and why."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import click

from outgate.cli.context import Context


@click.group()
def queue() -> None:
    """Look at held mail."""


@queue.command("list")
@click.option("--customer", metavar="NAME", help="Mail of this customer alone.")
@click.option("--ids", is_flag=True, help="Queue ids alone, one a line.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@click.pass_obj
def list_(context: Context, *, customer: str | None, ids: bool, as_json: bool) -> None:
    """List held messages with their reasons, oldest first.

    The MTA holds the messages; the reasons are kept in the store by queue id.

    Postfix: `postsuper -H <id>` releases, then `postqueue -i <id>` sends.

    Sendmail: `sendmail -Q -qQ -qI<id>` releases, then `sendmail -qI<id>` sends.

    What was released and not sent waits for the next queue run.

    All of one customer, on Postfix: `outgate queue list --customer NAME --ids |
    postsuper -H -` releases, then `postqueue -f` sends; `postsuper -d -` deletes.
    """
    import json

    from outgate.log.lines import escape
    from outgate.policy.operator import format_moment

    if ids and as_json:
        raise click.UsageError("--ids and --json: only one of them")
    records = _records(context)
    if customer is not None:
        records = [one for one in records if one["customer"] == customer]
    if ids:
        for record in records:
            click.echo(escape(record["queue-id"]))
        return
    if as_json:
        for record in records:
            moments = {
                "since": format_moment(int(record["since-us"])),
                "until": format_moment(int(record["until-us"])),
            }
            click.echo(json.dumps({**record, **moments}, sort_keys=True))
        return
    if not records:
        click.echo("nothing is held")
        return
    rows = [
        ("queue id", "since", "customer", "sender", "rcpt", "bytes", "reasons"),
        *(
            (
                record["queue-id"],
                format_moment(int(record["since-us"])),
                record["customer"],
                record.get("sender") or "<>",
                record.get("recipients", ""),
                record.get("size", ""),
                record.get("reasons", ""),
            )
            for record in records
        ),
    ]
    # Nothing is cut: a queue id is there to be copied.
    cells = [[escape(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for row in cells:
        padded = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        click.echo("  ".join(padded).rstrip())


def _records(context: Context) -> list[Mapping[str, str]]:
    from outgate.daemon.compose import Places
    from outgate.log.lines import escape
    from outgate.store.client import connect
    from outgate.store.holds import Holds, flaw
    from outgate.store.keys import Keys

    settings = context.settings()
    # Before the store is asked, or a record could pass between the two looks.
    waiting = list(_waiting(Places.of(settings).spool))
    keys = Keys(settings.store.namespace)
    stored = Holds(connect(context.running_endpoint()), keys).all()
    known = {(record["mta"], record["queue-id"]) for record in stored}
    fresh = [one for one in waiting if (one["mta"], one["queue-id"]) not in known]
    usable = []
    for record in (*stored, *fresh):
        # A person may have written into them.
        if why := flaw(record):
            name = escape(f"{record.get('mta')} {record.get('queue-id')}")
            click.echo(f"left out: the record of {name} {why}", err=True)
        else:
            usable.append(record)
    return sorted(usable, key=lambda record: int(record["since-us"]))


def _waiting(spool: Path) -> Iterator[Mapping[str, str]]:
    """What this host held a moment ago, or while the store is away."""
    from outgate.store.outbox import Outbox

    try:
        for record in Outbox(spool).records():
            if record.get("kind") == "held":
                yield {name: str(value) for name, value in record.items()}
    except OSError:
        # The daemon's own account and root may look; others see it in a second.
        return

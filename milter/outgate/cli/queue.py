"""`outgate queue`: what is held, and why."""

import click

from outgate.cli.context import Context


@click.group()
def queue() -> None:
    """Look at held mail."""


@queue.command("list")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@click.pass_obj
def list_(context: Context, *, as_json: bool) -> None:
    """List held messages with their reasons, oldest first.

    The MTA holds the messages; the reasons are kept in the store by queue id. Release
    with `postsuper -H <id>` (Postfix) or `sendmail -qQ -Q -qI<id>` (Sendmail).
    """
    import json

    from outgate.log.lines import escape
    from outgate.policy.operator import format_moment
    from outgate.store.client import connect
    from outgate.store.holds import Holds
    from outgate.store.keys import Keys

    keys = Keys(context.settings().store.namespace)
    records = Holds(connect(context.running_endpoint()), keys).all()
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

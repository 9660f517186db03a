"""`outgate store`: a look into the store without redis-tools."""

import sys

import click

from outgate.cli.context import Context
from outgate.model.errors import EX_FOUND


@click.group()
def store() -> None:
    """Speak to the store."""


@store.command(context_settings={"ignore_unknown_options": True})
@click.argument("words", nargs=-1, required=True, type=click.UNPROCESSED)
@click.pass_obj
def cli(context: Context, words: tuple[str, ...]) -> None:
    """Send one command, as redis-cli would.

    For machines without redis-tools, and for the embedded store: it always speaks to
    the store of this configuration. Exits 1 where the store answers with an error.

    Such as: outgate store cli HGETALL outgate:suspend
    """
    from outgate.store.client import command

    answer = command(context.running_endpoint(), words)
    for line in answer.lines:
        click.echo(line)
    # redis-cli says 0 here; a script that holds a sender must know that it did not.
    if answer.is_error:
        sys.exit(EX_FOUND)


@store.command()
@click.pass_obj
def url(context: Context) -> None:
    """Print where the store is, without its password."""
    click.echo(str(context.endpoint()))

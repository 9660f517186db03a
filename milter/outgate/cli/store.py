"""`outgate store`: a look into the store without redis-tools."""

import click

from outgate.cli.context import Context


@click.group()
def store() -> None:
    """Speak to the store."""


@store.command(context_settings={"ignore_unknown_options": True})
@click.argument("words", nargs=-1, required=True, type=click.UNPROCESSED)
@click.pass_obj
def cli(context: Context, words: tuple[str, ...]) -> None:
    """Send one command, as redis-cli would.

    For machines without redis-tools, and for the embedded store.

    Such as: outgate store cli HGETALL outgate:suspend
    """
    from outgate.store.client import command

    for line in command(context.running_endpoint(), words):
        click.echo(line)


@store.command()
@click.pass_obj
def url(context: Context) -> None:
    """Print where the store is, without its password."""
    click.echo(str(context.endpoint()))

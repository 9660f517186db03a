"""`outgate config`: check, show, reference, sample."""

import click

from outgate.cli.context import Context


@click.group()
def config() -> None:
    """Check, show and explain the configuration."""


@config.command()
@click.pass_obj
def check(context: Context) -> None:
    """Check the file and report every problem.

    Each problem is one line: file, key, what was got and what was expected. Exits 78 if
    there is any. It reads this file only: whether passwords, commands and directories
    that it names are there, `outgate doctor` says.
    """
    context.settings()
    click.echo(f"{context.file or 'no file, defaults'}: ok; then ask `outgate doctor`")


@config.command()
@click.pass_obj
def show(context: Context) -> None:
    """Print the configuration in force, as TOML.

    Defaults are included; a password in the store's URL is left out.
    """
    from outgate.config.reference import show as render

    click.echo(render(context.settings()), nl=False)


@config.command()
def reference() -> None:
    """Print the reference page of all keys (Markdown)."""
    from outgate.config.reference import reference as render

    click.echo(render(), nl=False)


@config.command()
def sample() -> None:
    """Print a commented sample file with every key and its default."""
    from outgate.config.reference import sample as render

    click.echo(render(), nl=False)

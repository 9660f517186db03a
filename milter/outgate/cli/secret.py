"""`outgate secret`: the key behind keyed hashes."""

from pathlib import Path

import click

from outgate.cli.context import Context


@click.group()
def secret() -> None:
    """Make and name the key behind keyed hashes."""


def _path(context: Context) -> Path:
    settings = context.settings()
    return Path(settings.secrets.file or Path(settings.paths.state) / "secret")


@secret.command()
@click.pass_obj
def new(context: Context) -> None:
    """Make the key, once; copy it to every host that shares the store."""
    from outgate.signing.secret import key_id, make_secret

    path = _path(context)
    made = make_secret(path)
    click.echo(f"{path}: made, id {key_id(made)}")


@secret.command("id")
@click.pass_obj
def id_(context: Context) -> None:
    """Print the id of the key: the same on all hosts, or they count apart."""
    from outgate.signing.secret import key_id, read_secret

    click.echo(key_id(read_secret(_path(context))))

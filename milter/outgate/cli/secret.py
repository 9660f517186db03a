"""`outgate secret`: the key behind keyed hashes."""

from pathlib import Path

import click

from outgate.cli.context import Context
from outgate.cli.owner import owner_of
from outgate.model.errors import EX_CANTCREAT, StartError


@click.group()
def secret() -> None:
    """Make and name the key behind keyed hashes."""


def _path(context: Context) -> Path:
    settings = context.settings()
    return Path(settings.secrets.file or Path(settings.paths.state) / "secret")


@secret.command()
@click.pass_obj
def new(context: Context) -> None:
    """Make the key, once for all hosts that share a store.

    Copy it to every one of them. Only its owner can read it: that is the account that
    the daemon runs as, also when root makes it.
    """
    from outgate.signing.secret import key_id, make_secret

    path = _path(context)
    try:
        path.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
    except OSError as error:
        raise StartError(
            f"secret: {path.parent} cannot be made: {error.strerror}", EX_CANTCREAT
        ) from error
    made = make_secret(path, owner_of(Path(context.settings().paths.state)))
    click.echo(f"{path}: made, id {key_id(made)}")


@secret.command("id")
@click.pass_obj
def id_(context: Context) -> None:
    """Print the id of the key.

    It must be the same on all hosts that share a store: the store remembers it, and
    another one is refused.
    """
    from outgate.signing.secret import key_id, read_secret

    click.echo(key_id(read_secret(_path(context))))

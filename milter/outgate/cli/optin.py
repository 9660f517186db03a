"""`outgate optin`: who asked for which registered list."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from outgate.cli.context import Context
from outgate.model.consent import Grade
from outgate.model.recipient import is_mailbox

if TYPE_CHECKING:
    from outgate.policy.compiled import Policy
    from outgate.store.registry import Registry

_LIST = click.option(
    "--list", "list_id", required=True, help="List-Id of a `[[list]]`, no brackets."
)


@click.group()
def optin() -> None:
    """Keep the registry of subscribers.

    Who is registered for a list, by anything better than an import, is no stranger to
    its mail.
    """


@optin.command()
@_LIST
@click.option(
    "--grade",
    type=click.Choice([grade.value for grade in Grade]),
    required=True,
    help="What stands behind these subscriptions; `import` is no consent.",
)
@click.argument("file", type=click.Path(path_type=Path, allow_dash=True))
@click.pass_obj
def load(context: Context, list_id: str, grade: str, file: Path) -> None:
    """Register the addresses of a file.

    One a line; `-` is standard input. Empty lines and lines that begin with # are skipped; a line that is no address stops
    it before anything is written.
    """
    policy, registry = _open(context, list_id)
    mailboxes = list(_read(file, policy))
    new = registry.load(list_id.lower(), mailboxes, Grade(grade))
    click.echo(f"{list_id}: {len(mailboxes)} registered as {grade}, {new} of them new")


@optin.command()
@_LIST
@click.argument("address", required=False)
@click.pass_obj
def show(context: Context, list_id: str, address: str | None) -> None:
    """Print how many subscribers a list has, or the grade of one.

    Exits 1 where the address is not registered.
    """
    policy, registry = _open(context, list_id)
    if address is None:
        click.echo(f"{list_id}: {registry.count(list_id.lower())} subscribers")
        return
    mailbox = policy.recipient(address.encode()).mailbox
    try:
        grade = registry.grade(list_id.lower(), mailbox)
    except ValueError:
        click.echo(
            f"{address} is registered for {list_id}, but with no grade that there is: "
            "it is no consent; load it again"
        )
        raise click.exceptions.Exit(1) from None
    if grade is None:
        click.echo(f"{address} is not registered for {list_id}")
        raise click.exceptions.Exit(1)
    click.echo(grade.value)


@optin.command()
@_LIST
@click.argument("file", type=click.Path(path_type=Path, allow_dash=True))
@click.pass_obj
def remove(context: Context, list_id: str, file: Path) -> None:
    """Take the addresses of a file out.

    One a line; `-` is standard input.
    """
    policy, registry = _open(context, list_id)
    mailboxes = list(_read(file, policy))
    gone = registry.remove(list_id.lower(), mailboxes)
    click.echo(f"{list_id}: {gone} of {len(mailboxes)} removed")


def _open(context: Context, list_id: str) -> "tuple[Policy, Registry]":
    from outgate.daemon.compose import Places
    from outgate.policy.compiled import Policy
    from outgate.signing.secret import key_id, read_secret
    from outgate.store.client import connect
    from outgate.store.hashes import Hashes
    from outgate.store.keys import Keys
    from outgate.store.registry import Registry
    from outgate.store.schema import inspect

    settings = context.settings()
    policy = Policy.build(settings.for_policy())
    known = sorted(one.id.lower() for one in settings.list)
    if list_id.lower() not in known:
        raise click.UsageError(
            f"no [[list]] has the id {list_id!r}; there "
            + (f"are {', '.join(known)}" if known else "is none at all")
        )
    endpoint = context.running_endpoint()
    secret = read_secret(Places.of(settings).secret(settings))
    keys = Keys(settings.store.namespace)
    client = connect(endpoint)
    # Whom another secret registers, no daemon finds.
    inspect(client, keys, key_id(secret), claim=False)
    return policy, Registry(client, keys, Hashes(secret))


def _read(file: Path, policy: "Policy") -> Iterator[str]:
    from outgate.model.errors import EX_NOINPUT, StartError

    try:
        raw = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
    except OSError as error:
        raise StartError(
            f"{file} cannot be read: {error.strerror}", EX_NOINPUT
        ) from error
    for number, line in enumerate(raw.splitlines(), 1):
        text = line.strip()
        if not text or text.startswith(b"#"):
            continue
        mailbox = policy.recipient(text).mailbox
        if not is_mailbox(mailbox):
            shown = text[:80].decode("utf-8", "backslashreplace")
            raise click.UsageError(f"{file}: line {number}: {shown!r} is no address")
        yield mailbox

"""What the commands of `outgate optin` have in common: the registry, files, words."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import click

from outgate.cli.context import Context

if TYPE_CHECKING:
    from outgate.model.optin import Record
    from outgate.policy.compiled import Policy
    from outgate.store.hashes import Hashes
    from outgate.store.keys import Keys
    from outgate.store.registry import Found, Registry
    from outgate.store.subscriptions import Tally
    from outgate.store.trouble import Client

LIST = click.option(
    "--list", "list_id", required=True, help="List-Id of a `[[list]]`, no brackets."
)
CUSTOMER = click.option(
    "--customer", default="", help="Whose list; needed where two have one of that id."
)
BY = click.option(
    "--by",
    "actor",
    default="",
    help="Who orders it, for the audit. Default: the account that runs this.",
)
JSON = click.option("--json", "as_json", is_flag=True, help="JSON, for programs.")


@dataclass(frozen=True, slots=True)
class Opened:
    """The registry, and what it was opened with."""

    client: "Client"
    keys: "Keys"
    hashes: "Hashes"
    secret_id: str
    registry: "Registry"


def open_registry(context: Context, *, writes: bool) -> Opened:
    """Open the registry.

    Args:
        context: of the command.
        writes: a server that evicts keys is refused then.

    Raises:
        OutgateError: the configuration, the secret or the store is not as it must be.
    """
    from outgate.daemon.compose import Places
    from outgate.model.errors import EX_CONFIG, StartError
    from outgate.policy.settings import THROUGH_US
    from outgate.signing.secret import key_id, read_secret
    from outgate.signing.vault import Vault
    from outgate.store.client import connect
    from outgate.store.durability import PATIENCE_S, Flushing
    from outgate.store.hashes import Hashes
    from outgate.store.keys import Keys
    from outgate.store.ledger import Ledger
    from outgate.store.registry import Registry
    from outgate.store.schema import inspect

    settings = context.settings()
    client = connect(context.running_endpoint(), PATIENCE_S)
    secret = read_secret(Places.of(settings).secret(settings))
    keys, hashes = Keys(settings.store.namespace), Hashes(secret)
    server = inspect(client, keys, key_id(secret), claim=writes)
    if writes and server.evicts:
        raise StartError(
            f"store.url: the server evicts keys (maxmemory-policy {server.evicts}): it "
            "would forget who asked for mail, and who does not want any: set "
            "maxmemory-policy noeviction",
            EX_CONFIG,
        )
    directory = None if settings.store.url else Places.of(settings).store
    registry = Registry(
        client,
        keys,
        hashes,
        flushing=Flushing(client, keys, directory),
        sealer=Vault(secret),
        progress=_progress,
        ledger=Ledger(
            client,
            keys,
            hashes,
            retention_s=int(settings.optin.challenge_retention.total_seconds()),
            through_us=frozenset(
                (one.customer, one.id.lower())
                for one in settings.list
                if one.challenges == THROUGH_US
            ),
        ),
    )
    return Opened(client, keys, hashes, key_id(secret), registry)


def whose_list(context: Context, list_id: str, customer: str) -> tuple[str, str]:
    """Customer and id of a configured list.

    Raises:
        click.UsageError: there is none, or more than one.
    """
    lists = [(one.customer, one.id.lower()) for one in context.settings().list]
    if list_id.lower() not in {known for _, known in lists}:
        known = sorted({known for _, known in lists})
        raise click.UsageError(
            f"no [[list]] has the id {list_id!r}; there "
            + (f"are {', '.join(known)}" if known else "is none at all")
        )
    owners = [one for one, known in lists if known == list_id.lower()]
    if customer in owners:
        return customer, list_id.lower()
    if customer or len(owners) > 1:
        raise click.UsageError(
            f"--customer: the list {list_id!r} is of {', '.join(sorted(owners))}"
        )
    return owners[0], list_id.lower()


def read_policy(context: Context) -> "Policy":
    """How addresses are read."""
    from outgate.policy.compiled import Policy

    return Policy.build(context.settings().for_policy())


def read_address(text: str, policy: "Policy") -> str:
    """A canonical mailbox.

    Raises:
        click.UsageError: it is no address.
    """
    from outgate.model.recipient import is_mailbox

    mailbox = policy.recipient(text.strip().encode("utf-8", "surrogateescape")).mailbox
    if not is_mailbox(mailbox):
        raise click.UsageError(
            f"{text!r} is no address: expected one such as bart@example.net"
        )
    return mailbox


def read_addresses(file: Path, policy: "Policy") -> Iterator[str]:
    """Canonical mailboxes of a file, one a line.

    Raises:
        click.UsageError: a line is no address.
        StartError: the file cannot be read.
    """
    from outgate.model.recipient import is_mailbox

    with open_file(file) as lines:
        for number, line in enumerate(lines, 1):
            text = line.strip()
            if not text or text.startswith(b"#"):
                continue
            mailbox = policy.recipient(text).mailbox
            if not is_mailbox(mailbox):
                shown = text[:80].decode("utf-8", "backslashreplace")
                raise click.UsageError(
                    f"{file}: line {number}: {shown!r} is no address"
                )
            yield mailbox


def open_file(file: Path) -> BinaryIO:
    """Open a file to read; `-` is standard input.

    Raises:
        StartError: it cannot be read.
    """
    from outgate.model.errors import EX_NOINPUT, StartError

    if str(file) == "-":
        return sys.stdin.buffer
    try:
        return file.open("rb")
    except OSError as error:
        raise StartError(
            f"{file} cannot be read: {error.strerror}", EX_NOINPUT
        ) from error


def report(
    registry: "Registry",
    tally: "Tally",
    name: str,
    event: str,
    text: str,
    actor: str,
    *,
    as_json: bool,
) -> None:
    """Write the audit, and tell what became of all rows.

    Args:
        registry: where it was done.
        tally: what was done.
        name: of the list, "" for all.
        event: for the audit.
        text: for a person.
        actor: who ordered it, "" for whoever runs this.
        as_json: for programs instead.
    """
    import json

    fields: dict[str, object] = {
        "rows": tally.rows,
        "new": tally.new,
        "changed": tally.changed,
        "kept": tally.kept,
        "future": tally.future,
        "durability": tally.durability.value,
    }
    registry.note(event, name, actor or account(), f"{text}; {_words(fields)}")
    if as_json:
        click.echo(json.dumps({"list": name, **fields}, sort_keys=True))
    else:
        click.echo(
            f"{name}: {text}; {_words(fields)}" if name else f"{text}; {_words(fields)}"
        )
    if tally.future:
        click.echo(
            f"{tally.future} refused: more than ten minutes ahead of the store's clock",
            err=True,
        )


def told(found: "Found") -> dict[str, object]:
    """What is kept of a subscription, for people and programs; unknown is left out."""
    fields = told_record(found.record)
    if found.has_evidence:
        fields["evidence"] = "kept"
    return fields


def told_record(record: "Record") -> dict[str, object]:
    """A record, for people and programs; what is not known is left out."""
    from outgate.evidence.dossier.facts import record_fields

    fields: dict[str, object] = {**record_fields(record)}
    # By the clock by which it was noted: one time is enough here.
    if (local := fields.pop("local-time", None)) is not None:
        fields["time"] = local
    return fields


def _words(fields: dict[str, object]) -> str:
    return " ".join(f"{name}={value}" for name, value in fields.items())


def account() -> str:
    """Who runs this."""
    import os
    import pwd

    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())


def _progress(tally: "Tally") -> None:
    if sys.stderr.isatty():
        click.echo(f"\r{tally.rows} on disk", nl=False, err=True)


def end_progress() -> None:
    """End the line that progress was told on."""
    if sys.stderr.isatty():
        click.echo(err=True)

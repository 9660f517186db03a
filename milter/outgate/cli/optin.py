"""`outgate optin`: who asked for which registered list."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from outgate.cli.context import Context
from outgate.cli.optin_key import key
from outgate.cli.optin_open import (
    BY,
    CUSTOMER,
    JSON,
    LIST,
    account,
    end_progress,
    open_registry,
    read_address,
    read_addresses,
    read_policy,
    report,
    told,
    told_record,
    whose_list,
)
from outgate.cli.optin_sign import sign
from outgate.cli.optin_transfer import export, restore
from outgate.model.consent import Grade
from outgate.model.errors import EX_FOUND, UnreadableRecord

if TYPE_CHECKING:
    from outgate.model.optin import Record
    from outgate.store.registry import Count

_FILE = click.Path(path_type=Path, allow_dash=True)
_SOURCE = "operator"


@click.group()
def optin() -> None:
    """Keep the registry of subscribers, and sign for them.

    Who is registered for a list, by anything better than an import, is no stranger to
    its mail. Of two events of one subscription the later counts; an address in a file
    takes back neither a withdrawal nor an erasure. A list host that cannot reach the
    registry signs tokens (`sign`) with a key that is registered here (`key`).
    """


@optin.command()
@LIST
@CUSTOMER
@click.option(
    "--grade",
    type=click.Choice([grade.value for grade in Grade if grade is not Grade.NONE]),
    required=True,
    help="What stands behind these subscriptions; `import` is no consent.",
)
@BY
@JSON
@click.argument("file", type=_FILE)
@click.pass_obj
def load(
    context: Context,
    list_id: str,
    customer: str,
    grade: str,
    actor: str,
    file: Path,
    *,
    as_json: bool,
) -> None:
    """Register the addresses of a file.

    On your word alone: without time and evidence, so that every event that has a time
    counts more. Who has withdrawn, or was erased, stays so.

    One a line; `-` is standard input. Empty lines and lines that begin with # are
    skipped; a line that is no address stops it before anything is written.
    """
    owner, name = whose_list(context, list_id, customer)
    mailboxes = list(read_addresses(file, read_policy(context)))
    registry = open_registry(context, writes=True).registry
    tally = registry.load(owner, name, mailboxes, Grade(grade))
    end_progress()
    report(registry, tally, name, "optin-loaded", f"as {grade}", actor, as_json=as_json)


@optin.command()
@LIST
@CUSTOMER
@click.option(
    "--evidence",
    "with_evidence",
    is_flag=True,
    help="Open the evidence of ADDRESS, too; the audit says so.",
)
@click.option("--why", default="", help="Why the evidence is opened, for the audit.")
@BY
@JSON
@click.argument("address", required=False)
@click.pass_obj
def show(
    context: Context,
    list_id: str,
    customer: str,
    why: str,
    actor: str,
    address: str | None,
    *,
    with_evidence: bool,
    as_json: bool,
) -> None:
    """Print how many subscribers a list has, or what is kept of one.

    Exits 1 where the address has no consent on file.
    """
    owner, name = whose_list(context, list_id, customer)
    if with_evidence and not (address and why.strip()):
        raise click.UsageError("--evidence needs an ADDRESS, and --why: it is audited")
    if address is None:
        count = open_registry(context, writes=False).registry.count(name)
        click.echo(_counted(name, count, as_json=as_json))
        return
    mailbox = read_address(address, read_policy(context))
    registry = open_registry(context, writes=False).registry
    try:
        found = registry.find(owner, name, mailbox)
    except UnreadableRecord as error:
        click.echo(_unreadable(address, name, error.place, as_json=as_json))
        sys.exit(EX_FOUND)
    if found is None:
        click.echo("{}" if as_json else f"{address} is not registered for {name}")
        sys.exit(EX_FOUND)
    fields: dict[str, object] = {"list": name, "customer": owner, **told(found)}
    if with_evidence:
        opened = registry.evidence(
            owner, name, mailbox, actor=actor or account(), why=why.strip()
        )
        if opened is not None:
            record, evidence = opened
            fields["evidence-of"] = told_record(record)
            fields["evidence-record"] = evidence.decode("utf-8", "backslashreplace")
    click.echo(json.dumps(fields, sort_keys=True) if as_json else _lines(fields))
    if not found.record.permission.is_consent:
        sys.exit(EX_FOUND)


@optin.command()
@LIST
@CUSTOMER
@click.option(
    "--time",
    "moment",
    default="",
    help="When, with its zone, such as 2026-11-24T12:00:00+01:00. Default: now.",
)
@BY
@JSON
@click.argument("who")
@click.pass_obj
def withdraw(
    context: Context,
    list_id: str,
    customer: str,
    moment: str,
    actor: str,
    who: str,
    *,
    as_json: bool,
) -> None:
    """Note that somebody does not want a list's mail any more.

    WHO is an address, or a file of them, one a line; `-` is standard input. Only a
    confirmation that is newer makes a subscriber of them again. The evidence of the
    consent stays, for questions about the mail until then.
    """
    owner, name = whose_list(context, list_id, customer)
    record, policy = _withdrawal(moment), read_policy(context)
    # A file's name with an @ is written with a slash.
    if "@" in who and "/" not in who:
        mailboxes = [read_address(who, policy)]
    else:
        mailboxes = list(read_addresses(Path(who), policy))
    registry = open_registry(context, writes=True).registry
    tally = registry.withdraw(owner, name, mailboxes, record)
    end_progress()
    report(
        registry, tally, name, "optin-withdrawn", "withdrawn", actor, as_json=as_json
    )


@optin.command()
@LIST
@CUSTOMER
@BY
@JSON
@click.argument("file", type=_FILE)
@click.pass_obj
def remove(
    context: Context,
    list_id: str,
    customer: str,
    actor: str,
    file: Path,
    *,
    as_json: bool,
) -> None:
    """Take the consents of a file's addresses out.

    With their evidence, as if they had never been: for what was loaded by mistake.
    Withdrawals and erasures stay. One a line; `-` is standard input.
    """
    owner, name = whose_list(context, list_id, customer)
    mailboxes = list(read_addresses(file, read_policy(context)))
    registry = open_registry(context, writes=True).registry
    tally = registry.remove(owner, name, mailboxes)
    end_progress()
    report(registry, tally, name, "optin-removed", "removed", actor, as_json=as_json)


for command in (export, restore, key, sign):
    optin.add_command(command)


def _lines(fields: dict[str, object]) -> str:
    from outgate.log.lines import escape

    return "\n".join(
        f"{name:<15}  {escape(value if isinstance(value, str) else json.dumps(value))}"
        for name, value in fields.items()
    )


def _unreadable(address: str, name: str, place: str, *, as_json: bool) -> str:
    from outgate.log.lines import escape

    if as_json:
        fields = {"list": name, "state": "unreadable", "place": place}
        return json.dumps(fields, sort_keys=True)
    return escape(
        f"{address} is registered for {name}, but with no record that can be read "
        f"({place}): it is no consent; load it again"
    )


def _counted(name: str, count: "Count", *, as_json: bool) -> str:
    by_permission = {one.value: number for one, number in count.by_permission.items()}
    if as_json:
        fields = {
            "list": name,
            "subscribers": count.subscribers,
            "by-permission": by_permission,
            "erased": count.erased,
        }
        return json.dumps(fields, sort_keys=True)
    by_permission["erased"] = count.erased
    words = "".join(
        f"; {number} {word}" for word, number in sorted(by_permission.items()) if number
    )
    return f"{name}: {count.subscribers} subscribers{words}"


def _withdrawal(moment: str) -> "Record":
    from outgate.daemon.compose import now_us
    from outgate.model.optin import Record, State, ZoneSource
    from outgate.model.optin_time import parse_local

    if not moment:
        return Record(
            state=State.WITHDRAWN,
            time_us=now_us(),
            zone=ZoneSource.SOURCE_UTC,
            source=_SOURCE,
        )
    try:
        time_us, offset_minutes = parse_local(moment)
        return Record(
            state=State.WITHDRAWN,
            time_us=time_us,
            offset_minutes=offset_minutes,
            zone=ZoneSource.EXPLICIT,
            source=_SOURCE,
        )
    except ValueError as error:
        raise click.UsageError(f"--time: {error}") from None

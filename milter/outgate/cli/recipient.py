"""`outgate recipient`: what is remembered of one address, and how it is forgotten."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from outgate.cli.context import Context
from outgate.cli.optin_open import account
from outgate.model.errors import EX_FOUND

if TYPE_CHECKING:
    from outgate.store.erasure import Erasure, Finding, Report

_CUSTOMER = click.option(
    "--customer",
    default="",
    help="Only what this customer remembers, and the lists configured as his.",
)
_JSON = click.option("--json", "as_json", is_flag=True, help="JSON, for programs.")


@click.group()
def recipient() -> None:
    """Show or erase what is remembered of a recipient.

    Whom customers mailed is kept as keyed hashes: nobody can list them, but who has an
    address can ask for it. Every spelling of it is the same recipient, as in counting.
    """


@recipient.command()
@_CUSTOMER
@_JSON
@click.argument("address")
@click.pass_obj
def show(context: Context, address: str, customer: str, *, as_json: bool) -> None:
    """Print what is remembered of an address.

    One line for each customer whose contact it is, with the week of his last message;
    for each limit on different recipients; for each customer whose mailings reached it;
    for each list, with all that is kept of the subscription, or the mark of an earlier
    erasure. Where `perhaps` stands, only a part of the
    hash is kept, and one stranger in 300 would look the same.

    Exits 1 where nothing is remembered, or nothing but an erasure.
    """
    import json

    search = _open(context, address, customer)
    report = search.erasure.look(search.mailbox, search.lists, search.customers)
    _end_progress()
    _must_exist(search, report, customer)
    findings = sorted(report.findings.values(), key=lambda one: (one.kind, one.name))
    for one in findings:
        click.echo(json.dumps(_fields(one), sort_keys=True) if as_json else _line(one))
    remembered = [one for one in findings if not one.is_mark]
    if not remembered and not as_json:
        more = " but the erasure" if findings else ""
        click.echo(f"nothing is remembered of {search.mailbox}{more}")
    _tell_unusable(report)
    if not remembered or report.unusable:
        sys.exit(EX_FOUND)


@recipient.command()
@_CUSTOMER
@click.option(
    "--by",
    "actor",
    default="",
    help="Who orders it, for the audit. Default: the account that runs this.",
)
@click.option("--yes", is_flag=True, help="Do not ask.")
@_JSON
@click.argument("address")
@click.pass_obj
def erase(
    context: Context,
    address: str,
    customer: str,
    actor: str,
    *,
    yes: bool,
    as_json: bool,
) -> None:
    """Erase what is remembered of an address.

    It is a stranger to every customer then, and no list's subscriber. Where a list had
    it, a mark stays, its keyed hash and the time: no file that is loaded later registers
    it again, only a newer confirmation does. Evidence is deleted, and
    the scan of a sheet of paper that nobody else has signed. Amounts that were counted stay: they name nobody.
    Who shares its hash where only a part is kept is forgotten with it, and is a stranger
    until he is mailed again. Mail in queues, log files and backups are not touched.

    The audit says that it was done, by a keyed hash. Twice is as good as once. Exits 1
    where a key could not be looked at.
    """
    import json

    from outgate.cli.scans import SignedSheets
    from outgate.store.erasure import Kind

    search = _open(context, address, customer)
    if not yes:
        whose = f"{customer} remembers" if customer else "is remembered"
        click.confirm(f"Erase what {whose} of {search.mailbox}?", abort=True, err=True)
    sheets = SignedSheets(context, search.mailbox, search.lists, search.customers)
    report = search.erasure.erase(search.mailbox, search.lists, search.customers)
    _end_progress()
    _must_exist(search, report, customer)
    scans = sheets.forget()
    name = search.erasure.note(search.mailbox, report, actor or account(), customer)
    counts = {
        kind.value: {"looked": report.looked[kind], "found": report.found(kind)}
        for kind in Kind
    }
    left_out = len(report.unusable)
    if as_json:
        told = {**counts, "left-out": left_out, "scans": scans, "audit": name}
        click.echo(json.dumps(told, sort_keys=True))
    else:
        for kind, count in counts.items():
            things = "lists" if kind == "optin" else "keys"
            click.echo(f"{kind:<8}  {count['found']} of {count['looked']} {things}")
        for line in scans:
            click.echo(line)
        done = "is forgotten"
        if left_out:
            were = "key that was" if left_out == 1 else "keys that were"
            done = f"is not forgotten in {left_out} {were} left out, else it is"
        click.echo(f"{search.mailbox} {done}; in the audit: recipient-erased {name}")
    _tell_unusable(report)
    if report.unusable:
        sys.exit(EX_FOUND)


@dataclass(frozen=True, slots=True)
class _Search:
    """Whom to look for, and where.

    Attributes:
        mailbox: canonical.
        lists: customer and id of each, lower case.
        customers: names of the one who is asked; empty for all.
        is_configured: whether the configuration knows him.
    """

    erasure: "Erasure"
    mailbox: str
    lists: Sequence[tuple[str, str]]
    customers: Sequence[str]
    is_configured: bool


def _open(context: Context, address: str, customer: str) -> _Search:
    from outgate.daemon.compose import Places
    from outgate.model.recipient import is_mailbox
    from outgate.policy.compiled import Policy
    from outgate.policy.operator import canonical_name
    from outgate.signing.secret import key_id, read_secret
    from outgate.store.client import connect
    from outgate.store.durability import PATIENCE_S, Flushing
    from outgate.store.erasure import Erasure
    from outgate.store.hashes import Hashes
    from outgate.store.keys import Keys
    from outgate.store.schema import inspect

    settings = context.settings()
    policy = Policy.build(settings.for_policy())
    mailbox = policy.recipient(address.strip().encode("utf-8", "surrogateescape"))[0]
    if not is_mailbox(mailbox):
        raise click.UsageError(
            f"{address!r} is no address: expected one such as bart@example.net"
        )
    wanted = canonical_name(customer)
    configured = [
        one.name for one in settings.customer if canonical_name(one.name) == wanted
    ]
    names = tuple(dict.fromkeys((*configured, wanted, customer))) if customer else ()
    lists = [
        (one.customer, one.id.lower())
        for one in settings.list
        if not names or one.customer in names
    ]
    keys = Keys(settings.store.namespace)
    client = connect(context.running_endpoint(), PATIENCE_S)
    secret = read_secret(Places.of(settings).secret(settings))
    # Under another secret nothing would be found, and that would look like an answer.
    inspect(client, keys, key_id(secret), claim=False)
    directory = None if settings.store.url else Places.of(settings).store
    flushing = Flushing(client, keys, directory)
    erasure = Erasure(client, keys, Hashes(secret), _progress, flushing)
    return _Search(erasure, mailbox, lists, names, bool(configured))


def _must_exist(search: _Search, report: "Report", customer: str) -> None:
    """A slip in a name must not pass for an answer."""
    if customer and not search.is_configured and not report.looked.total():
        raise click.UsageError(
            f"no customer {customer!r}: neither the configuration nor the store knows him"
        )


def _progress(looked: int) -> None:
    if sys.stderr.isatty():
        click.echo(f"\r{looked} looked at", nl=False, err=True)


def _end_progress() -> None:
    if sys.stderr.isatty():
        click.echo(err=True)


def _fields(one: "Finding") -> dict[str, object]:
    """For programs: what is not known is left out."""
    from outgate.store.erasure import Kind

    whose = "list" if one.kind is Kind.OPTIN else "customer"
    fields: dict[str, object] = {"kind": one.kind.value, whose: one.name}
    match one.kind:
        case Kind.CONTACTS:
            fields |= {"week": _day(one), "exact": one.exact}
        case Kind.DISTINCT:
            fields["limit"] = one.limit
        case Kind.CONTENT:
            fields["contents"] = one.contents
        case Kind.OPTIN:
            fields |= _subscription(one)
    return fields


def _line(one: "Finding") -> str:
    from outgate.log.lines import escape
    from outgate.store.erasure import Kind

    text = one.limit
    if one.kind is Kind.OPTIN:
        text = " ".join(f"{name}={value}" for name, value in _subscription(one).items())
    elif one.kind is Kind.CONTACTS:
        text = f"last mailed in the week of {_day(one)}"
        text += "" if one.exact else ", perhaps"
    elif one.kind is Kind.CONTENT:
        text = "1 mailing" if one.contents == 1 else f"{one.contents} mailings"
    return escape(f"{one.kind:<8}  {one.name}  {text}")


def _subscription(one: "Finding") -> dict[str, object]:
    from outgate.cli.optin_open import told
    from outgate.store.registry import Found

    found: dict[str, object] = {"state": "unreadable", "place": one.unreadable}
    if one.record:
        found = told(Found(one.record, one.has_evidence))
    return {"customer": one.customer, **found} if one.customer else found


def _day(one: "Finding") -> str:
    from outgate.policy.operator import format_moment

    return format_moment(one.week_us or 0).partition("T")[0]


def _tell_unusable(report: "Report") -> None:
    from outgate.log.lines import escape

    for key in report.unusable:
        click.echo(
            f"left out: {escape(key)} is not of the type that it must be", err=True
        )

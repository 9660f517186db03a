"""`outgate list new`, `show`, `status` and `grace`: registered lists, and who stands on them."""

import json
from typing import TYPE_CHECKING

import click

from outgate.cli.context import Context
from outgate.cli.optin_open import BY, JSON, whose_list

if TYPE_CHECKING:
    from outgate.evidence.dossier.facts import ListCount
    from outgate.store.registry import Registry

_OWNER = click.option(
    "--customer", default="", help="Whose list; needed where two have one of that id."
)
_LIST_ID = click.argument("list_id", metavar="LIST-ID")


@click.command()
@click.option("--customer", required=True, help="Who sends it.")
@click.option(
    "--challenges",
    type=click.Choice(["elsewhere", "through-us"]),
    help="Whether all its requests to confirm a subscription leave through this gate.",
)
@_LIST_ID
@click.pass_obj
def new(context: Context, list_id: str, customer: str, challenges: str | None) -> None:
    """Print the configuration of a new list, and what comes next.

    LIST-ID is its List-Id without brackets. Nothing is written: lists live in the
    configuration.
    """
    from outgate.config.limit_checks import is_list_id

    if not (is_list_id(list_id) and list_id.isprintable()):
        raise click.UsageError(
            f"{list_id!r}: expected a List-Id without brackets, such as "
            "members.choir.example"
        )
    # Both are printed into a file and into commands.
    if not customer.strip() or not customer.isprintable():
        raise click.UsageError(f"--customer: {customer!r} is no name")
    configured = {(one.customer, one.id.lower()) for one in context.settings().list}
    if (customer, list_id.lower()) in configured:
        raise click.UsageError(
            f"{list_id} of {customer} is configured already: see `outgate list show`"
        )
    for line in _new_lines(context, list_id, customer, challenges):
        click.echo(line)


@click.command()
@_OWNER
@JSON
@_LIST_ID
@click.pass_obj
def show(context: Context, list_id: str, customer: str, *, as_json: bool) -> None:
    """Print a list's settings and state.

    What is configured, and whether the list ever had subscribers. How many, and what
    stands behind them, says `status`.
    """
    from outgate.cli.optin_open import open_registry

    owner, name = whose_list(context, list_id, customer)
    customers = {one.name: one for one in context.settings().customer}
    known = customers.get(owner)
    registry = open_registry(context, writes=False).registry
    fields: dict[str, object] = {"list": name, "customer": owner}
    fields["customer-configured"] = known is not None
    if known is not None and known.profile:
        fields["profile"] = known.profile
    fields["had-subscribers"] = (owner, name) in registry.lists()
    _say(fields, as_json=as_json)


@click.command()
@_OWNER
@JSON
@_LIST_ID
@click.pass_obj
def status(context: Context, list_id: str, customer: str, *, as_json: bool) -> None:
    """Print how a list stands, and what its mail was like.

    Subscribers by what stands behind them, who withdrew, how many marks of erasures
    there are; from when on the list needs consents, and what its maintainer was told;
    week by week, how many recipients had a consent, what was held or refused; and what
    is wrong with its headers; how many people complained. Where two customers have a list of one id, the subscribers
    of both are counted: the registry keeps nothing that tells them apart.
    """
    from outgate.cli.complaint_rate import complaints_of
    from outgate.cli.dossier_open import count_of
    from outgate.cli.list_grace import deadline_of, open_lists, report_lines
    from outgate.cli.list_trend import days_json, open_days, trend_lines
    from outgate.cli.optin_open import open_registry

    owner, name = whose_list(context, list_id, customer)
    registry = open_registry(context, writes=False).registry
    owners = sorted(
        {one for one, known in registry.lists() if known == name}
        | {one.customer for one in context.settings().list if one.id.lower() == name}
        | {owner}
    )
    count = count_of(registry, name)
    lists = open_lists(context)
    rule = deadline_of(context, lists, (owner, name))
    told = lists.told((owner, name))
    days = open_days(context).read((owner, name))
    complaints = complaints_of(context, owner, name, days)
    if as_json:
        fields = {"list": name, "customers": owners, **count.as_json(), **rule}
        fields["reports"] = [one._asdict() for one in told]
        fields |= _challenges(registry, owner, name)
        fields["complaints"] = complaints
        fields["days"] = days_json(days)
        click.echo(json.dumps(fields, sort_keys=True))
        return
    for line in (
        *_status_lines(name, owners, count),
        *report_lines(rule, told),
        *trend_lines(days),
    ):
        click.echo(line)
    click.echo(
        f"complaints      {complaints['people']} people in 90 days: {complaints['level']}"
    )
    for key, value in _challenges(registry, owner, name).items():
        click.echo(f"{key:<15} {value}")


@click.command()
@_OWNER
@BY
@click.option(
    "--until",
    metavar="DATE",
    help="From then on it needs consents: a date, or a time with its zone (RFC 3339).",
)
@click.option("--default", "default", is_flag=True, help="Take such an order back.")
@JSON
@_LIST_ID
@click.pass_obj
def grace(
    context: Context,
    list_id: str,
    customer: str,
    actor: str,
    until: str | None,
    *,
    default: bool,
    as_json: bool,
) -> None:
    """Print, or set, until when a list may lack consents.

    Until then mail to recipients without one is tagged and reported; from then on the
    rule `list-without-consent` acts. What is set here counts before the configuration,
    and from the next second or two on. It is audited.
    """
    from outgate.cli.list_grace import deadline_of, open_lists, read_until_us
    from outgate.cli.optin_key import word

    if default and until is not None:
        raise click.UsageError("--until and --default: expected one of them")
    key = whose_list(context, list_id, customer)
    lists = open_lists(context)
    if until is not None:
        lists.order(key, read_until_us(until), word(actor))
    elif default:
        lists.forget(key, word(actor))
    fields = {"list": key[1], "customer": key[0], **deadline_of(context, lists, key)}
    _say(fields, as_json=as_json)


def _challenges(registry: "Registry", owner: str, name: str) -> dict[str, object]:
    """What the ledger knows of the list's challenges; nothing where it never saw one."""
    from outgate.model.optin_time import format_local
    from outgate.model.units import SECOND_US

    ledger = registry.ledger
    if ledger is None:
        return {}
    known, wrong = ledger.coverage(owner, name), ledger.contradictions(name)
    declared = ledger.is_declared(owner, name)
    if not (known.count or wrong or declared):
        return {}
    fields: dict[str, object] = {"challenges": known.count}
    if known.count:
        fields["first-challenge"] = format_local(known.first_s * SECOND_US, 0)
        fields["last-challenge"] = format_local(known.last_s * SECOND_US, 0)
    fields["sends-challenges"] = "through-us" if declared else "elsewhere"
    fields["contradictions"] = wrong
    return fields


def _new_lines(
    context: Context, list_id: str, customer: str, challenges: str | None
) -> list[str]:
    from shlex import quote

    file = context.file or "the configuration"
    name = list_id.lower()
    whose = f"--customer {quote(customer)} --list {quote(name)}"
    return [
        f"# Add this to {file}, then reload the daemon.",
        "[[list]]",
        f"id = {_toml(name)}",
        f"customer = {_toml(customer)}",
        *([f"challenges = {_toml(challenges)}"] if challenges else []),
        "",
        "# Then, for those who subscribed before:",
        f"#   outgate evidence import --format NAME {whose} --dry-run FILE",
        "# For those who subscribe from now on, where the list host cannot reach the",
        "# registry, a key for its tokens, made there and registered here:",
        f"#   outgate optin key new {whose} ISSUER:SELECTOR FILE",
        f"#   outgate optin key add {whose} ISSUER:SELECTOR PUBLIC --proof=PROOF",
        "# Headers that the list's messages must have:",
        f"#   List-Id: <{name}>",
        "#   List-Unsubscribe: <https://HOST/PATH-OF-ONE-RECIPIENT>",
        "#   List-Unsubscribe-Post: List-Unsubscribe=One-Click",
        "# covered by a DKIM signature (RFC 8058); a list for discussion needs no Post.",
    ]


def _status_lines(name: str, owners: list[str], count: "ListCount") -> list[str]:
    from outgate.evidence.dossier.words import GRADES
    from outgate.model.consent import Grade

    total = count.subscribers
    grades = count.as_json()["by-grade"]
    shown = [f"{name} of {', '.join(owners)}: {total} subscribers"]
    shown += [
        f"  {grade.value:<13} {_share(grades[grade.value], total)}  {GRADES[grade]}"
        for grade in Grade
        if grade.value in grades
    ]
    shown.append(f"with consent    {_share(count.consents, total)}")
    shown.append(f"withdrawn       {count.withdrawn}")
    shown.append(f"erased          {count.erased}")
    return shown


def _share(number: int, total: int) -> str:
    return f"{number} ({100 * number / total:.1f} %)" if total else str(number)


def _toml(text: str) -> str:
    """A basic string (TOML 1.0); of printable text, JSON's is the same."""
    return json.dumps(text, ensure_ascii=False)


def _say(fields: dict[str, object], *, as_json: bool) -> None:
    from outgate.log.lines import escape

    if as_json:
        click.echo(json.dumps(fields, sort_keys=True))
        return
    for name, value in fields.items():
        text = {True: "yes", False: "no"}[value] if isinstance(value, bool) else value
        click.echo(f"{name:<19}  {escape(str(text))}")

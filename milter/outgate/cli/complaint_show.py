"""`outgate complaint list` and `show`."""

import json
import sys
from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from outgate.cli.context import Context
from outgate.log.lines import escape
from outgate.model.errors import EX_FOUND

if TYPE_CHECKING:
    from outgate.model.complaint import Complaint

_JSON = click.option("--json", "as_json", is_flag=True, help="JSON, for programs.")
_SHOWN = 50
_LOOKED_AT = 10_000
_ID_SHOWN = 12
_WIDTH = 15


@click.command("list")
@click.option("--customer", default="", help="Those about this customer alone.")
@click.option(
    "--limit",
    type=click.IntRange(1, _LOOKED_AT),
    default=_SHOWN,
    show_default=True,
    help="So many at most.",
)
@_JSON
@click.pass_obj
def list_(context: Context, *, customer: str, limit: int, as_json: bool) -> None:
    """List complaints, newest first.

    Time, id, feedback loop or standing of the reporter, whose mail it was, how that is
    known, and what follows.
    """
    from outgate.cli.complaint_open import open_complaints

    found = open_complaints(context).latest(_LOOKED_AT if customer else limit)
    chosen = [one for one in found if not customer or one.customer == customer]
    for one in chosen[:limit]:
        click.echo(json.dumps(fields(one)) if as_json else escape(_line(one)))
    if not chosen and not as_json:
        click.echo("no complaints")


@click.command()
@click.argument("complaint_id", metavar="ID")
@_JSON
@click.pass_obj
def show(context: Context, complaint_id: str, *, as_json: bool) -> None:
    """Print one complaint.

    ID may be its beginning, as `list` shows it. The complainant is a keyed hash.

    Exits 1 where there is none, or more than one.
    """
    from outgate.cli.complaint_open import open_complaints

    complaints = open_complaints(context)
    exact = complaints.find(complaint_id)
    found = (
        [exact]
        if exact is not None
        else [
            one
            for one in complaints.latest(_LOOKED_AT)
            if one.id.startswith(complaint_id)
        ]
    )
    if len(found) != 1:
        many = f"{len(found)} begin with it" if found else "there is none"
        click.echo(escape(f"outgate: {complaint_id}: {many}"), err=True)
        sys.exit(EX_FOUND)
    if as_json:
        click.echo(json.dumps(fields(found[0]), indent=2))
        return
    for name, value in fields(found[0]).items():
        click.echo(escape(f"{name:<{_WIDTH}} {_text(value)}"))


def fields(one: "Complaint") -> dict[str, object]:
    """For machines."""
    return dict(_fields(one))


def _fields(one: "Complaint") -> Iterator[tuple[str, object]]:
    from outgate.policy.operator import format_moment

    for name, value in asdict(one).items():
        if name == "time_us":
            yield "time", format_moment(one.time_us)
        else:
            yield name.replace("_", "-"), value


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value) or "-"


def _line(one: "Complaint") -> str:
    from outgate.policy.operator import format_moment

    return " ".join(
        (
            format_moment(one.time_us),
            one.id[:_ID_SHOWN],
            one.loop or one.standing.value,
            one.customer or "-",
            f"{one.attribution.value}/{one.proof.value}",
            one.outcome.value,
        )
    )

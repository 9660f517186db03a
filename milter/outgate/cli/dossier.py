"""`outgate evidence show` and `dossier`: what is known of one address, on request."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from outgate.cli.context import Context
from outgate.cli.optin_open import BY, JSON
from outgate.model.errors import EX_FOUND

if TYPE_CHECKING:
    from outgate.evidence.dossier.facts import Dossier, Subscription

_LISTS = click.option(
    "--list",
    "list_ids",
    multiple=True,
    help="List-Id, no brackets; repeatable. Default: all lists.",
)
_CUSTOMER = click.option("--customer", default="", help="Only lists of this customer.")


@click.command()
@_LISTS
@_CUSTOMER
@click.option(
    "--why",
    default="",
    help="Why the evidence is opened, for the audit: shows the IP address, too.",
)
@BY
@JSON
@click.argument("address")
@click.pass_obj
def show(
    context: Context,
    list_ids: tuple[str, ...],
    customer: str,
    why: str,
    actor: str,
    address: str,
    *,
    as_json: bool,
) -> None:
    """Print who asked for which list, when, how, and what proves it.

    One paragraph for each list that has the address: time in UTC and as it was noted,
    and whether the raw record of the evidence hashes to the commitment on file. Opening
    the record is audited and needs --why.

    Exits 1 where the address has no consent on any of the lists.
    """
    import json

    from outgate.cli.dossier_open import gather, open_inquiry

    inquiry = open_inquiry(context, list_ids, customer, address, why=why, actor=actor)
    found = gather(inquiry)
    if as_json:
        click.echo(json.dumps([one.as_json() for one in found], sort_keys=True))
    else:
        _tell(found, inquiry.mailbox)
    if not any(one.record and one.record.permission.is_consent for one in found):
        sys.exit(EX_FOUND)


@click.command()
@_LISTS
@_CUSTOMER
@click.option(
    "--format",
    "form",
    type=click.Choice(["markdown", "html", "json", "pdf"]),
    default="html",
    show_default=True,
    help="Of the document; `pdf` needs WeasyPrint.",
)
@click.option(
    "--output",
    type=click.Path(path_type=Path, allow_dash=True),
    required=True,
    help="New file, readable by its owner alone; `-` is standard output.",
)
@click.option("--why", required=True, help="Who asks, and why; for the audit.")
@BY
@click.argument("address")
@click.pass_obj
def dossier(
    context: Context,
    list_ids: tuple[str, ...],
    customer: str,
    form: str,
    output: Path,
    why: str,
    actor: str,
    address: str,
) -> None:
    """Write all that is known of an address into one document.

    When and from where it asked for each list, what the grade means, the chain to the
    raw record with its hashes, and how the list stands. It holds personal data, and
    needs no other file. Of whoever was erased it says when, and nothing more.

    The audit has that it was made, by a keyed hash, and why.
    """
    from outgate.cli.dossier_open import gather, open_inquiry
    from outgate.daemon.compose import now_us
    from outgate.evidence.dossier import pdf
    from outgate.evidence.dossier.facts import Dossier

    if not why.strip():
        raise click.UsageError("--why: expected a few words: it is audited")
    if form == "pdf":
        pdf.require()
    inquiry = open_inquiry(context, list_ids, customer, address, why=why, actor=actor)
    # Before, so that none is made in silence.
    inquiry.registry.note("dossier-made", inquiry.name, inquiry.actor, inquiry.why)
    made = Dossier(
        address=inquiry.mailbox,
        subscriptions=gather(inquiry, counts=True),
        made_us=now_us(),
        why=inquiry.why,
        actor=inquiry.actor,
    )
    _write(output, _rendered(made, form))


def _tell(found: "list[Subscription]", mailbox: str) -> None:
    from outgate.cli.dossier_open import lines

    if not found:
        click.echo(f"nothing is on file of {mailbox}")
    for number, one in enumerate(found):
        if number:
            click.echo()
        for line in lines(one):
            click.echo(line)


def _rendered(made: "Dossier", form: str) -> bytes:
    import json

    from outgate.evidence.dossier import hypertext, markdown, pdf
    from outgate.evidence.dossier.page import blocks

    match form:
        case "json":
            text = json.dumps(made.as_json(), indent=2, sort_keys=True) + "\n"
        case "markdown":
            text = markdown.render(blocks(made))
        case "pdf":
            return pdf.render(hypertext.render(blocks(made)))
        case _:
            text = hypertext.render(blocks(made))
    return text.encode()


def _write(output: Path, document: bytes) -> None:
    import os

    from outgate.model.errors import EX_CANTCREAT, StartError

    if str(output) == "-":
        click.echo(document, nl=False)
        return
    try:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        with os.fdopen(os.open(output, flags, 0o600), "wb") as file:
            file.write(document)
    except OSError as error:
        raise StartError(
            f"{output} cannot be written: {error.strerror}", EX_CANTCREAT
        ) from error

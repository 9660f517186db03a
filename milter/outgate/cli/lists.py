"""`outgate list`: registered lists, and what a list's own headers are worth."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from outgate.cli import list_registry
from outgate.cli.context import Context
from outgate.model.errors import EX_NOINPUT, StartError

if TYPE_CHECKING:
    from outgate.message.listcheck.check import ListCheck, ListContext

_KINDS = ("announcement", "discussion")
# Of a header's value a person needs to recognise it.
_SHOWN_CHARACTERS = 300


@click.group("list")
def list_() -> None:
    """Look at mailing lists, also as their recipients' providers do."""


list_.add_command(list_registry.new)
list_.add_command(list_registry.show)
list_.add_command(list_registry.status)
list_.add_command(list_registry.grace)


@list_.command()
@click.argument(
    "files",
    metavar="FILE...",
    nargs=-1,
    required=True,
    type=click.Path(path_type=Path, allow_dash=True),
)
@click.option(
    "--customer",
    default="",
    help="Whose list it is: its List-Id must be a `[[list]]` of this customer, or in "
    "a domain of its logins.",
)
@click.option(
    "--kind",
    type=click.Choice(_KINDS),
    help="What the list is. Default: what its headers say, else announcement.",
)
@click.option(
    "--signed-headers",
    metavar="NAMES",
    help="Headers that your DKIM signer covers, with commas between; '' where nothing "
    "signs. Default: not known.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def check(
    context: Context,
    files: tuple[Path, ...],
    *,
    customer: str,
    kind: str | None,
    signed_headers: str | None,
    as_json: bool,
) -> None:
    """Judge the list headers of a message.

    FILE is a message as it was sent, or - for standard input. Several are messages of
    one mailing to different recipients: their links must differ. Prints for each
    header how good it is, why, where that is written, and what to write instead. No
    link is ever followed.

    The verdict is that of the worst header. Exits 0 for ok and fix, 1 for weak and
    bad.
    """
    from outgate.message.listcheck.campaign import compare
    from outgate.message.listcheck.check import check_list

    about = _about(context, customer, kind, signed_headers)
    read = [_headers(file) for file in files]
    checks = compare([check_list(headers, about) for headers in read])
    if as_json:
        import json

        documents = [
            _document(file, one, headers)
            for file, one, headers in zip(files, checks, read, strict=True)
        ]
        shown = documents if len(documents) > 1 else documents[0]
        click.echo(json.dumps(shown, indent=2))
    else:
        for file, one, headers in zip(files, checks, read, strict=True):
            if len(files) > 1:
                click.echo(f"{file}:")
            for line in _lines(one, headers):
                click.echo(line)
    sys.exit(0 if all(one.level in {"ok", "fix"} for one in checks) else 1)


def _about(
    context: Context, customer: str, kind: str | None, signed_headers: str | None
) -> "ListContext":
    from outgate.message.listcheck.check import ListContext
    from outgate.message.listcheck.kind import ListKind
    from outgate.policy.own_lists import own_lists

    own = None
    if customer:
        settings = context.settings().for_policy()
        own = own_lists(settings, customer)
        if own is None:
            known = {one.name for one in settings.customers}
            known |= {one.customer for one in settings.lists}
            raise click.BadParameter(
                f"no [[customer]] or [[list]] names {customer!r}; there "
                + (f"are {', '.join(sorted(known))}" if known else "is none at all"),
                param_hint="--customer",
            )
    will_sign = None
    if signed_headers is not None:
        names = signed_headers.replace(":", ",").lower().split(",")
        will_sign = frozenset(name.strip() for name in names if name.strip())
    return ListContext(own, will_sign, ListKind(kind) if kind else None)


def _headers(file: Path) -> dict[str, list[bytes]]:
    from outgate.message.listcheck.check import CHECKED_HEADERS
    from outgate.message.split import split_message

    try:
        raw = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
    except OSError as error:
        raise StartError(
            f"{file}: cannot be read: {error.strerror}", EX_NOINPUT
        ) from error
    found: dict[str, list[bytes]] = {}
    for name, value in split_message(raw)[0]:
        key = name.decode("ascii", "replace").lower()
        if key in CHECKED_HEADERS:
            found.setdefault(key, []).append(value)
    return found


def _shown(values: list[bytes]) -> str:
    """The topmost value as one line that is fit to be shown."""
    from outgate.log.lines import escape
    from outgate.message.cfws import unfold

    text = unfold(values[0])[: _SHOWN_CHARACTERS + 1].decode("utf-8", "surrogateescape")
    is_cut = len(text) > _SHOWN_CHARACTERS
    return escape(text[:_SHOWN_CHARACTERS]) + "…" * is_cut


def _lines(check: "ListCheck", headers: dict[str, list[bytes]]) -> Iterator[str]:
    for name in _names(check, headers):
        title = _title(name)
        shown = _shown(headers[name]) if name in headers else "(missing)"
        yield f"{title}: {shown}"
        if all(one.header != name for one in check.remarks):
            yield "  ok"
        for one in check.remarks:
            if one.header == name:
                note = one.note
                yield f"  {one.level.value:<4}  {note.value} ({note.clause})"
                yield f"        {note.sentence}"
                if note.instead:
                    yield f"        {note.instead}"
        if name in check.proposals:
            yield "        for example:"
            proposal = f"{title}: {check.proposals[name]}"
            yield from (f"          {line}" for line in proposal.split("\n"))
        yield ""
    yield f"{check.level.value}: {check.level.meaning} (taken for: {check.kind.value})"


def _names(check: "ListCheck", headers: dict[str, list[bytes]]) -> list[str]:
    """The headers to tell of: those that were judged, in the order of the verdict."""
    from outgate.message.listcheck.check import JUDGED_HEADERS

    told = [one.header for one in check.remarks]
    others = (name for name in JUDGED_HEADERS if name in headers)
    order = {name: place for place, name in enumerate(JUDGED_HEADERS)}
    return sorted({*told, *others}, key=order.__getitem__)


def _title(name: str) -> str:
    """A header's name as people write it."""
    special = {"cfbl-address": "CFBL-Address", "feedback-id": "Feedback-ID"}
    return special.get(name) or "-".join(word.capitalize() for word in name.split("-"))


def _document(
    file: Path, check: "ListCheck", headers: dict[str, list[bytes]]
) -> dict[str, Any]:
    return {
        "file": str(file),
        "level": check.level.value,
        "kind": check.kind.value,
        "list-id": check.facts.list_id,
        "one-click": check.facts.one_click,
        "usable": check.facts.usable_unsubscribe,
        "links": [uri.text for uri in check.facts.uris],
        "headers": [
            {
                "name": name,
                "value": _shown(headers[name]) if name in headers else None,
                "level": check.level_of(name).value,
                "proposal": check.proposals.get(name),
                "notes": [
                    {
                        "note": one.note.value,
                        "level": one.level.value,
                        "sentence": one.note.sentence,
                        "instead": one.note.instead,
                        "clause": one.note.clause,
                    }
                    for one in check.remarks
                    if one.header == name
                ],
            }
            for name in _names(check, headers)
        ],
    }

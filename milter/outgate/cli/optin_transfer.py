"""`outgate optin export` and `restore`: the registry, from one store into another."""

import os
import secrets
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TextIO

import click

from outgate.cli.context import Context
from outgate.cli.optin_open import (
    BY,
    JSON,
    account,
    end_progress,
    open_file,
    open_registry,
    report,
)
from outgate.model.errors import EX_FOUND

_FILE = click.Path(path_type=Path, allow_dash=True)
# How often progress is told.
_ROWS_A_WORD = 10_000
_MOST_TOLD = 20


@click.command()
@click.option(
    "--list", "list_ids", multiple=True, help="Only this list; may be repeated."
)
@BY
@JSON
@click.argument("file", type=_FILE)
@click.pass_obj
def export(
    context: Context,
    list_ids: tuple[str, ...],
    actor: str,
    file: Path,
    *,
    as_json: bool,
) -> None:
    """Write the registry into a file: JSON, one subscription a line.

    Records are as they are in the store: keyed hashes, and evidence that only this
    secret opens. `-` is standard output. The file appears when it is complete.
    Exits 1 where something was left out, since nobody can read it.
    """
    import json

    from outgate.log.lines import escape
    from outgate.store.transfer import export as lines_of

    opened = open_registry(context, writes=False)
    configured = {(one.customer, one.id.lower()) for one in context.settings().list}
    lists = opened.registry.lists() | configured
    wanted = {one.lower() for one in list_ids}
    if missing := wanted - {list_id for _, list_id in lists}:
        raise click.UsageError(f"--list: nobody knows {', '.join(sorted(missing))}")
    if wanted:
        lists = {one for one in lists if one[1] in wanted}
    names = ", ".join(sorted({list_id for _, list_id in lists}))
    # Before, so that no registry leaves in silence.
    opened.registry.note("optin-exported", names, actor or account(), str(file))
    rows = -2
    left_out: list[str] = []
    with _written(file) as out:
        for line in lines_of(
            opened.client, opened.keys, lists, opened.secret_id, left_out.append
        ):
            out.write(line.decode("ascii"))
            rows += 1
            if rows and not rows % _ROWS_A_WORD:
                _tell(rows)
    end_progress()
    told = {"rows": rows, "left-out": len(left_out)}
    text = json.dumps(told) if as_json else f"{rows} subscriptions exported"
    click.echo(text, err=str(file) == "-")
    for place in left_out[:_MOST_TOLD]:
        click.echo(f"left out: {escape(place)}: no record that can be read", err=True)
    if len(left_out) > _MOST_TOLD:
        click.echo(f"left out: {len(left_out) - _MOST_TOLD} more", err=True)
    if left_out:
        sys.exit(EX_FOUND)


@click.command()
@BY
@JSON
@click.argument("file", type=_FILE)
@click.pass_obj
def restore(context: Context, actor: str, file: Path, *, as_json: bool) -> None:
    """Read what `export` has written into this store.

    What is there and counts more stays, so again does no harm, and an old export takes
    back no withdrawal. The secret must be the one under which it was exported.
    """
    from outgate.store.transfer import MAX_LINE_BYTES, Restore

    opened = open_registry(context, writes=True)
    with open_file(file) as lines:
        tally = Restore(opened.registry, opened.secret_id).run(
            iter(lambda: lines.readline(MAX_LINE_BYTES + 1), b"")
        )
    end_progress()
    report(
        opened.registry, tally, "", "optin-restored", "restored", actor, as_json=as_json
    )


@contextmanager
def _written(file: Path) -> Iterator[TextIO]:
    """A file that appears when it is complete, on disk, and for its owner alone."""
    from outgate.model.errors import EX_CANTCREAT, StartError

    if str(file) == "-":
        yield sys.stdout
        return
    # A name of its own, so that nobody's link or mode is inherited.
    part = file.with_name(f".{file.name}.{secrets.token_hex(4)}.part")
    made = False
    try:
        flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC
        with os.fdopen(os.open(part, flags, 0o600), "w", encoding="ascii") as out:
            made = True
            yield out
            out.flush()
            os.fsync(out.fileno())
        part.replace(file)
        made = False
    except OSError as error:
        raise StartError(
            f"{file} cannot be written: {error.strerror}", EX_CANTCREAT
        ) from error
    finally:
        if made:
            with suppress(OSError):
                part.unlink()


def _tell(rows: int) -> None:
    if sys.stderr.isatty():
        click.echo(f"\r{rows} exported", nl=False, err=True)

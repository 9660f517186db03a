"""docs/cli.md: the help of every command, at one width."""

from collections.abc import Iterator

import click

from outgate.cli.main import cli
from outgate.model.errors import (
    EX_CANTCREAT,
    EX_CONFIG,
    EX_DATAERR,
    EX_FOUND,
    EX_NOINPUT,
    EX_OK,
    EX_SOFTWARE,
    EX_TEMPFAIL,
    EX_USAGE,
)
from pages.markdown import GENERATED, block, joined, paragraph, table

_WIDTH = 80

_EXIT_CODES = (
    (
        EX_OK,
        "done; for `check`: the message would leave; for `list check`: `ok` or `fix`",
    ),
    (
        EX_FOUND,
        "no; for `check`: the message would not leave; for `list check`: `weak` or `bad`",
    ),
    (EX_USAGE, "the command is written otherwise"),
    (EX_DATAERR, "an export or evidence is not what it must be"),
    (EX_NOINPUT, "the message cannot be read"),
    (EX_SOFTWARE, "an error of Outgate's own"),
    (EX_CANTCREAT, "a file, directory or socket cannot be made"),
    (
        EX_TEMPFAIL,
        "try again later: no daemon, no store, or a daemon that runs already",
    ),
    (
        EX_CONFIG,
        "the configuration, or a file that it needs: every problem is a line on stderr",
    ),
)


def page() -> str:
    """The page."""
    return joined(
        "# Commands",
        paragraph(
            "Errors are lines on standard error that begin with `outgate:`; exit codes are "
            "those of sysexits.h. Every command reads the same configuration as the "
            "daemon: `--config`, else `OUTGATE_CONFIG`, else /etc/outgate/outgate.toml, "
            "else none; `OUTGATE_STATE` moves the state of a daemon without one."
        ),
        GENERATED,
        table(("exit", "meaning"), ((str(code), text) for code, text in _EXIT_CODES)),
        *(_entry(context) for context in contexts()),
    )


def contexts(
    command: click.Command = cli,
    name: str = "outgate",
    parent: click.Context | None = None,
) -> Iterator[click.Context]:
    """A context for each command, groups before their members."""
    context = click.Context(
        command,
        info_name=name,
        parent=parent,
        **{**command.context_settings, "terminal_width": _WIDTH},
    )
    yield context
    if isinstance(command, click.Group):
        for inner in command.list_commands(context):
            found = command.get_command(context, inner)
            if found is not None:
                yield from contexts(found, inner, context)


def _entry(context: click.Context) -> str:
    return f"## {context.command_path}\n\n{block(context.get_help())}"

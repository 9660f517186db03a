"""The command group, and the one place where errors become exit codes."""

import sys
from pathlib import Path

import click

from outgate import __version__
from outgate.cli.check import check
from outgate.cli.config import config
from outgate.cli.context import Context
from outgate.cli.doctor import doctor
from outgate.cli.evidence import evidence
from outgate.cli.lists import list_
from outgate.cli.optin import optin
from outgate.cli.queue import queue
from outgate.cli.recipient import recipient
from outgate.cli.run import run
from outgate.cli.secret import secret
from outgate.cli.store import store
from outgate.model.errors import OutgateError


@click.group(
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 88}
)
@click.option(
    "--config",
    "config_path",
    type=click.Path(path_type=Path),
    envvar="OUTGATE_CONFIG",
    show_envvar=True,
    help="Configuration file. Default: /etc/outgate/outgate.toml where it exists, "
    "else none at all.",
)
@click.version_option(__version__, prog_name="outgate")
@click.pass_context
def cli(click_context: click.Context, config_path: Path | None) -> None:
    """Outgate, the outbound gate of a mail network.

    A milter for Postfix and Sendmail that checks every message leaving the network
    against its anti-spam policy: personal mail and confirmed lists pass, unsolicited
    bulk mail is tagged, deferred, quarantined or rejected.
    """
    click_context.obj = Context(config_path)


for command in (
    run,
    check,
    config,
    doctor,
    list_,
    evidence,
    list_,
    optin,
    queue,
    recipient,
    secret,
    store,
):
    cli.add_command(command)


def main() -> None:
    """Run the command; errors of ours are one clear line each, and an exit code."""
    try:
        cli(prog_name="outgate", standalone_mode=True)
    except OutgateError as error:
        for line in str(error).splitlines():
            click.echo(f"outgate: {line}", err=True)
        sys.exit(error.exit_code)

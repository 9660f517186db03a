"""The command group, and the one place where errors become exit codes."""

import io
import sys
from collections.abc import Iterable
from pathlib import Path

import click

from outgate import __version__
from outgate.cli.check import check
from outgate.cli.complaint import complaint
from outgate.cli.config import config
from outgate.cli.context import Context
from outgate.cli.dkim import dkim
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
    complaint,
    config,
    dkim,
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
    """Run the command; errors of ours are one clear line each, and an exit code.

    What an error shows of a file, an archive or a server may be anybody's words: nothing
    in it gives orders to a terminal.
    """
    try:
        code = cli.main(prog_name="outgate", standalone_mode=False)
    except OutgateError as error:
        _say(f"outgate: {line}" for line in str(error).split("\n"))
        sys.exit(error.exit_code)
    except click.ClickException as error:
        shown = io.StringIO()
        error.show(shown)
        _say(shown.getvalue().removesuffix("\n").split("\n"))
        sys.exit(error.exit_code)
    except click.Abort:
        click.echo("Aborted!", err=True)
        sys.exit(1)
    sys.exit(code if isinstance(code, int) else 0)


def _say(lines: Iterable[str]) -> None:
    from outgate.log.lines import escape

    for line in lines:
        # click sets choices off by tabs.
        click.echo(escape(line.expandtabs(4)), err=True)

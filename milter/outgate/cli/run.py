"""`outgate run`: the daemon."""

import click

from outgate.cli.context import Context


@click.command()
@click.pass_obj
def run(context: Context) -> None:
    """Run the daemon in the foreground.

    SIGHUP reloads the configuration (a bad one leaves the old in force), SIGTERM
    drains and stops. Without `[store] url` a private Redis or Valkey is started.
    """
    from outgate.daemon.start import run as run_daemon

    run_daemon(context.file)

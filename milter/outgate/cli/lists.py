"""`outgate list`: registered lists."""

import click

from outgate.cli import list_registry


@click.group("list")
def list_() -> None:
    """Look at mailing lists."""


list_.add_command(list_registry.new)
list_.add_command(list_registry.show)
list_.add_command(list_registry.status)

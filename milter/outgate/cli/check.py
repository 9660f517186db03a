"""`outgate check`: what the gate would say about a message in a file."""

import sys
from pathlib import Path

import click

from outgate.cli.context import Context
from outgate.model.client import parse_client
from outgate.model.errors import EX_NOINPUT, StartError


@click.command()
@click.argument("message", type=click.Path(path_type=Path, allow_dash=True))
@click.option("--login", default="", help="SASL login, as the MTA gives it.")
@click.option(
    "--realm",
    default=None,
    help="Realm of a login that has none. Default: the `login-realm` of the sockets.",
)
@click.option(
    "--client", default="127.0.0.1", show_default=True, help="Address of the client."
)
@click.option(
    "--sender",
    default=None,
    help="Envelope sender. Default: the header From; '' is the null sender.",
)
@click.option(
    "--rcpt", "recipients", multiple=True, required=True, help="Recipient; repeatable."
)
@click.option("--local-user", default="", help="Judge as a local submission by USER.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def check(
    context: Context,
    message: Path,
    *,
    login: str,
    realm: str | None,
    client: str,
    sender: str | None,
    recipients: tuple[str, ...],
    local_user: str,
    as_json: bool,
) -> None:
    """Judge a message without charging anything.

    MESSAGE is a file, or - for standard input. Prints the verdict, every rule's hit or miss, and the numbers behind it: how much
    of each limit is used, what the message would cost, and how the limit works. Exits
    0 if the message would be accepted (or tagged), 1 if not.
    """
    from outgate.cli.judge import Envelope, judge

    if parse_client(client) is None:
        raise click.BadParameter("expected an IP address", param_hint="--client")
    try:
        raw = sys.stdin.buffer.read() if str(message) == "-" else message.read_bytes()
    except OSError as error:
        raise StartError(
            f"{message}: cannot be read: {error.strerror}", EX_NOINPUT
        ) from error
    judgement = judge(
        context.settings(),
        context.running_endpoint(),
        raw,
        Envelope(
            login=login,
            realm=realm,
            client=client,
            sender=sender,
            recipients=recipients,
            local_user=local_user,
        ),
    )
    if as_json:
        import json

        click.echo(json.dumps(judgement.document(), indent=2))
    else:
        judgement.show()
    sys.exit(0 if judgement.lets_out else 1)

"""`outgate optin key new` and `prove`: what a list host does before it can sign."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from outgate.signing.tokens import SigningKey

_CUSTOMER = click.option(
    "--customer", default="", help="As which the mail network knows you, for the proof."
)
_LISTS = click.option(
    "--list",
    "lists",
    multiple=True,
    help="List-Id that it will sign for, for the proof; repeatable.",
)
_FILE = click.Path(path_type=Path)


@click.command()
@click.option(
    "--algorithm",
    type=click.Choice(["ed25519", "hmac-sha256"]),
    default="ed25519",
    show_default=True,
    help="`hmac-sha256` only where the list host is this very machine.",
)
@_CUSTOMER
@_LISTS
@click.argument("name", metavar="ISSUER:SELECTOR")
@click.argument("file", type=_FILE)
def new(
    algorithm: str, customer: str, lists: tuple[str, ...], name: str, file: Path
) -> None:
    """Make a key, on the list host.

    FILE keeps it, readable by its owner alone. Prints what is to be registered, with the
    proof that its holder wants that where --customer and --list are given. Needs neither
    configuration nor store.
    """
    from outgate.message.optin_evidence import Algorithm
    from outgate.signing.tokens import SigningKey

    issuer, _, selector = name.partition(":")
    check_name(name)
    made = SigningKey.make(Algorithm(algorithm), issuer, selector)
    proof = _proof(made, customer, lists) if customer or lists else ""
    made.write(file)
    click.echo(f"{file}: made, only its owner can read it", err=True)
    if made.secret_id:
        click.echo(f"{made.name} --secret {file}")
    else:
        click.echo(_line(made, proof))


@click.command()
@_CUSTOMER
@_LISTS
@click.argument("file", type=_FILE)
def prove(customer: str, lists: tuple[str, ...], file: Path) -> None:
    """Prove that the key in FILE is this host's, on the list host.

    Prints what `add` takes, for this customer and exactly these lists: they are signed
    with the key. Needs neither configuration nor store.
    """
    from outgate.signing.tokens import SigningKey

    key = SigningKey.read(file)
    if key.secret_id:
        raise click.UsageError(
            f"{file}: an HMAC key is proven by `add --secret`, which reads it"
        )
    click.echo(_line(key, _proof(key, customer, lists)))


def check_name(name: str) -> None:
    """Check that a token can name such a key.

    Raises:
        click.UsageError: it cannot.
    """
    from outgate.policy.optin_keys import is_key_name

    if not is_key_name(name):
        raise click.UsageError(
            f"{name!r}: expected ISSUER:SELECTOR of a-z, 0-9, dots and dashes, such "
            "as lists.example.org:2026a"
        )


def _proof(key: "SigningKey", customer: str, lists: tuple[str, ...]) -> str:
    from outgate.message.optin_evidence import to_base64url

    if not customer or not lists:
        raise click.UsageError("a proof is for a customer and its lists: give both")
    try:
        return to_base64url(key.prove(customer, lists))
    except ValueError as error:
        raise click.UsageError(str(error)) from None


def _line(key: "SigningKey", proof: str) -> str:
    from outgate.message.optin_evidence import to_base64url

    words = f"{key.name} {to_base64url(key.public)}"
    return f"{words} --proof={proof}" if proof else words

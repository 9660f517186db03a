"""`outgate optin key`: who may sign opt-in tokens."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from outgate.cli.context import Context
from outgate.cli.optin_open import BY, account

if TYPE_CHECKING:
    from outgate.policy.optin_keys import OptinKey
    from outgate.store.optin_keys import OptinKeys

_NEVER = "-"


@click.group()
def key() -> None:
    """Keep the keys that sign opt-in tokens.

    A list host makes its key with `new` and tells the public half; `add` registers it
    here, for one customer and its lists. What its tokens say feeds the registry. See
    docs/optin-evidence.md.
    """


@key.command()
@click.option(
    "--algorithm",
    type=click.Choice(["ed25519", "hmac-sha256"]),
    default="ed25519",
    show_default=True,
    help="`hmac-sha256` only where the list host is this very machine.",
)
@click.argument("name", metavar="ISSUER:SELECTOR")
@click.argument("file", type=click.Path(path_type=Path))
def new(algorithm: str, name: str, file: Path) -> None:
    """Make a key, on the list host.

    FILE keeps it, readable by its owner alone. Prints what is to be registered. Needs
    neither configuration nor store.
    """
    from outgate.message.optin_evidence import Algorithm
    from outgate.signing.tokens import SigningKey

    issuer, _, selector = name.partition(":")
    _check_name(name)
    made = SigningKey.make(Algorithm(algorithm), issuer, selector)
    made.write(file)
    click.echo(f"{file}: made, only its owner can read it", err=True)
    if made.algorithm is Algorithm.HMAC_SHA256:
        click.echo(f"{made.name} --secret {file}")
    else:
        click.echo(f"{made.name} {_public(made.public)}")


@key.command()
@click.option("--customer", required=True, help="Whose mail its tokens count in.")
@click.option(
    "--list",
    "lists",
    multiple=True,
    required=True,
    help="List-Id of a `[[list]]` of that customer; repeatable.",
)
@click.option("--not-before", default="", help="Older confirmations do not count.")
@click.option("--not-after", default="", help="Its tokens end then; with a zone.")
@BY
@click.option(
    "--secret",
    type=click.Path(path_type=Path),
    default=None,
    help="File of an HMAC key, which is copied into the daemon's state.",
)
@click.argument("name", metavar="ISSUER:SELECTOR")
@click.argument("public", required=False)
@click.pass_obj
def add(
    context: Context,
    customer: str,
    *,
    lists: tuple[str, ...],
    not_before: str,
    not_after: str,
    actor: str,
    secret: Path | None,
    name: str,
    public: str | None,
) -> None:
    """Register a list host's key.

    PUBLIC is what `new` printed on the list host. A key is never replaced: a new one
    has a new selector, and both count until the old one is revoked or ends.
    """
    from outgate.policy.optin_keys import parse_key

    if (public is None) == (secret is None):
        raise click.UsageError("expected either PUBLIC or --secret")
    _check_name(name)
    _check_lists(context, customer, lists)
    signs = f"ed25519={public}" if secret is None else _secret_id(name, secret)
    words = [signs, f"customer={customer}", f"list={','.join(lists)}"]
    words += [
        f"{word}={value}"
        for word, value in (("not-before", not_before), ("not-after", not_after))
        if value
    ]
    words.append(f"by={word(actor)}")
    made = parse_key(name, " ".join(words).encode())
    if made.problems or made.text:
        raise click.UsageError("; ".join(made.problems) or f"{made.text!r}: no word")
    keys = _open(context)
    if any(one.name == name for one in keys.all()):
        raise click.UsageError(f"{name} is a key already: take another selector")
    if secret is not None:
        _keep_secret(context, name, secret)
    keys.add(made)
    click.echo(f"{name}: registered for {customer}, {', '.join(sorted(made.lists))}")


@key.command("list")
@click.pass_obj
def list_(context: Context) -> None:
    """List all keys, and whether they count."""
    from outgate.daemon.compose import now_us
    from outgate.log.lines import escape

    rows = [("key", "algorithm", "customer", "lists", "state")]
    rows += [
        (
            one.name,
            one.algorithm.value,
            one.customer or _NEVER,
            ",".join(sorted(one.lists)) or _NEVER,
            _state(one, now_us()),
        )
        for one in _open(context).all()
    ]
    if len(rows) == 1:
        click.echo("no key is registered")
        return
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        line = "  ".join(
            word.ljust(width) for word, width in zip(row, widths, strict=True)
        )
        click.echo(escape(line.rstrip()))


@key.command()
@BY
@click.argument("name", metavar="ISSUER:SELECTOR")
@click.pass_obj
def revoke(context: Context, actor: str, name: str) -> None:
    """End a key at once, on every MTA.

    Its tokens count no more, whenever they were signed; who is in the registry by one
    of them stays there, until `optin withdraw` or `optin remove`. Exits 1 where there is no such key.
    """
    from outgate.daemon.compose import now_us
    from outgate.policy.operator import format_moment

    found = _open(context).revoke(name, now_us(), word(actor))
    if found is None:
        click.echo(f"{name} is no key that is registered")
        raise click.exceptions.Exit(1)
    if found.problems:
        click.echo(f"{name} counts for nothing: {'; '.join(found.problems)}")
        return
    click.echo(f"{name}: revoked since {format_moment(found.revoked_us)}")


def _state(one: "OptinKey", now_us: int) -> str:
    from outgate.policy.operator import format_moment

    if one.problems:
        return f"broken: {'; '.join(one.problems)}"
    if one.revoked_us:
        return f"revoked {format_moment(one.revoked_us)}"
    if one.not_after_us:
        ended = "ended" if one.not_after_us <= now_us else "good until"
        return f"{ended} {format_moment(one.not_after_us)}"
    return "good"


def word(actor: str) -> str:
    """Who orders it, as an order says it: in one word."""
    by = actor or account()
    if len(by.split()) != 1:
        raise click.BadParameter("expected one word", param_hint="--by")
    return by


def _check_name(name: str) -> None:
    from outgate.policy.optin_keys import is_key_name

    if not is_key_name(name):
        raise click.UsageError(
            f"{name!r}: expected ISSUER:SELECTOR of a-z, 0-9, dots and dashes, such "
            "as lists.example.org:2026a"
        )


def _check_lists(context: Context, customer: str, lists: tuple[str, ...]) -> None:
    known = sorted(
        one.id.lower() for one in context.settings().list if one.customer == customer
    )
    for one in lists:
        if one.lower() not in known:
            raise click.UsageError(
                f"no [[list]] of customer {customer!r} has the id {one!r}; there "
                + (f"are {', '.join(known)}" if known else "is none at all")
            )


def _secret_id(name: str, secret: Path) -> str:
    from outgate.signing.tokens import SigningKey

    found = SigningKey.read(secret)
    if found.name != name or not found.secret_id:
        raise click.UsageError(f"{secret} is no HMAC key of {name}")
    return f"{found.algorithm}={found.secret_id}"


def _keep_secret(context: Context, name: str, secret: Path) -> None:
    from outgate.daemon.compose import Places
    from outgate.model.errors import EX_CANTCREAT, StartError
    from outgate.signing.tokens import SigningKey

    settings = context.settings()
    directory = Places.of(settings).optin_keys
    state = Path(settings.paths.state)
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        SigningKey.read(secret).write(directory / name)
        # The daemon's account must read what root puts there.
        if os.geteuid() == 0:
            owner = state.stat()
            for path in (directory, directory / name):
                os.chown(path, owner.st_uid, owner.st_gid)
    except OSError as error:
        raise StartError(
            f"{directory}: cannot be made: {error.strerror}", EX_CANTCREAT
        ) from error


def _public(public: bytes) -> str:
    from outgate.message.optin_evidence import to_base64url

    return to_base64url(public)


def _open(context: Context) -> "OptinKeys":
    from outgate.store.client import connect
    from outgate.store.keys import Keys
    from outgate.store.optin_keys import OptinKeys

    keys = Keys(context.settings().store.namespace)
    return OptinKeys(connect(context.running_endpoint()), keys)

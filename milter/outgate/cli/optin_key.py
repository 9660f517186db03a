"""`outgate optin key`: who may sign opt-in tokens."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from outgate.cli.context import Context
from outgate.cli.optin_enrol import check_name, new, prove
from outgate.cli.optin_open import BY, account

if TYPE_CHECKING:
    from outgate.policy.optin_keys import OptinKey
    from outgate.store.optin_keys import OptinKeys

_NEVER = "-"


@click.group()
def key() -> None:
    """Keep the keys that sign opt-in tokens.

    A list host makes its key with `new` and tells the public half, with a proof that it
    has the other one; `add` registers it here, for one customer and its lists. What its
    tokens say feeds the registry. See docs/optin-evidence.md.
    """


for command in (new, prove):
    key.add_command(command)


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
@click.option(
    "--proof",
    default="",
    help="What `new` or `prove` printed: it has the private half.",
)
@click.option("--without-proof", is_flag=True, help="Believe that PUBLIC is its own.")
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
    proof: str,
    without_proof: bool,
    name: str,
    public: str | None,
) -> None:
    """Register a list host's key.

    PUBLIC and the proof are what `new` printed on the list host. The proof is for this
    customer, exactly these lists, this name and this key: nobody enrols another one's. A
    key is never replaced: a new one has a new selector, and both count until the old one
    is revoked or ends.
    """
    from outgate.policy.optin_keys import parse_key

    if (public is None) == (secret is None):
        raise click.UsageError("expected either PUBLIC or --secret")
    if secret is None and bool(proof) == without_proof:
        raise click.UsageError(
            "expected --proof, which `outgate optin key prove` prints on the list host, "
            "or else --without-proof"
        )
    check_name(name)
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
    if proof:
        _check_proof(made, proof)
    keys = _open(context)
    if any(one.name == name for one in keys.all()):
        raise click.UsageError(f"{name} is a key already: take another selector")
    kept = None if secret is None else _keep_secret(context, name, secret)
    if not keys.add(made):
        # Somebody was quicker: the secret that was just made is nobody's.
        if kept is not None:
            kept.unlink()
        raise click.UsageError(f"{name} is a key already: take another selector")
    how = ", without proof" if without_proof else ""
    lists_of = ", ".join(sorted(made.lists))
    click.echo(f"{name}: registered for {customer}, {lists_of}{how}")


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

    Its tokens count no more, whenever they were signed, also where it was to end later;
    who is in the registry by one of them stays there, until `optin withdraw` or `optin
    remove`. One that cannot be read is revoked, too: whoever mends it later mends no good
    key. Exits 1 where there is no such key.
    """
    from outgate.daemon.compose import now_us
    from outgate.log.lines import escape
    from outgate.policy.operator import format_moment

    found = _open(context).revoke(name, now_us(), word(actor))
    if found is None:
        click.echo(f"{name} is no key that is registered")
        raise click.exceptions.Exit(1)
    click.echo(f"{name}: revoked since {format_moment(found.revoked_us)}")
    if found.problems:
        click.echo(escape(f"{name} is broken besides: {'; '.join(found.problems)}"))


def _state(one: "OptinKey", now_us: int) -> str:
    from outgate.policy.operator import format_moment

    revoked = ""
    if one.revoked_us:
        word = "revoked" if one.revoked_us <= now_us else "good until"
        revoked = f"{word} {format_moment(one.revoked_us)}"
    if one.problems:
        broken = f"broken: {'; '.join(one.problems)}"
        return f"{revoked}, {broken}" if revoked else broken
    if revoked:
        return revoked
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


def _check_proof(made: "OptinKey", proof: str) -> None:
    from outgate.message.optin_evidence import from_base64url
    from outgate.signing.tokens import is_proven

    try:
        good = is_proven(made, from_base64url(proof))
    except ValueError as error:
        raise click.UsageError(f"--proof: {error}") from None
    if not good:
        raise click.UsageError(
            f"--proof: is not of {made.name} with this public key, for customer "
            f"{made.customer} and exactly the lists {', '.join(sorted(made.lists))}"
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


def _keep_secret(context: Context, name: str, secret: Path) -> Path:
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
        return directory / name
    except OSError as error:
        raise StartError(
            f"{directory}: cannot be made: {error.strerror}", EX_CANTCREAT
        ) from error


def _open(context: Context) -> "OptinKeys":
    from outgate.store.client import connect
    from outgate.store.keys import Keys
    from outgate.store.optin_keys import OptinKeys

    keys = Keys(context.settings().store.namespace)
    return OptinKeys(connect(context.running_endpoint()), keys)

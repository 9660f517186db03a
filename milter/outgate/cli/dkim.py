"""`outgate dkim`: keys that sign what leaves."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from outgate.cli.context import Context
from outgate.cli.owner import owner_of
from outgate.model.errors import EX_CANTCREAT, StartError

if TYPE_CHECKING:
    from outgate.config.settings import Settings
    from outgate.policy.dkim_rights import Rights
    from outgate.policy.dkim_settings import SignatureSettings
    from outgate.signing.dkim_book import Book, BookKey

_DIRECTORY = Path("/etc/outgate/dkim")


@click.group()
def dkim() -> None:
    """Make, publish and check the keys that sign mail with DKIM.

    See docs/dkim.md.
    """


@dkim.command("new-key")
@click.option(
    "--algorithm",
    type=click.Choice(["rsa-sha256", "ed25519-sha256"]),
    default="rsa-sha256",
    show_default=True,
    help="`ed25519-sha256` only beside RSA, with a selector of its own: many receivers "
    "do not know it.",
)
@click.option(
    "--bits",
    type=click.Choice(["2048", "3072", "4096"]),
    default="2048",
    show_default=True,
    help="Size of an RSA key.",
)
@click.option(
    "--directory",
    type=click.Path(path_type=Path),
    default=_DIRECTORY,
    show_default=True,
    help="Where the key's file goes.",
)
@click.argument("domain")
@click.argument("selector")
@click.pass_obj
def new_key(
    context: Context,
    *,
    algorithm: str,
    bits: str,
    directory: Path,
    domain: str,
    selector: str,
) -> None:
    """Make a key, in a file that only the daemon's account can read.

    Prints the DNS record that publishes it, and the lines for both tables. Its public
    half goes into the archive of keys (`dkim-keys.ndjson` in the state directory).
    """
    from outgate.daemon.compose import Places, now_us
    from outgate.message.dkim.tags import zone_line
    from outgate.model.address import canonical_domain
    from outgate.model.dkim import Algorithm
    from outgate.policy.dkim_tables import read_tables
    from outgate.signing.dkim_archive import ArchivedKey, KeyArchive
    from outgate.signing.dkim_keys import make_key

    domain = canonical_domain(domain)
    name = f"{domain}.{selector}"
    path = directory / f"{name}.pem"
    table_line = f"{name} {domain}:{selector}:{path.absolute()}"
    if read_tables(table_line, "", by_pattern=True).problems or "/" in name:
        raise click.UsageError(
            f"got {domain!r} {selector!r}: expected a domain and a selector, such as "
            "example.org 2026a"
        )
    places = Places.of(context.settings())
    owner = owner_of(places.state)
    _make_directories(directory, places.state)
    made = make_key(Algorithm(algorithm), int(bits))
    made.write(path, owner)
    KeyArchive(places.dkim_keys).add(
        ArchivedKey(
            domain=domain,
            selector=selector,
            algorithm=made.algorithm,
            public=made.public,
            from_us=now_us(),
        ),
        owner,
    )
    click.echo(f"{path}: made, only its owner can read it", err=True)
    click.echo("; DNS: publish this first")
    click.echo(zone_line(domain, selector, made.record))
    click.echo("# KeyTable")
    click.echo(table_line)
    click.echo("# SigningTable (refile:)")
    click.echo(f"*@{domain} {name}")


@dkim.command("show-dns")
@click.argument("domain", required=False)
@click.pass_obj
def show_dns(context: Context, domain: str | None) -> None:
    """Print the DNS records of the configured keys.

    As lines of a zone file. DOMAIN: only those of that domain. A key for the domain of header From, whichever it
    is, is printed as `%`. Exits 1 where there is none.
    """
    from outgate.message.dkim.tags import zone_line
    from outgate.model.address import canonical_domain

    wanted = canonical_domain(domain) if domain else None
    keys = [
        one
        for one in _book(context.settings()).keys.values()
        if wanted in {None, one.domain}
    ]
    for one in keys:
        click.echo(zone_line(one.domain, one.selector, one.key.record))
    if not keys:
        click.echo(f"no key of {domain or 'any domain'} is configured", err=True)
        sys.exit(1)


@dkim.command()
@click.option(
    "--dns/--no-dns",
    "ask_dns",
    default=True,
    show_default=True,
    help="Ask the DNS for what is published.",
)
@click.pass_obj
def check(context: Context, *, ask_dns: bool) -> None:
    """Check keys, tables, who may sign, and what the DNS publishes.

    One line for each key, and one for each thing that is wrong; exits 1 if there is any,
    78 if a key or a table cannot be used. Run it as the daemon's account: what only root
    can read, the daemon cannot.
    """
    from outgate.policy.compiled import Policy
    from outgate.policy.dkim_rights import Rights

    settings = context.settings()
    book = _book(settings)
    policy = Policy.build(settings.for_policy())
    rights = Rights(policy.customers, settings.signature)
    wrong = False
    for one in book.keys.values():
        place = f"{one.selector}._domainkey.{one.domain}"
        who = _who(rights.of_domain(one.domain), rights, one.domain)
        click.echo(f"{place}: {one.key.algorithm} {one.key.bits} bits, for {who}")
        for problem in _problems(one, book, ask_dns=ask_dns):
            wrong = True
            click.echo(f"{place}: {problem}")
    sys.exit(1 if wrong else 0)


def _book(settings: "Settings") -> "Book":
    from outgate.signing.dkim_book import read_book

    book = read_book(settings.dkim)
    if book is None:
        raise click.UsageError(
            "no keys are configured: set `key-table` and `signing-table` in [dkim]"
        )
    return book


def _who(settings: "SignatureSettings", rights: "Rights", domain: str) -> str:
    """Whose mail is signed as a domain."""
    if not settings.sign:
        return "nobody: sign = false"
    if "*" in settings.customers:
        who = "everybody's mail"
    elif settings.customers:
        who = ", ".join(settings.customers)
    else:
        logins = f"logins that the MTA gives as …@{domain}, and nobody else"
        who = rights.owner(domain) or logins
    if settings.senders:
        who += f" from {', '.join(settings.senders)}"
    return who


def _problems(one: "BookKey", book: "Book", *, ask_dns: bool) -> Iterator[str]:
    from outgate.model.dkim import Algorithm
    from outgate.policy.dkim_tables import THE_SENDERS
    from outgate.signing.dkim_keys import GOOD_RSA_BITS

    if one.key.algorithm is Algorithm.RSA_SHA256:
        if one.key.bits < GOOD_RSA_BITS:
            yield f"{one.key.bits} bits are too few: make one of 2048 (RFC 8301 §3.2)"
    elif not any(
        other.domain == one.domain and other.key.algorithm is Algorithm.RSA_SHA256
        for other in book.keys.values()
    ):
        yield "Ed25519 alone: many receivers see no signature; add an RSA key"
    if not any(entry.key == one.name for entry in book.tables.signing):
        yield "no line of the SigningTable names it: it signs nothing"
    if ask_dns and one.domain != THE_SENDERS:
        yield from _published(one)


def _published(one: "BookKey") -> Iterator[str]:
    """What is wrong with the record in the DNS."""
    from dns.exception import DNSException
    from dns.resolver import NXDOMAIN, NoAnswer, resolve

    from outgate.message.dkim.tags import read_key_record

    try:
        answer = resolve(f"{one.selector}._domainkey.{one.domain}.", "TXT", lifetime=10)
    except (NXDOMAIN, NoAnswer):
        yield "is not in the DNS: receivers take its signatures for none"
        return
    except DNSException as error:
        yield f"the DNS does not answer: {error}"
        return
    records = [read_key_record(b"".join(row.strings)) for row in answer]
    ours = read_key_record(one.key.record.encode())
    if len(records) > 1:
        yield f"has {len(records)} records in the DNS: receivers choose any"
    for tags in records:
        if tags.get("p") == "":
            yield "is revoked in the DNS (an empty p=)"
        elif tags.get("p") != ours["p"] or tags.get("k", "rsa") != ours["k"]:
            yield "another key is in the DNS: `outgate dkim show-dns` prints the right one"
        elif "y" in tags.get("t", "").split(":"):
            yield "says that it is only tested (t=y): receivers may ignore it"


def _make_directories(*directories: Path) -> None:
    for directory in directories:
        try:
            directory.mkdir(mode=0o755, parents=True, exist_ok=True)
        except OSError as error:
            raise StartError(
                f"{directory} cannot be made: {error.strerror}", EX_CANTCREAT
            ) from error

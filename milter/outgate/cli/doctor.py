"""`outgate doctor`: is everything as it should be?"""

import sys
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

import click

from outgate.cli import serving
from outgate.cli.ailment import Ailment
from outgate.cli.context import Context
from outgate.cli.misnamed import misnamed
from outgate.model.errors import ConfigError, MtaError, OutgateError
from outgate.model.identity import Path as SubmissionPath


@click.command()
@click.pass_obj
def doctor(context: Context) -> None:
    """Look for what is wrong: daemon, store, orders, held mail.

    One line for each finding; exits 1 if there is any, a daemon that does not run
    included, beside those that begin with `note:`. A broken configuration is reported in full, with exit code 78. It changes
    nothing. What only root or the daemon's account may see, it names as not seen.

    A daemon that is about to start or to reload is given five seconds.
    """
    try:
        settings = context.settings()
    except ConfigError:
        if pid := serving.runs_on(context):
            click.echo(
                f"daemon         runs on with the configuration that it read before "
                f"(process {pid}); it would not start again with this file"
            )
        raise
    click.echo(f"configuration  {context.file or 'none, defaults'}: ok")
    ailments = list(_examine(context))
    for ailment in ailments:
        text = f"note: {ailment.text}" if ailment.note else ailment.text
        click.echo(f"{ailment.about:<14} {text}")
    if not all(ailment.note for ailment in ailments):
        sys.exit(1)
    click.echo(f"all is well; mode {settings.mode.value}")


def _examine(context: Context) -> Iterator[Ailment]:
    found, runs = serving.examine(context)
    yield from found
    # The daemon's own store goes and is seen with it.
    if runs or context.settings().store.url:
        yield from _store(context)
    yield from _hold_queue(context)
    yield from _policy(context)
    yield from _complaints(context)


def _complaints(context: Context) -> Iterator[Ailment]:
    from outgate.complaints.unread import folder_in
    from outgate.daemon.compose import Places

    folder = folder_in(Places.of(context.settings()).state)
    try:
        unread = folder.count()
    except OSError as error:
        yield Ailment(
            "complaints", f"{folder.path}: {error.strerror}: not seen", note=True
        )
        return
    if unread:
        yield Ailment(
            "complaints",
            f"reports that wait for a person: {unread}, in {folder.path}: read and delete them, "
            "or try `outgate complaint replay`",
        )


def _store(context: Context) -> Iterator[Ailment]:
    from outgate.daemon.compose import Places
    from outgate.policy.compiled import Policy
    from outgate.signing.secret import key_id, read_secret
    from outgate.store.client import connect
    from outgate.store.durability import Way
    from outgate.store.holds import Holds
    from outgate.store.keys import Keys
    from outgate.store.orders import Orders
    from outgate.store.schema import inspect
    from outgate.store.strays import Strays

    settings = context.settings()
    keys = Keys(settings.store.namespace)
    try:
        client = connect(context.running_endpoint())
        secret = read_secret(Places.of(settings).secret(settings))
        # Whoever only looks must not be the one whose secret counts.
        server = inspect(
            client,
            keys,
            key_id(secret),
            claim=False,
            is_embedded=not settings.store.url,
        )
        policy = Policy.build(settings.for_policy())
        state = Orders(client, keys).read(policy.limit_names(), policy.profiles, policy)
        troubles = state.troubles
        troubles += Strays(client, keys).look_everywhere()
        held = Holds(client, keys).all()
        misspelt = list(misnamed(settings, client, keys))
    except OutgateError as error:
        yield Ailment("store", str(error))
        return
    if server.evicts:
        yield Ailment(
            "store",
            f"evicts keys ({server.evicts}): set maxmemory-policy noeviction, or it "
            "forgets limits and consents",
        )
    if server.way is Way.NONE and settings.list:
        yield Ailment(
            "store",
            "does not say what is on disk: consents are durability=unconfirmed; set "
            "appendonly yes, and appendfsync always or a server that has WAITAOF (Redis "
            "7.2, Valkey)",
        )
    for trouble in troubles:
        words = (trouble.order, trouble.name, trouble.message)
        about = "orders" if trouble.order else "keys"
        yield Ailment(about, " ".join(word for word in words if word))
    yield from _overdue(held)
    yield from misspelt


def _overdue(held: list[Mapping[str, str]]) -> Iterator[Ailment]:
    """Held mail that nobody has decided on in time."""
    from outgate.daemon.compose import now_us
    from outgate.store.holds import flaw

    usable = [record for record in held if not flaw(record)]
    overdue = sum(int(record["until-us"]) <= now_us() for record in usable)
    if overdue:
        yield Ailment(
            "hold queue",
            f"{overdue} of {len(usable)} held messages are past their time: "
            "`outgate queue list`, then release or delete them",
        )


def _hold_queue(context: Context) -> Iterator[Ailment]:
    from outgate.daemon.compose import make_host
    from outgate.mta.queue import list_held

    quarantine = context.settings().quarantine
    host = make_host(context.settings())
    host.refresh(float("inf"))
    if host.disk_full():
        yield Ailment(
            "hold queue",
            f"less than {quarantine.min_free} is free below {quarantine.spool}: "
            "nothing is held, mail is deferred instead",
        )
    if not Path(quarantine.spool).exists():
        yield Ailment(
            "hold queue",
            f"quarantine.spool: there is no {quarantine.spool}: nobody sees the disk of "
            "the hold queue fill up",
        )
    if quarantine.queue_command:
        try:
            list_held(quarantine.queue_command)
        except MtaError as error:
            yield Ailment("hold queue", str(error))


def _policy(context: Context) -> Iterator[Ailment]:
    settings = context.settings()
    contacts = any(customer.contact for customer in settings.customer)
    if contacts and not settings.notify.sender:
        yield Ailment(
            "notify", "customers have contacts, but notify.sender is empty: no digests"
        )
    if not any(settings.domains.local) and not any(settings.domains.relay):
        yield Ailment(
            "domains", "none is local: mail among your own people counts as external"
        )
    yield from _local_users(context)
    yield from _known_since(context)
    yield from _bounces(context)
    yield from _aliases(context)


def _local_users(context: Context) -> Iterator[Ailment]:
    """Sockets whose local mail is of nobody; Sendmail names users by itself."""
    settings = context.settings()
    if "-qQ" in settings.quarantine.queue_command:
        return
    for listen in settings.listen:
        if listen.path is SubmissionPath.LOCAL_SUBMISSION and not listen.local_user:
            yield Ailment(
                "socket",
                f"{listen.address} has no local-user: Postfix tells none, so all mail "
                "of this socket is of one sender, `unknown`, with the limits of a client",
                note=True,
            )


def _known_since(context: Context) -> Iterator[Ailment]:
    """Customers whose past has not begun: the file's reader knows no clock."""
    from outgate.daemon.compose import now_us

    now = datetime.fromtimestamp(now_us() / 1_000_000, UTC)
    for customer in context.settings().customer:
        if customer.since is not None and customer.since > now:
            moment = customer.since.astimezone(UTC)
            yield Ailment(
                "customer",
                f"{customer.name}: since {moment:%Y-%m-%dT%H:%M:%SZ} is yet to come: good "
                "conduct counts from then, not from its first message",
            )


def _bounces(context: Context) -> Iterator[Ailment]:
    """Lists that ask for refusals at RCPT, where no socket replies there."""
    settings = context.settings()
    if any(listen.replies == "recipient" for listen in settings.listen):
        return
    for one in settings.list:
        if one.bounces:
            yield Ailment(
                "list",
                f"{one.id}: bounces has no effect: no [[listen]] has "
                'replies = "recipient", so who has withdrawn is taken out at the end of '
                "the message instead",
                note=True,
            )


def _aliases(context: Context) -> Iterator[Ailment]:
    """Aliases with more people than a limit ever lets out at once."""
    from outgate.model.address import domain_of
    from outgate.model.limit import Count
    from outgate.policy.compiled import Policy

    policy = Policy.build(context.settings().for_policy())
    for alias, size in policy.aliases.items():
        internal = domain_of(alias.encode()) in policy.internal_domains
        count = Count.INTERNAL_RECIPIENTS if internal else Count.RECIPIENTS
        small = [
            one.limit.name
            for one in policy.limits
            if one.limit.count is count and one.limit.burst < size
        ]
        if small:
            yield Ailment(
                "domains",
                f"{alias} is {size} people, more than {', '.join(small)} lets out at "
                "once: raise it, or a profile's, for those who may write to it",
            )

"""The part of `outgate doctor` that asks the running daemon whether it serves."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from outgate.cli.ailment import Ailment
from outgate.cli.context import Context
from outgate.model.errors import MtaError

if TYPE_CHECKING:
    from outgate.config.settings import ListenSettings
    from outgate.daemon.running import ServedSocket, Standing

# A reload asks the store for two seconds, and its workers and its keeper need to begin.
_PATIENCE_S = 5.0
_PAUSE_S = 0.25
_ANSWER_S = 2.0


def examine(context: Context) -> tuple[list[Ailment], bool]:
    """Ask the daemon, and wait for it a little where it is about to change.

    Returns:
        What is to be looked at, and whether a daemon was found.
    """
    from outgate.daemon.compose import Places
    from outgate.daemon.running import running_pid

    settings = context.settings()
    places = Places.of(settings)
    try:
        pid = running_pid(places)
    except PermissionError:
        return [Ailment("daemon", _unseen(places.state))], False
    if not pid:
        start, _ = _commands(context, 0)
        text = (
            f"does not run: `{start}`; until then the MTA does what its default action "
            "says"
        )
        return [Ailment("daemon", text)], False
    until_s = time.monotonic() + _PATIENCE_S
    while True:
        found = list(_ask(context, pid))
        if not any(one.passing for one in found) or time.monotonic() > until_s:
            return found, True
        time.sleep(_PAUSE_S)


def _ask(context: Context, pid: int) -> Iterator[Ailment]:
    from outgate.daemon.compose import Places, default_listen
    from outgate.daemon.running import digests, standing

    settings = context.settings()
    places = Places.of(settings)
    try:
        told = standing(places)
    except PermissionError:
        yield Ailment("daemon", _unseen(places.runtime))
        return
    except ValueError:
        yield Ailment(
            "daemon", "another version runs than this command is of: restart it"
        )
        return
    if told is None:
        yield Ailment("daemon", f"is starting (process {pid})", passing=True)
        return
    here = digests(settings)
    others = {table for table in here if here[table] != told.in_force.get(table)}
    yield from _configuration(context, told, sorted(others), pid)
    by_address = {one.listen: one for one in told.sockets}
    for listen in default_listen(settings):
        # A new one is opened by the reload that was asked for above.
        if (served := by_address.get(listen.address)) is not None:
            yield from _socket(listen, served, told)
    if "metrics" not in others:
        yield from _readiness(settings.metrics.listen)


def _configuration(
    context: Context, told: "Standing", others: list[str], pid: int
) -> Iterator[Ailment]:
    _, reload = _commands(context, pid)
    restart = _needs_restart(context, told, others)
    for problem in told.refused:
        yield Ailment(
            "configuration",
            f"the last reload was refused, what was in force before still is: {problem}",
            passing=True,
        )
    if others:
        tables = ", ".join(table.replace("_", "-") for table in others)
        yield Ailment(
            "configuration",
            f"what is in force is not what the file says ({tables}): "
            + (_restart(context, pid) if restart else f"`{reload}`"),
            passing=not restart,
        )


def _needs_restart(context: Context, told: "Standing", others: list[str]) -> bool:
    """Whether no reload can put in force what the file says."""
    from outgate.daemon.compose import Places
    from outgate.store.embedded import EmbeddedStore

    if "paths" in others or any("needs a restart" in one for one in told.refused):
        return True
    settings = context.settings()
    own = EmbeddedStore(Places.of(settings).store).is_alive()
    return "store" in others and bool(settings.store.url) == own


def _socket(
    listen: "ListenSettings", served: "ServedSocket", told: "Standing"
) -> Iterator[Ailment]:
    """Whether a socket is there, as configured, and a worker answers."""
    from outgate.config.checks import parse_inet
    from outgate.mta.greeting import greet

    if served.ready < served.wanted:
        died = told.restarts.get("worker", 0)
        since = f"; {died} died so far, see the log" if died else ""
        yield Ailment(
            "socket",
            f"{served.address}: {served.ready} of {served.wanted} workers are ready"
            f"{since}",
            passing=True,
        )
    path = served.address.removeprefix("unix:")
    is_unix = path != served.address
    try:
        if is_unix:
            for text in _access(Path(path), None if served.passed else listen):
                yield Ailment("socket", f"{served.address}: {text}")
        address = path if is_unix else parse_inet(served.address)
        if address is not None:
            greet(address, _ANSWER_S)
    except FileNotFoundError:
        yield Ailment(
            "socket",
            f"{served.address}: is gone, though the daemon listens: restart the daemon",
        )
    except PermissionError:
        yield Ailment("socket", f"{served.address}: {_unseen(None)}")
    except MtaError as error:
        yield Ailment("socket", f"{served.address}: {error}", passing=True)


def _access(path: Path, listen: "ListenSettings | None") -> Iterator[str]:
    """What keeps an MTA from a unix socket; without `listen`, mode and group are systemd's.

    Raises:
        OSError: something may not be looked at.
    """
    from outgate.daemon.reach import barred
    from outgate.daemon.sockets import access_differs
    from outgate.mta.chroot import missed

    if listen is not None:
        yield from access_differs(path, listen)
    yield from barred(path)
    if text := missed(path):
        yield text


def _readiness(listen: str) -> Iterator[Ailment]:
    """What the keeper sees of the store."""
    from outgate.config.checks import parse_host_port
    from outgate.metrics.readiness import trouble

    address = parse_host_port(listen)
    if address is None:
        return
    try:
        if why := trouble(address, _ANSWER_S):
            yield Ailment("daemon", f"is not ready: {why}", passing=True)
    except OSError as error:
        why = error.strerror or str(error)
        yield Ailment(
            "metrics",
            f"http://{listen}/readyz: {why}; why is in the log, `metrics-not-served` or "
            "the keeper's end",
            passing=True,
        )
    except ValueError as error:
        yield Ailment(
            "metrics", f"http://{listen}/readyz: {error}: choose another `listen`"
        )


def _commands(context: Context, pid: int) -> tuple[str, str]:
    """What starts this daemon, and what makes it read its file again."""
    from outgate.config.settings import SYSTEM_CONFIG

    if context.file == SYSTEM_CONFIG:
        return "systemctl start outgate", "systemctl reload outgate"
    given = f" --config {context.file}" if context.file is not None else ""
    return f"outgate{given} run", f"kill -HUP {pid}"


def _restart(context: Context, pid: int) -> str:
    """What stops this daemon and starts it again."""
    from outgate.config.settings import SYSTEM_CONFIG

    if context.file == SYSTEM_CONFIG:
        return "`systemctl restart outgate`, since a reload cannot change that"
    start, _ = _commands(context, pid)
    return f"`kill {pid}`, then `{start}`, since a reload cannot change that"


def runs_on(context: Context) -> int:
    """The process that runs on though its file is broken, 0 where none is found."""
    import tomllib

    from outgate.config.reader import parse
    from outgate.config.settings import SYSTEM_CONFIG
    from outgate.daemon.compose import Places
    from outgate.daemon.running import running_pid
    from outgate.model.errors import ConfigError

    file = context.file
    system = file is not None and file.resolve() == SYSTEM_CONFIG.resolve()
    settings = parse("", system=system)
    # It is found by its directories, if these can still be read.
    try:
        given = tomllib.loads(file.read_text("utf-8"))["paths"] if file else {}
        lines = [f"{key} = {json.dumps(value)}" for key, value in given.items()]
        settings = parse("\n".join(("[paths]", *lines)), system=system)
    except (OSError, ValueError, KeyError, AttributeError, TypeError, ConfigError):
        pass
    try:
        return running_pid(Places.of(settings))
    except PermissionError:
        return 0


def _unseen(place: Path | None) -> str:
    what = f"{place} belongs to another account" if place else "may not be asked"
    return f"{what}: not seen; run this as root or as the daemon's account"

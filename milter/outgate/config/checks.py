"""What values say together: references, ties, impossible combinations.

Each check gives problems and goes on, so that one run of `outgate config check` shows
all there is to mend.
"""

import grp
import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from outgate.config.complaint_checks import complaints
from outgate.config.dkim_checks import dkim
from outgate.config.limit_checks import (
    bounces,
    campaign,
    challenge_limits,
    limits,
    optin,
    registered,
)
from outgate.config.settings import ListenSettings, Settings
from outgate.config.trace_checks import trace
from outgate.config.wording import no_address, no_such, one_of, twice
from outgate.message.wanted import WANTED_HEADERS
from outgate.model.errors import Problem
from outgate.model.identity import Path as SubmissionPath
from outgate.model.limit import Count
from outgate.model.standing import MIN_WARM_UP, WHOLE
from outgate.model.trace import TRACE_HEADERS
from outgate.model.units import MAX_PERIOD, format_duration
from outgate.model.verdict import Mode, Reason
from outgate.policy.compiled import LIMIT_REASONS, merge_limits
from outgate.policy.customers import Match, ties
from outgate.policy.naming import KIND_PREFIXES
from outgate.policy.operator import canonical_name
from outgate.policy.rule_settings import RuleSettings, allowed_actions, rule_field
from outgate.policy.shipped import SHIPPED_LIMITS
from outgate.policy.shipped_profiles import merge_profiles

# sun_path of unix(7) holds 108 bytes with its NUL.
MAX_SOCKET_PATH = 107
MAX_PORT = 65535
# More processes than any machine that runs an MTA has CPUs.
MAX_WORKERS = 256
# More people than any alias has behind it.
MAX_ALIAS_SIZE = 10_000_000
# Longer, and every session waits too long in an outage; the MTA waits 10 s and more.
MAX_STORE_TIMEOUT = timedelta(milliseconds=500)
# Per cent; whoever needs more than ten times a limit needs another one.
MAX_STANDING = 1000
# systemd's patience with a service that stops is shorter still.
MAX_DRAIN = timedelta(hours=1)

_NAME = re.compile(r"[a-z0-9][a-z0-9-]*")
_HEADER = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]*")
_MODE = re.compile(r"0?[0-7]{3}")
_INET = re.compile(r"inet:(?P<host>[^\[\]:]*):(?P<port>[0-9]{1,5})")
_INET6 = re.compile(r"inet6:\[(?P<host>[0-9a-fA-F:.]*)\]:(?P<port>[0-9]{1,5})")
_HOST_PORT = re.compile(r"(?P<host>[^\[\]:]+|\[[0-9a-fA-F:.]+\]):(?P<port>[0-9]{1,5})")
# Goes into headers and SMTP commands: RFC 5321 §4.1.2, Dot-string and Domain.
_ADDRESS = re.compile(r"[\w!#$%&'*+/=?^`{|}~.-]+@[\w.-]+", re.ASCII)
_ALIAS = re.compile(r"[^\s@]+@[^\s@]+")
_DOMAIN = re.compile(r"[^\s@*:/.]+(?:\.[^\s@*:/.]+)*\.?")


# What an operator ordered, and what follows from it.
_NO_MODE = frozenset({Reason.SUSPENDED, Reason.QUARANTINED, Reason.QUARANTINE_FULL})


def check(settings: Settings) -> tuple[Problem, ...]:
    """All problems that only the whole can show."""
    checks: tuple[Callable[[Settings], Iterator[Problem]], ...] = (
        _listen,
        _workers,
        _domains,
        _customers,
        _profiles,
        limits,
        registered,
        bounces,
        challenge_limits,
        campaign,
        optin,
        _rules,
        _quarantine,
        _tag,
        dkim,
        complaints,
        trace,
        _store,
        _service,
        _maintainers,
        _durations,
    )
    return tuple(problem for one in checks for problem in one(settings))


def parse_inet(address: str) -> tuple[str, int] | None:
    """Host and port of an `inet:` or `inet6:` address, None if it is neither."""
    found = _INET.fullmatch(address) or _INET6.fullmatch(address)
    if not found or int(found["port"]) > MAX_PORT:
        return None
    return found["host"], int(found["port"])


def parse_host_port(text: str) -> tuple[str, int] | None:
    """Host and port of `host:port`, None if it is none."""
    found = _HOST_PORT.fullmatch(text)
    if not found or int(found["port"]) > MAX_PORT:
        return None
    return found["host"].strip("[]"), int(found["port"])


def _listen(settings: Settings) -> Iterator[Problem]:
    addresses = [listen.address for listen in settings.listen]
    yield from twice("listen", "address", addresses)
    for index, listen in enumerate(settings.listen):
        for key, message in _one_listen(listen):
            yield Problem(f"listen[{index}].{key}", message)


def _one_listen(listen: ListenSettings) -> Iterator[tuple[str, str]]:
    address = listen.address
    if wrong := _wrong_address(address):
        yield "address", wrong
    if not _MODE.fullmatch(listen.mode):
        yield "mode", f"got {listen.mode!r}: expected octal permissions such as 0660"
    if listen.group and not address.startswith("unix:"):
        yield "group", "goes only with a unix: address"
    elif listen.group and not _group_exists(listen.group):
        yield "group", f"got {listen.group!r}: no such group on this machine"
    if listen.workers is not None and not 1 <= listen.workers <= MAX_WORKERS:
        yield "workers", f"got {listen.workers}: expected 1 to {MAX_WORKERS}"
    replies = ("end-of-message", "mail", "recipient")
    if listen.replies not in replies:
        yield "replies", one_of(listen.replies, replies)
    if listen.local_user and listen.path is not SubmissionPath.LOCAL_SUBMISSION:
        yield "local-user", 'goes only with path = "local-submission"'


def _wrong_address(address: str) -> str:
    """What is wrong with the address of a socket, "" for nothing."""
    if address.startswith("unix:"):
        path = address.removeprefix("unix:")
        if not Path(path).is_absolute():
            return f"got {address!r}: expected an absolute path after unix:"
        if (size := len(path.encode())) > MAX_SOCKET_PATH:
            return f"is {size} bytes long: a socket path has at most {MAX_SOCKET_PATH}"
    elif parse_inet(address) is None:
        return (
            f"got {address!r}: expected unix:/path, inet:host:port or inet6:[host]:port"
        )
    return ""


def _workers(settings: Settings) -> Iterator[Problem]:
    workers = settings.workers
    if workers.count is not None and not 1 <= workers.count <= MAX_WORKERS:
        yield Problem(
            "workers.count", f"got {workers.count}: expected 1 to {MAX_WORKERS}"
        )
    if workers.pin not in {"auto", "off"}:
        yield Problem("workers.pin", one_of(workers.pin, ("auto", "off")))


def _domains(settings: Settings) -> Iterator[Problem]:
    domains = settings.domains
    for key, names in (
        ("local", domains.local),
        ("relay", domains.relay),
        ("dotless", domains.dotless),
    ):
        for name in names:
            if not _DOMAIN.fullmatch(name):
                yield Problem(
                    f"domains.{key}",
                    f"got {name!r}: expected a domain such as example.org",
                )
    for address, size in domains.aliases.items():
        if not _ALIAS.fullmatch(address):
            yield Problem("domains.aliases", no_address(address))
        if not 1 <= size <= MAX_ALIAS_SIZE:
            yield Problem(
                "domains.aliases",
                f"{address!r} is {size} people: expected 1 to {MAX_ALIAS_SIZE}",
            )


def _customers(settings: Settings) -> Iterator[Problem]:
    # Orders do not tell `Choir` from `choir`.
    names = [canonical_name(one.name) for one in settings.customer]
    yield from twice("customer", "name", names)
    profiles = list(merge_profiles(settings.profile))
    for index, customer in enumerate(settings.customer):
        key = f"customer[{index}]"
        if not customer.name.strip():
            yield Problem(f"{key}.name", "is empty")
        elif canonical_name(customer.name).startswith(KIND_PREFIXES):
            yield Problem(
                f"{key}.name",
                f"got {customer.name!r}: {', '.join(KIND_PREFIXES)} begin the names of "
                "those who are no customer's",
            )
        if not customer.match:
            yield Problem(f"{key}.match", "is empty: this customer would have no mail")
        for pattern in customer.match:
            try:
                Match.parse(pattern)
            except ValueError as error:
                yield Problem(f"{key}.match", f"got {pattern!r}: {error}")
        if customer.contact and not _ADDRESS.fullmatch(customer.contact):
            yield Problem(f"{key}.contact", no_address(customer.contact))
        if customer.profile and customer.profile not in profiles:
            yield Problem(f"{key}.profile", no_such(customer.profile, profiles))
    for pattern, one, other in ties(settings.customer):
        yield Problem("customer", f"{pattern!r} matches both {one!r} and {other!r}")


def _profiles(settings: Settings) -> Iterator[Problem]:
    yield from twice("profile", "name", [one.name for one in settings.profile])
    known = [limit.name for limit in merge_limits(settings.limit)]
    known += [count.value for count in Count]
    # A shipped profile names shipped limits, also one that is `off` here.
    named = {*known, *(limit.name for limit in SHIPPED_LIMITS)}
    for index, profile in enumerate(settings.profile):
        key = f"profile[{index}]"
        if not profile.name:
            yield Problem(f"{key}.name", "is empty")
        for name in profile.limits:
            if name not in named:
                yield Problem(f"{key}.limits", no_such(name, known))
        if not 1 <= profile.start <= WHOLE:
            yield Problem(f"{key}.start", f"got {profile.start}: expected 1 to {WHOLE}")
        if not WHOLE <= profile.most <= MAX_STANDING:
            yield Problem(
                f"{key}.most", f"got {profile.most}: expected {WHOLE} to {MAX_STANDING}"
            )
        if not MIN_WARM_UP <= profile.warm_up <= MAX_PERIOD:
            yield Problem(
                f"{key}.warm-up",
                f"got {format_duration(profile.warm_up)}: expected from "
                f"{MIN_WARM_UP.days}d to {MAX_PERIOD.days}d",
            )


def _rules(settings: Settings) -> Iterator[Problem]:
    for reason in Reason:
        rule: RuleSettings = getattr(settings.rules, rule_field(reason).name)
        allowed = allowed_actions(reason)
        if rule.action is not None and rule.action not in allowed:
            words = tuple(action.value for action in allowed)
            yield Problem(f"rules.{reason}.action", one_of(rule.action.value, words))
        elif rule.action is not None and reason in LIMIT_REASONS:
            yield Problem(
                f"rules.{reason}.action", "stands with each [[limit]], not here"
            )
        if rule.mode is Mode.MONITOR and reason in _NO_MODE:
            yield Problem(
                f"rules.{reason}.mode", "has no effect: this rule acts in every mode"
            )


def _quarantine(settings: Settings) -> Iterator[Problem]:
    if settings.quarantine.cap < 1:
        yield Problem("quarantine.cap", "expected at least 1")
    if settings.quarantine.cap_bytes < 1:
        yield Problem("quarantine.cap-bytes", "expected at least 1B")
    if not Path(settings.quarantine.spool).is_absolute():
        yield Problem("quarantine.spool", "expected an absolute path")


def _tag(settings: Settings) -> Iterator[Problem]:
    if not _HEADER.fullmatch(settings.tag.header):
        yield Problem("tag.header", f"got {settings.tag.header!r}: no header name")
    elif settings.tag.header.lower() in WANTED_HEADERS | TRACE_HEADERS:
        yield Problem(
            "tag.header",
            f"got {settings.tag.header!r}: the message's own headers have that name",
        )
    parts = ("class", "action", "reasons")
    for part in settings.tag.show:
        if part not in parts:
            yield Problem("tag.show", one_of(part, parts))


def _store(settings: Settings) -> Iterator[Problem]:
    store = settings.store
    if store.url and (wrong := _wrong_url(store.url)):
        yield Problem("store.url", wrong)
    directions = ("degraded", "accept", "defer")
    if store.on_failure not in directions:
        yield Problem("store.on-failure", one_of(store.on_failure, directions))
    if not _NAME.fullmatch(store.namespace):
        yield Problem(
            "store.namespace", f"got {store.namespace!r}: expected a lower-case word"
        )


def _wrong_url(text: str) -> str:
    """What is wrong with the store's URL, "" for nothing; it may hold a password."""
    try:
        url = urlsplit(text)
        port = url.port
    except ValueError:
        return "is no URL: expected one such as redis://127.0.0.1:6379/0"
    if url.scheme not in {"redis", "rediss", "unix"}:
        return f"got scheme {url.scheme!r}: expected redis://, rediss:// or unix://"
    if url.scheme == "unix" and (url.hostname or not Path(url.path).is_absolute()):
        return "expected an absolute path, as unix:///run/x.sock"
    if url.scheme != "unix" and (not url.hostname or port == 0):
        return "expected a host, as redis://host:6379/0"
    database = url.path.strip("/") if url.scheme != "unix" else ""
    query = parse_qs(url.query, keep_blank_values=True)
    numbers = [database or "0", *query.pop("db", ["0"])]
    if query:
        return f"got {', '.join(query)}: expected no option but db"
    if not all(number.isascii() and number.isdigit() for number in numbers):
        return "expected a number as database, as /0 or ?db=0"
    return ""


def _durations(settings: Settings) -> Iterator[Problem]:
    """Ranges wide enough for every plan and too narrow for a wrong unit."""
    minute = timedelta(minutes=1)
    for key, value, least, most in (
        (
            "workers.drain-timeout",
            settings.workers.drain_timeout,
            timedelta(),
            MAX_DRAIN,
        ),
        ("quarantine.keep", settings.quarantine.keep, minute, MAX_PERIOD),
        (
            "store.timeout",
            settings.store.timeout,
            timedelta(milliseconds=1),
            MAX_STORE_TIMEOUT,
        ),
        ("notify.digest-every", settings.notify.digest_every, minute, MAX_PERIOD),
        ("notify.warn-every", settings.notify.warn_every, minute, MAX_PERIOD),
        (
            "optin.challenge-retention",
            settings.optin.challenge_retention,
            timedelta(days=1),
            timedelta(days=366),
        ),
    ):
        if not least <= value <= most:
            yield Problem(
                key,
                f"got {format_duration(value)}: expected from "
                f"{format_duration(least)} to {format_duration(most)}",
            )


def _maintainers(settings: Settings) -> Iterator[Problem]:
    for index, one in enumerate(settings.list):
        if one.contact and not _ADDRESS.fullmatch(one.contact):
            yield Problem(f"list[{index}].contact", no_address(one.contact))


def _service(settings: Settings) -> Iterator[Problem]:
    if settings.log.format not in {"logfmt", "json"}:
        yield Problem("log.format", one_of(settings.log.format, ("logfmt", "json")))
    levels = ("debug", "info", "warning", "error")
    if settings.log.level not in levels:
        yield Problem("log.level", one_of(settings.log.level, levels))
    for key, text in (
        ("metrics.listen", settings.metrics.listen),
        ("notify.smtp", settings.notify.smtp),
    ):
        if text and parse_host_port(text) is None:
            yield Problem(key, f"got {text!r}: expected host:port")
    for key, text in (
        ("notify.postmaster", settings.notify.postmaster),
        ("notify.sender", settings.notify.sender),
    ):
        if text and not _ADDRESS.fullmatch(text):
            yield Problem(key, no_address(text))
    if settings.notify.postmaster and not settings.notify.sender:
        yield Problem("notify.sender", "is required where notify.postmaster is set")
    for name in ("state", "runtime"):
        directory = getattr(settings.paths, name)
        if not Path(directory).is_absolute():
            yield Problem(f"paths.{name}", f"got {directory!r}: expected absolute")


def _group_exists(name: str) -> bool:
    try:
        grp.getgrnam(name)
    except (KeyError, ValueError):
        return False
    return True

"""What the settings of DKIM say together; keys and tables are read at start."""

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from outgate.config.settings import Settings
from outgate.config.wording import twice
from outgate.message.dkim.coverage import UNSIGNABLE_HEADERS
from outgate.message.optin_evidence import EVIDENCE_HEADER
from outgate.model.errors import Problem
from outgate.model.units import MAX_PERIOD, format_duration
from outgate.policy.dkim_rights import EVERYBODY, normal_pattern

_HEADER = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]*")
_DOMAIN = re.compile(r"[^\s@*:/.]+(?:\.[^\s@*:/.]+)*\.?")
_TYPE = re.compile(r"([a-z]+):")
# RFC 6376 §3.5: a queue keeps mail for days.
_MIN_EXPIRE = timedelta(days=1)


def dkim(settings: Settings) -> Iterator[Problem]:
    """Paths of tables, names of headers, and who may sign as what."""
    tables = settings.dkim
    if bool(tables.key_table) != bool(tables.signing_table):
        missing = "signing-table" if tables.key_table else "key-table"
        yield Problem(f"dkim.{missing}", "is required: both tables go together")
    for key, text, types in (
        ("key-table", tables.key_table, ("file",)),
        ("signing-table", tables.signing_table, ("file", "refile")),
    ):
        if text and (wrong := _wrong_table(text, types)):
            yield Problem(f"dkim.{key}", wrong)
    never = UNSIGNABLE_HEADERS | {EVIDENCE_HEADER.lower()}
    for name in tables.also:
        if not _HEADER.fullmatch(name):
            yield Problem("dkim.also", f"got {name!r}: no header name")
        elif name.lower() in never:
            yield Problem(
                "dkim.also", f"got {name!r}: is changed or removed on the way"
            )
    if tables.expire and not _MIN_EXPIRE <= tables.expire <= MAX_PERIOD:
        yield Problem(
            "dkim.expire",
            f"got {format_duration(tables.expire)}: expected 0s, or from "
            f"{_MIN_EXPIRE.days}d to {MAX_PERIOD.days}d",
        )
    yield from _signatures(settings)


def _wrong_table(text: str, types: tuple[str, ...]) -> str:
    found = _TYPE.match(text)
    path = text
    if found:
        path = text[found.end() :]
        if found[1] not in types:
            names = " or ".join(f"{name}:" for name in types)
            return f"got {text!r}: expected a path, after {names} where it has a type"
    if not Path(path).is_absolute():
        return f"got {text!r}: expected an absolute path"
    return ""


def _signatures(settings: Settings) -> Iterator[Problem]:
    patterns = [normal_pattern(one.domain) for one in settings.signature]
    names = [f"*.{name}" if below else name for below, name in patterns]
    yield from twice("signature", "domain", names)
    for index, one in enumerate(settings.signature):
        key = f"signature[{index}]"
        bare = one.domain.removeprefix("*.")
        if one.domain != EVERYBODY and not _DOMAIN.fullmatch(bare):
            yield Problem(
                f"{key}.domain",
                f"got {one.domain!r}: expected example.org, *.example.org or *",
            )
        if any(not name.strip() for name in one.customers):
            yield Problem(f"{key}.customers", "one is empty")
        for sender in one.senders:
            if not _DOMAIN.fullmatch(sender.rpartition("@")[2]):
                yield Problem(
                    f"{key}.senders",
                    f"got {sender!r}: expected an address or a domain",
                )

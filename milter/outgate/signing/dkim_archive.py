"""Every public key that was ever used, so that old signatures can be judged offline.

DNS forgets a key when it is replaced; a complaint about mail of last year comes today.
One line of JSON for each thing that happened, only ever appended, on the disk before
anything is signed:

    {"domain": "example.org", "selector": "2026a", "algorithm": "rsa-sha256",
     "public-key": "MIIB…", "from": "2026-11-24T06:00:00Z", "to": null, "in-use": true}

`domain` is `%` where a key signs for the domain of header From, whichever it is. A later
line about the same domain, selector and key adds to an earlier one: a key begins with its
first line, and ends where its last one says. A line that cannot be read (a disk was full)
is left out.
"""

import base64
import binascii
import json
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from outgate.message.dkim.tags import key_record
from outgate.model.dkim import Algorithm
from outgate.model.errors import EX_CANTCREAT, StartError
from outgate.policy.dkim_tables import THE_SENDERS
from outgate.policy.operator import format_moment

DnsFunc = Callable[..., bytes | None]
"""`dnsfunc` of dkimpy: a name such as `b"s._domainkey.example.org."` → a TXT record."""

_LABEL = "._domainkey."
_US = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchivedKey:
    """One public key.

    Attributes:
        domain: lower case, or `%`.
        public: as in a key record.
        from_us: when it was first known, microseconds since the epoch.
        to_us: when it was in use no more, 0 while it is.
        in_use: whether a daemon was configured with it.
    """

    domain: str
    selector: str
    algorithm: Algorithm
    public: bytes
    from_us: int
    to_us: int = 0
    in_use: bool = False

    @property
    def identity(self) -> tuple[str, str, bytes]:
        """What makes two lines be about one key."""
        return self.domain, self.selector.lower(), self.public

    def line(self) -> bytes:
        """As it stands in the file."""
        return (
            json.dumps(
                {
                    "domain": self.domain,
                    "selector": self.selector,
                    "algorithm": self.algorithm.value,
                    "public-key": base64.b64encode(self.public).decode(),
                    "from": format_moment(self.from_us),
                    "to": format_moment(self.to_us) if self.to_us else None,
                    "in-use": self.in_use,
                }
            ).encode()
            + b"\n"
        )


class KeyArchive:
    """The file."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def all(self) -> list[ArchivedKey]:
        """All keys, in the order of their first lines.

        Raises:
            StartError: the file cannot be read.
        """
        try:
            lines = self._path.read_bytes().splitlines()
        except FileNotFoundError:
            return []
        except OSError as error:
            raise StartError(
                f"{self._path} cannot be read: {error.strerror}", EX_CANTCREAT
            ) from error
        found: dict[tuple[str, str, bytes], ArchivedKey] = {}
        for line in lines:
            if (key := _read(line)) is not None:
                before = found.get(key.identity, key)
                first_us = min(before.from_us, key.from_us)
                found[key.identity] = replace(key, from_us=first_us)
        return list(found.values())

    def add(self, key: ArchivedKey, owner: tuple[int, int] | None = None) -> None:
        """Note a key that may be published from now on.

        Raises:
            StartError: the file cannot be written.
        """
        if key.identity not in {one.identity for one in self.all()}:
            self._append((key,), owner)

    def note_in_use(self, keys: Iterable[ArchivedKey], now_us: int) -> None:
        """Note which keys a daemon is configured with, and which no more.

        Raises:
            StartError: the file cannot be written.
        """
        known = {one.identity: one for one in self.all()}
        used = {one.identity: one for one in keys}
        lines = [
            replace(one, in_use=True, to_us=0)
            for identity, one in used.items()
            if not ((old := known.get(identity)) and old.in_use and not old.to_us)
        ]
        lines += [
            replace(one, to_us=now_us)
            for identity, one in known.items()
            if one.in_use and not one.to_us and identity not in used
        ]
        if lines:
            self._append(lines)

    def dnsfunc(self, at_us: int = 0) -> DnsFunc:
        """A resolver for dkimpy that knows these keys and nothing else.

        A selector may have had several keys: the one in use then is given, else the
        last one before, else the first.

        Args:
            at_us: when the signature was made (`t=`), microseconds since the epoch; 0
                for now.
        """
        keys = self.all()

        def look_up(name: bytes | str, timeout: float = 5) -> bytes | None:
            del timeout
            text = name.decode("latin-1") if isinstance(name, bytes) else name
            selector, _, domain = text.rstrip(".").lower().partition(_LABEL)
            for wanted in (domain, THE_SENDERS):
                found = [
                    one
                    for one in keys
                    if one.domain == wanted and one.selector.lower() == selector
                ]
                if found:
                    best = _at(found, at_us)
                    return key_record(best.algorithm, best.public).encode()
            return None

        return look_up

    def _append(
        self, keys: Iterable[ArchivedKey], owner: tuple[int, int] | None = None
    ) -> None:
        text = b"".join(key.line() for key in keys)
        try:
            flags = os.O_CREAT | os.O_APPEND | os.O_RDWR
            descriptor = os.open(self._path, flags, 0o640)
            try:
                if owner is not None:
                    os.fchown(descriptor, *owner)
                size = os.fstat(descriptor).st_size
                if size and os.pread(descriptor, 1, size - 1) != b"\n":
                    text = b"\n" + text
                written = os.write(descriptor, text)
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        except OSError as error:
            raise StartError(
                f"{self._path} cannot be written: {error.strerror}", EX_CANTCREAT
            ) from error
        if written != len(text):
            raise StartError(f"{self._path} cannot be written: disk full", EX_CANTCREAT)


def _at(keys: list[ArchivedKey], at_us: int) -> ArchivedKey:
    if not at_us:
        return max(keys, key=lambda one: (not one.to_us, one.from_us))
    before = [one for one in keys if one.from_us <= at_us]
    if not before:
        return min(keys, key=lambda one: one.from_us)
    then = [one for one in before if not one.to_us or at_us <= one.to_us]
    return max(then or before, key=lambda one: (one.from_us, one.to_us))


def _read(line: bytes) -> ArchivedKey | None:
    try:
        fields = json.loads(line)
        return ArchivedKey(
            domain=str(fields["domain"]).lower(),
            selector=str(fields["selector"]),
            algorithm=Algorithm(fields["algorithm"]),
            public=base64.b64decode(fields["public-key"], validate=True),
            from_us=_microseconds(fields["from"]),
            to_us=_microseconds(fields["to"]) if fields["to"] else 0,
            in_use=bool(fields["in-use"]),
        )
    except (ValueError, KeyError, TypeError, binascii.Error):
        return None


def _microseconds(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp()) * _US

"""Which key signs whose mail: KeyTable and SigningTable, as OpenDKIM reads them.

    KeyTable        2026a  example.org:2026a:/etc/dkimkeys/example.org.2026a.pem
    SigningTable    *@example.org  2026a
                    *@*.example.org  2026a:%

`%` as a domain is that of header From. A SigningTable that is a `refile:` has patterns
with `*`, tried in the order of the file; one that is a plain file is asked for the
address, its domain, `user@.parent`, `.parent`, `user@*` and `*`, in this order
(opendkim.conf(5)). The first pattern that matches decides: it signs with all keys that
stand beside it, so that an RSA and an Ed25519 key need no other setting; with
`multiple-signatures`, all patterns that match do.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import translate

from outgate.model.address import Address, canonical_domain

THE_SENDERS = "%"
"""Instead of a domain: that of header From."""

# More signatures than any domain needs; each costs CPU.
MAX_SIGNATURES = 4

_DOMAIN = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*")
_SELECTOR = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*", re.IGNORECASE)
_IDENTITY = re.compile(r"[!-9<-~]*@[A-Za-z0-9._%-]+")
_FILE = ("/", "./", "../")


@dataclass(frozen=True, slots=True)
class KeyEntry:
    """One line of a KeyTable.

    Attributes:
        name: what a SigningTable calls it.
        domain: for `d=`, or `%`.
        selector: for `s=`.
        material: path of the key's file, or the key itself.
        line: in the file, from 1.
    """

    name: str
    domain: str
    selector: str
    material: str
    line: int

    @property
    def is_file(self) -> bool:
        """Whether the key is in a file of its own."""
        return self.material.startswith(_FILE)

    def domain_for(self, sender: Address) -> str:
        """The `d=` of this sender's mail."""
        return sender.domain if self.domain == THE_SENDERS else self.domain


@dataclass(frozen=True, slots=True)
class SigningEntry:
    """One line of a SigningTable.

    Attributes:
        pattern: lower case.
        key: name of a `KeyEntry`.
        identity: for `i=`, with `%` for the domain of header From; "" for none.
        line: in the file, from 1.
    """

    pattern: str
    key: str
    identity: str
    line: int

    def identity_for(self, sender: Address, domain: str) -> str:
        """The `i=`; "" where there is none, or it conflicts with `d=` (§3.5)."""
        identity = self.identity.replace(THE_SENDERS, sender.domain)
        host = identity.rpartition("@")[2].lower()
        if host != domain and not host.endswith(f".{domain}"):
            return ""
        return identity


class Tables:
    """Both, read and ready for look-ups."""

    def __init__(
        self,
        keys: Mapping[str, KeyEntry],
        signing: Iterable[SigningEntry],
        *,
        by_pattern: bool,
        multiple: bool = False,
        problems: tuple[str, ...] = (),
    ) -> None:
        """Index the entries.

        Args:
            keys: by name.
            signing: in the order of the file.
            by_pattern: whether `*` in a pattern stands for anything.
            multiple: whether all patterns that match sign.
            problems: what cannot be read, one sentence each.
        """
        self.keys = keys
        self.signing = tuple(signing)
        self.problems = problems
        self._by_pattern = by_pattern
        self._multiple = multiple
        # Thousands of domains are usual, other patterns than `*@domain` are few.
        self._named: dict[str, list[SigningEntry]] = {}
        self._others: list[tuple[re.Pattern[str], SigningEntry]] = []
        for one in self.signing:
            if by_pattern and "*" in one.pattern.removeprefix("*@"):
                self._others.append((_expression(one.pattern), one))
            else:
                self._named.setdefault(one.pattern, []).append(one)

    def find(self, sender: Address) -> tuple[tuple[KeyEntry, SigningEntry], ...]:
        """What signs mail of this header From, at most `MAX_SIGNATURES`."""
        found: dict[str, SigningEntry] = {}
        first = ""
        for entry in self._matching(sender):
            first = first or entry.pattern
            if self._multiple or entry.pattern == first:
                found.setdefault(entry.key, entry)
        pairs = [(self.keys[key], entry) for key, entry in found.items()]
        return tuple(pairs[:MAX_SIGNATURES])

    def _matching(self, sender: Address) -> Iterable[SigningEntry]:
        """Entries that match, the deciding one first."""
        address = str(sender)
        if not self._by_pattern:
            return [
                entry for form in _forms(sender) for entry in self._named.get(form, ())
            ]
        matching = [
            *self._named.get(address, ()),
            *self._named.get(f"*@{sender.domain}", ()),
            *(entry for pattern, entry in self._others if pattern.match(address)),
        ]
        matching.sort(key=lambda entry: entry.line)
        return matching


def _expression(pattern: str) -> re.Pattern[str]:
    """Only `*` is special."""
    return re.compile(translate(re.sub(r"[\[?]", r"[\g<0>]", pattern)))


def _forms(sender: Address) -> Iterator[str]:
    user, domain = sender.local, sender.domain
    parents = [
        domain.split(".", count)[-1] for count in range(1, domain.count(".") + 1)
    ]
    yield f"{user}@{domain}"
    yield domain
    yield from (f"{user}@.{parent}" for parent in parents)
    yield from (f".{parent}" for parent in parents)
    yield f"{user}@*"
    yield "*"


def read_tables(
    key_table: str, signing_table: str, *, by_pattern: bool, multiple: bool = False
) -> Tables:
    """Read the text of both files; what is wrong is left out, and told.

    Args:
        key_table: text of the KeyTable.
        signing_table: text of the SigningTable.
        by_pattern: whether it is a `refile:`.
        multiple: whether all patterns that match sign.
    """
    problems: list[str] = []
    keys: dict[str, KeyEntry] = {}
    for line, name, value in _lines(key_table, "KeyTable", problems):
        entry = _key(line, name, value, problems)
        if name in keys:
            problems.append(f"KeyTable line {line}: there is a {name!r} already")
        elif entry is not None:
            keys[name] = entry
    signing: list[SigningEntry] = []
    told = {name for _, name, _ in _lines(key_table, "", [])}
    for line, pattern, value in _lines(signing_table, "SigningTable", problems):
        key, _, identity = value.partition(":")
        if key not in told:
            problems.append(f"SigningTable line {line}: no key {key!r} in the KeyTable")
        elif identity and not _IDENTITY.fullmatch(_completed(identity)):
            problems.append(
                f"SigningTable line {line}: got {identity!r}: expected a signer such as "
                "@example.org"
            )
        elif key in keys:
            normal = _normal(pattern)
            signing.append(SigningEntry(normal, key, _completed(identity), line))
    return Tables(
        keys,
        signing,
        by_pattern=by_pattern,
        multiple=multiple,
        problems=tuple(problems),
    )


def _completed(identity: str) -> str:
    """A signer may be a bare domain; `i=` has an `@` (RFC 6376 §3.5)."""
    return identity if not identity or "@" in identity else f"@{identity}"


def _normal(pattern: str) -> str:
    user, at, domain = pattern.rpartition("@")
    return f"{user.lower()}{at}{canonical_domain(domain)}"


def _lines(
    text: str, table: str, problems: list[str]
) -> Iterator[tuple[int, str, str]]:
    """Line number, first word and the rest of what is no comment."""
    for line, content in enumerate(text.splitlines(), 1):
        words = content.partition("#")[0].split(None, 1)
        if len(words) == 1:
            problems.append(f"{table} line {line}: {words[0]!r} stands alone")
        elif words:
            yield line, words[0], words[1].strip()


def _key(line: int, name: str, value: str, problems: list[str]) -> KeyEntry | None:
    domain, _, rest = value.partition(":")
    selector, _, material = rest.partition(":")
    domain = domain.strip()
    domain = domain if domain == THE_SENDERS else canonical_domain(domain)
    selector, material = selector.strip(), material.strip()
    if not material:
        problems.append(
            f"KeyTable line {line}: got {_short(value)!r}: expected "
            "domain:selector:/path/of/the/key"
        )
    elif domain != THE_SENDERS and not _DOMAIN.fullmatch(domain):
        problems.append(f"KeyTable line {line}: got {domain!r}: expected a domain or %")
    elif not _SELECTOR.fullmatch(selector):
        problems.append(f"KeyTable line {line}: got {selector!r}: expected a selector")
    else:
        return KeyEntry(name, domain, selector, material, line)
    return None


def _short(value: str) -> str:
    """A key may stand there: it is nothing for a report."""
    return value if len(value) <= 40 else f"{value[:20]}…"  # noqa: PLR2004

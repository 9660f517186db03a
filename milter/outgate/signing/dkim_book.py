"""The keys of `[dkim]`: both tables, and every private key that they name.

All of it is read at start and at each reload, as the daemon's account; whatever is wrong
is told at once, each with the file's name, and nothing starts.
"""

from dataclasses import dataclass
from pathlib import Path

from outgate.model.errors import EX_CONFIG, StartError
from outgate.policy.dkim_settings import DkimSettings
from outgate.policy.dkim_tables import THE_SENDERS, KeyEntry, Tables, read_tables
from outgate.signing.dkim_keys import DkimKey, parse_key, read_guarded, read_key

PATTERNS = "refile:"
PLAIN = "file:"
_MAX_TABLE_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class BookKey:
    """One key under one domain.

    Attributes:
        name: what the SigningTable calls it.
        domain: `d=`; `%` for that of header From.
        selector: `s=`.
    """

    name: str
    domain: str
    selector: str
    key: DkimKey


@dataclass(frozen=True, slots=True)
class Book:
    """Keys by what signs.

    Attributes:
        tables: which key signs whose mail.
        keys: by name and domain.
    """

    tables: Tables
    keys: dict[tuple[str, str], BookKey]

    def key_for(self, entry: KeyEntry, domain: str) -> BookKey | None:
        """The key of an entry under a domain; None where `%` names no file."""
        return self.keys.get((entry.name, domain)) or self.keys.get(
            (entry.name, THE_SENDERS)
        )


def path_of(table: str) -> Path:
    """The file behind a table's setting."""
    return Path(table.removeprefix(PATTERNS).removeprefix(PLAIN))


def read_book(settings: DkimSettings) -> Book | None:
    """Read tables and keys; None where none are configured.

    Raises:
        StartError: with all problems, a line each.
    """
    if not settings.key_table:
        return None
    problems: list[str] = []
    key_path, signing_path = (
        path_of(settings.key_table),
        path_of(settings.signing_table),
    )
    tables = read_tables(
        _text(key_path, "dkim.key-table", problems),
        _text(signing_path, "dkim.signing-table", problems),
        by_pattern=settings.signing_table.startswith(PATTERNS),
        multiple=settings.multiple_signatures,
    )
    files = {"KeyTable": str(key_path), "SigningTable": str(signing_path)}
    for problem in tables.problems:
        table, _, rest = problem.partition(" ")
        problems.append(f"{files[table]}: {rest}")
    keys: dict[tuple[str, str], BookKey] = {}
    for entry in tables.keys.values():
        try:
            found = _keys(entry, key_path)
        except StartError as error:
            problems.append(str(error))
            continue
        keys.update({(one.name, one.domain): one for one in found})
    if problems:
        raise StartError("\n".join(f"dkim: {one}" for one in problems), EX_CONFIG)
    return Book(tables, keys)


def _text(path: Path, key: str, problems: list[str]) -> str:
    try:
        with path.open("rb") as file:
            return file.read(_MAX_TABLE_BYTES).decode("utf-8")
    except OSError as error:
        problems.append(f"{key}: {path} cannot be read: {error.strerror}")
    except UnicodeDecodeError:
        problems.append(f"{key}: {path} is not UTF-8")
    return ""


def _keys(entry: KeyEntry, table: Path) -> list[BookKey]:
    """The key of an entry; several where `%` stands in its path.

    Raises:
        StartError: one cannot be used, or there is none.
    """

    def book_key(domain: str, key: DkimKey) -> BookKey:
        return BookKey(entry.name, domain, entry.selector, key)

    if not entry.is_file:
        # Then the table is what nobody else may read.
        read_guarded(table)
        key = parse_key(entry.material.encode(), f"{table}: line {entry.line}")
        return [book_key(entry.domain, key)]
    path = table.parent / entry.material
    if THE_SENDERS not in str(path):
        return [book_key(entry.domain, read_key(path))]
    before, _, after = str(path).partition(THE_SENDERS)
    found = [
        book_key(name.lower(), read_key(Path(before + name + after)))
        for name in _domains(before, after)
    ]
    if not found:
        raise StartError(f"{path}: there is no such file for any domain", EX_CONFIG)
    return found


def _domains(before: str, after: str) -> list[str]:
    """What stands for `%` in paths that are there.

    Raises:
        StartError: the directory cannot be read.
    """
    directory = Path(before + "x").parent
    start = before[len(str(directory)) + 1 :]
    middle, _, rest = after.partition("/")
    try:
        names = [one.name for one in directory.iterdir()]
    except OSError as error:
        raise StartError(
            f"{directory} cannot be read: {error.strerror}", EX_CONFIG
        ) from error
    domains = [
        name[len(start) : len(name) - len(middle)]
        for name in sorted(names)
        if name.startswith(start) and name.endswith(middle)
    ]
    return [
        domain
        for domain in domains
        if domain
        and (not rest or (directory / f"{start}{domain}{middle}/{rest}").exists())
    ]

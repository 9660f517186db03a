"""Notes that are too many for memory: a private database that is gone with its owner.

SQLite keeps a nameless database in its cache, and spills to a nameless file beyond.
"""

import sqlite3
from collections.abc import Iterable, Iterator
from typing import Self

_CACHE_KIB = 32_768


class Scratch:
    """One database."""

    def __init__(self) -> None:
        self._database = sqlite3.connect("", isolation_level=None)
        for pragma in (
            f"cache_size = -{_CACHE_KIB}",
            "journal_mode = OFF",
            "synchronous = OFF",
        ):
            self._database.execute(f"PRAGMA {pragma}")
        self._database.execute("BEGIN")

    def __enter__(self) -> Self:
        """Give itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Forget everything."""
        self.close()

    def run(self, statement: str, values: tuple[object, ...] = ()) -> None:
        """Change something."""
        self._database.execute(statement, values)

    def run_each(self, statement: str, values: Iterable[tuple[object, ...]]) -> None:
        """Change something for each of many."""
        self._database.executemany(statement, values)

    def one(
        self, statement: str, values: tuple[object, ...] = ()
    ) -> tuple[object, ...] | None:
        """The first row of an answer, None where there is none."""
        found: tuple[object, ...] | None = self._database.execute(
            statement, values
        ).fetchone()
        return found

    def all(self, statement: str) -> Iterator[tuple[object, ...]]:
        """All rows of an answer."""
        return self._database.execute(statement)

    def close(self) -> None:
        """Forget everything."""
        self._database.close()

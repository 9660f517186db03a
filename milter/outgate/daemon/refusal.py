"""The mark that the store belongs to somebody else: the keeper sets it, workers see it.

A host with another secret counts what nobody else counts, and a newer layout means other
things by the same keys. Until a person has looked, such a store is as good as away.
"""

from pathlib import Path

from outgate.store.breaker import Breaker


class Refusal:
    """One file that is there, or not."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def set(self, why: str) -> None:
        """Keep workers from the store.

        Raises:
            OSError: the runtime directory cannot be written.
        """
        self._path.write_text(f"{why}\n")

    def clear(self) -> None:
        """Let workers use the store.

        Raises:
            OSError: the runtime directory cannot be written.
        """
        self._path.unlink(missing_ok=True)

    def stands(self) -> bool:
        """Whether the store must not be used."""
        return self._path.exists()


class RefusingBreaker(Breaker):
    """A breaker that is open as long as the mark stands."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__()
        self._refusal = refusal
        self._refused = False

    def refresh(self) -> None:
        """Look at the mark; called from the control thread."""
        self._refused = self._refusal.stands()

    @property
    def closed(self) -> bool:
        """Whether look-ups go through as usual."""
        return not self._refused and super().closed

    def may_ask(self, now_s: float) -> bool:
        """Whether this caller may ask."""
        return not self._refused and super().may_ask(now_s)

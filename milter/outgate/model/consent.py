"""How well it is known that somebody asked for a list's mail."""

from enum import StrEnum


class Grade(StrEnum):
    """What stands behind a consent, best first.

    An import is an address in a file: it says where the list's maintainer had it from,
    and not that anybody asked for mail.
    """

    WITNESSED = "witnessed"
    CORROBORATED = "corroborated"
    ASSERTED = "asserted"
    PAPER = "paper"
    IMPORT = "import"
    NONE = "none"

    @property
    def is_consent(self) -> bool:
        """Whether mail to this subscriber is solicited."""
        return self.rank < _IMPORT

    @property
    def rank(self) -> int:
        """0 for the best."""
        return _RANKS[self]


_RANKS = {grade: rank for rank, grade in enumerate(Grade)}
_IMPORT = _RANKS[Grade.IMPORT]

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

    @property
    def is_consent(self) -> bool:
        """Whether mail to this subscriber is solicited."""
        return self is not Grade.IMPORT

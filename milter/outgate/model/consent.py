"""How well it is known that somebody asked for a list's mail."""

from enum import StrEnum
from typing import Self


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

    @property
    def letter(self) -> str:
        """One that stands for it where every byte counts: `w` to `i`, `0` for none."""
        return _LETTERS[self]

    @classmethod
    def of_letter(cls, letter: str) -> Self:
        """The grade behind a letter.

        Raises:
            ValueError: there is none.
        """
        for grade, own in _LETTERS.items():
            if own == letter:
                return cls(grade)
        raise ValueError(f"{letter!r} is no grade")


_RANKS = {grade: rank for rank, grade in enumerate(Grade)}
_IMPORT = _RANKS[Grade.IMPORT]
_LETTERS = {grade: grade.value[0] for grade in Grade} | {Grade.NONE: "0"}


class TokenResult(StrEnum):
    """What became of one `Opt-In-Evidence` header; all but `valid` count as none.

    A token that is forged cannot be told from one for another recipient: the recipient
    is signed, and stands nowhere. `withdrawn` is one whose recipient withdrew, or was
    erased, after what it says.
    """

    VALID = "valid"
    MALFORMED = "malformed"
    TOO_LARGE = "too-large"
    TOO_MANY = "too-many"
    UNREGISTERED_LIST = "unregistered-list"
    OTHER_LIST = "other-list"
    OTHER_CUSTOMER = "other-customer"
    UNKNOWN_KEY = "unknown-key"
    WRONG_ALGORITHM = "wrong-algorithm"
    KEY_REVOKED = "key-revoked"
    KEY_EXPIRED = "key-expired"
    KEY_TOO_NEW = "key-too-new"
    EXPIRED = "expired"
    IN_FUTURE = "in-future"
    WITHDRAWN = "withdrawn"
    NO_MATCH = "no-match"
    ERROR = "error"

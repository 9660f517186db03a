"""List-Id: `Anne's news <news.example.org>` (RFC 2919).

Only what stands in the brackets is the identifier; it ends with a domain of its owner.
A customer may not use another one's: evidence of consent is looked up under it.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from outgate.message.cfws import unfold
from outgate.message.listcheck.note import Level, Note

MAX_LIST_ID_CHARACTERS = 255  # RFC 2919 §2
# RFC 5322 §3.2.3: atext.
_LIST_ID = re.compile(r"[a-z0-9!#$%&'*+/=?^_`{|}~.-]+")


class ListIdNote(Note):
    """Notes on List-Id."""

    LIST_ID_MISSING = (
        "list-id-missing",
        Level.FIX,
        "The message has no List-Id, so recipients can't filter the list.",
        "Add List-Id: Name of the list <name.your-domain.org>.",
        "RFC 2919 §3",
    )
    LIST_ID_NO_BRACKETS = (
        "list-id-no-brackets",
        Level.BAD,
        "The List-Id has no <identifier> in angle brackets.",
        "Write the identifier as <name.your-domain.org>.",
        "RFC 2919 §3",
    )
    LIST_ID_NO_DOT = (
        "list-id-no-dot",
        Level.BAD,
        "The List-Id is a bare word, which anybody's list may have.",
        "End it with a domain of yours, as in <news.your-domain.org>.",
        "RFC 2919 §2",
    )
    LIST_ID_TOO_LONG = (
        "list-id-too-long",
        Level.BAD,
        "The List-Id has more than 255 characters.",
        "Give the list a shorter identifier.",
        "RFC 2919 §2",
    )
    LIST_ID_CHARACTERS = (
        "list-id-characters",
        Level.BAD,
        "The List-Id holds characters that are not allowed, such as an @ or an accent.",
        "Use letters, digits, hyphens and dots.",
        "RFC 2919 §2",
    )
    LIST_ID_NOT_YOURS = (
        "list-id-not-yours",
        Level.BAD,
        (
            "The List-Id is neither one of this customer's registered lists nor in a"
            " domain of this customer."
        ),
        "End it with a domain of yours, or have the list registered.",
        "RFC 2919 §2",
    )
    LIST_ID_SPACE = (
        "list-id-space",
        Level.FIX,
        "There is white space within the angle brackets of the List-Id.",
        "Take the white space out.",
        "RFC 2919 §3",
    )
    LIST_ID_EMPTY_LABEL = (
        "list-id-empty-label",
        Level.FIX,
        "The List-Id begins or ends with a dot, or has two in a row.",
        "Leave one dot between two words, and none at the ends.",
        "RFC 2919 §2",
    )
    LIST_ID_STRAY_TEXT = (
        "list-id-stray-text",
        Level.FIX,
        "Something stands behind the angle brackets of the List-Id.",
        "Put the name of the list before the brackets, and nothing behind them.",
        "RFC 2919 §3",
    )
    LIST_ID_UNMANAGED = (
        "list-id-unmanaged",
        Level.FIX,
        (
            "The List-Id ends with .localhost, which belongs to nobody; two lists may"
            " have the same one."
        ),
        "End it with a domain of yours.",
        "RFC 2919 §3",
    )


@dataclass(frozen=True, slots=True)
class OwnLists:
    """Which identifiers a customer may use.

    Attributes:
        ids: registered List-Ids, lower case.
        domains: domains that are the customer's, lower case; what is below them, too.
    """

    ids: frozenset[str] = frozenset()
    domains: frozenset[str] = frozenset()

    def include(self, list_id: str) -> bool:
        """Whether an identifier is one of these."""
        if list_id in self.ids:
            return True
        _, dot, parent = list_id.partition(".")
        while dot:
            if parent in self.domains:
                return True
            _, dot, parent = parent.partition(".")
        return False


def read_list_id(values: Sequence[bytes], notes: list[Note]) -> str | None:
    """Read the topmost List-Id; None where none follows the grammar.

    The identifier is lower case: RFC 2919 §6 compares without case.
    """
    if not values:
        notes.append(ListIdNote.LIST_ID_MISSING)
        return None
    value = unfold(values[0])
    # The phrase before it may hold a quoted `<`; the identifier is last (§3).
    inside, closed, behind = value.rpartition(b"<")[2].partition(b">")
    if not closed or b"<" not in value:
        notes.append(ListIdNote.LIST_ID_NO_BRACKETS)
        return None
    if behind.strip():
        notes.append(ListIdNote.LIST_ID_STRAY_TEXT)
    compact = b"".join(inside.split())
    if len(compact) != len(inside):
        notes.append(ListIdNote.LIST_ID_SPACE)
    if len(compact) > MAX_LIST_ID_CHARACTERS:
        notes.append(ListIdNote.LIST_ID_TOO_LONG)
        return None
    return _judge(compact.decode("utf-8", "replace").lower(), notes)


def _judge(identifier: str, notes: list[Note]) -> str | None:
    if not _LIST_ID.fullmatch(identifier):
        notes.append(ListIdNote.LIST_ID_CHARACTERS)
        return None
    labels = identifier.split(".")
    if sum(map(bool, labels)) <= 1:
        notes.append(ListIdNote.LIST_ID_NO_DOT)
        return None
    if not all(labels):
        # Salesforce sends <.7289367.xt.local>; it names the list all the same.
        notes.append(ListIdNote.LIST_ID_EMPTY_LABEL)
    if labels[-1] == "localhost":
        notes.append(ListIdNote.LIST_ID_UNMANAGED)
    return identifier

"""The shape of a header field, whatever it says: how often, how long, folded where.

Folds are legal (RFC 5322 §2.2.3) and change no meaning, so re-folding a header changes
no other notes than those of this table and `post-folded`.
"""

from collections.abc import Sequence

from outgate.message.listcheck.note import Level, Note

MAX_LINE_BYTES = 998  # RFC 5322 §2.1.1


class ShapeNote(Note):
    """Notes on the shape of a field."""

    HEADER_REPEATED = (
        "header-repeated",
        Level.BAD,
        (
            "The header stands in the message more than once. Mail programs take the"
            " first, the last, or none."
        ),
        "Leave one; several links stand in one header, with commas between them.",
        "RFC 2369 §3, RFC 2919 §3",
    )
    LINE_TOO_LONG = (
        "line-too-long",
        Level.BAD,
        "A line of the header has more than 998 characters and may be cut on its way.",
        "Shorten the links, and begin a new line after the comma between two links.",
        "RFC 5322 §2.1.1",
    )
    LEADING_FOLD = (
        "leading-fold",
        Level.OK,
        (
            "The value begins on the next line. That is allowed, but breaks signatures"
            " made by old versions of OpenDKIM."
        ),
        "",
        "RFC 6376 §3.4",
    )
    FOLDED = (
        "folded",
        Level.OK,
        "The value goes on over several lines, as it may.",
        "",
        "RFC 5322 §2.2.3",
    )


def read_shape(name: str, values: Sequence[bytes]) -> list[Note]:
    """Read the shape of all fields of one name; folds only of the topmost."""
    notes: list[Note] = []
    if len(values) > 1:
        notes.append(ShapeNote.HEADER_REPEATED)
    # The field's name and colon are in its first line.
    room = MAX_LINE_BYTES - len(name) - 2
    for value in values:
        if len(value) > room and _has_long_line(value, room):
            notes.append(ShapeNote.LINE_TOO_LONG)
            break
    if values and b"\n" in values[0]:
        leading = values[0].lstrip(b" \t\r").startswith(b"\n")
        notes.append(ShapeNote.LEADING_FOLD if leading else ShapeNote.FOLDED)
    return notes


def _has_long_line(value: bytes, room: int) -> bool:
    first, *others = value.split(b"\n")
    return len(first.rstrip(b"\r").removeprefix(b" ")) > room or any(
        len(line.rstrip(b"\r")) > MAX_LINE_BYTES for line in others
    )

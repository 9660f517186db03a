"""What a filter added to a message, but for the trace that every message gets."""

from lab.miltermail import Outcome

TRACE = b"Outgate-Trace"


def marks(outcome: Outcome) -> list[tuple[bytes, bytes, int | None]]:
    """Name, value and place."""
    return [one for one in outcome.added if one[0] != TRACE]


def traces(outcome: Outcome) -> list[bytes]:
    """Values of the header."""
    return [value for name, value, _ in outcome.added if name == TRACE]

"""What taking a complaint in needs of others."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from outgate.model.trace import Trace, TraceRecord

VerifyDkim = Callable[[bytes], Sequence[str]]
"""A message → domains (`d=`) whose signatures are valid, lower case."""


@dataclass(frozen=True, slots=True)
class Traces:
    """Reads trace headers, and finds what is kept of them.

    Attributes:
        read: a header's value → what it says, None where we did not sign it.
        find: an id → the record, None where it is gone.
        customer_of: a pseudonym → the customer's name, "" for none that is known.
        is_recipient: whether a canonical mailbox is one of a record's.
    """

    read: Callable[[bytes], Trace | None]
    find: Callable[[str], TraceRecord | None]
    customer_of: Callable[[str], str]
    is_recipient: Callable[[TraceRecord, str], bool]

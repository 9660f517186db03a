"""One configuration, ready to be run."""

from dataclasses import dataclass, field

from outgate.config.settings import Settings
from outgate.policy.compiled import Policy
from outgate.signing.dkim_book import Book
from outgate.store.wire import Endpoint


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What every child is given.

    Attributes:
        endpoint: where the store is.
        secret: for keyed hashes.
        trace_secrets: of the trace header alone, the one that signs first.
        book: keys of DKIM; None where nothing is signed.
    """

    settings: Settings
    policy: Policy
    endpoint: Endpoint
    secret: bytes = field(repr=False)
    trace_secrets: tuple[bytes, ...] = field(default=(), repr=False)
    book: Book | None = None

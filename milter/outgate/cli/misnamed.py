"""The part of `outgate doctor` that finds lists and streams of nobody."""

from collections.abc import Iterator
from difflib import get_close_matches
from typing import TYPE_CHECKING

from outgate.cli.ailment import Ailment

if TYPE_CHECKING:
    from outgate.config.settings import Settings
    from outgate.store.keys import Keys
    from outgate.store.trouble import Client

# Nearer than two shops of one house that tell themselves apart by a country.
_CLOSE = 0.75


def misnamed(settings: "Settings", client: "Client", keys: "Keys") -> Iterator[Ailment]:
    """Lists and streams whose customer is nearly one that is configured.

    Whoever is no `[[customer]]` may be one of his own, so the file alone cannot tell; one
    that has mailed somebody is no slip.

    Raises:
        StoreError: the store did not answer.
    """
    from outgate.store.mailed import has_mailed

    names = [customer.name for customer in settings.customer]
    registered = [
        *(("list", one.id, one.customer) for one in settings.list),
        *(("stream", one.name, one.customer) for one in settings.stream),
    ]
    for about, name, customer in registered:
        right = _meant(customer, names)
        if right and not has_mailed(customer, client, keys):
            yield Ailment(
                about,
                f"{name}: {customer!r} is no [[customer]] and has sent nothing yet; did "
                f"you mean {right!r}?",
            )


def _meant(customer: str, names: list[str]) -> str:
    """The configured name that this one is close to, "" where it is right or none is."""
    if customer in names:
        return ""
    by_spelling = {name.casefold(): name for name in names}
    close = get_close_matches(customer.casefold(), by_spelling, n=1, cutoff=_CLOSE)
    return by_spelling[close[0]] if close else ""

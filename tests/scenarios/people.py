"""Who writes and who is written to: addresses that nobody has, as many as needed."""

from collections.abc import Sequence
from random import Random

from scenarios.words import COMPANIES, FIRST_NAMES, LAST_NAMES, NOUNS

# A few providers have most people; the rest have their own domain.
_PROVIDERS = tuple(f"{name}mail.example" for name in COMPANIES[:12])
_SHARE_OF_PROVIDERS = 0.7
_FORMS = ("{first}.{last}", "{first}{last}", "{initial}.{last}", "{first}_{last}")


def crowd(rng: Random, count: int) -> list[str]:
    """Give the addresses of so many people, all different, somewhere outside."""
    # Numbers make them different; people have them in their addresses too.
    first = rng.randrange(1000, 9000)
    return [_address(rng, first + place) for place in range(count)]


def _address(rng: Random, number: int) -> str:
    first = rng.choice(FIRST_NAMES)
    local = rng.choice(_FORMS).format(
        first=first, last=rng.choice(LAST_NAMES), initial=first[0]
    )
    if rng.random() < _SHARE_OF_PROVIDERS:
        return f"{local}{number}@{rng.choice(_PROVIDERS)}"
    return f"{local}{number}@{rng.choice(NOUNS)}-{rng.choice(COMPANIES)}.example"


def first_name(address: str) -> str:
    """Guess how the owner of an address is called, as every mailing does."""
    word = address.partition("@")[0].partition(".")[0].partition("_")[0]
    return word.rstrip("0123456789").capitalize()


def some(rng: Random, people: Sequence[str], count: int) -> tuple[str, ...]:
    """Pick different ones, fewer where there are no more."""
    return tuple(rng.sample(people, min(count, len(people))))

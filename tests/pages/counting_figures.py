"""What was measured for docs/counting.md, as `make bench-policy` and others print it."""

from collections.abc import Iterator

from scenarios.catalogue import SCENARIOS
from scenarios.plain import LIMITS

# `python -m scenarios --seeds 1`, full size. On the first day, after a month of history
# (None where there is none), and with each of the plain limits.
_POLICY: dict[str, tuple[int, int | None, int, int, int]] = {
    "a": (50, 50, 100, 300, 1000),
    "b": (102, 102, 2000, 6000, 20000),
    "c": (50, 50, 100, 300, 1000),
    "d": (50, 50, 100, 300, 1000),
    "e": (99, 99, 10080, 10080, 10080),
    "f": (52, 52, 984, 2898, 9050),
    "g": (55, 55, 300, 900, 3000),
    "h": (50, 50, 50, 150, 500),
    "i": (50, 50, 100, 300, 1000),
    "a-null": (50, 50, 100, 300, 1000),
    "a-bounce": (50, 50, 100, 300, 1000),
    "a-reply": (50, 50, 100, 300, 1000),
    "a-calendar": (50, 50, 100, 300, 1000),
    "a-confirm": (50, 50, 100, 300, 1000),
    "a-srs": (50, 50, 100, 300, 1000),
    "a-arc": (50, 50, 100, 300, 1000),
    "a-list": (50, 50, 100, 300, 1000),
    "a-bulk": (50, 50, 100, 300, 1000),
    "a-receipt": (50, 50, 100, 300, 1000),
    "j": (0, 0, 0, 0, 0),
    "k": (1, 0, 0, 0, 0),
    "l": (0, 0, 0, 0, 0),
    "m": (2, 0, 1, 0, 0),
    "n": (0, 0, 2600, 0, 0),
    "o": (0, 0, 240, 240, 212),
    "p": (0, 0, 19900, 19700, 19000),
    "q": (0, 0, 0, 0, 0),
    "r": (17, 0, 16, 12, 0),
    "s": (3950, 0, 3900, 3700, 3000),
    "t": (0, 0, 0, 0, 0),
    "u": (0, None, 0, 0, 0),
    "v": (0, 0, 13, 0, 0),
    "w": (0, 0, 0, 0, 0),
    "x": (0, 0, 1980, 1940, 1800),
    "y": (5, 0, 4, 0, 0),
}
POLICY_HEAD = (
    *("", "first day", "after a month"),
    *(f"{limit:,}/h" for limit in LIMITS),
)

# `make bench-fingerprints`: of 100 pairs of copies, how many are joined.
COPIES_HEAD = ("words in the text", "none", "2 %", "5 %", "10 %")
COPIES = (
    ("8", "98", "86", "76", "65"),
    ("12", "100", "95", "85", "68"),
    ("20", "100", "98", "90", "71"),
    ("30", "100", "100", "95", "73"),
    ("60", "100", "100", "96", "78"),
    ("150", "100", "100", "96", "76"),
    ("400", "100", "100", "98", "82"),
)


def policy_rows(*, bad: bool) -> Iterator[tuple[str, ...]]:
    """A row for each simulated story that was measured."""
    for scenario in SCENARIOS:
        found = _POLICY.get(scenario.key)
        if found is not None and scenario.is_bad is bad:
            yield (
                scenario.story.replace("(a)", "the first one"),
                *("-" if one is None else f"{one:,}" for one in found),
            )

"""Challenges: requests to confirm a subscription, as they were seen to leave.

The ledger keeps of each subscriber of a list when a challenge first and last left, how
often, and when one was first held, since nobody sees a held one leave that a person
releases. A confirmation that is claimed later is compared with it:

    ──┬──────────────┬──────────────────┬───────────────────┬──▶ time
      │ nothing is   │ first challenge  │ one to Bart       │ Bart confirmed: corroborated
      │ known        │ of the list      │                   │ Ned confirmed:  contradicted

A contradiction is said only where the list's challenges leave through us, and of a time
from which on the ledger is complete.

The other half counts challenges to one person within a day, whoever sends them: that is
what subscription bombing is made of. Among all, a customer counts once, however many it
sends: nobody alone can use up what a person may be asked by others.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import NamedTuple

from outgate.model.units import SECOND_US

DAY_S = 86_400
TOLERANCE_S = 600
"""How far the clock of a list host may be off: as for records of the future."""

MAX_KEPT = 64
"""Challenges to one person that are kept of a day; more are no other case."""

_ENTRY = struct.Struct(">IIIH")
_MOST = 65_535


class Witness(StrEnum):
    """What the ledger says of a claimed confirmation."""

    CORROBORATED = "corroborated"
    UNWITNESSED = "unwitnessed"
    CONTRADICTED = "contradicted-by-ledger"


class Entry(NamedTuple):
    """What the ledger keeps of one subscriber; all times are seconds since the epoch.

    Attributes:
        first_s: when a challenge first left; 0 for never.
        last_s: when one left or was held last.
        held_s: when one was first held; 0 for never.
        times: how often one left, at most 65,535.
    """

    first_s: int = 0
    last_s: int = 0
    held_s: int = 0
    times: int = 0

    def noted(self, now_s: int, *, left: bool) -> "Entry":
        """With one more challenge."""
        if not left:
            return self._replace(last_s=now_s, held_s=self.held_s or now_s)
        return self._replace(
            first_s=self.first_s or now_s,
            last_s=now_s,
            times=min(_MOST, self.times + 1),
        )


def pack_entry(entry: Entry) -> bytes:
    """As the store keeps it: 14 bytes."""
    return _ENTRY.pack(*entry)


def read_entry(packed: bytes | None) -> Entry:
    """What the store keeps; an empty one where there is none, or nobody can read it."""
    if packed is None or len(packed) != _ENTRY.size:
        return Entry()
    return Entry(*_ENTRY.unpack(packed))


@dataclass(frozen=True, slots=True)
class Coverage:
    """Of which time the ledger knows a list's challenges.

    Attributes:
        first_s: the first challenge of the list that was seen, seconds since the epoch; 0 for none.
        since_s: from when on none was forgotten.
        count: how many were seen.
        last_s: when the last one was seen.
    """

    first_s: int = 0
    since_s: int = 0
    count: int = 0
    last_s: int = 0

    def noted(self, now_s: int, retention_s: int) -> "Coverage":
        """With one more challenge; what is older than the retention may be forgotten."""
        first_s = self.first_s or now_s
        return Coverage(
            first_s,
            max(self.since_s, first_s, now_s - retention_s),
            self.count + 1,
            now_s,
        )


COVERAGE_FIELDS = ("first", "since", "count", "last")
"""As the store names them, in the order of `Coverage`."""


def read_coverage(values: Sequence[bytes | None]) -> Coverage:
    """What the store keeps, by `COVERAGE_FIELDS`; what nobody can read is 0."""
    return Coverage(*map(read_number, values))


def read_number(value: bytes | None) -> int:
    """A number that the store keeps; 0 where there is none."""
    return int(value) if value is not None and value.isdigit() else 0


def witness(
    claimed_us: int,
    entry: Entry,
    coverage: Coverage,
    now_us: int,
    retention_s: int,
    *,
    through_us: bool,
) -> Witness:
    """Compare a claimed confirmation with the ledger.

    Clocks may differ by `TOLERANCE_S`, and each time in the list's favour.

    Args:
        claimed_us: when it is said to have been, microseconds since the epoch.
        entry: of the subscriber.
        coverage: of the list.
        now_us: the time.
        retention_s: how long challenges are kept.
        through_us: whether the list is declared to send its challenges through us.
    """
    claimed_s = claimed_us // SECOND_US
    latest_s = claimed_s + TOLERANCE_S
    if 0 < entry.first_s <= latest_s:
        return Witness.CORROBORATED
    if not through_us or not coverage.first_s:
        return Witness.UNWITNESSED
    if 0 < entry.held_s <= latest_s:
        # Somebody may have released it.
        return Witness.UNWITNESSED
    known_s = max(coverage.since_s, now_us // SECOND_US - retention_s)
    if claimed_s - TOLERANCE_S <= known_s or claimed_us > now_us:
        return Witness.UNWITNESSED
    return Witness.CONTRADICTED


class Recent(NamedTuple):
    """One challenge to a person.

    Attributes:
        sender: two bytes of the keyed hash of the customer, two of that of the list. Of
            the few that are kept of a day, hardly ever two look alike; then one counts
            for less, or waits for a day.
        at_s: seconds since the epoch.
    """

    sender: bytes
    at_s: int


@dataclass(frozen=True, slots=True)
class Bombing:
    """How many challenges one person got within the last day, before this one.

    Attributes:
        fits: whether this one is within both bounds.
        same: how many of the same list.
        own: how many of the same customer.
        others: how many other customers sent any.
        retry_after_s: when it would fit; 0 if it does.
        charged: the record that was added, to be given back; b"" for none.
    """

    fits: bool
    same: int
    own: int
    others: int
    retry_after_s: int = 0
    charged: bytes = b""


def challenge(
    kept: Sequence[Recent],
    sender: bytes,
    now_s: int,
    per_list: int,
    per_recipient: int,
    *,
    binding: bool,
    commit: bool = True,
) -> tuple[Bombing, list[Recent]]:
    """Check one challenge to a person, and count it if it may leave.

    Args:
        kept: earlier ones, oldest first.
        sender: who sends this one.
        now_s: seconds since the epoch.
        per_list: so many of one list fit into a day.
        per_recipient: so many of one customer, and so many customers.
        binding: whether one that does not fit stays here, and so is not counted.
        commit: whether it is counted at all.
    """
    recent = [one for one in kept if now_s - one.at_s < DAY_S]
    same = [one.at_s for one in recent if one.sender == sender]
    own = [one.at_s for one in recent if one.sender[:2] == sender[:2]]
    # Of each other customer the latest: until then he counts.
    last_s = {one.sender[:2]: one.at_s for one in recent}
    last_s.pop(sender[:2], None)
    others = sorted(last_s.values())
    retry_s = 0
    bounds = (same, per_list), (own, per_recipient), (others, per_recipient)
    for those, most in bounds:
        if len(those) >= most:
            retry_s = max(retry_s, those[len(those) - most] + DAY_S - now_s)
    fits = not retry_s
    found = Bombing(fits, len(same), len(own), len(others), retry_s)
    if not commit or (binding and not fits):
        return found, list(kept)
    recent.append(Recent(sender, now_s))
    charged = sender + now_s.to_bytes(4, "big")
    return replace(found, charged=charged), recent[-MAX_KEPT:]

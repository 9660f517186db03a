"""A row, judged: which grade it may have, and everything that is odd about it.

Pure. A row whose confirmation has time, zone and client's address, and no flag that
says otherwise, is *asserted*: somebody stands for it, and it can be checked. Everything
else that is a subscription is an *import*. Who has left, or never confirmed, is nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from outgate.evidence.addresses import Client, is_role, read_client
from outgate.evidence.flag import MEANINGS, Effect, Flag
from outgate.evidence.moments import Moment
from outgate.evidence.row import Row
from outgate.model.client import Network
from outgate.model.consent import Grade
from outgate.model.optin import Method
from outgate.model.optin_order import MAX_AHEAD_US

# The first web forms are of 1993; who notes an older time notes something else.
_FIRST_FORM_US = 725_846_400_000_000

_LEFT_OUT = frozenset(
    flag for flag, meaning in MEANINGS.items() if meaning.effect is Effect.LEFT_OUT
)
_DEMOTING = frozenset(
    flag for flag, meaning in MEANINGS.items() if meaning.effect is Effect.IMPORT
)


class Judged(NamedTuple):
    """What a row is worth.

    Attributes:
        grade: `none` where it is no subscription.
        client: from where it was confirmed, None where unknown.
        flags: each once, in the order of their table.
    """

    row: Row
    grade: Grade
    client: Client | None
    flags: tuple[Flag, ...]

    @property
    def is_left_out(self) -> bool:
        """Whether it is no subscription."""
        return self.grade is Grade.NONE


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What a row does not know of itself.

    Attributes:
        now_us: microseconds since the epoch.
        own: networks of list host and customer.
    """

    now_us: int
    own: Sequence[Network] = ()


def judge(row: Row, around: Circumstances, *, is_crowded: bool = False) -> Judged:
    """Judge one row.

    Args:
        row: what a format found.
        around: what it does not know.
        is_crowded: whether other addresses were confirmed from the same client within
            the same second.
    """
    flags = set(row.flags)
    client = read_client(row.confirm_ip)
    if flags.isdisjoint(_LEFT_OUT):
        _look_at_times(row, around, flags)
        _look_at_client(client, around, flags)
        if row.needs_signup:
            _look_at_signup(row, around, flags)
        if is_crowded:
            flags.add(Flag.SAME_IP_AND_SECOND)
    if is_role(row.address):
        flags.add(Flag.ROLE_ACCOUNT)
    if not flags:
        grade = Grade.IMPORT if row.method is Method.IMPORT else Grade.ASSERTED
        return Judged(row, grade, client, ())
    if not flags.isdisjoint(_LEFT_OUT):
        grade = Grade.NONE
    elif row.method is Method.IMPORT or not flags.isdisjoint(_DEMOTING):
        grade = Grade.IMPORT
    else:
        grade = Grade.ASSERTED
    return Judged(row, grade, client, tuple(sorted(flags)))


def _look_at_times(row: Row, around: Circumstances, flags: set[Flag]) -> None:
    confirm = row.confirm
    if confirm is None:
        flags.add(Flag.NO_CONFIRMATION)
        return
    if confirm.is_ambiguous:
        flags.add(Flag.AMBIGUOUS_HOUR)
    if confirm.is_missing:
        flags.add(Flag.MISSING_HOUR)
    if confirm.time_us > around.now_us + MAX_AHEAD_US:
        flags.add(Flag.CONFIRM_IN_FUTURE)
    if confirm.time_us < _FIRST_FORM_US:
        flags.add(Flag.TOO_OLD)
    if row.signup and _is_before(confirm, row.signup):
        flags.add(Flag.CONFIRM_BEFORE_SIGNUP)


def _is_before(confirm: Moment, signup: Moment) -> bool:
    """In an hour that was there twice, nobody knows."""
    if confirm.is_ambiguous or signup.is_ambiguous:
        return confirm.time_us + 3_600_000_000 < signup.time_us
    return confirm.time_us < signup.time_us


def _look_at_client(
    client: Client | None, around: Circumstances, flags: set[Flag]
) -> None:
    if client is None:
        flags.add(Flag.NO_IP)
        return
    address = client.address
    if address is None:
        flags.add(Flag.NOT_AN_IP)
        return
    if client.is_forwarded:
        flags.add(Flag.FORWARDED_IP)
    if client.is_inner:
        flags.add(Flag.INNER_IP)
    if around.own and any(address in network for network in around.own):
        flags.add(Flag.OWN_IP)


def _look_at_signup(row: Row, around: Circumstances, flags: set[Flag]) -> None:
    """A source that notes both must have both."""
    signup = row.signup
    client = read_client(row.signup_ip)
    if signup is None or client is None or client.address is None:
        flags.add(Flag.NO_SIGNUP)
        return
    if client.is_inner:
        flags.add(Flag.INNER_IP)
    if around.own and any(client.address in network for network in around.own):
        flags.add(Flag.OWN_IP)
    if signup == row.confirm:
        flags.add(Flag.CONFIRM_IS_IMPORT)

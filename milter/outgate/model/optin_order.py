"""Which of two records of one subscription counts, and how a record is packed.

The order is total: whatever the order in which events arrive, once or twice, the same
one is left. Packed records compare as their bytes do, so that a script in the store can
tell which one counts without reading the rest:

    0   firm      1 byte   '1', or '0' for an address in a file
    1   time      7 bytes  microseconds since the epoch, 0 for none
    8   state     1 byte   'c' consent, 'w' withdrawn, 'x' erased: nothing follows
    9   grade     1 byte   '5' witnessed … '1' import, '0' none
    10  method    1 byte   letter, upper case where there is a commitment
    11  zone      2 bits   explicit, source-utc, declared, unknown
        length    6 bits   of the evidence id
    12  offset    2 bytes  minutes east of UTC, plus 1440
    14  commitment, 0 or 16 bytes; evidence id, six bits a letter; source

Numbers are big-endian. The longest has 64 bytes: Redis keeps hashes packed whose values
are no longer (hash-max-listpack-value).
"""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode

from outgate.model.consent import Grade
from outgate.model.optin import (
    COMMITMENT_BYTES,
    Method,
    Permission,
    Record,
    State,
    ZoneSource,
)

PRECEDENCE_BYTES = 10
MAX_RECORD_BYTES = 64
MAX_AHEAD_US = 600_000_000
"""How far the clock of whoever tells an event may be ahead of the store's."""

_HEAD_BYTES = 14
_MINUTES = 1440
_STATES = {State.CONSENT: b"c", State.WITHDRAWN: b"w", State.ERASED: b"x"}
_METHODS = {
    Method.COI: b"c",
    Method.COI_MAIL: b"m",
    Method.COI_WEB: b"w",
    Method.PAPER: b"p",
    Method.IMPORT: b"i",
    Method.OTHER: b"o",
}
_ZONES = tuple(ZoneSource)
_STATE_OF = {letter: state for state, letter in _STATES.items()}
_METHOD_OF = {letter: method for method, letter in _METHODS.items()}
_GRADES = {grade: b"%d" % (Grade.NONE.rank - grade.rank) for grade in Grade}
_GRADE_OF = {digit: grade for grade, digit in _GRADES.items()}
# By firmness, state and grade.
_PERMISSIONS = {
    (b"1" if grade.is_consent else b"0") + b"c" + digit: Permission(grade.value)
    for grade, digit in _GRADES.items()
} | {b"1w0": Permission.WITHDRAWN, b"1x0": Permission.UNKNOWN}
_CLAIM = b"c" + _GRADES[Grade.ASSERTED]
_CONFIRMED = frozenset(letter for one, letter in _METHODS.items() if one.is_confirmed)
_ERASED = re.compile(rb"1(?!\0{7})[\0-\x1f].{6}x0", re.DOTALL)
# The fixed bytes of all others: what has no time is a consent, and has no zone.
_HEAD = re.compile(
    rb"(?:(?:1\0{7}c[2-5]|0\0{7}c[01])[cmwpioCMWPIO][\xc0-\xe0]"
    rb"|(?!.\0{7})(?:1[\0-\x1f].{6}(?:c[2-5]|w0)|0[\0-\x1f].{6}c[01])[cmwpioCMWPIO]"
    rb"[\0-\x20\x40-\x60\x80-\xa0\xc0-\xe0])"
    rb"(?:\0[\x01-\xff]|[\x01-\x0a].|\x0b[\0-\x3f])",
    re.DOTALL,
)
_SOURCE_LETTERS = b"abcdefghijklmnopqrstuvwxyz0123456789.-"
_MAX_SOURCE_BYTES = 10


def pack(record: Record) -> bytes:
    """The record as the store keeps it."""
    digit = _GRADES[record.grade]
    moment = (record.time_us or 0).to_bytes(7, "big")
    firm = b"1" if record.is_firm else b"0"
    precedence = firm + moment + _STATES[record.state] + digit
    if record.state is State.ERASED:
        return precedence
    method = _METHODS[record.method]
    name = record.evidence_id
    packed = urlsafe_b64decode(name + "A" * (-len(name) % 4))[
        : _packed_bytes(len(name))
    ]
    return b"".join(
        (
            precedence,
            method.upper() if record.commitment else method,
            bytes(((_ZONES.index(record.zone) << 6) + len(name),)),
            (record.offset_minutes + _MINUTES).to_bytes(2, "big"),
            record.commitment,
            packed,
            record.source.encode(),
        )
    )


def claim_us(packed: bytes) -> int:
    """When the confirmation is said to have been that a record claims; 0 for none.

    A claim is a consent of grade `asserted`, whose method is a confirmation, and whose
    time is known.
    """
    if packed[8:10] != _CLAIM or packed[10:11].lower() not in _CONFIRMED:
        return 0
    return int.from_bytes(packed[1:8], "big")


def corroborated(packed: bytes) -> bytes:
    """The same claim, with the grade that somebody else's word gives it."""
    return packed[:9] + _GRADES[Grade.CORROBORATED] + packed[10:]


def unpack(packed: bytes) -> Record:
    """A record from the store.

    Raises:
        ValueError: it is none, as `is_record` says without unpacking it.
    """
    try:
        record = _unpack(packed)
    except (LookupError, UnicodeDecodeError) as error:
        raise ValueError(f"no record: {packed[:MAX_RECORD_BYTES]!r}") from error
    if pack(record) != packed:
        raise ValueError(f"no record: {packed[:MAX_RECORD_BYTES]!r}")
    return record


def _unpack(packed: bytes) -> Record:
    state = _STATE_OF[packed[8:9]]
    time_us = int.from_bytes(packed[1:8], "big") or None
    if state is State.ERASED:
        return Record(state=state, time_us=time_us)
    method = packed[10:11]
    zone, length = packed[11] >> 6, packed[11] & 63
    rest = packed[_HEAD_BYTES:]
    size = COMMITMENT_BYTES if method.isupper() else 0
    commitment, rest = rest[:size], rest[size:]
    size = _packed_bytes(length)
    name, source = rest[:size], rest[size:]
    return Record(
        state=state,
        time_us=time_us,
        offset_minutes=int.from_bytes(packed[12:_HEAD_BYTES], "big") - _MINUTES,
        zone=_ZONES[zone],
        method=_METHOD_OF[method.lower()],
        grade=_GRADE_OF[packed[9:10]],
        evidence_id=urlsafe_b64encode(name + b"\0" * (-len(name) % 3)).decode()[
            :length
        ],
        commitment=commitment,
        source=source.decode("ascii"),
    )


def is_record(packed: bytes) -> bool:
    """Whether it is exactly what `pack` makes of some record.

    A message's recipients are looked up by this, a thousand at a time, and `optin.lua`
    has the same rules: what one of them takes for a record, the others can read.
    """
    if len(packed) == PRECEDENCE_BYTES:
        return _ERASED.match(packed) is not None
    if _HEAD.match(packed) is None:
        return False
    length = packed[11] & 63
    end = _HEAD_BYTES + _packed_bytes(length)
    # An upper case letter.
    if packed[10] < ord("a"):
        end += COMMITMENT_BYTES
    if not end <= len(packed) <= end + _MAX_SOURCE_BYTES:
        return False
    spare_bits = 2 * (length % 4)
    return not (
        packed[end - 1] & ((1 << spare_bits) - 1)
        or packed[end:].translate(None, _SOURCE_LETTERS)
    )


def read_record(packed: bytes | None) -> Record | None:
    """A record from the store, if there is one; what nobody can read counts as nothing."""
    try:
        return unpack(packed) if packed else None
    except ValueError:
        return None


def _packed_bytes(letters: int) -> int:
    return (6 * letters + 7) // 8


def permission(packed: bytes) -> Permission:
    """What a record says, without unpacking it; what is none says nothing."""
    if not is_record(packed):
        return Permission.UNKNOWN
    return _PERMISSIONS[packed[:1] + packed[8:10]]


def precedence(record: Record) -> tuple[bool, int, int, int]:
    """What two records are compared by, first; the higher one counts.

    An address in a file takes nothing back, whatever its date: neither a withdrawal, nor
    an erasure, nor a better consent. Among the others the later one counts, so that a
    withdrawal ends older consents, and a newer confirmation ends a withdrawal or an
    erasure. At one moment an erasure counts more than a withdrawal, that more than a
    consent, and the better grade more. A consent without a time is older than all that
    have one.
    """
    state = tuple(State).index(record.state)
    return record.is_firm, record.time_us or 0, state, -record.grade.rank


def outranks(new: Record, old: Record) -> bool:
    """Whether the new record takes the old one's place.

    Two of equal precedence are told apart by whatever else they hold, so that the
    outcome does not depend on which came first.
    """
    return pack(new) > pack(old)


def later(one: Record | None, other: Record | None) -> Record | None:
    """Which of two counts; nothing counts less than any record."""
    if one is None or other is None:
        return one or other
    return one if outranks(one, other) else other


def erasure(now_us: int, old: Record | None) -> Record:
    """The mark that an erasure leaves.

    Args:
        now_us: when it was ordered.
        old: what was there; a consent whose clock was ahead of ours is erased, too.
    """
    return Record(state=State.ERASED, time_us=max(now_us, (old and old.time_us) or 0))

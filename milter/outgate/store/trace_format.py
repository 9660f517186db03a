"""A trace record in bytes, as short as it can be read for years.

    0   version  1 byte, '1'
    1   grade    1 byte, a letter; upper case where the message was held ('-' for '0')
    2   time     8 bytes, microseconds since the epoch
    10  count of recipients          4 bytes
    14  how many hashes are kept     2 bytes
    16  eight texts, each with its length in one byte: customer, principal ("" where it
        is the customer), script, client, queue id, name of the MTA, sender, list; then
        the campaign, in the same way; then the hashes

Numbers are big-endian.
"""

import struct
from collections.abc import Sequence

from outgate.model.consent import Grade
from outgate.model.trace import TraceRecord
from outgate.policy.questions import HASH_BYTES

_VERSION = b"1"
_HEAD = struct.Struct(">ccQIH")
_TEXTS = 8
_MOST_TEXT_BYTES = 255
MAX_HASHES = 5_000


def pack(record: TraceRecord) -> bytes:
    """A record in bytes; a text beyond 255 bytes loses its beginning."""
    letter = record.grade.letter
    if record.held:
        letter = letter.upper() if letter.isalpha() else "-"
    hashes = record.recipients[:MAX_HASHES]
    principal = record.principal
    parts = [
        _HEAD.pack(
            _VERSION,
            letter.encode(),
            record.time_us,
            record.recipient_count,
            len(hashes),
        )
    ]
    for text in (
        record.customer,
        "" if principal == record.customer else principal,
        record.script,
        record.client,
        record.queue_id,
        record.mta_name,
        record.sender,
        record.list_id,
    ):
        raw = text.encode("utf-8", "surrogateescape")[-_MOST_TEXT_BYTES:]
        parts.append(b"%c%b" % (len(raw), raw))
    parts.append(b"%c%b" % (len(record.campaign), record.campaign))
    parts += hashes
    return b"".join(parts)


def unpack(packed: bytes) -> TraceRecord:
    """A record from bytes.

    Raises:
        ValueError: it is none, or of another version.
    """
    try:
        version, letter, time_us, count, kept = _HEAD.unpack_from(packed)
    except struct.error:
        raise ValueError("is cut off") from None
    if version != _VERSION:
        raise ValueError(f"is of version {version!r}")
    texts, at = _texts(packed)
    if len(packed) != at + kept * HASH_BYTES:
        raise ValueError("is cut off")
    customer, principal, script, client, queue_id, mta_name, sender, list_id = (
        text.decode("utf-8", "replace") for text in texts[:_TEXTS]
    )
    held = not letter.islower() and letter != b"0"
    return TraceRecord(
        customer=customer,
        principal=principal or customer,
        script=script,
        client=client,
        queue_id=queue_id,
        mta_name=mta_name,
        time_us=time_us,
        sender=sender,
        list_id=list_id,
        grade=Grade.of_letter(letter.decode("ascii", "replace").lower())
        if letter != b"-"
        else Grade.NONE,
        campaign=texts[_TEXTS],
        recipients=hashes_of(packed, at),
        recipient_count=count,
        held=held,
    )


def _texts(packed: bytes) -> tuple[Sequence[bytes], int]:
    """All texts and the campaign, and where the hashes begin."""
    texts, at = [], _HEAD.size
    for _ in range(_TEXTS + 1):
        if at >= len(packed):
            raise ValueError("is cut off")
        end = at + 1 + packed[at]
        texts.append(packed[at + 1 : end])
        at = end
    return texts, at


def hashes_of(packed: bytes, at: int) -> tuple[bytes, ...]:
    """The hashes that begin at a place."""
    return tuple(
        packed[place : place + HASH_BYTES]
        for place in range(at, len(packed), HASH_BYTES)
    )


def without(packed: bytes, one: bytes) -> bytes | None:
    """The record without a recipient; None where it has none such.

    The count of recipients stays: it names nobody.
    """
    if one not in packed:
        return None
    _, at = _texts(packed)
    hashes = hashes_of(packed, at)
    if one not in hashes:
        return None
    left = [each for each in hashes if each != one]
    version, letter, time_us, count, _ = _HEAD.unpack_from(packed)
    head = _HEAD.pack(version, letter, time_us, count, len(left))
    return b"".join((head, packed[_HEAD.size : at], *left))

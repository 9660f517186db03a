"""Evidence as the store keeps it: small, and sealed.

    precedence 10 bytes | nonce 12 | sealed: the other attributes, evidence | tag 16

The precedence is that of the consent which it stands behind: the newest evidence stays,
also while a withdrawal has taken the consent's place in the index. Its other attributes
are sealed too, so that it can be shown then. All of it is deflated (RFC 1951) with a
dictionary of what such records say again and again, the list's id among it: half as
large.
"""

import zlib
from dataclasses import replace
from typing import Protocol

from outgate.model.errors import EvidenceError
from outgate.model.optin import (
    MAX_EVIDENCE_BYTES,
    Method,
    Record,
    ZoneSource,
    commitment_of,
)
from outgate.model.optin_order import PRECEDENCE_BYTES, pack, unpack

# Never changed: what was deflated with it needs it. The likeliest stands last.
_DICTIONARY = (
    b'"confirm":{"ip":"2001:db8:","signup":{"referer":"https://www."time":"T:00Z+00:00'
    b'"list":"method":"coi-webcoi-mail","source":{"software":"mailman","version":"url":'
    b'"https://lists.Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) Mobile/15E148'
    b"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like "
    b"Gecko) Version/17.0 Safari/605.1.15Mozilla/5.0 (Linux; Android 10; K) Mozilla/5.0 "
    b"(X11; Ubuntu; Linux x86_64; rv:109.0) Gecko/20100101 Firefox/115.0Mozilla/5.0 "
    b"(Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
    b'Chrome/120.0.0.0 Safari/537.36 Edg/"}{"e":"01","ip":"192.","l":"","m":"coi-web",'
    b'"rcpt":"","salt":"","t":"202","ua":"Mozilla/5.0 ('
    b"operator listmonk phplist mailpoet sympa mailman2 mailman3 explicit coi-web "
)
_WINDOW_BITS = -12
_FORM = b"\x01"
_MAX_WORDS_BYTES = 128
# A record without any other attribute goes on like this.
_NOTHING_ELSE = pack(Record())[PRECEDENCE_BYTES:]


class Sealer(Protocol):
    """Encrypts with a key that is not in the store; `signing` has one."""

    def seal(self, plain: bytes, associated: bytes) -> bytes:
        """Encrypt."""

    def open(self, sealed: bytes, associated: bytes) -> bytes:
        """Decrypt.

        Raises:
            EvidenceError: it is not what was sealed.
        """


def text_of(record: Record, evidence: bytes) -> bytes:
    """What is sealed of a consent: its other attributes, and the evidence.

    Args:
        record: the consent.
        evidence: canonical, as its commitment says.
    """
    # The commitment is that of the evidence: it need not be kept twice.
    words = (
        record.zone.value,
        record.method.value,
        record.source,
        str(record.offset_minutes),
        record.evidence_id,
    )
    return " ".join(words).encode() + b"\n" + evidence


def seal(
    sealer: Sealer, list_id: str, field: bytes, precedence: bytes, text: bytes
) -> bytes:
    """What stands behind a consent, as it is kept.

    Args:
        sealer: has the key.
        list_id: of the list.
        field: of the subscription; it opens for no other.
        precedence: of the consent, `PRECEDENCE_BYTES`.
        text: as `text_of` gives it.
    """
    deflate = zlib.compressobj(
        9, zlib.DEFLATED, _WINDOW_BITS, 5, zdict=_dictionary(list_id)
    )
    plain = _FORM + deflate.compress(text) + deflate.flush()
    return precedence + sealer.seal(plain, precedence + field)


def unseal(
    sealer: Sealer, list_id: str, field: bytes, value: bytes
) -> tuple[Record, bytes]:
    """A consent, and the evidence behind it.

    Raises:
        EvidenceError: it was not sealed for this field, with this key.
    """
    precedence, sealed = value[:PRECEDENCE_BYTES], value[PRECEDENCE_BYTES:]
    plain = sealer.open(sealed, precedence + field)
    if plain[:1] != _FORM:
        raise EvidenceError("was sealed by a newer Outgate: upgrade this one")
    inflate = zlib.decompressobj(_WINDOW_BITS, zdict=_dictionary(list_id))
    # What we sealed is never longer.
    text = inflate.decompress(plain[1:], _MAX_WORDS_BYTES + MAX_EVIDENCE_BYTES)
    words, _, evidence = text.partition(b"\n")
    zone, method, source, offset, evidence_id = words.decode().split(" ")
    # All that is missing in a record of the same moment and grade.
    record = replace(
        unpack(precedence + _NOTHING_ELSE),
        zone=ZoneSource(zone),
        method=Method(method),
        source=source,
        offset_minutes=int(offset),
        evidence_id=evidence_id,
        commitment=commitment_of(evidence),
    )
    return record, evidence


def _dictionary(list_id: str) -> bytes:
    return list_id.encode() + _DICTIONARY

"""Evidence as the store keeps it: small, and sealed.

    precedence 10 bytes | nonce 12 | sealed: rest of the record, evidence | tag 16

The precedence is that of the consent which it stands behind: the newest evidence stays,
also while a withdrawal has taken the consent's place in the index. Its other attributes
are sealed too, so that it can be shown then. Evidence is deflated (RFC 1951) with a
dictionary of what such records say again and again: half as large.
"""

import zlib
from dataclasses import replace
from typing import Protocol

from outgate.model.errors import EvidenceError
from outgate.model.optin import MAX_EVIDENCE_BYTES, Record, commitment_of
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
)
_WINDOW_BITS = -12
_FORM = b"\x01"


class Sealer(Protocol):
    """Encrypts with a key that is not in the store; `signing` has one."""

    def seal(self, plain: bytes, associated: bytes) -> bytes:
        """Encrypt."""

    def open(self, sealed: bytes, associated: bytes) -> bytes:
        """Decrypt.

        Raises:
            EvidenceError: it is not what was sealed.
        """


def seal(sealer: Sealer, field: bytes, record: Record, evidence: bytes) -> bytes:
    """What stands behind a consent, as it is kept.

    Args:
        sealer: has the key.
        field: of the subscription; it opens for no other.
        record: the consent.
        evidence: canonical, as its commitment says.
    """
    # The commitment is that of the evidence: it need not be kept twice.
    packed = pack(replace(record, commitment=b""))
    precedence, rest = packed[:PRECEDENCE_BYTES], packed[PRECEDENCE_BYTES:]
    deflate = zlib.compressobj(9, zlib.DEFLATED, _WINDOW_BITS, 5, zdict=_DICTIONARY)
    deflated = deflate.compress(evidence) + deflate.flush()
    plain = b"%b%c%b%b" % (_FORM, len(rest), rest, deflated)
    return precedence + sealer.seal(plain, precedence + field)


def unseal(sealer: Sealer, field: bytes, value: bytes) -> tuple[Record, bytes]:
    """A consent, and the evidence behind it.

    Raises:
        EvidenceError: it was not sealed for this field, with this key.
    """
    precedence, sealed = value[:PRECEDENCE_BYTES], value[PRECEDENCE_BYTES:]
    plain = sealer.open(sealed, precedence + field)
    if plain[:1] != _FORM:
        raise EvidenceError("was sealed by a newer Outgate: upgrade this one")
    end = 2 + plain[1]
    inflate = zlib.decompressobj(_WINDOW_BITS, zdict=_DICTIONARY)
    # What we sealed is never longer.
    evidence = inflate.decompress(plain[end:], MAX_EVIDENCE_BYTES)
    record = unpack(precedence + plain[2:end])
    return replace(record, commitment=commitment_of(evidence)), evidence

"""Signs and verifies the header `Outgate-Trace`.

    Outgate-Trace: v=1; i=01936c5d3e7a5be2ef6d3c8a1b0f9d42; c=9f86d081884c7d65;
     t=1764004027; g=w; l=2c26b46b68ffc68f; k=fcde2b2e; b=8c1f…

HMAC-SHA256 (RFC 2104), half of it, under a key that is derived from a secret; `k` names
the key. The header is long-lived and passes through the hands of whoever reports it:
case, folds and white space may change on the way, and what is signed does not depend on
them.

Pseudonyms come from the main secret alone, so that they outlive the keys.
"""

import hmac
import re
from collections.abc import Sequence
from functools import lru_cache
from hashlib import blake2b

from outgate.model.consent import Grade
from outgate.model.trace import Trace

MAX_TRACE_BYTES = 1024
"""Of one header's value, folds included; ours has 149 at most."""

_SIGNED_AS = b"outgate-trace/1\n"
_TAG_BYTES = 16
_PSEUDONYM_BYTES = 8
_KEY_ID_BYTES = 4
_DIGEST = "sha256"
# Without white space, in lower case.
_VALUE = re.compile(
    rb"(?P<signed>v=1;i=(?P<id>[0-9a-f]{32});c=(?P<customer>[0-9a-f]{16})"
    rb";t=(?P<time>0|[1-9][0-9]{0,10});g=(?P<grade>[wcapi0])"
    rb"(?:;l=(?P<list>[0-9a-f]{16}))?;k=(?P<key>[0-9a-f]{8}))"
    rb";b=(?P<tag>[0-9a-f]{32});?"
)


class TraceSigner:
    """Signs with one key, reads with all."""

    def __init__(self, secret: bytes, rotated: Sequence[bytes] = ()) -> None:
        """Derive the keys.

        Args:
            secret: the main one; it makes the pseudonyms, and signs where there is no
                other.
            rotated: secrets for this header alone; the first one signs, the others
                and the main one are only read.
        """
        signing = [_derive(one) for one in (*rotated, secret)]
        self._keys = {_key_id(key): key for key in reversed(signing)}
        self._key = signing[0]
        self._key_id = _key_id(self._key).decode()
        self._customer = blake2b(
            key=secret, digest_size=_PSEUDONYM_BYTES, person=b"trace customer"
        )
        self._list = blake2b(
            key=secret, digest_size=_PSEUDONYM_BYTES, person=b"trace list"
        )
        self.customer = lru_cache(maxsize=8192)(self._of_customer)
        self.list_id = lru_cache(maxsize=8192)(self._of_list)

    def sign(self, trace: Trace) -> str:
        """The header's value, in lines of 78 characters at most."""
        head, own = f"i={trace.id};", f"c={trace.customer};"
        said, key = f"t={trace.time_s};", f"k={self._key_id}"
        grade = f"g={trace.grade.letter};"
        of_list = f"l={trace.list_id};" if trace.list_id else ""
        tag = _tag(
            self._key, f"v=1;{head}{own}{said}{grade}{of_list}{key}".encode()
        ).hex()
        if of_list:
            of_list = f" {of_list}\n"
        return f"v=1; {head} {own}\n {said} {grade}{of_list} {key}; b={tag}"

    def read(self, value: bytes) -> Trace | None:
        """What a header says, None where it is none that these keys have signed.

        Args:
            value: of the header, folded or not.
        """
        if len(value) > MAX_TRACE_BYTES:
            return None
        found = _VALUE.fullmatch(b"".join(value.split()).lower())
        if found is None:
            return None
        key = self._keys.get(found["key"])
        if key is None:
            return None
        tag = _tag(key, found["signed"])
        if not hmac.compare_digest(tag, bytes.fromhex(found["tag"].decode())):
            return None
        return Trace(
            id=found["id"].decode(),
            customer=found["customer"].decode(),
            time_s=int(found["time"]),
            grade=Grade.of_letter(found["grade"].decode()),
            list_id=(found["list"] or b"").decode(),
        )

    def _of_customer(self, customer: str) -> str:
        """The pseudonym of a customer: 16 hexadecimal digits."""
        digest = self._customer.copy()
        digest.update(customer.encode("utf-8", "surrogateescape"))
        return digest.hexdigest()

    def _of_list(self, customer: str, list_id: str) -> str:
        """The pseudonym of a customer's list: 16 hexadecimal digits."""
        digest = self._list.copy()
        digest.update(f"{customer}\n{list_id}".encode("utf-8", "surrogateescape"))
        return digest.hexdigest()


def _derive(secret: bytes) -> bytes:
    return blake2b(key=secret, digest_size=32, person=b"outgate trace").digest()


def _key_id(key: bytes) -> bytes:
    digest = blake2b(key=key, digest_size=_KEY_ID_BYTES, person=b"trace key id")
    return digest.hexdigest().encode()


def _tag(key: bytes, signed: bytes) -> bytes:
    return hmac.digest(key, _SIGNED_AS + signed, _DIGEST)[:_TAG_BYTES]

"""Encrypts evidence before it goes to the store: AES-256-GCM (NIST SP 800-38D).

The key comes from the secret, which is never in the store: who has the store alone reads
no address. What is sealed for one subscription opens for no other.
"""

import os
from hashlib import blake2b

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from outgate.model.errors import EvidenceError

NONCE_BYTES = 12
OVERHEAD_BYTES = NONCE_BYTES + 16


class Vault:
    """Seals and opens, under one secret."""

    def __init__(self, secret: bytes) -> None:
        key = blake2b(key=secret, digest_size=32, person=b"outgate evidence").digest()
        self._cipher = AESGCM(key)

    def seal(self, plain: bytes, associated: bytes) -> bytes:
        """Encrypt; gives nonce, text and tag.

        A nonce is random: with four billion of them two are equal with a chance of
        one in 2^33, which is what the standard allows.

        Args:
            plain: what nobody else may read.
            associated: what it belongs to; the same is needed to open it.
        """
        nonce = os.urandom(NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, plain, associated)

    def open(self, sealed: bytes, associated: bytes) -> bytes:
        """Decrypt.

        Raises:
            EvidenceError: another secret, or somebody changed it.
        """
        if len(sealed) < OVERHEAD_BYTES:
            raise EvidenceError("is cut off")
        nonce, text = sealed[:NONCE_BYTES], sealed[NONCE_BYTES:]
        try:
            return self._cipher.decrypt(nonce, text, associated)
        except InvalidTag:
            raise EvidenceError(
                "cannot be opened: it was sealed with another secret, or changed"
            ) from None

"""Encrypts evidence before it goes to the store: AES-256-GCM (NIST SP 800-38D).

The key comes from the secret, which is never in the store: who has the store alone reads
no address. What is sealed for one subscription opens for no other.

A file is sealed in chunks, so that memory is flat:

    outgate-sealed 1 LF | id of the file 16 | (length 4 big-endian, sealed chunk) …

Each chunk is bound to the file's id, to its place, and to whether it is the last one, so
that none can be taken away, moved or brought from another file (STREAM, Hoang and others
2015).
"""

import os
import struct
from collections.abc import Iterable, Iterator
from hashlib import blake2b
from typing import IO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from outgate.model.errors import EvidenceError

NONCE_BYTES = 12
OVERHEAD_BYTES = NONCE_BYTES + 16
MAX_CHUNK_BYTES = 1 << 20
_FILE = b"outgate-sealed 1\n"
_FILE_ID_BYTES = 16
_LENGTH = struct.Struct(">I")


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

    def seal_file(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        """Encrypt a file, piece by piece.

        Args:
            chunks: of at most `MAX_CHUNK_BYTES`.
        """
        file_id = os.urandom(_FILE_ID_BYTES)
        yield _FILE + file_id
        number, held = 0, b""
        for chunk in chunks:
            if number:
                yield self._frame(held, _place(file_id, number, is_last=False))
            number, held = number + 1, chunk
        yield self._frame(held, _place(file_id, max(number, 1), is_last=True))

    def open_file(self, file: IO[bytes]) -> Iterator[bytes]:
        """Decrypt a file, piece by piece.

        Raises:
            EvidenceError: it is no sealed file, another secret's, cut off or changed;
                what was given before is as it was.
            OSError: it cannot be read.
        """
        head = file.read(len(_FILE) + _FILE_ID_BYTES)
        if not head.startswith(_FILE):
            raise EvidenceError("is no sealed file of this version")
        file_id, number = head[len(_FILE) :], 0
        length = file.read(_LENGTH.size)
        while True:
            number += 1
            size = _LENGTH.unpack(length)[0] if len(length) == _LENGTH.size else 0
            if not OVERHEAD_BYTES <= size <= MAX_CHUNK_BYTES + OVERHEAD_BYTES:
                raise EvidenceError("is cut off, or changed")
            sealed = file.read(size)
            length = file.read(_LENGTH.size)
            yield self.open(sealed, _place(file_id, number, is_last=not length))
            if not length:
                return

    def _frame(self, plain: bytes, associated: bytes) -> bytes:
        sealed = self.seal(plain, associated)
        return _LENGTH.pack(len(sealed)) + sealed


def _place(file_id: bytes, number: int, *, is_last: bool) -> bytes:
    return b"file %b %d %d" % (file_id, number, is_last)

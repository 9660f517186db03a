"""Signatures of opt-in tokens, and the keys that make them.

Ed25519 (RFC 8032) for list hosts elsewhere: they make their key, we know its public
half, so nobody here can mint a token. HMAC-SHA256 (RFC 2104) only where the list host
is this very machine: both sides have the same secret.

A key is one line in a file of its owner's alone:

    ed25519 lists.example.org 2026a <base64url of the 32 octets>
"""

import hmac
import os
import secrets
from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from outgate.message.optin_evidence import (
    Algorithm,
    Token,
    from_base64url,
    to_base64url,
)
from outgate.model.errors import EX_CANTCREAT, EX_CONFIG, StartError
from outgate.policy.optin_keys import OptinKey, parse_key
from outgate.signing.secret import SECRET_BYTES, key_id

_CACHED_KEYS = 1024


@dataclass(frozen=True, slots=True)
class SigningKey:
    """What a list host signs with.

    Attributes:
        seed: of Ed25519 the private key, of HMAC the secret; 32 octets.
    """

    algorithm: Algorithm
    issuer: str
    selector: str
    seed: bytes = field(repr=False)

    @classmethod
    def make(cls, algorithm: Algorithm, issuer: str, selector: str) -> Self:
        """A new one."""
        return cls(algorithm, issuer, selector, secrets.token_bytes(SECRET_BYTES))

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a key's file.

        Raises:
            StartError: it is missing, unreadable, or others than its owner can read
                it, or it is no key.
        """
        try:
            with path.open() as file:
                mode = os.fstat(file.fileno()).st_mode
                words = file.read(4096).split()
        except OSError as error:
            raise StartError(
                f"{path} cannot be read: {error.strerror}", EX_CONFIG
            ) from error
        except UnicodeDecodeError:
            mode, words = 0, []
        if mode & 0o077:
            raise StartError(
                f"{path}: others can read it: chmod 600, and if they should not have, "
                "make a new key",
                EX_CONFIG,
            )
        try:
            algorithm, issuer, selector, seed = words
            key = cls(Algorithm(algorithm), issuer, selector, from_base64url(seed))
        except ValueError:
            key = None
        if key is None or len(key.seed) != SECRET_BYTES:
            raise StartError(
                f"{path} is no key: expected one line of `outgate optin key new`",
                EX_CONFIG,
            )
        return key

    @property
    def name(self) -> str:
        """Under which it is registered."""
        return f"{self.issuer}:{self.selector}"

    @property
    def public(self) -> bytes:
        """The public half of an Ed25519 key, b"" for HMAC."""
        if self.algorithm is Algorithm.HMAC_SHA256:
            return b""
        key = Ed25519PrivateKey.from_private_bytes(self.seed)
        return key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)

    @property
    def secret_id(self) -> str:
        """The public name of an HMAC secret, "" for Ed25519."""
        return key_id(self.seed) if self.algorithm is Algorithm.HMAC_SHA256 else ""

    def write(self, path: Path) -> None:
        """Write a file that only its owner can read; never replaces one.

        Raises:
            StartError: it exists or cannot be written.
        """
        line = (self.algorithm, self.issuer, self.selector, to_base64url(self.seed))
        try:
            descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
            with os.fdopen(descriptor, "w") as file:
                file.write(f"{' '.join(line)}\n")
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise StartError(
                f"{path} cannot be made: {error.strerror}", EX_CANTCREAT
            ) from error

    def prove(self, customer: str, lists: Collection[str]) -> bytes:
        """A signature that this Ed25519 key is to count for these lists.

        Args:
            customer: whose lists they are.
            lists: their ids.

        Raises:
            ValueError: no key can be registered like this.
        """
        wanted = OptinKey(
            name=self.name,
            public=self.public,
            customer=customer,
            lists=frozenset(one.lower() for one in lists),
        )
        read = parse_key(self.name, str(wanted).encode())
        if read != wanted:
            raise ValueError(
                "nothing can be registered like this: expected names without spaces for "
                "customer and lists, and a key's file that `outgate optin key new` made"
            )
        return Ed25519PrivateKey.from_private_bytes(self.seed).sign(wanted.statement)

    def sign(self, token: Token, path: bytes) -> Token:
        """The token, signed for one recipient.

        Args:
            token: with this key's algorithm, issuer and selector.
            path: the recipient, with or without brackets.
        """
        signed = token.signed(path)
        if self.algorithm is Algorithm.HMAC_SHA256:
            signature = hmac.digest(self.seed, signed, "sha256")
        else:
            signature = Ed25519PrivateKey.from_private_bytes(self.seed).sign(signed)
        return replace(token, signature=signature)


def is_proven(key: OptinKey, proof: bytes) -> bool:
    """Whether the holder of an Ed25519 key wants it to be registered like this.

    Args:
        key: as it is to be registered.
        proof: signature over its `statement`.

    Raises:
        ValueError: the public key is none that the library takes.
    """
    try:
        _public_key(key.public).verify(proof, key.statement)
    except InvalidSignature:
        return False
    return True


class TokenVerifier:
    """The port `Verifier`; keys that were used once are kept ready."""

    def __init__(self, directory: Path) -> None:
        """Read nothing yet.

        Args:
            directory: where secrets of HMAC keys are, each in a file `<name>`.
        """
        self._directory = directory
        self._secret: Callable[[str, str], bytes] = lru_cache(_CACHED_KEYS)(
            self._read_secret
        )

    def is_genuine(self, key: OptinKey, signed: bytes, signature: bytes) -> bool:
        """Whether the holder of the key signed exactly this.

        Raises:
            StartError: the secret of an HMAC key is not on this host.
            ValueError: the public key is none that the library takes.
        """
        if key.algorithm is Algorithm.HMAC_SHA256:
            secret = self._secret(key.name, key.secret_id)
            return hmac.compare_digest(hmac.digest(secret, signed, "sha256"), signature)
        try:
            _public_key(key.public).verify(signature, signed)
        except InvalidSignature:
            return False
        return True

    def _read_secret(self, name: str, secret_id: str) -> bytes:
        path = self._directory / name
        key = SigningKey.read(path)
        if key.secret_id != secret_id:
            raise StartError(
                f"{path} is another key than {name} is registered with", EX_CONFIG
            )
        return key.seed


@lru_cache(_CACHED_KEYS)
def _public_key(raw: bytes) -> Ed25519PublicKey:
    return Ed25519PublicKey.from_public_bytes(raw)

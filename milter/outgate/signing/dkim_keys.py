"""Private keys of DKIM: read, refused, made.

A file holds PEM (PKCS #1 or #8), or what `dknewkey` of dkimpy writes for Ed25519: the 32
octets in base64. A table may hold the same without a file of its own.
"""

import base64
import binascii
import os
import re
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import (
    RSAPrivateKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_private_key,
    load_pem_private_key,
)

from outgate.message.dkim.tags import key_record
from outgate.model.dkim import Algorithm
from outgate.model.errors import EX_CANTCREAT, EX_CONFIG, StartError

# RFC 8301 §3.2: 1024 MUST, 2048 SHOULD; verifiers need not know more than 4096.
MIN_RSA_BITS = 1024
GOOD_RSA_BITS = 2048
MAX_RSA_BITS = 4096
_SEED_BYTES = 32
_MAX_FILE_BYTES = 64 * 1024
_OTHERS_READ = 0o004
_OTHERS_WRITE = 0o022
_SPACE = re.compile(rb"\s+")


@dataclass(frozen=True, slots=True, eq=False)
class DkimKey:
    """One private key, ready to sign.

    Attributes:
        source: where it was read, for a report.
    """

    private: RSAPrivateKey | Ed25519PrivateKey
    source: str

    def __repr__(self) -> str:
        """Tell no secret."""
        return f"DkimKey({self.source!r})"

    @property
    def algorithm(self) -> Algorithm:
        """What it signs with."""
        if isinstance(self.private, RSAPrivateKey):
            return Algorithm.RSA_SHA256
        return Algorithm.ED25519_SHA256

    @property
    def bits(self) -> int:
        """Its size."""
        if isinstance(self.private, RSAPrivateKey):
            return self.private.key_size
        return 8 * _SEED_BYTES

    @property
    def public(self) -> bytes:
        """As a key record has it: DER for RSA, 32 octets for Ed25519."""
        public = self.private.public_key()
        if self.algorithm is Algorithm.RSA_SHA256:
            return public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return public.public_bytes(Encoding.Raw, PublicFormat.Raw)

    @property
    def record(self) -> str:
        """Its TXT record."""
        return key_record(self.algorithm, self.public)

    def sign(self, data: bytes) -> bytes:
        """Sign what a DKIM signature covers, header of the signature included."""
        if isinstance(self.private, RSAPrivateKey):
            return self.private.sign(data, PKCS1v15(), SHA256())
        # RFC 8463 §3: the hash is what Ed25519 signs.
        return self.private.sign(sha256(data).digest())

    def write(self, path: Path, owner: tuple[int, int] | None = None) -> None:
        """Write a file that only its owner can read; never replaces one.

        Raises:
            StartError: it exists or cannot be written.
        """
        text = self.private.private_bytes(
            Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
        )
        try:
            descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                if owner is not None:
                    os.fchown(file.fileno(), *owner)
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise StartError(
                f"{path} cannot be made: {error.strerror}", EX_CANTCREAT
            ) from error


def make_key(algorithm: Algorithm, bits: int = GOOD_RSA_BITS) -> DkimKey:
    """A new key; `bits` is of RSA alone."""
    if algorithm is Algorithm.RSA_SHA256:
        return DkimKey(generate_private_key(65537, bits), "new")
    return DkimKey(Ed25519PrivateKey.generate(), "new")


def read_key(path: Path) -> DkimKey:
    """Read a key's file.

    Raises:
        StartError: it is missing or unreadable, everybody can read it or others can
            write it, or it is no key that DKIM knows.
    """
    return parse_key(read_guarded(path), str(path))


def read_guarded(path: Path) -> bytes:
    """Read a file that holds a secret.

    Raises:
        StartError: it is missing or unreadable, or others can read or write it.
    """
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            text = file.read(_MAX_FILE_BYTES)
    except OSError as error:
        raise StartError(
            f"{path} cannot be read: {error.strerror}", EX_CONFIG
        ) from error
    if mode & _OTHERS_READ:
        raise StartError(
            f"{path}: everybody can read it: chmod o-rwx, and if they should not have, "
            "make a new key",
            EX_CONFIG,
        )
    if mode & _OTHERS_WRITE:
        raise StartError(
            f"{path}: others than its owner can write it: chmod go-w", EX_CONFIG
        )
    return text


def parse_key(text: bytes, source: str) -> DkimKey:
    """Read a key's text.

    Raises:
        StartError: it is no key that DKIM knows.
    """
    try:
        private = _load(text)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        private = None
    if isinstance(private, RSAPrivateKey):
        if not MIN_RSA_BITS <= private.key_size <= MAX_RSA_BITS:
            raise StartError(
                f"{source}: an RSA key of {private.key_size} bits: expected "
                f"{GOOD_RSA_BITS} ({MIN_RSA_BITS} to {MAX_RSA_BITS})",
                EX_CONFIG,
            )
    elif not isinstance(private, Ed25519PrivateKey):
        raise StartError(
            f"{source} is no key of DKIM: expected an RSA or Ed25519 private key in "
            "PEM, without a password",
            EX_CONFIG,
        )
    return DkimKey(private, source)


def _load(text: bytes) -> object:
    if text.lstrip().startswith(b"-----BEGIN"):
        return load_pem_private_key(text.strip() + b"\n", password=None)
    try:
        raw = base64.b64decode(_SPACE.sub(b"", text), validate=True)
    except binascii.Error:
        return None
    if len(raw) == _SEED_BYTES:
        return Ed25519PrivateKey.from_private_bytes(raw)
    return load_der_private_key(raw, password=None)

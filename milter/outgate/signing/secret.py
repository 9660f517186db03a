"""The key behind keyed hashes: 32 random bytes in a file of the daemon's own.

What is hashed with it (recipients, identities of retries) can be compared, never read
back. Hosts that share a store need the same key; its id stands in `outgate:schema`, so
that a host with another one is refused instead of counting apart.
"""

import hashlib
import os
import secrets
from pathlib import Path

from outgate.model.errors import EX_CANTCREAT, EX_CONFIG, StartError

SECRET_BYTES = 32


def read_secret(path: Path) -> bytes:
    """Read a key.

    Raises:
        StartError: the file is missing, unreadable or no key.
    """
    try:
        text = path.read_text().strip()
    except FileNotFoundError:
        raise StartError(
            f"secret: {path} does not exist: make it with `outgate secret new`, once, "
            "and copy it to every host that shares the store",
            EX_CONFIG,
        ) from None
    except OSError as error:
        raise StartError(
            f"secret: {path} cannot be read: {error.strerror}", EX_CONFIG
        ) from error
    except UnicodeDecodeError:
        text = ""
    try:
        secret = bytes.fromhex(text)
    except ValueError:
        secret = b""
    if len(secret) != SECRET_BYTES:
        raise StartError(
            f"secret: {path} is no key: expected {2 * SECRET_BYTES} hexadecimal digits",
            EX_CONFIG,
        )
    return secret


def make_secret(path: Path, owner: tuple[int, int] | None = None) -> bytes:
    """Make a key, readable only by its owner; never replaces one.

    Args:
        path: of the file.
        owner: user and group that it is given to; only root can give files away.

    Raises:
        StartError: the file exists or cannot be written.
    """
    secret = secrets.token_bytes(SECRET_BYTES)
    try:
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        with os.fdopen(descriptor, "w") as file:
            if owner is not None:
                # Not by name: whoever owns the directory could put another file there.
                os.fchown(file.fileno(), *owner)
            file.write(f"{secret.hex()}\n")
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise StartError(
            f"secret: {path} cannot be made: {error.strerror}", EX_CANTCREAT
        ) from error
    return secret


def key_id(secret: bytes) -> str:
    """A public name of the key: says whether two are the same, and nothing else."""
    return hashlib.blake2b(b"outgate key id", key=secret, digest_size=6).hexdigest()

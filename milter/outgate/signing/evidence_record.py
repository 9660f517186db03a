"""The record behind a token: what stays with the list host, and what binds it.

The token carries half a SHA-256 over the record in one canonical form (JSON, keys
sorted, no spaces, UTF-8). So address, browser and links leave the list host only "upon
request", and it cannot hand out another story by then. The salt keeps whoever sees the
token from guessing what is in the record.
"""

import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Self

from outgate.message.optin_evidence import to_base64url
from outgate.model.errors import EX_CANTCREAT, StartError

SALT_BYTES = 16
COMMITMENT_BYTES = 16


@dataclass(frozen=True, slots=True)
class Record:
    """One record, in its canonical form.

    Attributes:
        text: JSON.
    """

    text: str

    @classmethod
    def make(cls, fields: Mapping[str, str]) -> Self:
        """Put the fields into their form, and salt them."""
        salted = {**fields, "salt": to_base64url(secrets.token_bytes(SALT_BYTES))}
        return cls(
            json.dumps(
                salted, sort_keys=True, separators=(",", ":"), ensure_ascii=False
            )
        )

    @property
    def commitment(self) -> str:
        """Tag `eh`."""
        digest = sha256(self.text.encode("utf-8", "surrogateescape")).digest()
        return to_base64url(digest[:COMMITMENT_BYTES])

    def append(self, file: Path) -> None:
        """Put it at the end of a file, one line, on the disk before this returns.

        Raises:
            StartError: it cannot be written.
        """
        line = f"{self.text}\n".encode("utf-8", "surrogateescape")
        try:
            flags = os.O_CREAT | os.O_APPEND | os.O_WRONLY
            descriptor = os.open(file, flags, 0o600)
            try:
                # One write: two signers at once must not mix their lines.
                written = os.write(descriptor, line)
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        except OSError as error:
            raise StartError(
                f"{file} cannot be written: {error.strerror}", EX_CANTCREAT
            ) from error
        if written != len(line):
            raise StartError(f"{file} cannot be written: disk full", EX_CANTCREAT)

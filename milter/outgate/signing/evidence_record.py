"""What stays with the list host behind a token: evidence, and the file that keeps it.

The token carries the commitment to it (`model.optin`). So address, browser and links
leave the list host only "upon request", and it cannot hand out another story by then.
The salt keeps whoever sees the token from guessing what is in the evidence.
"""

import os
import secrets
from collections.abc import Mapping
from pathlib import Path

from outgate.message.optin_evidence import to_base64url
from outgate.model.errors import EX_CANTCREAT, StartError
from outgate.model.optin import MAX_EVIDENCE_BYTES, canonical_evidence

SALT_BYTES = 16


def salted_evidence(fields: Mapping[str, str]) -> bytes:
    """The fields in their canonical form, and salted.

    Raises:
        ValueError: they hold text that is no Unicode, or are more than a registry keeps.
    """
    salt = to_base64url(secrets.token_bytes(SALT_BYTES))
    evidence = canonical_evidence({**fields, "salt": salt})
    if len(evidence) > MAX_EVIDENCE_BYTES:
        raise ValueError(
            f"evidence: {len(evidence)} bytes, at most {MAX_EVIDENCE_BYTES} are kept"
        )
    return evidence


def append_evidence(evidence: bytes, file: Path) -> None:
    """Put it at the end of a file, one line, on the disk before this returns.

    Raises:
        StartError: it cannot be written.
    """
    line = evidence + b"\n"
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

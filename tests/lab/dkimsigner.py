"""A milter that signs with DKIM, as it comes after Outgate; and what checks its work.

with DkimSigner() as signer, Postfix(milters=[outgate, Milter(signer.port)]) as postfix:
    ...
signer.verifies(delivery.data)
"""

import shutil
import sys
import tempfile
from base64 import b64encode
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from lab.errors import LabUnavailable
from lab.ports import free_port, is_listening
from lab.processes import Server, end, spawn
from lab.service import Service
from lab.waiting import wait_until

_PROGRAM = Path(__file__).with_name("dkim_milter.py")


class DkimSigner(Service):
    """The milter, with a key of its own, in a process of its own."""

    domain = "example.org"
    selector = "lab"

    def __init__(self) -> None:
        self.port = free_port()
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self._server: Server | None = None
        self._directory: Path | None = None

    def start(self) -> None:
        """Come up, and return when it listens."""
        try:
            import dkim  # noqa: F401
        except ImportError:
            raise LabUnavailable("no dkimpy here: make setup") from None
        directory = Path(tempfile.mkdtemp(prefix="outgate-dkim-"))
        self._directory = directory
        key = directory / "key.pem"
        key.write_bytes(
            self._key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.TraditionalOpenSSL,
                serialization.NoEncryption(),
            )
        )
        command = (sys.executable, _PROGRAM, str(self.port), key)
        self._server = spawn(
            [*command, self.domain, self.selector],
            cwd=directory,
            output=directory / "log",
        )
        wait_until(lambda: is_listening(self.port), "the signer listens")

    def stop(self) -> None:
        """End it."""
        if self._server is not None:
            end(self._server)
            self._server = None
        if self._directory is not None:
            shutil.rmtree(self._directory, ignore_errors=True)
            self._directory = None

    def verifies(self, message: bytes) -> bool:
        """Whether the first signature of a message is good (RFC 6376)."""
        import dkim

        return bool(dkim.verify(message, dnsfunc=self._record))

    def _record(self, name: bytes, timeout: int = 5) -> bytes:
        wanted = f"{self.selector}._domainkey.{self.domain}."
        if name.decode() != wanted:
            return b""
        public = self._key.public_key().public_bytes(
            serialization.Encoding.DER,
            serialization.PublicFormat.SubjectPublicKeyInfo,
        )
        return b"v=DKIM1; k=rsa; p=" + b64encode(public)

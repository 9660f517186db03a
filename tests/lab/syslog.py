"""The other end of a /dev/log: what a daemon says to syslog, kept in a file.

Sendmail logs by syslog(3) only, and Postfix before it has read its configuration; a
machine in a test has no syslogd.
"""

import re
import socket
import threading
from pathlib import Path

from lab.service import Service

_PRIORITY = re.compile(rb"^<\d+>")


class Syslog(Service):
    """A datagram socket at `path`, whose messages are appended to `file`."""

    def __init__(self, path: Path, file: Path) -> None:
        self._path = path
        self._file = file
        self._socket: socket.socket | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Take messages from now on, from any user."""
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._path.unlink(missing_ok=True)
        self._socket.bind(str(self._path))
        self._path.chmod(0o666)
        self._thread = threading.Thread(
            target=self._collect, args=(self._socket,), name="syslog"
        )
        self._thread.start()

    def stop(self) -> None:
        """Write down what was sent so far, and close."""
        if self._socket is None or self._thread is None:
            return
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as goodbye:
            # An empty datagram, which syslog(3) never sends, ends the thread.
            goodbye.sendto(b"", str(self._path))
        self._thread.join()
        self._socket.close()
        self._socket = self._thread = None

    def _collect(self, source: socket.socket) -> None:
        with self._file.open("ab", buffering=0) as file:
            while line := source.recv(65536):
                # RFC 3164 §4.1.1: "<22>" is facility and severity, for a machine.
                file.write(_PRIORITY.sub(b"", line).rstrip(b"\n\0") + b"\n")

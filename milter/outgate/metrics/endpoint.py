"""HTTP for Prometheus and for health checks: /metrics, /healthz, /readyz.

Served by the keeper alone, from a thread of its own; its death stops no mail.
"""

import socket
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from outgate.metrics.status import Status, StatusCollector

# A scraper that says nothing may hold a thread for so long.
_CLIENT_TIMEOUT_S = 10
# By which whoever asks knows it from another program on the port.
SERVER_NAME = "outgate"


class Endpoint:
    """The HTTP server."""

    def __init__(
        self, address: tuple[str, int], directory: Path, status: Status
    ) -> None:
        handler = type(
            "Handler", (_Handler,), {"directory": directory, "status": status}
        )
        kind = _ServerV6 if ":" in address[0] else _Server
        self._server = kind(address, handler)

    @property
    def port(self) -> int:
        """The port it listens on."""
        return int(self._server.server_address[1])

    def start(self) -> None:
        """Serve from a thread of its own."""
        threading.Thread(
            target=self._server.serve_forever, name="http", daemon=True
        ).start()


def exposition(directory: Path, status: Status) -> tuple[bytes, str]:
    """All metrics of all processes, and the content type."""
    from prometheus_client import CollectorRegistry
    from prometheus_client.exposition import (
        CONTENT_TYPE_LATEST,
        generate_latest,
    )
    from prometheus_client.multiprocess import MultiProcessCollector

    registry = CollectorRegistry()
    MultiProcessCollector(registry, str(directory))
    registry.register(StatusCollector(status))
    return generate_latest(registry), CONTENT_TYPE_LATEST


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        # A scraper that hung up is no news, and a traceback no line of the log.
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


class _ServerV6(_Server):
    address_family = socket.AF_INET6


class _Handler(BaseHTTPRequestHandler):
    directory: Path
    status: Status
    timeout = _CLIENT_TIMEOUT_S
    server_version = SERVER_NAME
    sys_version = ""

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        if path == "/metrics":
            try:
                body, content_type = exposition(self.directory, self.status)
            except (OSError, ValueError) as error:
                # Somebody cleaned the runtime directory of a running daemon.
                self._answer(500, f"no metrics: {error}\n".encode())
            else:
                self._answer(200, body, content_type)
        elif path == "/healthz":
            self._answer(200, b"ok\n")
        elif path == "/readyz":
            code = 200 if self.status.ready else 503
            self._answer(code, f"{self.status.detail}\n".encode())
        else:
            self._answer(404, b"try /metrics, /healthz or /readyz\n")

    def _answer(
        self, code: int, body: bytes, content_type: str = "text/plain; charset=utf-8"
    ) -> None:
        self.send_response(code)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing: scrapes are no news."""

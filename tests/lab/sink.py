"""An SMTP server that accepts everything and delivers nothing.

It is where the lab's MTAs send their mail. A test reads from it what left the MTA:
the envelope, and the bytes of the message as they were on the wire.

    with Sink() as sink:
        ...
        (message,) = sink.wait_for(1)

`refuse` makes it answer 4xx or 5xx, so that mail stays queued or bounces.

Limits: RFC 5321's minimum, no TLS, no PIPELINING; a message is kept in memory.
"""

import socket
import socketserver
import sys
import threading
from dataclasses import dataclass
from typing import Any

from lab.ports import LOOPBACK
from lab.service import Service
from lab.waiting import PATIENCE, wait_until

_EHLO_REPLY = (
    b"250-sink.example\r\n"
    b"250-8BITMIME\r\n"
    b"250-SMTPUTF8\r\n"
    b"250-SIZE 104857600\r\n"
    b"250 ENHANCEDSTATUSCODES"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One message that an MTA handed over.

    Attributes:
        sender: without angle brackets; "" for a bounce.
        recipients: in the order of their RCPT commands.
        data: the message, dots unstuffed, with its CRLF line ends.
    """

    sender: str
    recipients: tuple[str, ...]
    data: bytes


class Sink(Service):
    """The server; its port is known once it is made, and open until `stop`."""

    def __init__(self) -> None:
        self._server = _Server((LOOPBACK, 0), _Session)
        self.port: int = self._server.server_address[1]
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.05,), name="sink"
        )

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def stop(self) -> None:
        """Close the port and every session; MTAs keep theirs open for a while."""
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()
        self._server.close_sessions()

    @property
    def messages(self) -> list[Delivery]:
        """Everything that arrived since the start, or since `clear`."""
        return list(self._server.deliveries)

    def clear(self) -> None:
        """Forget what arrived."""
        self._server.deliveries.clear()

    def wait_for(self, count: int, timeout: float = PATIENCE) -> list[Delivery]:
        """Return once `count` messages are here; `TimeoutError` says how many came."""
        try:
            wait_until(
                lambda: len(self._server.deliveries) >= count, "", seconds=timeout
            )
        except TimeoutError:
            raise TimeoutError(
                f"{len(self.messages)} of {count} messages within {timeout:g} s"
            ) from None
        return self.messages

    def refuse(
        self, reply: str = "450 4.3.0 Not now", *, command: str = "RCPT"
    ) -> None:
        """Answer one command (MAIL, RCPT or DATA) with this reply from now on."""
        self._server.refusals[command] = reply.encode()

    def accept(self) -> None:
        """Accept everything again."""
        self._server.refusals.clear()


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    request_queue_size = 100

    def __init__(self, *arguments: Any) -> None:
        self.deliveries: list[Delivery] = []
        self.refusals: dict[str, bytes] = {}
        self._sessions: set[socket.socket] = set()
        super().__init__(*arguments)

    def process_request(self, request: Any, client_address: Any) -> None:
        self._sessions.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._sessions.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        # An MTA that is stopped drops its cached connections: no news.
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)

    def close_sessions(self) -> None:
        for session in list(self._sessions):
            self.shutdown_request(session)


class _Session(socketserver.StreamRequestHandler):
    server: _Server

    def handle(self) -> None:
        self._sender, self._recipients = "", list[str]()
        self._reply(b"220 sink.example ESMTP")
        while line := self.rfile.readline():
            verb, _, argument = line.rstrip(b"\r\n").partition(b" ")
            command = verb.upper().decode("latin-1")
            if command == "QUIT":
                self._reply(b"221 2.0.0 Bye")
                return
            self._answer(command, argument)

    def _answer(self, command: str, argument: bytes) -> None:
        if refusal := self.server.refusals.get(command):
            self._reply(refusal)
            return
        match command:
            case "EHLO":
                # One write: in two, Nagle and delayed ACK would add 40 ms.
                self._reply(_EHLO_REPLY)
                return
            case "MAIL":
                self._sender, self._recipients = _path(argument), []
            case "RCPT":
                self._recipients.append(_path(argument))
            case "DATA":
                self._receive()
            case "RSET":
                self._sender, self._recipients = "", []
            case _:
                pass
        self._reply(b"250 2.0.0 Ok")

    def _receive(self) -> None:
        self._reply(b"354 Go on")
        lines = []
        while (line := self.rfile.readline()) != b".\r\n":
            if not line:
                raise ConnectionError("the client left in the middle of a message")
            lines.append(line.removeprefix(b"."))
        delivery = Delivery(
            sender=self._sender,
            recipients=tuple(self._recipients),
            data=b"".join(lines),
        )
        self.server.deliveries.append(delivery)

    def _reply(self, line: bytes) -> None:
        self.wfile.write(line + b"\r\n")


def _path(argument: bytes) -> str:
    """Take the address out of `FROM:<a@b> SIZE=1`."""
    return argument.partition(b"<")[2].partition(b">")[0].decode("utf-8", "replace")

"""A milter that agrees to everything and writes down what the MTA told it.

It speaks the milter protocol itself, without libmilter, and asks for no macros beyond
those that the MTA sends by default: what it records is the MTA's own behaviour.

    with Recorder() as recorder, Postfix(milters=[Milter(recorder.port)]) as postfix:
        ...
    recorder.macro("{auth_authen}")  # ["alice"]
"""

import socketserver
import struct
import threading
from dataclasses import dataclass

from lab.ports import LOOPBACK
from lab.service import Service

# sendmail/libmilter mfdef.h: version 6, all eight actions and SETSYMLIST.
_VERSION, _ACTIONS = 6, 0x1FF
_NO_REPLY = b"AKDQ"  # abort, quit-new-connection, macros, quit


@dataclass(frozen=True, slots=True)
class Command:
    """One thing that the MTA said: a letter of mfdef.h (`M` is MAIL) and its data."""

    letter: str
    data: bytes


class Recorder(Service):
    """The milter, on a free port of loopback."""

    def __init__(self) -> None:
        self.commands: list[Command] = []
        self._server = _Server((LOOPBACK, 0), _Conversation)
        self._server.commands = self.commands
        self.port: int = self._server.server_address[1]
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.05,), name="recorder"
        )

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def stop(self) -> None:
        """Close the port; conversations end with the MTA's."""
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()

    def macro(self, name: str) -> list[str]:
        """List the values that a macro had, without repetitions, oldest first."""
        values = [
            value
            for command in list(self.commands)
            if command.letter == "D"
            for key, value in _pairs(command.data[1:])
            if key == name
        ]
        return list(dict.fromkeys(values))

    def arguments(self, letter: str) -> list[str]:
        """List the first argument of each command of this kind, such as `M`, `R`."""
        return [
            command.data.partition(b"\0")[0].decode("utf-8", "replace")
            for command in list(self.commands)
            if command.letter == letter
        ]


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    commands: list[Command]


class _Conversation(socketserver.StreamRequestHandler):
    server: _Server

    def handle(self) -> None:
        while length := self.rfile.read(4):
            packet = self.rfile.read(*struct.unpack(">I", length))
            letter, data = packet[:1], packet[1:]
            self.server.commands.append(Command(letter.decode("latin-1"), data))
            if letter == b"O":
                offered = struct.unpack(">III", data[:12])[1]
                self._say(b"O" + struct.pack(">III", _VERSION, offered & _ACTIONS, 0))
            elif letter not in _NO_REPLY:
                self._say(b"c")

    def _say(self, packet: bytes) -> None:
        self.wfile.write(struct.pack(">I", len(packet)) + packet)


def _pairs(data: bytes) -> list[tuple[str, str]]:
    words = [word.decode("utf-8", "replace") for word in data.split(b"\0")[:-1]]
    return list(zip(words[::2], words[1::2], strict=True))

"""Something that listens on a unix socket and says what a test tells it to say.

    talker.answers = [b"+OK\r\n"]      one for each time that a client has spoken
    talker.closes = True               and then it hangs up; otherwise it stays silent
    talker.stream = drip               speaks on by itself, as a generator tells it

Each connection starts with the first answer.
"""

import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Self

from outgate.store.wire import Endpoint

_MUCH = 1 << 20


class Talker:
    """A listener, and a thread for each who connects.

    Attributes:
        answers: what to say.
        stream: what to say then, without being asked.
        closes: whether to hang up when there is no answer left.
        heard: what was said, by connection.
    """

    def __init__(self, path: Path) -> None:
        self.answers: Sequence[bytes] = ()
        self.stream: Callable[[], Iterator[bytes]] = lambda: iter(())
        self.closes = False
        self.heard: list[bytes] = []
        self._path = path
        self._open: list[socket.socket] = []
        self._listener = socket.socket(socket.AF_UNIX)
        self._threads = [threading.Thread(target=self._accept)]

    def endpoint(self, *, password: str = "", timeout_s: float = 0.05) -> Endpoint:
        return Endpoint(
            url=f"unix://{self._path}", password=password, timeout_s=timeout_s
        )

    def __enter__(self) -> Self:
        self._listener.bind(str(self._path))
        self._listener.listen(64)
        self._threads[0].start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._threads[0].join()
        self._listener.close()
        self.hang_up()
        for thread in self._threads[1:]:
            thread.join()

    def hang_up(self) -> None:
        """Close all connections that are open now."""
        for connection in self._open:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                self._open.append(connection)
                self.heard.append(b"")
                number = len(self.heard) - 1
                thread = threading.Thread(target=self._talk, args=(connection, number))
                self._threads.append(thread)
                thread.start()

    def _talk(self, connection: socket.socket, number: int) -> None:
        with connection, suppress(OSError):
            answers = list(self.answers)
            while (answers or not self.closes) and (words := connection.recv(_MUCH)):
                self.heard[number] += words
                if answers:
                    connection.sendall(answers.pop(0))
                for piece in self.stream():
                    connection.sendall(piece)

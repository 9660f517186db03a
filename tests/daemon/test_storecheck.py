"""The store is asked before it is used, and nobody waits long for its answer."""

import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import hiredis
import pytest

from lab.outgate import read_logfmt
from lab.processes import children
from outgate.config.reader import parse
from outgate.daemon.plan import Plan
from outgate.daemon.start import make_plan
from outgate.daemon.storecheck import check_store
from outgate.log.lines import Log

Reply = Callable[[bytes], bytes]


@contextmanager
def service(reply: Reply) -> Iterator[str]:
    """Somebody who answers each command in a way of his own; gives the URL."""

    def answer(client: socket.socket) -> None:
        reader = hiredis.Reader()
        with client, suppress(OSError):
            while data := client.recv(4096):
                reader.feed(data)
                while (words := reader.gets()) is not False:
                    client.sendall(reply(words[0].upper()))

    def accept() -> None:
        with suppress(OSError):
            while True:
                client, _ = listener.accept()
                threading.Thread(target=answer, args=(client,), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=accept, daemon=True).start()
        yield f"redis://127.0.0.1:{listener.getsockname()[1]}"
        listener.shutdown(socket.SHUT_RDWR)


def agree(_: bytes) -> bytes:
    """What a service says that is no Redis at all."""
    return b"+OK\r\n"


def dawdle(word: bytes) -> bytes:
    """Redis, but each answer comes just in time."""
    time.sleep(0.9)
    return b"*2\r\n$-1\r\n$-1\r\n" if word == b"HMGET" else b":1\r\n"


@pytest.fixture
def plan(tmp_path: Path) -> Callable[[str], Plan]:
    """What a daemon with that store would do."""
    secret = tmp_path / "secret"
    secret.write_text("5e" * 32)

    def make(url: str) -> Plan:
        return make_plan(
            parse(
                f'[store]\nurl = "{url}"\n[secrets]\nfile = "{secret}"\n'
                f'[paths]\nstate = "{tmp_path}"\nruntime = "{tmp_path}"\n'
            )
        )

    return make


@pytest.mark.parametrize("reply", [agree, dawdle])
def test_who_does_not_answer_well_is_unreachable(
    plan: Callable[[str], Plan], tmp_path: Path, reply: Reply
) -> None:
    """All together within two seconds, and no process is left."""
    log = tmp_path / "log"
    with log.open("wb") as file, service(reply) as url:
        began_s = time.monotonic()
        check_store(plan(url), Log(lambda: 0, descriptor=file.fileno()))
        took_s = time.monotonic() - began_s

    (line,) = map(read_logfmt, log.read_text().splitlines())
    assert line["event"] == "store-unreachable"
    assert line["message"]
    assert took_s < 2.5
    names = [Path(f"/proc/{one}/comm").read_text() for one in children(os.getpid())]
    assert "outgate-check\n" not in names


def test_a_resolver_that_hangs_is_left_alone(
    plan: Callable[[str], Plan], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It knows no time-out of its own."""

    def hang(*_: object, **__: object) -> None:
        time.sleep(30)

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    began_s = time.monotonic()
    check_store(plan("redis://store.example.org"), Log(lambda: 0))

    assert time.monotonic() - began_s < 2.5

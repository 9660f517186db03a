"""Finding the server: what a name costs when DNS is slow, wrong or away."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from time import monotonic
from unittest.mock import patch

import pytest

from lab.ports import LOOPBACK
from lab.waiting import wait_until
from outgate.store.dial import Dialler

_BUDGET_S = 0.1
# What a call may take that waits for the budget in vain, on a machine that is busy.
_PATIENT_S = 20 * _BUDGET_S

Infos = list[tuple[int, int, int, str, tuple[str, int]]]


def at(*ports: int) -> Infos:
    return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (LOOPBACK, p)) for p in ports]


class Dns:
    """Answers as it is told, and counts the questions."""

    def __init__(self) -> None:
        self.answer: Infos | Exception = []
        self.hangs = False
        self.asked = 0
        self._awake = threading.Event()

    def __call__(self, host: str, port: int, **_: object) -> Infos:
        assert (host, port) == ("store.example", 6379)
        self.asked += 1
        if self.hangs:
            self._awake.wait(60)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    def wake(self) -> None:
        self.hangs = False
        self._awake.set()


@pytest.fixture
def dns() -> Iterator[Dns]:
    played = Dns()
    with patch("socket.getaddrinfo", played):
        yield played
        played.wake()
        wait_until(lambda: "resolver" not in _threads(), "DNS is done")


def _threads() -> set[str]:
    return {thread.name for thread in threading.enumerate()}


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server((LOOPBACK, 0)) as listening:
        yield listening


@pytest.fixture
def closed_port() -> int:
    with socket.create_server((LOOPBACK, 0)) as listening:
        port: int = listening.getsockname()[1]
    return port


def a_dialler() -> Dialler:
    return Dialler("redis://store.example", _BUDGET_S)


def port_of(listener: socket.socket) -> int:
    port: int = listener.getsockname()[1]
    return port


@contextmanager
def in_time() -> Iterator[None]:
    began_s = monotonic()
    yield
    assert monotonic() - began_s < _PATIENT_S


class TestSlowDns:
    """`getaddrinfo` knows no time-out; mail does."""

    def test_a_name_that_is_not_found_in_time_costs_the_budget(self, dns: Dns) -> None:
        """And no more, however often; one question is under way, not one for each."""
        dns.hangs = True
        dialler = a_dialler()
        for _ in range(3):
            with in_time(), pytest.raises(TimeoutError):
                dialler.open()

        assert dns.asked == 1

    def test_what_was_found_too_late_serves_the_next(
        self, dns: Dns, listener: socket.socket
    ) -> None:
        """The question goes on behind the one who gave up."""
        dns.hangs = True
        dialler = a_dialler()
        with pytest.raises(TimeoutError):
            dialler.open()
        dns.answer = at(port_of(listener))
        dns.wake()
        wait_until(lambda: _opens(dialler), "an answer")

    def test_the_last_answer_stands_in(self, dns: Dns, listener: socket.socket) -> None:
        """DNS that hangs, and DNS that fails: the server is where it was."""
        dns.answer = at(port_of(listener))
        dialler = a_dialler()
        dialler.open().close()
        with patch("outgate.store.dial.FRESH_S", 0.0):
            dns.answer = socket.gaierror(socket.EAI_AGAIN, "Temporary failure")
            dialler.open().close()
            dns.hangs = True
            with in_time():
                dialler.open().close()

    def test_sixteen_connections_are_one_question(
        self, dns: Dns, listener: socket.socket
    ) -> None:
        """Those that are dialled together."""
        dns.answer = at(port_of(listener))
        dialler = a_dialler()
        for _ in range(16):
            dialler.open().close()
        assert dns.asked == 1


class TestAddresses:
    """What a name says, and where it leads."""

    def test_a_new_answer_is_followed(
        self, dns: Dns, listener: socket.socket, closed_port: int
    ) -> None:
        """A failover by DNS: nobody is asked where the server was."""
        dns.answer = at(closed_port)
        dialler = a_dialler()
        with pytest.raises(ConnectionRefusedError):
            dialler.open()
        dns.answer = at(port_of(listener))
        with patch("outgate.store.dial.FRESH_S", 0.0):
            dialler.open().close()

    def test_the_second_address_gets_its_share_of_the_budget(
        self, dns: Dns, listener: socket.socket, closed_port: int
    ) -> None:
        """The first one refuses, or swallows what is sent to it."""
        dns.answer = at(closed_port, port_of(listener))
        a_dialler().open().close()
        full = socket.create_server((LOOPBACK, 0), backlog=0)
        waiting = [socket.socket() for _ in range(2)]
        try:
            for one in waiting:
                one.setblocking(False)
                with suppress(BlockingIOError):
                    one.connect(full.getsockname())
            dns.answer = at(port_of(full), port_of(listener))
            with in_time():
                a_dialler().open().close()
        finally:
            for one in (full, *waiting):
                one.close()

    @pytest.mark.parametrize(
        "error",
        [
            lambda: socket.gaierror(socket.EAI_NONAME, "Name or service not known"),
            lambda: UnicodeError("label empty or too long"),
        ],
    )
    def test_a_name_that_is_none_is_an_os_error(
        self, dns: Dns, error: Callable[[], Exception]
    ) -> None:
        """Each time anew: it may be there the next time."""
        dns.answer = error()
        dialler = a_dialler()
        for asked in (1, 2):
            with pytest.raises(OSError, match=r"Name or service|label empty"):
                dialler.open()
            assert dns.asked == asked

    def test_an_address_needs_no_dns(self, listener: socket.socket) -> None:
        """And no thread."""
        dialler = Dialler(f"redis://{LOOPBACK}:{port_of(listener)}", _BUDGET_S)
        with patch("threading.Thread.start", side_effect=AssertionError):
            dialler.open().close()

    def test_no_thread_is_an_os_error(self, dns: Dns) -> None:
        """A machine that is out of processes: the store is away, nothing worse."""
        with (
            patch("threading.Thread.start", side_effect=RuntimeError("can't start")),
            pytest.raises(OSError, match="can't start"),
        ):
            a_dialler().open()
        assert dns.asked == 0


def _opens(dialler: Dialler) -> bool:
    with suppress(TimeoutError):
        dialler.open().close()
        return True
    return False


def test_a_family_that_the_kernel_lacks_costs_nothing(
    dns: Dns, listener: socket.socket
) -> None:
    """The next address is tried."""
    port = port_of(listener)
    lacking = (socket.AF_APPLETALK, socket.SOCK_STREAM, 6, "", ("::1", port))
    dns.answer = [lacking, *at(port)]

    with a_dialler().open() as sock:
        assert sock.getpeername() == (LOOPBACK, port)

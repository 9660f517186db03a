"""The lab's Redis: every flavour answers, hangs, dies and comes back as told."""

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from lab.debs import unpack
from lab.errors import LabError
from lab.processes import members
from lab.redis import PACKAGES, Flavour, RedisServer
from lab.skips import or_skip

PASSWORD = 'a "quoted" \\ secret'
ACL = "outgate on >pw ~outgate:* +@all"


@pytest.fixture(scope="module", params=["redis", "unpacked", "valkey"])
def server(request: pytest.FixtureRequest) -> Iterator[RedisServer]:
    with or_skip(), ExitStack() as stack:
        flavour: Flavour | None = request.param
        binary = None
        if request.param == "unpacked":
            flavour, binary = None, unpack(*PACKAGES) / "usr/bin/redis-server"
        server = RedisServer(
            flavour, binary=binary, tcp=True, password=PASSWORD, acl=[ACL]
        )
        yield stack.enter_context(server)


def connect(url: str, **arguments: object) -> "redis.Redis":
    return redis.Redis.from_url(
        url, socket_timeout=0.2, retry=Retry(NoBackoff(), 0), **arguments
    )


def test_it_answers_by_tcp_and_by_socket(server: RedisServer) -> None:
    """Both ways lead to the same server, and both want the password."""
    with connect(server.url) as client:
        client.set("outgate:x", "1")

    assert server.cli("GET", "outgate:x") == "1"
    assert server.socket.is_socket()


def test_an_acl_user_is_confined(server: RedisServer) -> None:
    """The ACL line is in force: keys of others are out of reach."""
    with connect(f"unix://outgate:pw@{server.socket}") as client:
        client.set("outgate:x", "1")
        with pytest.raises(redis.exceptions.ResponseError, match=r"(?i)no permission"):
            client.get("other")


def test_a_paused_server_hangs_and_recovers(server: RedisServer) -> None:
    """SIGSTOP looks like a stalled host: a timeout, not a closed connection."""
    with connect(server.url) as client:
        client.ping()
        server.pause()
        with pytest.raises(redis.exceptions.TimeoutError):
            client.get("x")
        server.resume()
        assert client.ping()


def test_a_killed_server_comes_back_empty_in_the_same_place(
    server: RedisServer,
) -> None:
    """Clients find the restarted server by the same URL, without their data."""
    server.cli("SET", "outgate:x", "1")
    with connect(server.url) as client:
        client.ping()
        server.kill()
        with pytest.raises(redis.exceptions.ConnectionError):
            client.ping()
        server.restart()
        assert client.get("outgate:x") is None


def test_stop_leaves_nothing_even_when_paused() -> None:
    """Neither the process nor its directory remain."""
    with or_skip():
        server = RedisServer()
        server.start()
    pid, directory = server.pid, server.directory
    server.pause()

    server.stop()

    assert not members(pid)
    assert not directory.exists()


def test_a_refused_configuration_is_told_in_redis_own_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The failure shows the server's complaint, and leaves nothing behind."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with or_skip():
        server = RedisServer("valkey", settings={"nonsense": "1"})
        with pytest.raises(LabError, match="nonsense"):
            server.start()

    assert not list(tmp_path.iterdir())

"""What was called written is there after the server was killed."""

import os
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path

import pytest

from lab.redis import Flavour, RedisServer
from lab.skips import need_root, or_skip
from outgate.model.consent import Grade
from outgate.model.errors import StoreError, StoreRefused
from outgate.store.client import connect
from outgate.store.durability import (
    PATIENCE_S,
    Durability,
    Flushing,
    Way,
    find_way,
)
from outgate.store.hashes import Hashes
from outgate.store.keys import Keys
from outgate.store.registry import Registry
from outgate.store.subscriptions import BATCH, Tally
from store.builders import some_people
from store.running import SECRET, endpoint

LIST = "members.choir.example"
CHOIR = "choir"
ALWAYS = {"appendonly": "yes", "appendfsync": "always"}
Start = Callable[[Flavour, Mapping[str, str]], RedisServer]
EVERY_SECOND = {"appendonly": "yes", "appendfsync": "everysec"}


@pytest.fixture
def start() -> Iterator[Start]:
    with ExitStack() as stack:

        def starting(flavour: Flavour, settings: Mapping[str, str]) -> RedisServer:
            with or_skip():
                server = RedisServer(flavour, settings=settings)
                return stack.enter_context(server)

        yield starting


def flushing_of(server: RedisServer, *, embedded: bool) -> Flushing:
    client = connect(endpoint(server), PATIENCE_S)
    return Flushing(client, Keys(), server.directory if embedded else None)


@pytest.mark.parametrize(
    ("flavour", "settings", "embedded", "way"),
    [
        ("redis", ALWAYS, False, Way.ALWAYS),
        ("valkey", ALWAYS, False, Way.ALWAYS),
        ("valkey", EVERY_SECOND, False, Way.WAITAOF),
        ("valkey", EVERY_SECOND, True, Way.WAITAOF),
        ("redis", {}, True, Way.NONE),
        ("valkey", {}, False, Way.NONE),
    ],
)
def test_the_way_follows_from_the_server(
    start: Start,
    flavour: Flavour,
    settings: dict[str, str],
    embedded: bool,
    way: Way,
) -> None:
    """Its settings, and what it knows; without a file nothing is ever on disk."""
    client = connect(endpoint(start(flavour, settings)))
    assert find_way(client, is_embedded=embedded) is way
    assert (way.durability is Durability.UNCONFIRMED) == (way is Way.NONE)


def test_a_server_without_waitaof_is_forced_where_it_is_ours(
    start: Start,
) -> None:
    """For a batch at a time: what it is told goes back, and others are left alone."""
    server = start("redis", EVERY_SECOND)
    client = connect(endpoint(server))
    if _knows_waitaof(server):
        pytest.skip("this Redis has WAITAOF")
    assert find_way(client, is_embedded=False) is Way.NONE
    keys = Keys()
    flushing = flushing_of(server, embedded=True)
    registry = Registry(client, keys, Hashes(SECRET), flushing=flushing)

    before = _flushes(server)
    tally = registry.load(CHOIR, LIST, some_people(3), Grade.PAPER)

    assert flushing.way is Way.FORCED
    assert tally.durability is Durability.CONFIRMED
    assert client.config_get("appendfsync") == {"appendfsync": "everysec"}
    assert _flushes(server) > before


def test_the_lock_that_root_makes_is_the_daemons(start: Start, tmp_path: Path) -> None:
    """Or the daemon's account could not write any more; a link is not followed."""
    need_root()
    os.chown(tmp_path, 12_345, 12_346)
    client = connect(endpoint(start("valkey", EVERY_SECOND)), PATIENCE_S)
    flushing = Flushing(client, Keys(), tmp_path)
    with flushing._forcing(tmp_path):
        found = (tmp_path / "flush.lock").stat()
    assert (found.st_uid, found.st_gid) == (12_345, 12_346)

    # As root had made it before.
    os.chown(tmp_path / "flush.lock", 0, 0)
    with flushing._forcing(tmp_path):
        assert (tmp_path / "flush.lock").stat().st_uid == 12_345

    (tmp_path / "flush.lock").unlink()
    (tmp_path / "flush.lock").symlink_to(tmp_path / "other")
    with (
        pytest.raises(StoreRefused, match=r"flush\.lock cannot be opened"),
        flushing._forcing(tmp_path),
    ):
        pass


def test_a_server_that_hides_its_settings_confirms_nothing() -> None:
    """Unless it has WAITAOF, which tells by itself."""
    acl = ["hosted on >pw ~* +@all -config -waitaof"]
    with or_skip(), RedisServer("valkey", acl=acl, settings=EVERY_SECOND) as server:
        target = endpoint(server)
        hidden = connect(
            type(target)(url=f"unix://hosted:pw@{server.socket}", timeout_s=5)
        )
        assert find_way(hidden, is_embedded=False) is Way.NONE


# redis-py 4.3 leaves a socket to the collector when a server dies while it sends.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize(
    ("flavour", "settings", "embedded"),
    [
        ("redis", ALWAYS, False),
        ("redis", EVERY_SECOND, True),
        ("valkey", EVERY_SECOND, False),
    ],
)
def test_a_server_killed_in_the_middle_has_all_that_was_acknowledged(
    start: Start,
    flavour: Flavour,
    settings: dict[str, str],
    embedded: bool,
) -> None:
    """SIGKILL while a batch is under way: rows told to be on disk are there afterwards."""
    server = start(flavour, settings)
    acknowledged, enough = [0], threading.Event()

    def told(tally: Tally) -> None:
        acknowledged[0] = tally.rows
        assert tally.durability is Durability.CONFIRMED
        enough.set()

    people = some_people(6 * BATCH)
    flushing = flushing_of(server, embedded=embedded)
    client = connect(endpoint(server), PATIENCE_S)
    registry = Registry(
        client, Keys(), Hashes(SECRET), flushing=flushing, progress=told
    )

    def kill() -> None:
        enough.wait()
        server.kill()

    killer = threading.Thread(target=kill)
    killer.start()
    with pytest.raises(StoreError):
        registry.load(CHOIR, LIST, people, Grade.PAPER)
    killer.join()
    server.restart()

    again = Registry(connect(endpoint(server), PATIENCE_S), Keys(), Hashes(SECRET))
    assert BATCH <= acknowledged[0] < len(people)
    for number in range(0, acknowledged[0], 97):
        assert again.find(CHOIR, LIST, people[number]) is not None
    assert again.count(LIST).subscribers >= acknowledged[0]
    # And loading again makes it whole.
    assert again.load(CHOIR, LIST, people, Grade.PAPER).rows == len(people)
    assert again.count(LIST).subscribers == len(people)


def _knows_waitaof(server: RedisServer) -> bool:
    return server.cli("COMMAND", "INFO", "WAITAOF") != ""


def _flushes(server: RedisServer) -> int:
    return int(server.cli("HGET", Keys().schema, "flushes") or 0)

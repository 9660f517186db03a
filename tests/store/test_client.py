"""redis-py with our patience: for the keeper and for commands, never for messages."""

import gc
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from time import monotonic

import pytest
import redis

from lab.ports import LOOPBACK, free_port
from lab.redis import RedisServer
from lab.skips import or_skip
from outgate.model.errors import (
    StoreError,
    StoreRefused,
    StoreTimeout,
    StoreUnavailable,
)
from outgate.store.claims import Claims
from outgate.store.client import command, connect
from outgate.store.holds import Holds
from outgate.store.keys import Keys
from outgate.store.orders import Orders
from outgate.store.trouble import Client, as_store_error
from outgate.store.wire import Endpoint
from store.running import PATIENCE_S, Store, endpoint
from store.talker import Talker

PASSWORD = "s3cret"


@pytest.fixture(scope="module")
def locked() -> Iterator[RedisServer]:
    """A server with a password, and a user who may hardly do anything."""
    with ExitStack() as stack:
        with or_skip():
            acl = ["looker on >pw ~* +ping +client|setname"]
            server = stack.enter_context(
                RedisServer(tcp=True, password=PASSWORD, acl=acl)
            )
        yield server


@pytest.mark.parametrize("kind", ["unix", "tcp"])
def test_both_kinds_of_url_connect(store: Store, kind: str) -> None:
    """Also with redis-py 4, which knows fewer options for unix sockets."""
    url = store.server.url if kind == "tcp" else f"unix://{store.server.socket}"
    with connect(Endpoint(url=url)) as client:
        assert client.ping()
        assert client.client_getname() in {"outgate", b"outgate"}


@pytest.mark.parametrize("kind", ["unix", "tcp"])
def test_a_stopped_server_is_asked_once(own_server: RedisServer, kind: str) -> None:
    """redis-py's own retries would make 7.7 seconds of a quarter of one."""
    url = own_server.url if kind == "tcp" else f"unix://{own_server.socket}"
    orders = Orders(connect(Endpoint(url=url)), Keys())
    orders.read(frozenset())
    own_server.pause()
    began_s = monotonic()
    with pytest.raises(StoreTimeout):
        orders.read(frozenset())
    # One second: the keeper has many.
    assert monotonic() - began_s < PATIENCE_S
    own_server.resume()
    orders.read(frozenset())
    orders._client.connection_pool.disconnect()


def test_who_hangs_up_is_not_asked_again(talker: Talker) -> None:
    """One connection for one call: no retries behind our back."""
    talker.answers, talker.closes = [], True
    with connect(talker.endpoint()) as client, pytest.raises(redis.ConnectionError):
        client.hgetall("outgate:suspend")
    assert len(talker.heard) == 1


def test_a_server_that_is_gone_is_unavailable() -> None:
    """Nothing of redis-py crosses the wall."""
    client = connect(Endpoint(url=f"redis://{LOOPBACK}:{free_port()}"))
    for call in (
        lambda: Orders(client, Keys()).read(frozenset()),
        lambda: Orders(client, Keys()).announce("mx1", 1),
        lambda: Holds(client, Keys()).all(),
        lambda: Claims(client).claim("outgate:digest:post@choir.example", 1),
        lambda: Claims(client).forget("outgate:digest:post@choir.example"),
        lambda: Holds(client, Keys()).gone(
            {"mta": "mx1", "queue-id": "1", "customer": "choir", "size": "1"}
        ),
        lambda: Holds(client, Keys()).apply(
            {"mta": "mx1", "queue-id": "1", "until-us": 1, "since-us": 1}
        ),
    ):
        with pytest.raises(StoreUnavailable):
            call()


@pytest.mark.parametrize(
    ("user", "password"),
    [("", ""), ("", "guessed"), ("looker:guessed@", ""), ("looker:pw@", "")],
)
def test_wrong_credentials_and_permissions_are_refused(
    locked: RedisServer, user: str, password: str
) -> None:
    """No password, a wrong one, too few permissions: configuration, exit 78."""
    target = Endpoint(
        url=f"unix://{user}{locked.socket}", password=password, timeout_s=PATIENCE_S
    )
    client = connect(target)
    with pytest.raises(StoreRefused) as refusal:
        Orders(client, Keys()).read(frozenset())
    assert "guessed" not in f"{refusal.value} {refusal.value.__cause__}"
    client.connection_pool.disconnect()


def test_a_password_where_none_is_set_does_no_harm(store: Store) -> None:
    """As on the hot path, or the daemon would start and then not speak to it."""
    target = Endpoint(
        url=f"unix://{store.server.socket}", password="pw", timeout_s=PATIENCE_S
    )
    with connect(target) as client:
        assert client.ping()


def test_the_password_may_stand_in_a_file_or_in_the_url(locked: RedisServer) -> None:
    """The one in the URL wins, as on the hot path."""
    plain = f"unix://{locked.socket}"
    for target in (
        Endpoint(url=plain, password=PASSWORD, timeout_s=PATIENCE_S),
        Endpoint(url=locked.url, timeout_s=PATIENCE_S),
        Endpoint(url=locked.url, password="stale", timeout_s=PATIENCE_S),
    ):
        with connect(target) as client:
            assert client.ping()


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (redis.TimeoutError("Timeout reading from socket"), StoreTimeout),
        (redis.ConnectionError("Error 111"), StoreUnavailable),
        (redis.BusyLoadingError("Redis is loading the dataset"), StoreUnavailable),
        (redis.ReadOnlyError("You can't write"), StoreUnavailable),
        (redis.ResponseError("OOM command not allowed"), StoreUnavailable),
        (redis.AuthenticationError("invalid username-password pair"), StoreRefused),
        (redis.exceptions.NoPermissionError("this user has no"), StoreRefused),
        (redis.ResponseError("NOAUTH Authentication required."), StoreRefused),
        (redis.RedisError(), StoreUnavailable),
    ],
)
def test_each_exception_has_a_meaning(
    error: redis.RedisError, kind: type[StoreError]
) -> None:
    """Timeout, outage or refusal, and never an empty text."""
    meaning = as_store_error(error)
    assert type(meaning) is kind
    assert str(meaning)


@pytest.mark.parametrize(
    "text",
    [
        "HELLO must be called with the client already authenticated, otherwise the …",
        "NOAUTH Authentication required.",
        "Authentication required.",
    ],
)
def test_a_password_that_is_missing_is_asked_for(text: str) -> None:
    """In the words of the configuration, whatever the library made of it."""
    meaning = as_store_error(redis.ResponseError(text))

    assert type(meaning) is StoreRefused
    assert str(meaning) == "NOAUTH: the store wants a password: [store] password-file"


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("redis://127.0.0.1:{port}", "Connection refused"),
        ("unix:///nowhere/store.sock", "No such file or directory"),
    ],
)
@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
def test_nobody_there_reads_the_same_everywhere(url: str, why: str) -> None:
    """As on the hot path: where, and why."""
    where = url.format(port=free_port())

    with pytest.raises(StoreUnavailable) as caught:
        Holds(connect(Endpoint(url=where)), Keys()).all()

    assert str(caught.value) == f"{where}: {why}"
    # redis-py 4 forgets a unix socket that did not connect: found here, not later.
    del caught
    gc.collect()


def test_an_error_that_repeats_the_password_is_cut() -> None:
    """Servers repeat commands that they do not know, AUTH among them."""
    error = redis.ResponseError(
        "unknown command 'AUTH', with args beginning with: 's3cret' "
    )
    assert str(as_store_error(error)) == "unknown command 'AUTH'"


@pytest.mark.parametrize(
    "write",
    [
        lambda client: client.set("outgate:a", "x"),
        lambda client: client.pipeline().set("outgate:a", "x").execute(),
        lambda client: client.eval("redis.call('SET', KEYS[1], 'x')", 1, "outgate:a"),
    ],
    ids=["command", "pipeline", "script"],
)
def test_a_demoted_server_is_left(
    own_server: RedisServer, write: Callable[[Client], object]
) -> None:
    """READONLY ends the connection: the next one goes where the name leads now."""
    with connect(Endpoint(url=own_server.url)) as client:
        before = client.client_id()
        own_server.cli("REPLICAOF", LOOPBACK, "1")
        with pytest.raises(redis.ReadOnlyError):
            write(client)

        assert client.client_id() != before


class TestCommand:
    """`outgate store cli`: one command, as redis-cli would."""

    @pytest.mark.parametrize(
        "words",
        [
            ["SET", "outgate:digest:x", "sent", "EX", "60"],
            ["GET", "outgate:digest:x"],
            ["GET", "outgate:digest:y"],
            ["HSET", "outgate:suspend", "anne", "by=bart bot", "bart", "Größe"],
            ["hgetall", "outgate:suspend"],
            ["HDEL", "outgate:suspend", "anne", "nobody"],
            ["ZADD", "outgate:hosts", "7", "mx1"],
            ["ZRANGE", "outgate:hosts", "0", "-1", "WITHSCORES"],
            ["EXISTS", "outgate:hosts"],
            ["PING"],
            ["CONFIG", "GET", "maxmemory-policy"],
            ["XRANGE", "outgate:audit", "-", "+"],
            ["COMMAND", "COUNT"],
            ["GET", "outgate:suspend"],
            ["FLY"],
        ],
    )
    def test_it_prints_what_redis_cli_prints_to_a_pipe(
        self, store: Store, words: list[str]
    ) -> None:
        """Nothing is rewritten on the way, errors included."""
        # Once before, so that the second and the third time are the same.
        store.server.cli(*words)
        printed = "\n".join(command(endpoint(store.server), words).lines)
        assert printed.strip() == store.server.cli(*words).strip()

    @pytest.mark.parametrize(
        ("words", "is_error"),
        [(["FLY"], True), (["PING"], False), (["GET", "x"], False)],
    )
    def test_an_error_is_told_from_an_answer(
        self, store: Store, words: list[str], *, is_error: bool
    ) -> None:
        """A script must know whether its order was taken."""
        assert command(endpoint(store.server), words).is_error is is_error

    def test_bytes_that_are_no_text_stay_readable(self, store: Store) -> None:
        """A person looks at it: no traceback, nothing swallowed."""
        store.client.hset("outgate:suspend", b"\xff\xfe", b"\x00\xe9")
        printed = command(endpoint(store.server), ["HGETALL", "outgate:suspend"]).lines
        store.client.hdel("outgate:suspend", b"\xff\xfe")
        assert printed[-2:] == ("\\xff\\xfe", "\x00\\xe9")

    def test_a_server_that_is_gone_is_a_store_error(self, tmp_path: Path) -> None:
        """The command line makes one line of it."""
        target = Endpoint(url=f"unix://{tmp_path}/none.sock")
        with pytest.raises(StoreUnavailable):
            command(target, ["PING"])

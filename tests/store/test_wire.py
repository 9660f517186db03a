"""Packed commands on pooled connections: what happens when the other end does not."""

import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from pathlib import Path
from time import monotonic
from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lab.ports import LOOPBACK, free_port
from lab.redis import RedisServer
from lab.skips import or_skip
from lab.waiting import wait_until
from outgate.model.errors import (
    ScriptError,
    StoreError,
    StoreRefused,
    StoreTimeout,
    StoreUnavailable,
)
from outgate.store.breaker import FAILURES, Breaker, GivenUp
from outgate.store.counters import Counters
from outgate.store.keys import Keys
from outgate.store.resp import pack
from outgate.store.wire import CONNECTIONS, Endpoint, Wire, raise_for
from store.builders import a_charge, a_plan
from store.running import PATIENCE_S, SECRET, Store, endpoint, narrow_wire
from store.talker import Talker

PASSWORD = 'correct "horse" \\ {battery} staple?'
# As the shipped ACL file confines the daemon, and a user who may only look.
_ACL = ("outgate on >pw ~outgate:* +@all", "looker on >pw ~outgate:* +ping +get")
# What a call may take that waits for 50 ms in vain, on a machine that is busy.
_BUDGET_S = 0.05
_PATIENT_S = 20 * _BUDGET_S


def ask(wire: Wire, *words: str) -> object:
    (reply,) = wire.call(pack(word.encode() for word in words), 1)
    return reply


def ask_in_time(wire: Wire, *words: str) -> object:
    """Ask again where a busy machine took longer than the budget."""
    replies: list[object] = []

    def answered() -> bool:
        with suppress(StoreTimeout):
            replies.append(ask(wire, *words))
        return bool(replies)

    wait_until(answered, "an answer within the budget")
    return replies[0]


@pytest.fixture(scope="module")
def locked() -> Iterator[RedisServer]:
    """A server with a password, and with users who may do little."""
    with ExitStack() as stack:
        with or_skip():
            server = stack.enter_context(
                RedisServer(tcp=True, password=PASSWORD, acl=_ACL)
            )
        yield server


class TestAnswers:
    """A server that is well."""

    def test_replies_come_in_the_order_of_commands(
        self, store: Store, keys: Keys
    ) -> None:
        """One buffer, one wait: values, numbers, nothing, errors as values."""
        name = keys.held_index.encode()
        commands = [
            (b"ZADD", name, b"7", b"mx1 4711"),
            (b"ZSCORE", name, b"mx1 4711"),
            (b"ZSCORE", name, b"mx2 4712"),
            (b"GET", name),
            (b"ZRANGE", name, b"0", b"-1"),
        ]
        replies = store.wire.call(b"".join(map(pack, commands)), len(commands))

        assert replies[:3] == [1, b"7", None]
        assert str(replies[3]).startswith("WRONGTYPE")
        assert replies[4] == [b"mx1 4711"]

    def test_tcp_and_unix_lead_to_the_same(self, store: Store, keys: Keys) -> None:
        """Both kinds of URL, and a database of one's own."""
        store.ask("HSET", keys.schema, "version", "1")
        by_tcp = Wire(Endpoint(url=store.server.url, timeout_s=PATIENCE_S))
        other = Wire(Endpoint(url=f"{store.server.url}/3", timeout_s=PATIENCE_S))

        assert ask(by_tcp, "HGET", keys.schema, "version") == b"1"
        assert ask(other, "HGET", keys.schema, "version") is None
        by_tcp.close()
        other.close()

    def test_an_answer_may_come_byte_by_byte(self, store: Store, keys: Keys) -> None:
        """Halves of replies are kept until the rest is there."""
        with patch("outgate.store.wire._RECEIVE_BYTES", 1):
            answers = store.counters(keys).look_up(a_plan(a_charge(), a_charge()))
        assert [level.used for level in answers.levels] == [1, 1]

    def test_what_nobody_waited_for_is_skipped(self, store: Store, keys: Keys) -> None:
        """After a post, the next question gets its own answer, errors included."""
        for number in range(3):
            store.wire.post(pack((b"HSET", keys.schema.encode(), b"a", b"b")), 1)
            store.wire.post(pack((b"GET", keys.schema.encode())) * 2, 2)
            assert store.ask("ECHO", f"{number}") == b"%d" % number

    def test_a_large_answer_is_read_whole(self, store: Store) -> None:
        """More than one buffer of the socket."""
        text = "x" * 1_000_000
        assert store.ask("ECHO", text) == text.encode()

    def test_threads_share_connections_but_no_answers(self, store: Store) -> None:
        """Many callers, few connections: everybody gets what was asked."""
        before = store.ask("CLIENT", "LIST").count(b"id=")
        wire = Wire(endpoint(store.server))

        def echo(number: int) -> bool:
            return all(
                ask(wire, "ECHO", f"{number}-{time}") == b"%d-%d" % (number, time)
                for time in range(20)
            )

        patience = patch("outgate.store.wire._MAX_QUEUE_S", PATIENCE_S)
        with patience, ThreadPoolExecutor(50) as threads:
            assert all(threads.map(echo, range(50)))
        assert store.ask("CLIENT", "LIST").count(b"id=") - before <= CONNECTIONS
        wire.close()


class TestSilence:
    """A server that does not answer."""

    @pytest.mark.parametrize("kind", ["unix", "tcp"])
    def test_a_stopped_server_costs_its_budget_and_no_more(
        self, own_server: RedisServer, kind: str
    ) -> None:
        """SIGSTOP: each call and each post ends in time; afterwards all is well."""
        url = own_server.url if kind == "tcp" else f"unix://{own_server.socket}"
        wire = Wire(Endpoint(url=url, timeout_s=_BUDGET_S))
        ask_in_time(wire, "PING")
        own_server.pause()
        for _ in range(CONNECTIONS + 2):
            began_s = monotonic()
            with pytest.raises(StoreTimeout):
                ask(wire, "PING")
            assert _BUDGET_S / 2 < monotonic() - began_s < _PATIENT_S
        own_server.resume()
        assert ask_in_time(wire, "PING") == b"PONG"
        wire.close()

    def test_nobody_waits_for_a_post(self, own_server: RedisServer) -> None:
        """What needs no answer goes into the socket of a server that is stopped."""
        wire = narrow_wire(endpoint(own_server))
        ask(wire, "PING")
        own_server.pause()
        began_s = monotonic()
        wire.post(pack((b"SET", b"outgate:digest:x", b"sent")), 1)
        assert monotonic() - began_s < _PATIENT_S
        own_server.resume()
        assert ask(wire, "GET", "outgate:digest:x") == b"sent"
        wire.close()

    def test_a_server_that_reads_nothing_is_a_time_out(
        self, own_server: RedisServer
    ) -> None:
        """A full socket does not block a session."""
        wire = narrow_wire(endpoint(own_server, timeout_s=_BUDGET_S))
        ask_in_time(wire, "PING")
        own_server.pause()
        with pytest.raises(StoreTimeout, match="does not read"):
            wire.post(pack((b"ECHO", b"x" * 8_000_000)), 1)
        own_server.resume()
        wire.close()

    def test_a_late_reply_answers_no_other_question(
        self, own_server: RedisServer
    ) -> None:
        """A connection that timed out is not used again."""
        wire = narrow_wire(endpoint(own_server, timeout_s=_BUDGET_S))
        ask_in_time(wire, "PING")
        own_server.pause()
        with pytest.raises(StoreTimeout):
            ask(wire, "ECHO", "early")
        own_server.resume()

        for number in range(5):
            assert ask_in_time(wire, "ECHO", f"late {number}") == b"late %d" % number
        wire.close()

    def test_pieces_that_keep_coming_are_no_answer(self, talker: Talker) -> None:
        """Each piece in time, the whole never: the budget is for the call."""
        trickling = threading.Event()

        def drip() -> Iterator[bytes]:
            yield b"$1000\r\n"
            while not trickling.wait(_BUDGET_S / 5):
                yield b"x"

        talker.stream = drip
        wire = Wire(talker.endpoint(timeout_s=8 * _BUDGET_S))
        began_s = monotonic()
        with pytest.raises(StoreTimeout, match="whole"):
            ask(wire, "PING")
        assert monotonic() - began_s < 4 * _PATIENT_S
        trickling.set()
        wire.close()

    def test_nobody_is_asked_for_a_connection_that_never_comes_free(
        self, talker: Talker
    ) -> None:
        """All connections wait in vain: one more caller gives up in time, too."""
        wire = narrow_wire(talker.endpoint(timeout_s=PATIENCE_S))
        with (
            patch("outgate.store.wire._MAX_QUEUE_S", _BUDGET_S),
            ThreadPoolExecutor(1) as threads,
        ):
            first = threads.submit(ask, wire, "PING")
            wait_until(lambda: talker.heard, "the first one asks")
            with pytest.raises(StoreTimeout, match="in use"):
                ask(wire, "PING")
            talker.hang_up()
            assert isinstance(first.exception(), StoreUnavailable)

    def test_who_waits_gives_up_when_the_breaker_opens(self, talker: Talker) -> None:
        """The ones before found nobody; the ones behind do not try it again."""
        breaker = Breaker()
        with patch("outgate.store.wire.CONNECTIONS", 1):
            wire = Wire(talker.endpoint(timeout_s=PATIENCE_S), breaker)
        with (
            patch("outgate.store.wire._MAX_QUEUE_S", PATIENCE_S),
            ThreadPoolExecutor(2) as threads,
        ):
            first = threads.submit(ask, wire, "PING")
            wait_until(lambda: talker.heard, "the first one asks")
            second = threads.submit(ask, wire, "PING")
            for _ in range(FAILURES):
                breaker.failed(0.0)
            talker.hang_up()
            assert isinstance(first.exception(), StoreUnavailable)
            assert isinstance(second.exception(), GivenUp)
        assert len(talker.heard) == 1


class TestRestart:
    """A server that went away and came back."""

    @pytest.mark.parametrize("kind", ["unix", "tcp"])
    def test_dead_connections_are_replaced_without_an_error(
        self, own_server: RedisServer, kind: str
    ) -> None:
        """After a restart, all that were pooled are dead, and no caller notices."""
        url = own_server.url if kind == "tcp" else f"unix://{own_server.socket}"
        wire = Wire(Endpoint(url=url, timeout_s=PATIENCE_S))
        for _ in range(CONNECTIONS):
            ask(wire, "PING")
        own_server.kill()
        own_server.restart()

        assert [ask(wire, "PING") for _ in range(2 * CONNECTIONS)] == [b"PONG"] * 32
        wire.close()

    def test_a_server_that_is_gone_is_unavailable_at_once(
        self, own_server: RedisServer
    ) -> None:
        """Nobody listens: no waiting, one kind of error, the address in it."""
        wire = Wire(endpoint(own_server))
        ask(wire, "PING")
        own_server.kill()
        for _ in range(CONNECTIONS + 1):
            with pytest.raises(StoreUnavailable, match=r"redis\.sock"):
                ask(wire, "PING")
        wire.close()

    def test_nobody_was_ever_there(self, tmp_path: Path) -> None:
        """No socket file, no listener on the port."""
        for url in (
            f"unix://{tmp_path}/none.sock",
            f"redis://{LOOPBACK}:{free_port()}",
        ):
            with pytest.raises(StoreUnavailable):
                ask(Wire(Endpoint(url=url)), "PING")

    def test_a_name_that_does_not_resolve_is_unavailable(self) -> None:
        """A typing error in the URL, or DNS that is away: the name is told."""
        unknown = socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        with (
            patch("socket.getaddrinfo", side_effect=unknown),
            pytest.raises(StoreUnavailable, match=r"store\.example: Name or service"),
        ):
            ask(Wire(Endpoint(url="redis://store.example")), "PING")


class TestRefusals:
    """A server that does not want us."""

    @pytest.mark.parametrize(
        ("user", "password"),
        [
            ("", "guessed"),
            ("outgate:guessed@", ""),
            ("nobody:pw@", ""),
            (":@", "guessed"),
        ],
    )
    @pytest.mark.parametrize("kind", ["unix", "tcp"])
    def test_wrong_credentials_are_refused(
        self, locked: RedisServer, user: str, password: str, kind: str
    ) -> None:
        """Wrong password, unknown user: configuration, not an outage."""
        place = f"{LOOPBACK}:{locked.port}" if kind == "tcp" else str(locked.socket)
        scheme = "redis" if kind == "tcp" else "unix"
        target = Endpoint(
            url=f"{scheme}://{user}{place}", password=password, timeout_s=PATIENCE_S
        )
        with pytest.raises(StoreRefused, match="WRONGPASS") as refusal:
            ask(Wire(target), "PING")
        assert "guessed" not in _everything(refusal.value)

    def test_the_right_password_opens(self, locked: RedisServer) -> None:
        """From the file or from the URL, which wins, as it does in redis-py."""
        plain = f"redis://{LOOPBACK}:{locked.port}"
        for target in (
            Endpoint(url=plain, password=PASSWORD, timeout_s=PATIENCE_S),
            Endpoint(url=locked.url, timeout_s=PATIENCE_S),
            Endpoint(url=locked.url, password="stale", timeout_s=PATIENCE_S),
            Endpoint(
                url=f"redis://outgate@{LOOPBACK}:{locked.port}",
                password="pw",
                timeout_s=PATIENCE_S,
            ),
        ):
            wire = Wire(target)
            assert ask(wire, "PING") == b"PONG"
            wire.close()

    def test_no_password_at_all_is_refused(self, locked: RedisServer) -> None:
        """NOAUTH comes as an answer to each command; to a long one, other words."""
        wire = Wire(endpoint(locked))
        with pytest.raises(StoreRefused, match="wants a password"):
            Counters(wire, Keys(), SECRET).look_up(a_plan(a_charge()))
        assert str(ask(wire, "PING")).startswith("NOAUTH")
        wire.close()

    def test_a_password_where_none_is_set_does_no_harm(self, store: Store) -> None:
        """The server that lost its password file goes on counting."""
        target = Endpoint(
            url=f"unix://{store.server.socket}", password="pw", timeout_s=PATIENCE_S
        )
        wire = Wire(target)
        assert ask(wire, "PING") == b"PONG"
        wire.close()

    def test_a_database_that_does_not_exist_is_refused(self, store: Store) -> None:
        """`redis://host/99` on a server with sixteen."""
        target = Endpoint(url=f"{store.server.url}/99", timeout_s=PATIENCE_S)
        with pytest.raises(StoreRefused, match="DB index"):
            ask(Wire(target), "PING")

    @pytest.mark.parametrize("namespace", ["outgate", "elsewhere"])
    def test_an_acl_that_is_too_tight_is_refused(
        self, locked: RedisServer, namespace: str
    ) -> None:
        """A missing command, a namespace out of reach: NOPERM is configuration."""
        user = "looker" if namespace == "outgate" else "outgate"
        target = Endpoint(url=f"unix://{user}:pw@{locked.socket}", timeout_s=PATIENCE_S)
        wire = Wire(target)
        with pytest.raises(StoreRefused, match="NOPERM"):
            Counters(wire, Keys(namespace), SECRET).look_up(a_plan(a_charge()))
        wire.close()


class TestTrouble:
    """A server that answers with an error of its own."""

    def test_a_replica_is_unavailable(self, own_server: RedisServer) -> None:
        """READONLY, as after a failover: nothing is charged, and nothing is lost."""
        wire = narrow_wire(endpoint(own_server))
        counters = Counters(wire, Keys(), SECRET)
        plan = a_plan(a_charge(interval_us=3_600_000_000))
        counters.look_up(plan)
        ask(wire, "REPLICAOF", LOOPBACK, "1")
        with pytest.raises(StoreUnavailable, match="READONLY"):
            counters.look_up(plan)
        ask(wire, "REPLICAOF", "NO", "ONE")

        assert counters.look_up(plan).levels[0].used == 2
        wire.close()

    def test_a_full_server_is_unavailable(self, own_server: RedisServer) -> None:
        """OOM with noeviction: the script is stopped before it writes anything."""
        wire = narrow_wire(endpoint(own_server))
        counters = Counters(wire, Keys(), SECRET)
        plan = a_plan(a_charge(interval_us=3_600_000_000), a_charge(name="second"))
        counters.look_up(plan)
        ask(wire, "CONFIG", "SET", "maxmemory", "1")
        with pytest.raises(StoreUnavailable, match="OOM"):
            counters.look_up(plan)
        ask(wire, "CONFIG", "SET", "maxmemory", "0")

        assert counters.look_up(plan).levels[0].used == 2
        wire.close()

    def test_a_full_house_is_unavailable(self, own_server: RedisServer) -> None:
        """`maxclients`: the server says so and hangs up."""
        wire = narrow_wire(endpoint(own_server))
        ask(wire, "PING")
        ask(wire, "CONFIG", "SET", "maxclients", "1")
        for password in ("", "pw"):
            target = Endpoint(
                url=f"unix://{own_server.socket}",
                password=password,
                timeout_s=PATIENCE_S,
            )
            with pytest.raises(StoreUnavailable):
                Counters(Wire(target), Keys(), SECRET).look_up(a_plan())
        wire.close()

    @pytest.mark.parametrize(
        "text",
        [
            "LOADING Redis is loading the dataset in memory",
            "READONLY You can't write against a read only replica.",
            "OOM command not allowed when used memory > 'maxmemory'.",
            "MISCONF Redis is configured to save RDB snapshots",
            "BUSY Redis is busy running a script.",
            "MASTERDOWN Link with MASTER is down",
            "CLUSTERDOWN The cluster is down",
            "TRYAGAIN Multiple keys request during rehashing of slot",
            "NOREPLICAS Not enough good replicas to write.",
            "ERR max number of clients reached",
            "ERR Error running script: -READONLY You can't write",
            "ERR user_script:44: @user_script: 44: -OOM command not allowed",
        ],
    )
    def test_a_server_in_trouble_is_unavailable(
        self, talker: Talker, text: str
    ) -> None:
        """What passes by itself, in whatever words this or an older server says it."""
        talker.answers = [b"*1\r\n$-1\r\n" * 3 + b"-" + text.encode() + b"\r\n"]
        wire = Wire(talker.endpoint(timeout_s=PATIENCE_S))
        with pytest.raises(StoreUnavailable) as error:
            Counters(wire, Keys(), SECRET).look_up(a_plan())
        assert text in str(error.value)
        wire.close()

    def test_what_is_no_error_passes(self) -> None:
        """Any other value is the answer, also an empty one."""
        for reply in (b"", b"OK", 0, None, [], [None]):
            assert raise_for(reply, "x") == reply


# Pieces of RESP 2 and 3, so that random bytes become half sensible.
_RESP = st.lists(
    st.one_of(
        st.sampled_from(
            [
                b"+OK\r\n",
                b"-ERR no\r\n",
                b":1\r\n",
                b"$-1\r\n",
                b"$3\r\nabc\r\n",
                b"*1\r\n",
                b"*-1\r\n",
                b"%1\r\n",
                b"~1\r\n",
                b">1\r\n",
                b"_\r\n",
                b"#t\r\n",
                b",1.5\r\n",
                b"=7\r\ntxt:abc\r\n",
                b"$4294967295\r\n",
                b"\r\n",
                b"HTTP/1.1 400 Bad Request\r\n\r\n",
            ]
        ),
        st.binary(max_size=12),
    ),
    max_size=12,
).map(b"".join)


class TestElsewhere:
    """A failover: the server answers, and sends us away."""

    @pytest.mark.parametrize(
        "text",
        [
            "READONLY You can't write against a read only replica.",
            "ERR Error running script: -READONLY You can't write",
            "LOADING Redis is loading the dataset in memory",
            "MASTERDOWN Link with MASTER is down",
            "CLUSTERDOWN The cluster is down",
            "NOREPLICAS Not enough good replicas to write.",
        ],
    )
    def test_no_connection_stays_with_a_server_that_is_not_in_charge(
        self, talker: Talker, text: str
    ) -> None:
        """Whatever name or address led here may lead elsewhere by now."""
        talker.answers = [b"+PONG\r\n", b"+PONG\r\n", f"-{text}\r\n".encode()]
        wire = Wire(talker.endpoint(timeout_s=PATIENCE_S))
        for _ in range(CONNECTIONS):
            ask(wire, "PING")
        # Two answers each were good; the first bad one ends them all.
        for _ in range(CONNECTIONS):
            ask(wire, "PING")
        assert len(talker.heard) == CONNECTIONS
        assert str(ask(wire, "PING")) == text

        assert [ask(wire, "PING") for _ in range(CONNECTIONS)] == [b"PONG"] * 16
        assert len(talker.heard) == 2 * CONNECTIONS
        wire.close()

    def test_other_errors_keep_the_connection(self, talker: Talker) -> None:
        """A full server, a broken key: a new connection would make nothing better."""
        errors = [
            "OOM command not allowed",
            "WRONGTYPE Operation",
            "BUSY Redis is busy",
        ]
        talker.answers = [f"-{text}\r\n".encode() for text in errors]
        wire = narrow_wire(talker.endpoint(timeout_s=PATIENCE_S))
        for text in errors:
            assert str(ask(wire, "PING")) == text

        assert len(talker.heard) == 1
        wire.close()

    def test_a_name_that_was_moved_is_followed(self, own_server: RedisServer) -> None:
        """The demoted server lives on; the look-up after the failed one is answered."""
        with RedisServer(tcp=True) as successor:
            ports = iter([own_server.port, successor.port])
            wire = narrow_wire(
                Endpoint(url="redis://store.example", timeout_s=PATIENCE_S)
            )

            def resolve(*_: object, **__: object) -> list[object]:
                place = (LOOPBACK, next(ports))
                return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", place)]

            with (
                patch("socket.getaddrinfo", resolve),
                patch("outgate.store.dial.FRESH_S", 0.0),
            ):
                assert ask(wire, "SET", "outgate:schema", "1") == b"OK"
                own_server.cli("REPLICAOF", LOOPBACK, "1")
                refusal = ask(wire, "SET", "outgate:schema", "2")
                assert str(refusal).startswith("READONLY")

                assert ask(wire, "SET", "outgate:schema", "2") == b"OK"
            assert successor.cli("GET", "outgate:schema") == "2"
            wire.close()


class TestNonsense:
    """Something that is no Redis server."""

    @settings(
        max_examples=150,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture],
    )
    @given(said=_RESP)
    def test_whatever_it_says_is_an_answer_or_a_store_error(
        self, talker: Talker, said: bytes
    ) -> None:
        """Any bytes: no other exception, and a connection that broke is dropped."""
        talker.answers, talker.closes = [said], True
        wire = narrow_wire(talker.endpoint(timeout_s=PATIENCE_S))
        with suppress(StoreUnavailable, ScriptError):
            Counters(wire, Keys(), SECRET).look_up(a_plan())
        wire.close()

    @pytest.mark.parametrize(
        "said",
        [
            b"220 mx.example.org ESMTP Postfix\r\n",
            b"HTTP/1.1 400 Bad Request\r\n\r\n",
            b"\x16\x03\x01\x02\x00",
            b"%1\r\n*0\r\n+a\r\n",
        ],
    )
    def test_another_protocol_is_told_as_such(
        self, talker: Talker, said: bytes
    ) -> None:
        """A wrong port leads to Postfix, a web server, TLS: the message says so."""
        talker.answers = [said]
        wire = Wire(talker.endpoint(timeout_s=PATIENCE_S))
        with pytest.raises(StoreUnavailable, match="not Redis"):
            ask(wire, "PING")
        # Nothing of it is left over for the next caller.
        talker.answers = [b"+PONG\r\n"]
        assert ask(wire, "PING") == b"PONG"
        wire.close()

    def test_who_hangs_up_is_asked_once_more_and_then_unavailable(
        self, talker: Talker
    ) -> None:
        """One replacement for a pooled connection, none for a fresh one."""
        talker.closes = True
        wire = narrow_wire(talker.endpoint(timeout_s=PATIENCE_S))
        with pytest.raises(StoreUnavailable):
            ask(wire, "PING")
        assert len(talker.heard) == 1
        talker.answers = [b"+PONG\r\n"]
        assert ask(wire, "PING") == b"PONG"
        talker.answers = []
        with pytest.raises(StoreUnavailable):
            ask(wire, "PING")
        assert len(talker.heard) == 3


class TestSecrets:
    """A password is in no text that anybody could log."""

    @pytest.mark.parametrize(
        "url",
        [
            "redis://:s3cret@store.example:6379/0",
            "redis://outgate:s3cret@store.example",
            "rediss://:p%40s3cret@store.example",
            "redis://store.example/0?password=s3cret",
            "unix://outgate:s3cret@/run/redis.sock?db=0",
            "unix:///run/redis.sock?password=s3cret",
        ],
    )
    def test_an_endpoint_shows_the_place_only(self, url: str) -> None:
        """Neither `str` nor `repr`, whichever way the password came in."""
        target = Endpoint(url=url, password="s3cret-too")

        scheme, _, place = str(target).partition("://")

        assert "s3cret" not in f"{target} {target!r}"
        assert scheme == url.partition(":")[0]
        assert place.startswith(("store.example", "/run/redis.sock"))

    def test_an_error_that_repeats_the_password_is_cut(self, talker: Talker) -> None:
        """Servers repeat commands that they do not know, AUTH among them."""
        talker.answers = [
            b"-ERR unknown command 'AUTH', with args beginning with: 's3cret' \r\n"
        ]
        wire = Wire(talker.endpoint(password="s3cret", timeout_s=PATIENCE_S))
        with pytest.raises(StoreRefused, match="unknown command 'AUTH'") as error:
            ask(wire, "PING")
        assert "s3cret" not in _everything(error.value)
        assert "s3cret" in str(talker.heard)

    def test_no_other_error_holds_it(self, tmp_path: Path, talker: Talker) -> None:
        """Absent, silent, garbled, hanging up: text and cause are clean."""
        gone = Endpoint(url=f"unix://u:s3cret@{tmp_path}/none", password="s3cret")
        errors = [_error_of(gone)]
        for said, closes, timeout_s in (
            (b"", False, _BUDGET_S),
            (b"garbage\r\n", False, PATIENCE_S),
            (b"", True, PATIENCE_S),
        ):
            talker.answers, talker.closes = [said], closes
            target = talker.endpoint(password="s3cret", timeout_s=timeout_s)
            errors.append(_error_of(target))
        assert [type(error).__name__ for error in errors] == [
            "StoreUnavailable",
            "StoreTimeout",
            "StoreUnavailable",
            "StoreUnavailable",
        ]
        assert "s3cret" not in " ".join(_everything(error) for error in errors)


def _error_of(target: Endpoint) -> StoreError:
    with pytest.raises(StoreError) as error:
        ask(Wire(target), "PING")
    return error.value


def _everything(error: BaseException | None) -> str:
    """Text of an error and of what it was raised from."""
    if error is None:
        return ""
    return f"{error} {error!r} {_everything(error.__cause__)}"


def test_a_script_error_is_none_of_the_servers_troubles() -> None:
    """Four kinds, four labels: an outage is not a bug, nor a wrong password."""
    kinds = {
        error.kind
        for error in (StoreUnavailable, StoreTimeout, StoreRefused, ScriptError)
    }
    assert kinds == {"unavailable", "timeout", "refused", "script"}

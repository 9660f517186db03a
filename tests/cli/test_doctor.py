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


def test_a_counter_of_a_wrong_type_is_named(daemon: Outgate) -> None:
    """Its customer would be judged by local counters for ever, in silence."""
    daemon.redis("SET", "outgate:contacts:{anne}", "nonsense")
    done = daemon.command("doctor")
    daemon.redis("DEL", "outgate:contacts:{anne}")

    assert done.returncode == 1
    assert (
        "keys           outgate:contacts:{anne} is a string, expected a hash: "
    ) in done.stdout


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


LOCAL = """
[[listen]]
address = "unix:{directory}/outgate.sock"
[[listen]]
address = "unix:{directory}/local.sock"
path = "local-submission"
"""
NO_USER = "local.sock has no local-user: Postfix tells none"


def test_local_mail_of_nobody_is_a_note() -> None:
    """It is as it must be on many a host: said, and all is well."""
    with or_skip(), Outgate(settings=HEALTHY, listen=LOCAL) as running:
        done = running.command("doctor")

        assert done.returncode == 0, done.stdout
        assert "socket         note: unix:" in done.stdout
        assert NO_USER in done.stdout
        assert "all is well" in done.stdout


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('path = "local-submission"', 'path = "local-submission"\nlocal-user = "web"'),
        ("[quarantine]", '[quarantine]\nqueue-command = ["mailq", "-qQ"]'),
    ],
)
def test_a_user_that_is_told_needs_no_note(
    tmp_path: Path, redis: RedisServer, before: str, after: str
) -> None:
    """By the socket, or by Sendmail."""
    text = LOCAL.replace("{directory}", str(tmp_path)) + HEALTHY
    for settings, noted in ((text, True), (text.replace(before, after), False)):
        config = configure(tmp_path, redis, "local-user", settings)
        done = outgate("--config", config, "doctor")
        assert (NO_USER in done.stdout) is noted


REGISTERED = """
[[customer]]
name = "choir"
match = ["@choir.example"]
[[list]]
id = "members.choir.example"
customer = "chior"
[[stream]]
name = "receipts"
customer = "Choir"
sender = ["shop@choir.example"]
[[list]]
id = "news.bakery.example"
customer = "post@bakery.example"
"""


def test_a_customer_that_is_misspelt_is_named(
    tmp_path: Path, redis: RedisServer
) -> None:
    """Its list or stream would wait for mail for ever; who has sent is right."""
    config = configure(tmp_path, redis, "misspelt", HEALTHY + REGISTERED)
    done = outgate("--config", config, "doctor")

    assert done.code == 1
    assert (
        "list           members.choir.example: 'chior' is no [[customer]] and has sent "
        "nothing yet; did you mean 'choir'?\n"
    ) in done.stdout
    assert "stream         receipts: 'Choir' is no [[customer]]" in done.stdout
    assert "bakery" not in done.stdout

    redis.cli("HSET", "misspelt:contacts:{chior}", "a", "b")
    done = outgate("--config", config, "doctor")
    redis.cli("DEL", "misspelt:contacts:{chior}")
    assert "'chior'" not in done.stdout


def test_a_customer_that_is_known_since_tomorrow_is_named(
    tmp_path: Path, redis: RedisServer
) -> None:
    """Its good conduct would begin then."""
    customers = "".join(
        f'[[customer]]\nname = "{name}"\nmatch = ["@{name}.example"]\nsince = {since}\n'
        for name, since in (("choir", "2199-01-01"), ("shop", "2020-01-01"))
    )
    config = configure(tmp_path, redis, "since", HEALTHY + customers)
    done = outgate("--config", config, "doctor")

    assert done.code == 1
    assert (
        "customer       choir: since 2199-01-01T00:00:00Z is yet to come" in done.stdout
    )
    assert "shop" not in done.stdout


BOUNCES = """
[[customer]]
name = "choir"
match = ["@choir.example"]
[[list]]
id = "news.choir.example"
customer = "choir"
bounces = "news-bounces@choir.example"
"""


def test_refusals_at_rcpt_that_no_socket_gives_are_a_note(
    tmp_path: Path, redis: RedisServer
) -> None:
    """Who has withdrawn gets no mail all the same."""
    listen = f'[[listen]]\naddress = "unix:{tmp_path}/s"\nreplies = "recipient"\n'
    for settings, noted in ((BOUNCES, True), (listen + BOUNCES, False)):
        config = configure(tmp_path, redis, "bounces", HEALTHY + settings)
        said = outgate("--config", config, "doctor").stdout
        assert ("note: news.choir.example: bounces has no effect" in said) is noted

"""`outgate optin`: loaded, shown, taken out; mistakes are named before anything is written."""

from contextlib import closing
from pathlib import Path

import pytest

from cli.commands import configure, outgate
from lab.redis import RedisServer
from outgate.store.client import connect
from outgate.store.hashes import Hashes
from outgate.store.keys import Keys
from outgate.store.registry import bucket_of
from outgate.store.wire import Endpoint

LIST = "members.choir.example"


@pytest.fixture
def config(tmp_path: Path, redis: RedisServer) -> Path:
    file = configure(tmp_path, redis, "cli-optin")
    text = file.read_text()
    file.write_text(f'{text}\n[[list]]\nid = "{LIST}"\ncustomer = "choir"\n')
    return file


def place(mailbox: str) -> tuple[str, bytes]:
    """Where a subscriber of the list stands."""
    field = Hashes(bytes.fromhex("5e" * 32)).subscriber(LIST, mailbox)
    return Keys("cli-optin").optin(LIST, bucket_of(field)), field


def addresses(tmp_path: Path, *lines: str) -> Path:
    file = tmp_path / "addresses"
    file.write_text("".join(f"{line}\n" for line in lines))
    return file


def test_who_is_loaded_is_shown_and_removed(config: Path, tmp_path: Path) -> None:
    """Under any spelling of the address; loading again does no harm."""
    file = addresses(
        tmp_path, "# members", "", "Bob@Example.net", "carol+choir@example.net"
    )
    load = ("optin", "load", "--list", LIST, "--grade", "paper", file)

    assert outgate("--config", config, *load).stdout == (
        f"{LIST}: 2 registered as paper, 2 of them new\n"
    )
    assert "0 of them new" in outgate("--config", config, *load).stdout
    show = ("optin", "show", "--list", LIST.upper())
    assert "2 subscribers" in outgate("--config", config, *show).stdout
    assert outgate("--config", config, *show, "bob@example.NET").stdout == "paper\n"
    assert outgate("--config", config, *show, "carol@example.net").stdout == "paper\n"

    done = outgate("--config", config, "optin", "remove", "--list", LIST, file)
    assert done.stdout == f"{LIST}: 2 of 2 removed\n"
    assert outgate("--config", config, *show, "bob@example.net").code == 1


def test_a_line_that_is_no_address_stops_it(config: Path, tmp_path: Path) -> None:
    """Which one, and nothing was written."""
    file = addresses(tmp_path, "bob@example.net", "not an address")

    done = outgate(
        "--config", config, "optin", "load", "--list", LIST, "--grade", "paper", file
    )

    assert done.code == 2
    assert "line 2: 'not an address' is no address" in done.stderr
    show = outgate("--config", config, "optin", "show", "--list", LIST)
    assert "0 subscribers" in show.stdout


def test_a_list_that_nobody_configured_is_named(config: Path) -> None:
    """With those that there are."""
    done = outgate("--config", config, "optin", "show", "--list", "news.example")

    assert done.code == 2
    assert f"there are {LIST}" in done.stderr


def test_a_file_that_is_not_there_is_66(config: Path, tmp_path: Path) -> None:
    """As everywhere."""
    done = outgate(
        "--config",
        config,
        *("optin", "load", "--list", LIST, "--grade", "paper", tmp_path / "none"),
    )

    assert done.code == 66
    assert "cannot be read: No such file" in done.stderr


@pytest.mark.parametrize(
    "words", [("load", "--grade", "paper"), ("show",), ("remove",)]
)
def test_another_secret_is_refused(
    config: Path, tmp_path: Path, redis: RedisServer, words: tuple[str, ...]
) -> None:
    """Nobody would find whom it registers: under another one, all are strangers."""
    file = addresses(tmp_path, "bob@example.net")
    redis.cli("HSET", "cli-optin:schema", "secret-id", "another")
    last = "bob@example.net" if words == ("show",) else file
    done = outgate("--config", config, "optin", *words, "--list", LIST, last)
    redis.cli("DEL", "cli-optin:schema")

    assert (done.code, done.stdout) == (78, "")
    assert "the store was filled with another secret" in done.stderr


def test_a_grade_that_is_none_is_told(config: Path, redis: RedisServer) -> None:
    """Somebody wrote it by hand; it is no consent, and no traceback."""
    key, field = place("carl@example.net")
    with closing(connect(Endpoint(url=redis.url))) as client:
        client.hset(key, field, b"trust\x1b me")
    show = ("optin", "show", "--list", LIST, "carl@example.net")
    done = outgate("--config", config, *show)
    redis.cli("DEL", key)

    assert (done.code, done.stderr) == (1, "")
    assert done.stdout == (
        f"carl@example.net is registered for {LIST}, but with no grade that there is: "
        "it is no consent; load it again\n"
    )


def test_a_key_of_another_type_is_told(config: Path, redis: RedisServer) -> None:
    """In words of ours: no command, and no hash of anybody."""
    key, _ = place("dora@example.net")
    redis.cli("SET", key, "a word")
    done = outgate(
        "--config", config, "optin", "show", "--list", LIST, "dora@example.net"
    )
    redis.cli("DEL", key)

    assert done.code == 70
    assert done.stderr.startswith("outgate: WRONGTYPE Operation against a key")
    assert "HGET" not in done.stderr

"""`outgate optin`: loaded, shown, taken out; mistakes are named before anything is written."""

from pathlib import Path

import pytest

from cli.commands import configure, outgate
from lab.redis import RedisServer

LIST = "members.choir.example"


@pytest.fixture
def config(tmp_path: Path, redis: RedisServer) -> Path:
    file = configure(tmp_path, redis, "cli-optin")
    text = file.read_text()
    file.write_text(f'{text}\n[[list]]\nid = "{LIST}"\ncustomer = "choir"\n')
    outgate("--config", file, "secret", "new")
    return file


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

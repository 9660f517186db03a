"""`outgate store`: the store of this configuration, whatever else listens."""

from pathlib import Path

import pytest

from cli.commands import configure, outgate
from lab.redis import RedisServer


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("PING",), 0, "PONG\n"),
        (("GET", "outgate:nothing"), 0, "\n"),
        (("HSET", "outgate:suspend"), 1, "ERR wrong number of arguments"),
    ],
    ids=("answer", "nothing", "error"),
)
def test_an_error_of_the_store_is_exit_1(
    tmp_path: Path, redis: RedisServer, words: tuple[str, ...], code: int, said: str
) -> None:
    """What it says is printed as redis-cli prints it."""
    config = configure(tmp_path, redis, "cli-store")

    done = outgate("--config", config, "store", "cli", *words)

    assert done.code == code
    assert done.stdout.startswith(said)
    assert done.stderr == ""

"""Keys of DKIM at the daemon's start and reload."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from daemon.test_start import fails
from lab.outgate import Outgate
from lab.skips import or_skip
from lab.waiting import wait_until
from signing.dkims import BOTH, BOTH_SIGN, write_tables


@pytest.fixture
def tables(tmp_path: Path) -> Iterator[str]:
    """`[dkim]` with keys that the daemon's account can read."""
    directory = Path("/var/lib") / f"outgate-{tmp_path.name}"
    directory.mkdir(mode=0o755)
    found = write_tables(directory, BOTH, BOTH_SIGN)
    for path in directory.iterdir():
        shutil.chown(path, "nobody")
    yield (
        f'[dkim]\nkey-table = "{found.key_table}"\n'
        f'signing-table = "{found.signing_table}"\n'
    )
    shutil.rmtree(directory)


def keys_of(tables: str) -> Path:
    return Path(tables.split('"')[1]).parent


def test_without_keys_the_log_says_once_that_nothing_is_signed() -> None:
    """However many workers there are."""
    with or_skip(), Outgate() as daemon:
        assert len(daemon.events("dkim-off")) == 1


@pytest.mark.parametrize(
    ("mode", "content", "told"),
    [
        (0o644, None, "everybody can read it"),
        (0o600, b"no key", "is no key of DKIM"),
        (None, None, "cannot be read: No such file"),
    ],
)
def test_a_key_that_cannot_be_used_is_refused_by_name(
    tables: str, mode: int | None, content: bytes | None, told: str
) -> None:
    """Exit 78, before a message is touched."""
    path = keys_of(tables) / "example.org.2026a.pem"
    if content is not None:
        path.write_bytes(content)
    if mode is None:
        path.unlink()
    else:
        path.chmod(mode)
    with or_skip():
        code, lines = fails(Outgate(settings=tables))

    assert code == 78
    assert any(str(path) in line and told in line for line in lines)


def test_a_bad_key_at_a_reload_leaves_the_old_ones(tables: str) -> None:
    """And is told by name."""
    path = keys_of(tables) / "example.org.2026e.pem"
    with or_skip(), Outgate(settings=tables) as daemon:
        path.chmod(0o604)
        daemon.reload()
        wait_until(lambda: daemon.events("reload-failed"), "the refusal")

        assert str(path) in str(daemon.events("reload-failed"))
        assert len(daemon.workers()) > 0

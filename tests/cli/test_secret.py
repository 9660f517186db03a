"""`outgate secret`: made once, never replaced, named without being told."""

import os
import stat
from pathlib import Path

import pytest

from cli.commands import outgate
from outgate.signing.secret import key_id, read_secret


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """A state directory that does not exist yet."""
    return {"OUTGATE_STATE": str(tmp_path / "var/outgate")}


def test_it_is_made_where_the_daemon_looks_for_it(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    """With its directory, readable by nobody else, its id told."""
    file = tmp_path / "var/outgate/secret"

    done = outgate("secret", "new", environment=environment)

    name = key_id(read_secret(file))
    assert (done.code, done.stdout) == (0, f"{file}: made, id {name}\n")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) & 0o007 == 0
    assert read_secret(file).hex() not in done.stdout
    assert outgate("secret", "id", environment=environment).stdout == f"{name}\n"


def test_it_is_never_replaced(tmp_path: Path, environment: dict[str, str]) -> None:
    """Everything that was hashed with it would be lost."""
    file = tmp_path / "var/outgate/secret"
    outgate("secret", "new", environment=environment)
    before = file.read_bytes()

    done = outgate("secret", "new", environment=environment)

    assert (done.code, done.stdout) == (73, "")
    assert done.stderr == f"outgate: secret: {file} cannot be made: File exists\n"
    assert file.read_bytes() == before


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    """One line, exit 73."""
    (tmp_path / "file").touch()

    done = outgate("secret", "new", environment={"OUTGATE_STATE": f"{tmp_path}/file/x"})

    assert done.code == 73
    assert done.stderr == (
        f"outgate: secret: {tmp_path}/file/x cannot be made: Not a directory\n"
    )


def test_a_configured_file_is_the_one(tmp_path: Path) -> None:
    """`[secrets] file` says where."""
    config = tmp_path / "outgate.toml"
    config.write_text(f'[secrets]\nfile = "{tmp_path}/key"\n')

    outgate("--config", config, "secret", "new")

    assert len(read_secret(tmp_path / "key")) == 32


def test_one_that_is_missing_says_how_it_is_made(environment: dict[str, str]) -> None:
    """Exit 78: the daemon would not start either."""
    done = outgate("secret", "id", environment=environment)

    assert done.code == 78
    assert "does not exist: make it with `outgate secret new`" in done.stderr
    assert done.stderr.count("\n") == 1


def test_one_that_is_no_key_is_refused(tmp_path: Path) -> None:
    """An empty file would make every hash the same as everybody's."""
    (tmp_path / "secret").write_text("hello\n")

    done = outgate("secret", "id", environment={"OUTGATE_STATE": str(tmp_path)})

    assert done.code == 78
    assert done.stderr == (
        f"outgate: secret: {tmp_path}/secret is no key: expected 64 hexadecimal "
        "digits\n"
    )


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_roots_belongs_to_the_daemon(tmp_path: Path) -> None:
    """It runs as another account, and must read it wherever it is."""
    config = tmp_path / "outgate.toml"
    config.write_text(
        f'[secrets]\nfile = "{tmp_path}/key"\n[paths]\nstate = "{tmp_path}/state"\n'
    )
    (tmp_path / "state").mkdir()
    os.chown(tmp_path / "state", 12345, 12346)

    outgate("--config", config, "secret", "new")

    made = (tmp_path / "key").stat()
    assert (made.st_uid, made.st_gid) == (12345, 12346)
    assert stat.S_IMODE(made.st_mode) == 0o600

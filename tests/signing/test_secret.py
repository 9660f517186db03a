"""The key behind keyed hashes: made once, read strictly, named without telling it."""

import os
import stat
from pathlib import Path

import pytest

from outgate.model.errors import EX_CANTCREAT, EX_CONFIG, StartError
from outgate.signing.secret import SECRET_BYTES, key_id, make_secret, read_secret


def test_what_was_made_is_read(tmp_path: Path) -> None:
    """32 bytes, another 32 each time, and only the owner may read them."""
    path = tmp_path / "secret"
    secret = make_secret(path)

    assert read_secret(path) == secret
    assert len(secret) == SECRET_BYTES
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert make_secret(tmp_path / "other") != secret


def test_the_mode_does_not_depend_on_the_umask(tmp_path: Path) -> None:
    """A generous umask makes it no more readable."""
    before = os.umask(0)
    try:
        make_secret(tmp_path / "secret")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "secret").stat().st_mode) == 0o600


def test_a_key_is_never_replaced(tmp_path: Path) -> None:
    """All that was hashed with it would be lost."""
    path = tmp_path / "secret"
    secret = make_secret(path)
    with pytest.raises(StartError, match="File exists") as refusal:
        make_secret(path)
    assert refusal.value.exit_code == EX_CANTCREAT
    assert read_secret(path) == secret


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    """With the path and the system's own words."""
    with pytest.raises(StartError, match="none/secret cannot be made: No such file"):
        make_secret(tmp_path / "none" / "secret")


def test_a_missing_key_says_what_to_do(tmp_path: Path) -> None:
    """Make it once, and copy it."""
    with pytest.raises(StartError, match=r"outgate secret new.*copy it") as refusal:
        read_secret(tmp_path / "secret")
    assert refusal.value.exit_code == EX_CONFIG


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\n",
        b"correct horse battery staple",
        b"ab" * (SECRET_BYTES - 1),
        b"ab" * (SECRET_BYTES + 1),
        b"a" * (2 * SECRET_BYTES - 1),
        b"zz" * SECRET_BYTES,
        bytes(range(224, 256)),
    ],
)
def test_what_is_no_key_is_refused_and_not_shown(
    tmp_path: Path, content: bytes
) -> None:
    """Half a key, a password, raw bytes: one line, and nothing of the content."""
    path = tmp_path / "secret"
    path.write_bytes(content)
    with pytest.raises(StartError, match="secret") as refusal:
        read_secret(path)
    assert refusal.value.exit_code == EX_CONFIG
    if content.strip():
        assert content.decode("latin-1") not in str(refusal.value)


@pytest.mark.parametrize("written", ["{}", "{}\n", "  {}\r\n", "\n{}\n\n"])
def test_blanks_around_the_key_do_not_matter(tmp_path: Path, written: str) -> None:
    """It may have been copied by hand, also in capitals."""
    path = tmp_path / "secret"
    digits = "0123456789abcdef" * 4
    path.write_text(written.format(digits.upper()))
    assert read_secret(path) == bytes.fromhex(digits)


def test_a_directory_is_no_key(tmp_path: Path) -> None:
    """Unreadable, whatever the reason."""
    with pytest.raises(StartError, match="cannot be read"):
        read_secret(tmp_path)


def test_the_id_tells_keys_apart_and_nothing_else() -> None:
    """Twelve hexadecimal digits; the same key has the same id on every host."""
    one, other = b"\x01" * SECRET_BYTES, b"\x02" * SECRET_BYTES
    assert key_id(one) == key_id(bytes(one))
    assert key_id(one) != key_id(other)
    assert len(bytes.fromhex(key_id(one))) == 6
    assert key_id(one) not in one.hex()

"""Keys and tables as files: what is wrong is refused, with the file's name."""

import base64
import os
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from outgate.model.errors import EX_CONFIG, StartError
from outgate.policy.dkim_settings import DkimSettings
from outgate.signing.dkim_book import read_book
from outgate.signing.dkim_keys import DkimKey, read_key
from signing.dkims import ED25519, RSA, a_key, write_tables

PEM = Encoding.PEM
PKCS8 = PrivateFormat.PKCS8
PLAIN = NoEncryption()


def refused(settings: DkimSettings) -> str:
    with pytest.raises(StartError) as caught:
        read_book(settings)
    assert caught.value.exit_code == EX_CONFIG
    return str(caught.value)


def with_key(directory: Path, content: bytes, mode: int = 0o600) -> DkimSettings:
    settings = write_tables(directory, {}, "* k\n", "k example.org:s:./k.pem\n")
    (directory / "k.pem").write_bytes(content)
    (directory / "k.pem").chmod(mode)
    return settings


def test_without_tables_there_are_no_keys() -> None:
    """The default."""
    assert read_book(DkimSettings()) is None


@pytest.mark.parametrize("algorithm", [RSA, ED25519])
def test_a_key_that_was_written_is_read(tmp_path: Path, algorithm: str) -> None:
    """Only its owner can read it, and it replaces none."""
    key = a_key(RSA if algorithm == RSA else ED25519)
    path = tmp_path / "key.pem"
    key.write(path)

    assert path.stat().st_mode & 0o777 == 0o600
    assert read_key(path).public == key.public
    assert "PRIVATE" not in repr(read_key(path))
    with pytest.raises(StartError, match="cannot be made"):
        key.write(path)


@pytest.mark.parametrize(
    "private_format", [PrivateFormat.TraditionalOpenSSL, PrivateFormat.PKCS8]
)
def test_keys_of_openssl_and_opendkim_are_read(
    tmp_path: Path, private_format: PrivateFormat
) -> None:
    """Both forms of PEM, and what root and a group may read."""
    text = a_key().private.private_bytes(PEM, private_format, PLAIN)
    book = read_book(with_key(tmp_path, text, 0o640))

    assert book is not None
    assert book.keys["k", "example.org"].key.public == a_key().public


def test_an_ed25519_key_of_dkimpy_is_read(tmp_path: Path) -> None:
    """`dknewkey --ktype ed25519` writes 32 octets in base64."""
    raw = a_key(ED25519).private.private_bytes(Encoding.Raw, PrivateFormat.Raw, PLAIN)
    book = read_book(with_key(tmp_path, base64.b64encode(raw) + b"\n"))

    assert book is not None
    assert book.keys["k", "example.org"].key.public == a_key(ED25519).public


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "is no key of DKIM"),
        (b"-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----\n", "no key"),
        (
            ec.generate_private_key(ec.SECP256R1()).private_bytes(PEM, PKCS8, PLAIN),
            "no key of DKIM",
        ),
        (
            a_key().private.private_bytes(PEM, PKCS8, BestAvailableEncryption(b"x")),
            "without a password",
        ),
        (
            generate_private_key(65537, 8192 // 2 + 8).private_bytes(PEM, PKCS8, PLAIN),
            "4104 bits",
        ),
        (b"AAAA", "no key of DKIM"),
        (b"\xff\xfe\x00", "no key of DKIM"),
    ],
)
def test_what_is_no_key_is_refused_by_name(
    tmp_path: Path, content: bytes, why: str
) -> None:
    """Nothing starts with it."""
    text = refused(with_key(tmp_path, content))

    assert f"{tmp_path}/k.pem" in text
    assert why in text


@pytest.mark.parametrize("mode", [0o604, 0o644, 0o620, 0o602])
def test_a_key_that_others_can_read_or_change_is_refused(
    tmp_path: Path, mode: int
) -> None:
    """With what to do about it."""
    text = a_key().private.private_bytes(PEM, PKCS8, PLAIN)
    told = refused(with_key(tmp_path, text, mode))

    assert f"{tmp_path}/k.pem" in told
    assert "chmod" in told


def test_all_problems_are_told_at_once(tmp_path: Path) -> None:
    """Tables that are not there, keys that are not, names that nobody has."""
    settings = write_tables(
        tmp_path,
        {},
        "* a\n* nobody\n",
        "a example.org:s:./none.pem\nb example.org:s:/none/b.pem\nc nothing\n",
    )
    told = refused(settings).splitlines()

    assert len(told) == 4
    assert all(line.startswith("dkim: ") for line in told)
    assert "No such file" in told[-1]
    missing = refused(DkimSettings(key_table="/none/KeyTable", signing_table="/none/S"))
    assert "dkim.key-table: /none/KeyTable cannot be read" in missing


def test_an_unreadable_key_is_refused(tmp_path: Path) -> None:
    """A directory stands for it: root may read everything else."""
    settings = write_tables(tmp_path, {}, "* k\n", "k example.org:s:./k.pem\n")
    (tmp_path / "k.pem").mkdir()

    assert f"{tmp_path}/k.pem cannot be read" in refused(settings)


def test_a_key_in_the_table_makes_the_table_a_secret(tmp_path: Path) -> None:
    """OpenDKIM takes base64 there."""
    raw = a_key(ED25519).private.private_bytes(Encoding.Raw, PrivateFormat.Raw, PLAIN)
    line = f"k example.org:s:{base64.b64encode(raw).decode()}\n"
    settings = write_tables(tmp_path, {}, "* k\n", line)
    table = tmp_path / "KeyTable"

    os.chmod(table, 0o644)  # noqa: PTH101
    assert f"{table}: everybody can read it" in refused(settings)
    table.chmod(0o600)
    book = read_book(settings)
    assert book is not None
    assert isinstance(book.keys["k", "example.org"].key, DkimKey)


def test_a_percent_in_a_path_is_every_domain_that_has_a_key(tmp_path: Path) -> None:
    """OpenDKIM opens them by header From; here all are read before the first message."""
    for domain in ("a.example", "b.example"):
        (tmp_path / domain).mkdir()
        a_key().write(tmp_path / domain / "mail.pem")
    settings = write_tables(tmp_path, {}, "* k\n", "k %:mail:./%/mail.pem\n")
    book = read_book(settings)

    assert book is not None
    assert sorted(domain for _, domain in book.keys) == ["a.example", "b.example"]
    nothing = write_tables(tmp_path, {}, "* k\n", "k %:mail:./%/none.pem\n")
    assert "no such file for any domain" in refused(nothing)

"""The signers of docs/optin-evidence.md make the token of the specification."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from lab.debs import unpack
from lab.errors import LabUnavailable
from lab.skips import or_skip
from message.tokens import LIST, PROOF, PUBLIC, VECTOR_HEADER
from outgate.message.optin_evidence import Algorithm
from outgate.signing.tokens import SigningKey

PAGE = Path(__file__).parents[2] / "docs/optin-evidence.md"
ARGUMENTS = (
    "Anna@Example.NET",
    "news.example.org",
    "coi",
    "2026-03-14T09:26:53+01:00",
    "2027-04-14T00:00:00Z",
    "01JPA7Q3X8",
    "THhGkStaNrI9ypjUgBPOFQ",
)
LIBRARIES = "usr/lib/x86_64-linux-gnu"


def signer(language: str, number: int = 0) -> str:
    found: list[str] = re.findall(
        rf"```{language}\n(.*?)```", PAGE.read_text(), re.DOTALL
    )
    return found[number]


def key_line() -> str:
    found = re.search(
        r"^ed25519 lists\.example\.org .*$", PAGE.read_text(), re.MULTILINE
    )
    assert found is not None
    return found[0]


def run(
    tmp_path: Path,
    file: str,
    command: Sequence[str | Path],
    environment: Mapping[str, str] | None = None,
) -> None:
    """Sign with the page's signer and the page's key."""
    (tmp_path / "key").write_text(f"{key_line()}\n")
    (tmp_path / "key").chmod(0o600)
    done = subprocess.run(
        [*command, tmp_path / file, tmp_path / "key", *ARGUMENTS],
        env={**os.environ, **(environment or {})},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"Opt-In-Evidence: {VECTOR_HEADER}\n"


def test_the_pages_key_is_the_specifications(tmp_path: Path) -> None:
    """32 octets, 00 to 1f."""
    (tmp_path / "key").write_text(key_line())
    (tmp_path / "key").chmod(0o600)
    key = SigningKey.read(tmp_path / "key")
    assert (key.algorithm, key.seed) == (Algorithm.ED25519, bytes(range(32)))
    assert VECTOR_HEADER.replace(" ", "") in re.sub(r"\s", "", PAGE.read_text())


def test_python(tmp_path: Path) -> None:
    """With the library that Outgate has, too."""
    (tmp_path / "sign.py").write_text(signer("python"))
    run(tmp_path, "sign.py", [sys.executable])


def test_a_proof(tmp_path: Path) -> None:
    """The page's own is what its signer prints."""
    (tmp_path / "prove.py").write_text(signer("python", 1))
    (tmp_path / "key").write_text(f"{key_line()}\n")
    done = subprocess.run(
        [sys.executable, "prove.py", "key", "choir", LIST],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert (done.stdout, done.stderr) == (
        f"lists.example.org:2026a {PUBLIC} --proof={PROOF}\n",
        "",
    )
    assert f"`{PROOF}`" in PAGE.read_text()


def test_php(tmp_path: Path) -> None:
    """Debian's, unpacked; nothing is installed."""
    with or_skip():
        root = unpack("php8.2-cli", "php8.2-common", "libsodium23")
    (tmp_path / "sign.php").write_text(signer("php"))
    run(
        tmp_path,
        "sign.php",
        [root / "usr/bin/php8.2", "-n"],
        {"LD_LIBRARY_PATH": str(root / LIBRARIES)},
    )


def test_perl(tmp_path: Path) -> None:
    """With warnings."""
    with or_skip():
        root = unpack("libcryptx-perl", "libtomcrypt1", "libtommath1")
    (tmp_path / "sign.pl").write_text(signer("perl"))
    (module,) = (root / LIBRARIES / "perl5").glob("*")
    run(
        tmp_path,
        "sign.pl",
        ["perl", "-Mstrict", "-w", f"-I{module}"],
        {"LD_LIBRARY_PATH": str(root / LIBRARIES)},
    )


@pytest.mark.slow
def test_go(tmp_path: Path) -> None:
    """Where there is a compiler: Debian's is too large to be fetched for every run."""
    go = shutil.which("go") or ""
    with or_skip():
        if not go:
            raise LabUnavailable("no Go here")
    (tmp_path / "sign.go").write_text(signer("go"))
    run(
        tmp_path,
        "sign.go",
        [go, "run"],
        {
            "GOCACHE": str(tmp_path / "cache"),
            "GOFLAGS": "-mod=mod",
            "GO111MODULE": "off",
        },
    )

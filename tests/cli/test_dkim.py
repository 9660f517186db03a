"""`outgate dkim`: keys are made, published and checked."""

import stat
from pathlib import Path

import dns.resolver
import pytest

from cli.commands import Done, outgate
from outgate.signing.dkim_archive import KeyArchive
from outgate.signing.dkim_keys import read_key


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A configuration whose tables are filled as the manual says."""
    (tmp_path / "outgate.toml").write_text(
        f'[paths]\nstate = "{tmp_path}/state"\nruntime = "{tmp_path}/run"\n'
        f'[dkim]\nkey-table = "{tmp_path}/KeyTable"\n'
        f'signing-table = "refile:{tmp_path}/SigningTable"\n'
        '[[customer]]\nname = "choir"\nmatch = ["@example.org"]\n'
    )
    return tmp_path


def run(place: Path, *words: str) -> Done:
    return outgate(
        "dkim", *words, environment={"OUTGATE_CONFIG": str(place / "outgate.toml")}
    )


def made(place: Path, *options: str, selector: str = "2026a") -> Done:
    """`new-key`, and its lines put where they belong."""
    words = ("--directory", str(place / "keys"), *options, "example.org", selector)
    done = run(place, "new-key", *words)
    lines = done.stdout.splitlines()
    with (place / "KeyTable").open("a") as table:
        table.write(lines[lines.index("# KeyTable") + 1] + "\n")
    with (place / "SigningTable").open("a") as table:
        table.write(lines[-1] + "\n")
    return done


def test_a_new_key_is_a_file_a_record_two_lines_and_a_line_of_the_archive(
    place: Path,
) -> None:
    """Everything that is needed, and no more of the secret than its file."""
    done = made(place)
    file = place / "keys/example.org.2026a.pem"
    (archived,) = KeyArchive(place / "state/dkim-keys.ndjson").all()

    assert done.code == 0
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert read_key(file).bits == 2048
    assert '2026a._domainkey.example.org. IN TXT ( "v=DKIM1;' in done.stdout
    assert all(len(part) <= 255 for part in done.stdout.split('"'))
    assert "PRIVATE" not in done.stdout + done.stderr
    assert archived.public == read_key(file).public
    assert not archived.in_use


def test_a_key_is_never_replaced(place: Path) -> None:
    """A new one has a new selector."""
    made(place)
    again = run(
        place, "new-key", "--directory", f"{place}/keys", "example.org", "2026a"
    )

    assert again.code == 73
    assert "File exists" in again.stderr


@pytest.mark.parametrize("words", [("exa mple", "s"), ("example.org", "a/b")])
def test_names_that_no_record_can_have_are_refused(
    place: Path, words: tuple[str, str]
) -> None:
    """Before anything is written."""
    assert run(place, "new-key", "--directory", f"{place}/keys", *words).code == 2
    assert not (place / "keys").exists()


def test_show_dns_prints_what_is_configured(place: Path) -> None:
    """All domains, or one."""
    done = made(place)
    record = done.stdout.splitlines()[1]

    assert run(place, "show-dns").stdout == f"{record}\n"
    assert run(place, "show-dns", "Example.org").stdout == f"{record}\n"
    none = run(place, "show-dns", "example.net")
    assert (none.code, none.stdout) == (1, "")


def test_check_says_whose_mail_is_signed_and_that_all_is_well(place: Path) -> None:
    """Two keys of one domain, of its customer."""
    made(place)
    made(place, "--algorithm", "ed25519-sha256", selector="2026e")
    done = run(place, "check", "--no-dns")

    assert done.stdout.splitlines() == [
        "2026a._domainkey.example.org: rsa-sha256 2048 bits, for choir",
        "2026e._domainkey.example.org: ed25519-sha256 256 bits, for choir",
    ]
    assert done.code == 0


def test_check_finds_a_key_alone_and_one_that_signs_nothing(place: Path) -> None:
    """Each on a line of its own."""
    made(place, "--algorithm", "ed25519-sha256")
    (place / "SigningTable").write_text("")
    done = run(place, "check", "--no-dns")

    assert done.code == 1
    assert "Ed25519 alone" in done.stdout
    assert "no line of the SigningTable" in done.stdout


@pytest.mark.parametrize(
    ("records", "told"),
    [
        (["own"], ""),
        ([], "is not in the DNS"),
        (["v=DKIM1; p="], "is revoked"),
        (["v=DKIM1; k=rsa; p=AAAA"], "another key is in the DNS"),
        (["own", "own"], "2 records"),
        (["own t=y"], "only tested"),
    ],
)
def test_check_compares_with_the_dns(
    place: Path, monkeypatch: pytest.MonkeyPatch, records: list[str], told: str
) -> None:
    """The resolver alone is replaced: no name of the world is asked for."""
    made(place)
    own = read_key(place / "keys/example.org.2026a.pem").record

    class Row:
        def __init__(self, text: str) -> None:
            self.strings = [text[:255].encode(), text[255:].encode()]

    def resolve(name: str, kind: str, lifetime: float) -> list[Row]:
        assert (name, kind) == ("2026a._domainkey.example.org.", "TXT")
        if not records:
            raise dns.resolver.NXDOMAIN
        return [
            Row(one.replace("own t=y", own + "; t=y").replace("own", own))
            for one in records
        ]

    monkeypatch.setattr(dns.resolver, "resolve", resolve)
    done = run(place, "check")

    assert done.code == (1 if told else 0)
    assert told in done.stdout


def test_a_key_that_everybody_can_read_is_refused_by_name(place: Path) -> None:
    """As at the daemon's start."""
    made(place)
    (place / "keys/example.org.2026a.pem").chmod(0o644)
    done = run(place, "check", "--no-dns")

    assert done.code == 78
    assert f"{place}/keys/example.org.2026a.pem: everybody can read it" in done.stderr


def test_without_keys_it_says_what_to_set(tmp_path: Path) -> None:
    """Both commands need tables."""
    done = outgate("dkim", "check", environment={"OUTGATE_STATE": str(tmp_path)})

    assert done.code == 2
    assert "key-table" in done.stderr

"""`outgate optin key` and `sign`: a list host's side and ours, end to end."""

import itertools
import json
import stat
from base64 import urlsafe_b64encode
from hashlib import sha256
from pathlib import Path

import pytest

from cli.commands import MESSAGE, configure, outgate
from lab.redis import RedisServer
from message.tokens import LIST, PUBLIC, SEED
from outgate.message.optin_evidence import (
    Algorithm,
    Token,
    normal_recipient,
    parse_token,
    routing_hint,
)
from outgate.message.split import split_message
from outgate.model.consent import Grade
from outgate.policy.optin_keys import OptinKey
from outgate.signing.tokens import SigningKey, TokenVerifier

NAME = "lists.example.org:2026a"
ANNA = "Anna@Example.NET"
SIGN = ("--list", LIST, "--recipient", ANNA, "--method", "coi-web")
TIME = ("--time", "2026-03-14T09:26:53+01:00")


_numbers = itertools.count(1)


@pytest.fixture
def config(tmp_path: Path, redis: RedisServer) -> Path:
    tables = f'[[list]]\nid = "{LIST}"\ncustomer = "choir"\n'
    return configure(tmp_path, redis, f"cli-key-{next(_numbers)}", tables)


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    file = tmp_path / "key"
    SigningKey(Algorithm.ED25519, "lists.example.org", "2026a", SEED).write(file)
    return file


def read_header(text: str) -> Token:
    name, _, value = text.partition(":")
    token = parse_token(value.encode())
    assert name == "Opt-In-Evidence"
    assert isinstance(token, Token), token
    return token


def is_good(token: Token, recipient: str) -> bool:
    key = SigningKey(Algorithm.ED25519, "lists.example.org", "2026a", SEED)
    return TokenVerifier(Path("/nowhere")).is_genuine(
        OptinKey(name=NAME, public=key.public),
        token.signed(recipient.encode()),
        token.signature,
    )


class TestKeys:
    """Made there, registered here."""

    def test_made_registered_listed_and_revoked(
        self, config: Path, tmp_path: Path
    ) -> None:
        """The line that `new` prints is what `add` takes."""
        made = outgate("optin", "key", "new", NAME, tmp_path / "fresh")
        assert made.code == 0
        assert "only its owner can read it" in made.stderr
        assert stat.S_IMODE((tmp_path / "fresh").stat().st_mode) == 0o600
        line = made.stdout.split()
        key = ("--config", config, "optin", "key")
        add = (*key, "add", "--customer", "choir", "--list", LIST, "--by", "anne")

        assert "no key is registered" in outgate(*key, "list").stdout
        assert outgate(*add, *line).stdout == f"{NAME}: registered for choir, {LIST}\n"
        again = outgate(*add, *line)
        assert (again.code, "take another selector" in again.stderr) == (2, True)
        listed = outgate(*key, "list").stdout.splitlines()
        assert listed[1].split() == [NAME, "ed25519", "choir", LIST, "good"]
        assert f"{NAME}: revoked since " in outgate(*key, "revoke", NAME).stdout
        assert " revoked 2" in outgate(*key, "list").stdout
        assert outgate(*key, "revoke", "no.example:one").code == 1

    def test_a_secret_is_copied_into_the_state(
        self, config: Path, tmp_path: Path
    ) -> None:
        """Readable by the daemon alone; the store has its id."""
        file = tmp_path / "secret-key"
        new = ("optin", "key", "new", "--algorithm", "hmac-sha256")
        printed = outgate(*new, NAME, file).stdout.split()
        key = ("--config", config, "optin", "key")
        add = (*key, "add", "--customer", "choir", "--list", LIST)

        assert outgate(*add, *printed).code == 0
        kept = tmp_path / "state" / "optin-keys" / NAME
        assert SigningKey.read(kept) == SigningKey.read(file)
        assert stat.S_IMODE(kept.stat().st_mode) == 0o600
        assert "hmac-sha256" in outgate(*key, "list").stdout
        other = outgate(*add, "lists.example.org:2027a", "--secret", file)
        assert (other.code, "is no HMAC key of" in other.stderr) == (2, True)

    @pytest.mark.parametrize(
        ("words", "said"),
        [
            (("Lists:a", PUBLIC), "expected ISSUER:SELECTOR"),
            ((NAME,), "either PUBLIC or --secret"),
            ((NAME, "short"), "no base64url"),
            ((NAME, PUBLIC, "--list", "other.example"), f"there are {LIST}"),
            ((NAME, PUBLIC, "--not-after", "2028-01-01T00:00:00"), "needs a zone"),
            ((NAME, PUBLIC, "--by", "anne and bob"), "expected one word"),
        ],
    )
    def test_what_is_wrong_is_named(
        self, config: Path, words: tuple[str, ...], said: str
    ) -> None:
        """Before anything is written."""
        add = ("optin", "key", "add", "--customer", "choir", "--list", LIST)
        done = outgate("--config", config, *add, *words)
        assert done.code == 2
        assert said in done.stderr
        assert "no key" in outgate("--config", config, "optin", "key", "list").stdout

    def test_another_customers_list_is_named(self, config: Path) -> None:
        """A key is for lists of its customer."""
        add = ("optin", "key", "add", "--customer", "band", "--list", LIST)
        done = outgate("--config", config, *add, NAME, PUBLIC)
        assert (done.code, "there is none at all" in done.stderr) == (2, True)


class TestSign:
    """The header, for one recipient."""

    def test_a_header_is_printed(self, key_file: Path) -> None:
        """Good for that recipient alone; without a record it is an import."""
        done = outgate("optin", "sign", "--key", key_file, *SIGN, *TIME)
        token = read_header(done.stdout)
        assert is_good(token, ANNA)
        assert not is_good(token, "bob@example.net")
        assert (token.record.grade, token.commitment) == (Grade.IMPORT, "")
        assert token.expires_us > token.confirmed_us
        assert max(map(len, done.stdout.splitlines())) <= 110

    def test_a_record_is_kept_and_committed_to(
        self, key_file: Path, tmp_path: Path
    ) -> None:
        """Its hash is in the token; address and link are in the record alone."""
        records = tmp_path / "records"
        record = ("--ip", "203.0.113.9", "--note", "url=https://a.example/ä")
        sign = ("optin", "sign", "--key", key_file, *SIGN, *TIME, *record)
        done = [outgate(*sign, "--evidence-file", records) for _ in range(2)]
        tokens = [read_header(one.stdout) for one in done]
        lines = records.read_bytes().splitlines()

        assert stat.S_IMODE(records.stat().st_mode) == 0o600
        for token, line in zip(tokens, lines, strict=True):
            digest = sha256(line).digest()[:16]
            assert token.commitment == urlsafe_b64encode(digest).decode().rstrip("=")
            kept = json.loads(line)
            salt = kept.pop("salt")
            assert len(salt) == 22
            assert kept == {
                "e": token.evidence_id,
                "ip": "203.0.113.9",
                "l": LIST,
                "m": "coi-web",
                "rcpt": "anna@example.net",
                "t": "2026-03-14T09:26:53+01:00",
                "url": "https://a.example/ä",
            }
            assert token.record.grade is Grade.ASSERTED
        assert tokens[0].commitment != tokens[1].commitment
        assert "203.0.113.9" not in done[0].stdout

    @pytest.mark.parametrize("end", [b"\n", b"\r\n"])
    def test_as_a_filter(self, key_file: Path, end: bytes) -> None:
        """On top of the message, with its line ends; the rest is as it was."""
        message = MESSAGE.replace(b"\n", end)
        sign = ("optin", "sign", "--key", key_file, *SIGN, *TIME, "--filter")
        made = outgate(*sign, stdin=message).stdout.encode()
        assert made.endswith(message)
        assert made.count(b"\n") == made.count(end)
        headers, _ = split_message(made)
        assert is_good(read_header(f"Opt-In-Evidence: {headers[0][1].decode()}"), ANNA)

    def test_a_hint(self, key_file: Path) -> None:
        """For mail to several."""
        done = outgate("optin", "sign", "--key", key_file, *SIGN, *TIME, "--hint")
        token = read_header(done.stdout)
        normal = normal_recipient(ANNA.encode())
        assert token.routing_hint == routing_hint(token.evidence_id, normal)
        assert is_good(token, ANNA)

    @pytest.mark.parametrize(
        ("words", "said"),
        [
            (("--time", "2026-03-14T09:26:53"), "with its zone"),
            ((*TIME, "--recipient", "nobody"), "expected an address"),
            ((*TIME, "--ip", "203.0.113.9"), "where it is kept"),
            ((*TIME, "--ip", "here", "--evidence-file", "/dev/null"), "expected an IP"),
            (
                (*TIME, "--note", "x", "--evidence-file", "/dev/null"),
                "expected NAME=TEXT",
            ),
            (
                (*TIME, "--note", "t=1", "--evidence-file", "/dev/null"),
                "each name once",
            ),
            ((*TIME, "--evidence-id", "a b"), "e=a b"),
        ],
    )
    def test_what_is_wrong_is_named(
        self, key_file: Path, words: tuple[str, ...], said: str
    ) -> None:
        """And nothing is signed."""
        done = outgate("optin", "sign", "--key", key_file, *SIGN, *words)
        assert (done.code, done.stdout) == (2, "")
        assert said in done.stderr

    def test_files_that_do_not_work_are_told(
        self, key_file: Path, tmp_path: Path
    ) -> None:
        """A key that others can read, a place where no record can be."""
        records = ("--evidence-file", tmp_path / "none" / "records")
        done = outgate("optin", "sign", "--key", key_file, *SIGN, *TIME, *records)
        assert (done.code, done.stdout) == (73, "")
        key_file.chmod(0o644)
        done = outgate("optin", "sign", "--key", key_file, *SIGN, *TIME)
        assert (done.code, "chmod 600" in done.stderr) == (78, True)

"""`outgate optin key` and `sign`: a list host's side and ours, end to end."""

import itertools
import json
import stat
import tomllib
from base64 import urlsafe_b64encode
from hashlib import sha256
from pathlib import Path

import pytest

from cli.commands import MESSAGE, configure, outgate
from lab.redis import RedisServer
from message.tokens import LIST, PROOF, PUBLIC, SEED
from outgate.message.optin_evidence import (
    Algorithm,
    Token,
    normal_recipient,
    parse_token,
    routing_hint,
    to_base64url,
)
from outgate.message.split import split_message
from outgate.model.consent import Grade
from outgate.policy.optin_keys import OptinKey
from outgate.signing.tokens import SigningKey, TokenVerifier
from outgate.store.optin_keys import OptinKeys

NAME = "lists.example.org:2026a"
ANNA = "Anna@Example.NET"
SIGN = ("--list", LIST, "--recipient", ANNA, "--method", "coi-web")
ADD = ("optin", "key", "add", "--customer", "choir", "--list", LIST)
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
        whose = ("--customer", "choir", "--list", LIST.upper())
        made = outgate("optin", "key", "new", *whose, NAME, tmp_path / "fresh")
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

    def test_without_a_proof_it_must_be_said(self, config: Path) -> None:
        """And then it is told that it was."""
        add = ("--config", config, *ADD, NAME, PUBLIC)
        bare = outgate(*add)
        both = outgate(*add, "--without-proof", "--proof", "x")
        done = outgate(*add, "--without-proof")
        for one in (bare, both):
            assert (one.code, "expected --proof" in one.stderr) == (2, True)
        assert done.stdout == f"{NAME}: registered for choir, {LIST}, without proof\n"

    @pytest.mark.parametrize(
        ("customer", "lists", "seed"),
        [
            ("band", (LIST,), SEED),
            ("choir", (LIST, "more.example"), SEED),
            ("choir", ("more.example",), SEED),
            ("choir", (LIST,), bytes(32)),
        ],
    )
    def test_a_proof_of_anything_else_is_refused(
        self, config: Path, customer: str, lists: tuple[str, ...], seed: bytes
    ) -> None:
        """Of another customer, of more lists or others, of another key."""
        signer = SigningKey(Algorithm.ED25519, "lists.example.org", "2026a", seed)
        proof = to_base64url(signer.prove(customer, lists))
        done = outgate("--config", config, *ADD, NAME, PUBLIC, f"--proof={proof}")
        assert (done.code, "--proof: is not of" in done.stderr) == (2, True)
        for nonsense in ("a b", "AAAA", proof[:-1] + "*"):
            words = (NAME, PUBLIC, f"--proof={nonsense}")
            assert outgate("--config", config, *ADD, *words).code == 2
        assert "no key" in outgate("--config", config, "optin", "key", "list").stdout

    def test_an_old_key_is_proven(self, config: Path, key_file: Path) -> None:
        """By the same words as a new one, and as the page's signer prints."""
        whose = ("--customer", "choir", "--list", LIST)
        made = outgate("optin", "key", "prove", *whose, key_file)
        assert made.stdout == f"{NAME} {PUBLIC} --proof={PROOF}\n"
        assert outgate("--config", config, *ADD, *made.stdout.split()).code == 0

    @pytest.mark.parametrize(
        ("words", "said"),
        [
            ((), "give both"),
            (("--customer", "choir"), "give both"),
            (("--customer", "the choir", "--list", LIST), "spaces"),
        ],
    )
    def test_what_cannot_be_proven_is_named(
        self, key_file: Path, words: tuple[str, ...], said: str
    ) -> None:
        """A proof is for somebody and something."""
        done = outgate("optin", "key", "prove", *words, key_file)
        assert (done.code, said in done.stderr) == (2, True)

    def test_a_key_that_cannot_be_read_is_revoked(
        self, config: Path, redis: RedisServer
    ) -> None:
        """And told to be broken besides; one that was to end later ends now."""
        place = f"{tomllib.loads(config.read_text())['store']['namespace']}:optin-key"
        key = ("--config", config, "optin", "key")
        redis.cli("HSET", place, NAME, f"ed25519={PUBLIC} customer=choir lst={LIST}")
        done = outgate(*key, "revoke", "--by", "anne", NAME)
        assert done.code == 0
        assert f"{NAME}: revoked since 2" in done.stdout
        assert "broken besides: " in done.stdout
        assert "revoked=2" in redis.cli("HGET", place, NAME)
        assert "revoked 2" in outgate(*key, "list").stdout

        later = (
            f"ed25519={PUBLIC} customer=choir list={LIST} revoked=2099-01-01T00:00:00Z"
        )
        redis.cli("HSET", place, NAME, later)
        assert "good until 2099" in outgate(*key, "list").stdout
        assert "2099" not in outgate(*key, "revoke", NAME).stdout

    def test_who_comes_second_is_told(
        self, config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Another one was registered between look and write: no secret is left."""
        file = tmp_path / "secret-key"
        new = ("optin", "key", "new", "--algorithm", "hmac-sha256")
        printed = outgate(*new, NAME, file).stdout.split()
        outgate("--config", config, *ADD, NAME, PUBLIC, "--without-proof")
        # As it was a moment ago.
        monkeypatch.setattr(OptinKeys, "all", lambda _: [])
        done = outgate("--config", config, *ADD, *printed)
        assert (done.code, "take another selector" in done.stderr) == (2, True)
        assert not list((tmp_path / "state" / "optin-keys").iterdir())

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
        without = () if len(words) == 1 else ("--without-proof",)
        done = outgate("--config", config, *ADD, *words, *without)
        assert done.code == 2
        assert said in done.stderr
        assert "no key" in outgate("--config", config, "optin", "key", "list").stdout

    def test_another_customers_list_is_named(self, config: Path) -> None:
        """A key is for lists of its customer."""
        add = ("optin", "key", "add", "--customer", "band", "--list", LIST)
        done = outgate("--config", config, *add, NAME, PUBLIC, "--without-proof")
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

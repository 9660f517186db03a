"""Keys of list hosts, what they sign, and who can tell."""

import stat
from dataclasses import replace
from pathlib import Path

import pytest

from message.tokens import (
    ANNA,
    PUBLIC,
    SEED,
    VECTOR,
    VECTOR_HINTED,
    VECTOR_HMAC,
    a_token,
)
from outgate.message.optin_evidence import Algorithm, from_base64url, to_base64url
from outgate.model.errors import StartError
from outgate.policy.optin_keys import OptinKey
from outgate.signing.tokens import SigningKey, TokenVerifier

NAME = "lists.example.org:2026a"
BOB = b"<bob@example.net>"


def a_key(algorithm: Algorithm = Algorithm.ED25519) -> SigningKey:
    return SigningKey(algorithm, "lists.example.org", "2026a", SEED)


def registered(key: SigningKey) -> OptinKey:
    return OptinKey(
        name=key.name,
        algorithm=key.algorithm,
        public=key.public,
        secret_id=key.secret_id,
    )


@pytest.fixture
def verifier(tmp_path: Path) -> TokenVerifier:
    return TokenVerifier(tmp_path)


class TestVectors:
    """Of the specification, made and checked."""

    def test_the_public_key(self) -> None:
        """Of the seed 00…1f."""
        assert to_base64url(a_key().public) == PUBLIC

    @pytest.mark.parametrize("vector", [VECTOR, VECTOR_HINTED])
    def test_ed25519(self, verifier: TokenVerifier, vector: object) -> None:
        """Signed alike, good for Anna in any spelling, and for nobody else."""
        assert vector in {VECTOR, VECTOR_HINTED}
        token = VECTOR if vector is VECTOR else VECTOR_HINTED
        key = registered(a_key())
        assert a_key().sign(replace(token, signature=b""), ANNA) == token
        assert verifier.is_genuine(key, token.signed(ANNA), token.signature)
        assert verifier.is_genuine(
            key, token.signed(b"anna@example.net"), token.signature
        )
        assert not verifier.is_genuine(key, token.signed(BOB), token.signature)
        other = replace(token, list_id="offers.example.org")
        assert not verifier.is_genuine(key, other.signed(ANNA), token.signature)

    def test_hmac(self, verifier: TokenVerifier, tmp_path: Path) -> None:
        """With the same octets as a secret."""
        signer = a_key(Algorithm.HMAC_SHA256)
        signer.write(tmp_path / NAME)
        key = registered(signer)
        unsigned = replace(VECTOR_HMAC, signature=b"")
        assert signer.sign(unsigned, ANNA) == VECTOR_HMAC
        signed, signature = VECTOR_HMAC.signed(ANNA), VECTOR_HMAC.signature
        assert verifier.is_genuine(key, signed, signature)
        assert not verifier.is_genuine(key, VECTOR_HMAC.signed(BOB), signature)


class TestFiles:
    """A key is its owner's alone."""

    @pytest.mark.parametrize("algorithm", Algorithm)
    def test_made_written_and_read(self, algorithm: Algorithm, tmp_path: Path) -> None:
        """And never replaced."""
        made = SigningKey.make(algorithm, "lists.example.org", "2026a")
        file = tmp_path / "key"
        made.write(file)
        assert SigningKey.read(file) == made
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert repr(made.seed) not in repr(made)
        with pytest.raises(StartError, match="File exists"):
            made.write(file)

    def test_one_that_others_can_read_is_refused(self, tmp_path: Path) -> None:
        """Who knows who has it by now."""
        file = tmp_path / "key"
        a_key().write(file)
        file.chmod(0o640)
        with pytest.raises(StartError, match="others can read it"):
            SigningKey.read(file)

    @pytest.mark.parametrize(
        "text",
        ["", "ed25519 a b", "rsa a b c", f"ed25519 a b {PUBLIC}x", "ed25519 a b AAAA"],
    )
    def test_what_is_no_key_is_told(self, tmp_path: Path, text: str) -> None:
        """With what was expected, and without what it says."""
        file = tmp_path / "key"
        file.write_text(text)
        file.chmod(0o600)
        with pytest.raises(StartError, match="is no key: expected one line") as told:
            SigningKey.read(file)
        assert PUBLIC not in str(told.value)
        file.write_bytes(b"\xff")
        with pytest.raises(StartError, match="is no key"):
            SigningKey.read(file)

    def test_a_missing_file_is_told(self, tmp_path: Path) -> None:
        """As everywhere."""
        with pytest.raises(StartError, match="No such file"):
            SigningKey.read(tmp_path / "none")


class TestTrouble:
    """What cannot be known here is no answer."""

    def test_a_secret_that_is_elsewhere(
        self, verifier: TokenVerifier, tmp_path: Path
    ) -> None:
        """Missing, or another one; when it comes, it is found."""
        signer = a_key(Algorithm.HMAC_SHA256)
        key = registered(signer)
        token = signer.sign(a_token(algorithm=Algorithm.HMAC_SHA256), ANNA)
        with pytest.raises(StartError, match="No such file"):
            verifier.is_genuine(key, token.signed(ANNA), token.signature)
        other = SigningKey.make(Algorithm.HMAC_SHA256, "lists.example.org", "2026a")
        other.write(tmp_path / NAME)
        with pytest.raises(StartError, match="another key"):
            verifier.is_genuine(key, token.signed(ANNA), token.signature)
        (tmp_path / NAME).unlink()
        signer.write(tmp_path / NAME)
        assert verifier.is_genuine(key, token.signed(ANNA), token.signature)

    def test_a_signature_of_another_length_is_none(
        self, verifier: TokenVerifier
    ) -> None:
        """Whatever the library makes of it."""
        key = registered(a_key())
        assert not verifier.is_genuine(key, VECTOR.signed(ANNA), b"x" * 32)
        assert from_base64url(PUBLIC) == key.public

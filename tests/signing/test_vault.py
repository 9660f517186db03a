"""Evidence is sealed, and opens only where it belongs."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outgate.model.errors import EvidenceError
from outgate.signing.vault import OVERHEAD_BYTES, Vault

SECRET = b"\x5e" * 32
_VAULT = Vault(SECRET)


@given(st.binary(max_size=300), st.binary(max_size=20))
def test_what_is_sealed_is_opened(plain: bytes, associated: bytes) -> None:
    """Each time with another nonce."""
    sealed = _VAULT.seal(plain, associated)
    assert len(sealed) == len(plain) + OVERHEAD_BYTES
    assert Vault(SECRET).open(sealed, associated) == plain
    assert _VAULT.seal(plain, associated) != sealed


@given(st.binary(max_size=60))
def test_anything_else_is_refused(text: bytes) -> None:
    """Cut off, changed, or nonsense."""
    with pytest.raises(EvidenceError):
        _VAULT.open(text, b"field")


def test_a_changed_byte_is_found() -> None:
    """In the text, in what it belongs to, and in the key."""
    sealed = _VAULT.seal(b"192.0.2.7", b"field")
    for at in range(len(sealed)):
        changed = sealed[:at] + bytes([sealed[at] ^ 1]) + sealed[at + 1 :]
        with pytest.raises(EvidenceError, match="another secret, or changed"):
            _VAULT.open(changed, b"field")
    with pytest.raises(EvidenceError):
        _VAULT.open(sealed, b"other")
    with pytest.raises(EvidenceError):
        Vault(b"\x5f" * 32).open(sealed, b"field")


def test_what_an_older_outgate_sealed_is_opened() -> None:
    """The key is made of the secret in one way, for ever."""
    sealed = (
        "000102030405060708090a0b2d2bd61b9d547dd228c35e7a47f986c772c78a913ef08cce44"
    )
    assert _VAULT.open(bytes.fromhex(sealed), b"field") == b"192.0.2.7"

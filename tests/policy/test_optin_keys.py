"""Keys of list hosts, as they stand in the store."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from message.tokens import PUBLIC
from outgate.message.optin_evidence import Algorithm, from_base64url
from outgate.policy.optin_keys import WORDS, OptinKey, is_key_name, parse_key
from policy.builders import fast

NAME = "lists.example.org:2026a"
GOOD = f"ed25519={PUBLIC} customer=choir list=news.example.org"


def problems(value: str, name: str = NAME) -> tuple[str, ...]:
    return parse_key(name, value.encode()).problems


def test_a_key_is_read() -> None:
    """Words in any order, then free text."""
    key = parse_key(
        NAME,
        f"by=anne list=News.example.org,b.example customer=choir ed25519={PUBLIC} "
        "not-before=2026-01-01T00:00:00Z not-after=2028-01-01T00:00:00Z "
        "revoked=2027-01-01T00:00:00+01:00 by the desk".encode(),
    )
    assert key == OptinKey(
        name=NAME,
        public=from_base64url(PUBLIC),
        customer="choir",
        lists=frozenset({"news.example.org", "b.example"}),
        not_before_us=1_767_225_600_000_000,
        not_after_us=1_830_297_600_000_000,
        revoked_us=1_798_758_000_000_000,
        by="anne",
        text="by the desk",
    )
    assert parse_key(NAME, str(key).encode()) == key


def test_a_secret_is_named_by_its_id() -> None:
    """It is in a file of this host, never in the store."""
    key = parse_key(NAME, b"hmac-sha256=0123456789ab customer=choir list=a.example")
    assert (key.algorithm, key.secret_id) == (Algorithm.HMAC_SHA256, "0123456789ab")
    assert (key.public, key.problems) == (b"", ())
    assert parse_key(NAME, str(key).encode()) == key


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ("", "expected one of ed25519=, hmac-sha256="),
        (f"ed25519={PUBLIC} list=a", "no customer="),
        (f"ed25519={PUBLIC} customer=choir", "no list="),
        (f"ed25519={PUBLIC} customer=choir list=,", "no list="),
        (f"{GOOD} hmac-sha256=0123456789ab", "expected one of"),
        (GOOD.replace("Mbg", "Mbh"), "no base64url"),
        ("ed25519=AAAA customer=choir list=a", "3 bytes, expected 32"),
        ("hmac-sha256=file customer=choir list=a", "expected 12 hexadecimal digits"),
        (f"{GOOD} revokd=2027-01-01T00:00:00Z", "did you mean revoked=?"),
        (f"{GOOD} revoked=yesterday", "expected a time"),
        (f"{GOOD} not-after=2027-01-01T00:00:00", "needs a zone"),
        (f"{GOOD} gone, revoked=2027-01-01T00:00:00Z", "revoked= must come before"),
        (f"{GOOD} customer=other", "customer= stands there twice"),
        (f"{GOOD} {'x' * 5000}", "at most 4096 are read"),
    ],
)
def test_what_cannot_be_read_makes_it_no_key(value: str, why: str) -> None:
    """It loosens: half a key would be a key for too much."""
    assert any(why in problem for problem in problems(value)), problems(value)


@pytest.mark.parametrize(
    "name", ["", "lists.example.org", "Lists:a", "a:b:c", "../a:b", "a:b/c", "a: b"]
)
def test_a_name_that_no_token_has_is_told(name: str) -> None:
    """Issuer and selector; it is a file's name, too."""
    assert not is_key_name(name)
    assert any("<issuer>:<selector>" in problem for problem in problems(GOOD, name))


@fast
@given(st.binary(max_size=200))
def test_whatever_stands_there_is_read(raw: bytes) -> None:
    """Never an exception."""
    assert parse_key(NAME, raw).name == NAME


@fast
@given(
    st.lists(
        st.builds("{}={}".format, st.sampled_from(WORDS), st.text(max_size=12)),
        max_size=6,
    )
)
def test_words_with_any_values_are_read(words: list[str]) -> None:
    """Nor here; a good one is printed as it is read."""
    key = parse_key(NAME, " ".join(words).encode("utf-8", "replace"))
    if not key.problems:
        assert parse_key(NAME, str(key).encode()) == key

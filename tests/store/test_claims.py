"""Who tells something: one host, and then nobody for a while."""

import pytest

from outgate.store.claims import Claims
from outgate.store.keys import Keys
from store.running import Store

POST, ANNE = "post@choir.example", "anne@choir.example"


@pytest.fixture
def claims(store: Store) -> Claims:
    """On the server of this run."""
    return Claims(store.client)


def test_one_host_gets_to_tell_it(claims: Claims, keys: Keys, store: Store) -> None:
    """The others see the mark, until it expires."""
    assert claims.claim(keys.digest(POST), 300)
    assert not claims.claim(keys.digest(POST), 300)
    assert claims.claim(keys.digest(ANNE), 300)
    assert 0 < int(store.ask("TTL", keys.digest(POST))) <= 300


def test_what_could_not_be_told_is_given_back(claims: Claims, keys: Keys) -> None:
    """Some host tries again."""
    claims.claim(keys.digest(POST), 300)
    claims.forget(keys.digest(POST))
    assert claims.claim(keys.digest(POST), 0)


def test_what_was_told_is_not_told_again(
    claims: Claims, keys: Keys, store: Store
) -> None:
    """A claim lasts as long as sending may, the mark as long as it shall."""
    key = keys.notice("choir", "messages-per-login-hourly", ANNE)
    claims.claim(key, 300)
    claims.keep(key, 86_400)
    assert not claims.claim(key, 300)
    assert 86_000 < int(store.ask("TTL", key)) <= 86_400

"""Keys that a person mistyped are told, not ignored in silence."""

from outgate.store.keys import Keys
from outgate.store.strays import Strays, is_known
from store.running import Store


def test_a_mistyped_hash_is_told_with_the_right_name(store: Store, keys: Keys) -> None:
    """`HSET outgate:quarentine` holds nobody: somebody must say so."""
    wrong = f"{keys.namespace}:quarentine"
    store.ask("HSET", wrong, "alice", "by=anne phished")
    strays = Strays(store.client, keys)
    found = [trouble for _ in range(20) for trouble in strays.look()]
    store.ask("DEL", wrong)

    assert {trouble.name for trouble in found} == {wrong}
    assert f"did you mean {keys.namespace}:quarantine?" in found[0].message
    assert strays.look() == []


def test_our_own_keys_are_known() -> None:
    """Also those with customers and identities in them."""
    keys = Keys("ns")

    assert is_known(keys.holding("choir"), "ns:")
    assert is_known(keys.count("choir", "daily", "anne@example.org"), "ns:")
    assert is_known(keys.audited, "ns:")
    assert not is_known("ns:quarantines", "ns:")


def test_a_person_gets_all_of_them_at_once(store: Store, keys: Keys) -> None:
    """However many keys stand before the slip."""
    pipe = store.client.pipeline()
    for number in range(3000):
        pipe.set(keys.count(f"c{number}", "messages", "x"), number)
    pipe.hset(f"{keys.namespace}:quarentine", "anne", "for=1h")
    pipe.execute()
    (trouble,) = Strays(store.client, keys).look_everywhere()
    store.client.delete(f"{keys.namespace}:quarentine")
    assert trouble.name == f"{keys.namespace}:quarentine"

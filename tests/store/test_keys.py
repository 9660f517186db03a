"""Every key there is: spelled in one place, told apart by purpose."""

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outgate.model.standing import Conduct, Growth
from outgate.policy.operator import Order
from outgate.store.key_table import KEYS
from outgate.store.keys import Keys, safe
from store.builders import (
    ANNE,
    START_US,
    a_campaign,
    a_charge,
    a_plan,
    of_different,
    some_bands,
    some_people,
)
from store.challenged import a_challenge
from store.conftest import is_listed
from store.running import Store, fast

_SPELLED = {
    "quarantine": Keys("ns").order(Order.QUARANTINE),
    "suspend": Keys("ns").order(Order.SUSPEND),
    "allow": Keys("ns").order(Order.ALLOW),
    "limit": Keys("ns").order(Order.LIMIT),
    "count:{<customer>}:<limit>:<identity>": Keys("ns").count("choir", "daily", "anne"),
    "distinct:{<customer>}:<limit>:<identity>": Keys("ns").distinct(
        "choir", "daily", "anne"
    ),
    "contacts:{<customer>}": Keys("ns").contacts("choir"),
    "content:{<customer>}": Keys("ns").content("choir"),
    "usual:{<customer>}:<principal>": Keys("ns").usual("choir", "anne"),
    "standing:{<customer>}": Keys("ns").standing("choir"),
    "shared:{<band>}": Keys("ns").shared("5f0c"),
    "optin:{<list>:<bucket>}": Keys("ns").optin("members.choir.example", 17),
    "evidence:{<list>:<bucket>}": Keys("ns").evidence("members.choir.example", 17),
    "optin-lists": Keys("ns").optin_lists,
    "list-seen": Keys("ns").list_seen,
    "list-grace": Keys("ns").list_grace,
    "list-report": Keys("ns").list_report,
    "listday:{<customer>}:<list>:<day>": Keys("ns").list_day(
        "choir", "members.choir.example", "2026-11-24"
    ),
    "report:<customer>:<list>": Keys("ns").report("choir", "news.example.org"),
    "optin-key": Keys("ns").optin_keys,
    "challenge:{<list>:<bucket>}": Keys("ns").challenge("members.choir.example", 17),
    "challenges:{<list>}:<customer>": Keys("ns").challenges(
        "choir", "members.choir.example"
    ),
    "challenged:{<recipient>}": Keys("ns").challenged("5f0c"),
    "contradiction:{<list>:<bucket>}": Keys("ns").contradiction(
        "members.choir.example", 17
    ),
    "trace:{<time>}": Keys("ns").trace("2026-11-24T1710"),
    "seen:{<customer>}:<retry>": Keys("ns").seen("choir", "3f9a"),
    "holding:{<customer>}": Keys("ns").holding("choir"),
    "held:<mta>:<queue-id>": Keys("ns").held("mx1", "4XyZ2q1"),
    "held": Keys("ns").held_index,
    "audit": Keys("ns").audit,
    "audited": Keys("ns").audited,
    "hosts": Keys("ns").hosts,
    "digest:<contact>": Keys("ns").digest("post@choir.example"),
    "notice:<customer>:<limit>:<identity>": Keys("ns").notice(
        "choir", "messages-per-login-hourly", "anne@choir.example"
    ),
    "complaint:<id>": Keys("ns").complaint("0f3c5a1e"),
    "complaints": Keys("ns").complaints,
    "complaint-totals": Keys("ns").complaint_totals,
    "complained:{<customer>}:<scope>": Keys("ns").complained("choir", "customer"),
    "strikes:{<customer>}": Keys("ns").strikes("choir"),
    "copies:{<message>}": Keys("ns").copies("01936c5d"),
    "schema": Keys("ns").schema,
}


def test_the_table_has_every_key_and_no_other() -> None:
    """What is documented is what is spelled."""
    assert [key.pattern for key in KEYS] == list(_SPELLED)
    for pattern, name in _SPELLED.items():
        text = re.sub(r"<[a-z-]+>", "[^:{}]+", re.escape(pattern).replace(r"\-", "-"))
        assert re.fullmatch(f"ns:{text}", name)
        assert is_listed(name)


@pytest.mark.parametrize("key", KEYS, ids=lambda key: key.pattern)
def test_the_table_can_be_printed(key: object) -> None:
    """Each row says what it is, with an example that on-call could type."""
    row = next(one for one in KEYS if one is key)
    word = row.pattern.partition(":")[0]
    assert re.search(rf"\boutgate:{word}\b", row.example)
    assert row.kind in {"hash", "string", "set", "sorted set", "stream"}
    assert row.meaning.endswith(".")
    assert row.ttl
    assert row.writer in {
        "operators",
        "workers",
        "keeper",
        "keeper, `outgate recipient`, `outgate optin`",
        "the daemon at its start",
        "`outgate list grace`",
        "`outgate optin`",
        "`outgate complaint`",
        "`outgate optin`, workers",
        "`outgate evidence`, workers",
        "`outgate optin`, `outgate recipient`, workers",
    }


def test_counters_can_be_deleted_in_bulk() -> None:
    """`count:*` reaches counters only: no order, no record, no evidence."""
    reached = [name for name in _SPELLED.values() if name.startswith("ns:count:")]
    assert reached == [_SPELLED["count:{<customer>}:<limit>:<identity>"]]


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        (ANNE, ANNE),
        ("2001:db8:a::/48", "2001:db8:a::/48"),
        ("Größe@bücher.example", "Größe@bücher.example"),
        ("two words", "two%20words"),
        ("{choir}", "%7Bchoir%7D"),
        ("100%", "100%25"),
        ("a\tb\nc\x00d\x7f", "a%09b%0Ac%00d%7F"),
        ("\N{NO-BREAK SPACE}", "%C2%A0"),
        ("\N{LINE SEPARATOR}", "%E2%80%A8"),
        ("", "%"),
    ],
)
def test_names_are_escaped_as_in_urls(text: str, escaped: str) -> None:
    """What would end a tag or a word of redis-cli, and nothing else."""
    assert safe(text) == escaped


@fast
@given(
    st.text(alphabet=st.sampled_from(" {}%20AaCE2\x85\xa0\u2028")),
    st.text(alphabet=st.sampled_from(" {}%20AaCE2\x85\xa0\u2028")),
)
def test_no_two_names_are_escaped_to_the_same(one: str, other: str) -> None:
    """Otherwise a customer could charge another one's counters."""
    assert (safe(one) == safe(other)) is (one == other)
    assert not re.search(r"[{}\s]", safe(one))


def test_a_script_finds_the_types_of_the_table(store: Store, keys: Keys) -> None:
    """What a look-up and its settlement write is what the table says."""
    counters = store.counters(keys, lambda: START_US)
    plan = a_plan(
        a_charge(),
        a_charge(name="daily", cost=0),
        of_different("one", "two"),
        people=some_people(600),
        campaign=a_campaign(burst=1_000),
        bands=some_bands(*range(12)),
        conduct=Conduct(Growth(start=50)),
    )
    first = replace(plan, charges=[a_charge(name="other"), of_different("one")])
    answers = counters.look_up(first)
    counters.introduce(first, answers)
    counters.settle(plan, counters.look_up(plan), held_bytes=7)
    counters.look_up(a_challenge())
    counters.note_challenge(a_challenge(), left=True)
    counters.add_to_list_day(("choir", "news.choir.example"), START_US, {"messages": 1})
    kinds = {row.pattern.partition(":")[0]: row for row in KEYS}
    names = store.names(keys)

    written = {row.pattern.partition(":")[0] for row in KEYS if row.writer == "workers"}
    # Of a whole decision: `test_traces`.
    written -= {"trace"}
    assert {name.partition(":")[0] for name in names} == written
    for name in names:
        row = kinds[name.partition(":")[0]]
        full = f"{keys.namespace}:{name}"
        assert store.ask("TYPE", full) == row.kind.encode()
        assert (int(store.ask("TTL", full)) == -1) is row.ttl.startswith("none")

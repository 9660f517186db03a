"""docs/redis.md: keys, names and words, for whoever is on call."""

from outgate.config.settings import SYSTEM_PATHS
from outgate.model.limit import Count
from outgate.policy.operator import ALLOWABLE, ALLOWED_BY_DEFAULT, Order
from outgate.store.key_table import KEYS, Key
from pages.markdown import GENERATED, block, code, joined, paragraph, table

_ORDERS = tuple(order.value for order in Order)

_EMBEDDED = f"{SYSTEM_PATHS['state']}/store/store.sock"

# Each is typed at 3 a.m.; a test reads every value as the daemon would.
ONE_LINERS: tuple[tuple[str, str], ...] = (
    (
        'HSET outgate:quarantine alice@example.org "for=1h by=anne phished, ticket 4711"',
        "hold all her mail for an hour",
    ),
    ('HSET outgate:suspend 203.0.113.9 "by=anne bot"', "refuse a client"),
    (
        'HSET outgate:suspend 2001:db8:7::/48 "until=2026-12-24T12:00:00Z bots"',
        "refuse a network, until then",
    ),
    (
        'HSET outgate:allow alice@example.org "for=2h by=anne newsletter, checked"',
        "free a sender from limits",
    ),
    (
        'HSET outgate:allow shop.example "rules=missing-unsubscribe by=anne receipts"',
        "lift one rule for a domain of logins",
    ),
    (
        'HSET outgate:limit alice@example.org "recipients=5000/1d for=1d by=anne"',
        "other rates, in a second or two",
    ),
    (
        'HSET outgate:limit alice@example.org "profile=probation for=30d by=anne"',
        "another profile, in a second or two",
    ),
    (
        "DEL 'outgate:contacts:{choir}'",
        "all whom a customer mailed are strangers again",
    ),
    ("HGETALL outgate:quarantine", "who is held now, and why"),
    ("HDEL outgate:quarantine alice@example.org", "end it; what is held stays held"),
    ("XREVRANGE outgate:audit + - COUNT 20", "who did what, and why"),
)

_NAMES = """
A name is whatever a person would type: a login, an address, a domain, an IP address or
network, a list id, a system user, a customer. Case, the form of an IPv6 address, host bits
of a network and an internationalised domain do not matter. Names in canonical form are
asked for with each message; any other spelling is known a second or two later, and so is
each order of `limit`, given or taken back.
`quarantine` and `suspend` act on all of a message's names, `allow` and `limit` only on
those that a sender cannot choose: login and its domain, system user, client and its
networks, customer. A login that got its realm from `login-realm` is meant without it too
(`anne`), unless a customer has that name; with a dot in it (`anne.meier`), `allow` and
`limit` want the whole login, since it might be a domain.
"""

_UNNAMED = """
Who is no configured customer's is a customer of his own, under his plain name: that of the
login, the system user, the client's address. Only where that name is somebody else's, the
kind stands before it, in the log, in keys and in orders: `login:choir` or `user:choir`
beside a customer `choir`, `login:192.0.2.7` beside a client, `login:unknown` beside
`unknown` (local mail whose user the MTA does not tell). `client:unknown` is a session
without an address. A login and a system user of one name are one person.
"""

_WRONG = """
A value that cannot be read is reported: event `operator-trouble` in the log, metric
`outgate_operator_troubles`, and `outgate doctor`. So is a key of another type than the table
below says, since nobody can use it: whose counters it holds is judged by those of each host.
So is a word that is none (`untill=…`,
`For=1h`), and one that stands in the free text, where nobody would read it (`newsletter
for=2h`): before the text there are no words with `=` but the six. An order that protects (`quarantine`, `suspend`) holds although
its words are broken; one that loosens (`allow`, `limit`) does not: the report says which.
A rate for one login, user or client that all of its customer share does nothing: order it
for the customer. An order that has ended
is removed, and each change is in the audit stream, with `by=` as the actor.
"""


def page() -> str:
    """The page."""
    return joined(
        "# Redis",
        paragraph(
            "Operators speak to Outgate with plain `redis-cli`, on every MTA at once; an "
            "order is one field of one hash. The first line below names the embedded store, "
            "without it redis-cli speaks to whatever listens on port 6379; `outgate store "
            "url` says where the store is, and `outgate store cli …` speaks to it always. "
            "`[store] namespace` replaces the first word of every key."
        ),
        GENERATED,
        "## On call",
        block(_one_liners(), "sh"),
        "## Names",
        paragraph(_NAMES),
        paragraph(_UNNAMED),
        "## Words of a value",
        "A value is optional words, and then free text for whoever reads it next.",
        table(("word", "in", "meaning"), _words()),
        paragraph(_WRONG),
        "## Keys",
        paragraph(
            "Braces are part of a key: they keep the counters of one customer on one node "
            "of a Cluster. Recipients are nowhere, but as keyed hashes."
        ),
        table(
            ("key", "type", "lives", "written by", "what it is"),
            (_row(key) for key in KEYS),
        ),
        "Those that nobody writes by hand, as they are looked at:",
        block("\n".join(_examples()), "sh"),
    )


def _one_liners() -> str:
    width = max(len(command) for command, _ in ONE_LINERS)
    return "\n".join(
        (
            f"alias redis-cli='redis-cli -s {_EMBEDDED}'",
            *(
                f"redis-cli {command:<{width}}  # {meaning}"
                for command, meaning in ONE_LINERS
            ),
        )
    )


def _words() -> list[tuple[str, str, str]]:
    every = code(_ORDERS)
    counts = code(f"{count}=" for count in Count)
    rules, default = code(sorted(ALLOWABLE)), code(sorted(ALLOWED_BY_DEFAULT))
    return [
        (
            "`for=1h`",
            every,
            "ends after that time; the first keeper that sees it writes `until=…` instead",
        ),
        (
            "`until=2026-11-24T12:00:00Z`",
            every,
            "ends then; a time with its zone, or seconds since the epoch",
        ),
        ("`by=anne`", every, "who gave the order; `redis-cli` in the audit otherwise"),
        (
            "`rules=…`",
            "`allow`",
            f"lifts these rules, of {rules}; without it, {default}",
        ),
        (
            "`<limit>=5000/1d`",
            "`limit`",
            f"the rate of one limit by its name, or of all limits of a count: {counts}",
        ),
        (
            "`profile=probation`",
            "`limit`",
            "a [profile](profiles.md) instead of the customer's; rates in the same order win",
        ),
    ]


def _examples() -> list[str]:
    orders = tuple(f"HSET outgate:{order}" for order in _ORDERS)
    return [
        f"redis-cli {key.example}" for key in KEYS if not key.example.startswith(orders)
    ]


def _row(key: Key) -> tuple[str, str, str, str, str]:
    return f"`outgate:{key.pattern}`", key.kind, key.ttl, key.writer, key.meaning

"""What each kind of key is: the table behind `docs/redis.md`."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Key:
    """One kind of key.

    Attributes:
        pattern: after the namespace.
        kind: Redis type.
        ttl: life time, in words.
        writer: who writes it.
        meaning: one sentence.
        example: as on-call would meet it.
    """

    pattern: str
    kind: str
    ttl: str
    writer: str
    meaning: str
    example: str


KEYS: tuple[Key, ...] = (
    Key(
        "quarantine",
        "hash",
        "none; `for=` and `until=` inside",
        "operators",
        "Senders whose mail is held: name → words and text.",
        'HSET outgate:quarantine alice@example.org "for=1h by=anne phished"',
    ),
    Key(
        "suspend",
        "hash",
        "none; `for=` and `until=` inside",
        "operators",
        "Senders whose mail is refused: name → words and text.",
        'HSET outgate:suspend 203.0.113.9 "bot"',
    ),
    Key(
        "allow",
        "hash",
        "none; `for=` and `until=` inside",
        "operators",
        "Senders freed from limits, or from the rules that `rules=` names.",
        'HSET outgate:allow alice@example.org "for=1d by=anne newsletter"',
    ),
    Key(
        "limit",
        "hash",
        "none; `for=` and `until=` inside",
        "operators",
        "Other rates for one sender or customer: name → limit or count word = rate, or "
        "`profile=` and the name of one.",
        'HSET outgate:limit alice@example.org "recipients=5000/1d"',
    ),
    Key(
        "count:{<customer>}:<limit>:<identity>",
        "string",
        "until it has drained, and a second",
        "workers",
        "One counter: the moment (microseconds since the epoch) when it is empty again.",
        "GET 'outgate:count:{alice}:messages-per-login-hourly:alice'",
    ),
    Key(
        "distinct:{<customer>}:<limit>:<identity>",
        "string",
        "the time of the limit, and a little",
        "workers",
        "Different recipients, domains, clients or networks within the time of a "
        "limit: keyed hashes, four bytes each, with the time of their last use.",
        "STRLEN 'outgate:distinct:{alice}:networks-per-login-daily:alice'",
    ),
    Key(
        "contacts:{<customer>}",
        "hash",
        "407 days after the last new one",
        "workers",
        "Whom the customer has mailed in the last 57 weeks: keyed hashes with the week "
        "of the last message. Who is not there is a stranger.",
        "HLEN 'outgate:contacts:{alice}'",
    ),
    Key(
        "content:{<customer>}",
        "hash",
        "30 days after the last message",
        "workers",
        "What the customer has mailed lately: fingerprints (keyed), and whom each "
        "content reached: how many, and keyed hashes of 64 at most.",
        "EXISTS 'outgate:content:{alice}'",
    ),
    Key(
        "usual:{<customer>}:<principal>",
        "string",
        "90 days after the last message",
        "workers",
        "How many recipients somebody has on a busy day, and today.",
        "TTL 'outgate:usual:{alice}:alice'",
    ),
    Key(
        "standing:{<customer>}",
        "string",
        "407 days after the last message",
        "workers",
        "Since when a customer is known, and when a message of its was stopped last "
        "(microseconds since the epoch; 0: never). Only where its profile lets limits "
        "follow conduct.",
        "GET 'outgate:standing:{alice}'",
    ),
    Key(
        "shared:{<band>}",
        "string",
        "10 days after the last message",
        "workers",
        "Which customers (keyed hashes) send a content to strangers, since when, and how "
        "many it reached first.",
        "STRLEN 'outgate:shared:{5f0c…}'",
    ),
    Key(
        "optin:{<list>:<bucket>}",
        "hash",
        "none",
        "`outgate optin`, `outgate recipient`, workers",
        "Subscriptions of a registered list: keyed hash of customer, list and recipient "
        "to a record (64 bytes at most): consent, withdrawal or erasure, with time, "
        "zone, method, grade, evidence id and commitment.",
        "HLEN 'outgate:optin:{members.choir.example:17}'",
    ),
    Key(
        "evidence:{<list>:<bucket>}",
        "hash",
        "none; an erasure deletes it",
        "`outgate optin`",
        "What stands behind consents (address, browser): keyed hash, as in `optin:`, to "
        "evidence that is encrypted with a key outside Redis.",
        "HLEN 'outgate:evidence:{members.choir.example:17}'",
    ),
    Key(
        "optin-lists",
        "set",
        "none",
        "`outgate optin`, workers",
        "Lists that ever had subscribers: list id and customer.",
        "SMEMBERS outgate:optin-lists",
    ),
    Key(
        "list-seen",
        "hash",
        "none",
        "keeper",
        "When each registered list was first seen (list id and customer), and since when "
        "`list-without-consent` is enforced (`enforced`): microseconds since the epoch.",
        "HGETALL outgate:list-seen",
    ),
    Key(
        "list-grace",
        "hash",
        "none",
        "`outgate list grace`",
        "Deadlines that an operator set: list id and customer to moment and who.",
        "HGETALL outgate:list-grace",
    ),
    Key(
        "list-report",
        "hash",
        "none",
        "keeper",
        "Recipients without a consent, of how many, when: the last two reports of a list.",
        "HGETALL outgate:list-report",
    ),
    Key(
        "listday:{<customer>}:<list>:<day>",
        "hash",
        "92 days after the last message",
        "workers",
        "What a registered list's mail of one day (UTC) was like: messages, recipients by "
        "their permission, removed ones, what was held or refused, verdicts on its "
        "headers and their faults.",
        "HGETALL 'outgate:listday:{choir}:members.choir.example:2026-11-24'",
    ),
    Key(
        "report:<customer>:<list>",
        "string",
        "`[notify] warn-every`",
        "keeper",
        "That a list's maintainer was told lately.",
        "TTL outgate:report:choir:members.choir.example",
    ),
    Key(
        "optin-key",
        "hash",
        "none; `not-after=` inside",
        "`outgate optin`",
        "Public keys that sign opt-in tokens: `<issuer>:<selector>` → words and text.",
        "HGETALL outgate:optin-key",
    ),
    Key(
        "challenge:{<list>:<bucket>}",
        "hash",
        "`[optin] challenge-retention` after the last one",
        "workers",
        "Requests to confirm a subscription that left (or were held): keyed hash, as in "
        "`optin:`, to first, last and held time (seconds, 4 bytes each) and count (2).",
        "HLEN 'outgate:challenge:{members.choir.example:17}'",
    ),
    Key(
        "challenges:{<list>}:<customer>",
        "hash",
        "none",
        "workers",
        "A list's challenges together: `first`, `last`, `since` (seconds since the epoch; "
        "from `since` on none was forgotten) and `count`.",
        "HGETALL 'outgate:challenges:{members.choir.example}:choir'",
    ),
    Key(
        "challenged:{<recipient>}",
        "string",
        "a day after the last one",
        "workers",
        "Challenges that one person (a keyed hash) got within a day, of all lists: keyed "
        "hashes of customer and list, and time.",
        "STRLEN 'outgate:challenged:{5f0c…}'",
    ),
    Key(
        "contradiction:{<list>:<bucket>}",
        "hash",
        "none; an erasure deletes it",
        "`outgate evidence`, workers",
        "Claimed confirmations that no challenge went before: keyed hash, as in `optin:`, "
        "to the claimed time (seconds since the epoch).",
        "HLEN 'outgate:contradiction:{members.choir.example:17}'",
    ),
    Key(
        "trace:{<time>}",
        "hash",
        "`[trace] keep`; earlier where all take more than `[trace] memory`",
        "workers",
        "Messages of ten minutes that left or were held, by the id of their trace: who sent what from "
        "where, and keyed hashes of the recipients. Complaints are attributed by them.",
        "HLEN 'outgate:trace:{2026-11-24T1710}'",
    ),
    Key(
        "seen:{<customer>}:<retry>",
        "string",
        "5 days after the first attempt",
        "workers",
        "How often one and the same message was tried and not accepted.",
        "GET 'outgate:seen:{alice}:3f9a…'",
    ),
    Key(
        "holding:{<customer>}",
        "hash",
        "90 days; the keeper corrects it",
        "workers",
        "What hold queues keep for one customer: messages, bytes.",
        "HGETALL 'outgate:holding:{alice}'",
    ),
    Key(
        "held:<mta>:<queue-id>",
        "hash",
        "30 days beyond its hold-until",
        "keeper",
        "Why a message is held, since when, until when, for which customer.",
        "HGETALL outgate:held:mx1:4XyZ2q1",
    ),
    Key(
        "held",
        "sorted set",
        "none; trimmed with its records",
        "keeper",
        "Index of `held:` records by the time they were held.",
        "ZRANGE outgate:held 0 -1 WITHSCORES",
    ),
    Key(
        "audit",
        "stream",
        "none",
        "keeper, `outgate recipient`, `outgate optin`",
        "Who did what, and why.",
        "XREVRANGE outgate:audit + - COUNT 20",
    ),
    Key(
        "audited",
        "hash",
        "none; follows the orders",
        "keeper",
        "Which orders are in the audit already.",
        "HLEN outgate:audited",
    ),
    Key(
        "hosts",
        "sorted set",
        "none; trimmed after a minute of silence",
        "keeper",
        "Hosts that share this store, by when they were last seen.",
        "ZRANGE outgate:hosts 0 -1 WITHSCORES",
    ),
    Key(
        "digest:<contact>",
        "string",
        "`[notify] digest-every`",
        "keeper",
        "That somebody got the digest of held mail lately.",
        "TTL outgate:digest:post@choir.example",
    ),
    Key(
        "notice:<customer>:<limit>:<identity>",
        "string",
        "`[notify] warn-every`",
        "keeper",
        "That the customer was told of a limit that is nearly used up.",
        "TTL outgate:notice:choir:strangers-per-login-daily:anne@choir.example",
    ),
    Key(
        "complaint:<id>",
        "hash",
        "400 days",
        "`outgate complaint`",
        "One complaint: whose mail it was about, how that is known, what follows. It is "
        "also what a second delivery of the report is recognised by.",
        "HGETALL outgate:complaint:0f3c5a1e9b7d2468ace013579bdf0246",
    ),
    Key(
        "complaints",
        "sorted set",
        "400 days, 100,000 of them",
        "`outgate complaint`",
        "Index of `complaint:` records by the time they were taken in (seconds).",
        "ZREVRANGE outgate:complaints 0 9 WITHSCORES",
    ),
    Key(
        "complaint-totals",
        "hash",
        "none",
        "`outgate complaint`",
        "How many there were, by attribution and feed: what the metric shows.",
        "HGETALL outgate:complaint-totals",
    ),
    Key(
        "complained:{<customer>}:<scope>",
        "sorted set",
        "90 days",
        "`outgate complaint`",
        "Who complained about mail that certainly was the customer's (`customer`), or a "
        "list of theirs (`list:<id>`), and when last (seconds): keyed hashes, so that one "
        "person counts once.",
        "ZCARD outgate:complained:{choir}:list:news.choir.example",
    ),
    Key(
        "strikes:{<customer>}",
        "sorted set",
        "400 days",
        "`outgate complaint`",
        "Who has a complaint that is held against a customer, by time (seconds): keyed "
        "hashes.",
        "ZRANGE outgate:strikes:{choir} 0 -1 WITHSCORES",
    ),
    Key(
        "copies:{<message>}",
        "sorted set",
        "30 days",
        "`outgate complaint`",
        "Who got a message of ours from elsewhere without being its recipient: three are "
        "a replay.",
        "ZCARD outgate:copies:{01936c5d3e7a5be2ef6d3c8a1b0f9d42}",
    ),
    Key(
        "schema",
        "hash",
        "none",
        "the daemon at its start",
        "Layout version, the id of the secret behind keyed hashes, and `store-id`: "
        "random, made once, and lost with the data, so that an import which was stopped "
        "does not go on where the rows before are gone.",
        "HGETALL outgate:schema",
    ),
)

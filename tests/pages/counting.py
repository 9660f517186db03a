"""docs/counting.md: what is counted, for whom, and why that tells bulk mail."""

from collections.abc import Mapping

from outgate.model.limit import Count, Limit, Per
from outgate.model.verdict import Reason
from outgate.policy.compiled import REASON_OF_COUNT, merge_limits
from outgate.policy.plan import FORWARDED_RECIPIENTS
from pages import counting_text as text
from pages.counting_figures import COPIES, COPIES_HEAD, POLICY_HEAD, policy_rows
from pages.limit_examples import EXAMPLES
from pages.markdown import GENERATED, block, joined, paragraph, table

COUNTS: Mapping[Count, str] = {
    Count.MESSAGES: "one, if anybody outside gets it",
    Count.RECIPIENTS: "its recipients outside, an alias at its size",
    Count.INTERNAL_RECIPIENTS: "its recipients in `[domains] local` and `relay`",
    Count.BYTES: "its size, if anybody outside gets it",
    Count.STRANGERS: "different recipients outside who are no contacts of the customer",
    Count.DISTINCT_RECIPIENTS: "different recipients outside",
    Count.RECIPIENT_DOMAINS: "different domains of recipients outside",
    Count.CLIENTS: "the client's address (IPv6: its /64)",
    Count.NETWORKS: "the client's network (/24, IPv6: /48)",
}
_MACHINE = "nobody logged in, and no system user is known"
_BY_ADDRESS = "the sender is known by that address alone"
_FORWARDED = (
    f"mail to {FORWARDED_RECIPIENTS} recipients at most that shows signs of forwarding; no "
    "other limit counts it then"
)
PERS: Mapping[Per, tuple[str, str]] = {
    Per.LOGIN: ("a SASL login", "the session logged in"),
    Per.LOCAL_USER: ("a system user", "mail of a local submission that tells its user"),
    Per.CLIENT: (
        "a client certificate, else a client's address (IPv6: its /64), else `unknown`",
        _MACHINE,
    ),
    Per.DOMAIN: ("a domain of envelope senders, of one customer", "always"),
    Per.LIST: (
        "a registered list, of one customer",
        "the message has its List-Id; a counter for any other would be the sender's choice",
    ),
    Per.CUSTOMER: ("a customer", "always"),
    Per.ADDRESS: ("an envelope sender, of one customer", "always"),
    Per.NETWORK: ("a client's network (/24, IPv6: /48), of one customer", _BY_ADDRESS),
    Per.CAMPAIGN: (
        "messages of one customer that say the same",
        "of `strangers` alone, one limit only",
    ),
    Per.STREAM: (
        "a registered stream",
        "each `[[stream]]` has its own, of `strangers`",
    ),
    Per.FORWARDER: (
        "a host of `[network] forwarders`",
        _FORWARDED,
    ),
    Per.SCRIPT: (
        "a script of a web site, of one customer: `<uid>:<file>`, else `<site>/<path>`",
        "mail of a local submission that PHP, or cPanel's PHP, says it of",
    ),
    Per.SITE: (
        "a web site, of one customer",
        "mail of a local submission that cPanel's PHP says it of",
    ),
}

_PICTURE = """
 a message, at its end
   │
   ├─ who sends it ────── login · system user · client · customer
   │                        nothing that the sender could choose
   │
   ├─ how much is it ──── messages · recipients · bytes ──────▶ plain limits
   │
   ├─ to whom ─────────── contact of the customer ────────────▶ counts for nothing
   │                      asked for this list ────────────────▶ counts for nothing
   │                      stranger ───────────────────────────▶ strangers per login,
   │                                                            system user, client,
   │                                                            customer
   ├─ what does it say ── its place among the customer's ─────▶ strangers per campaign
   │                      its place among all customers' ─────▶ campaign-across-customers
   │
   └─ from where ──────── networks, clients of the login ─────▶ different ones

 all that bind have room ─▶ all are charged, its recipients are contacts from now on
 one of them has none ────▶ none is charged, nobody becomes a contact
"""


def page() -> str:
    """The page."""
    shipped = {limit.name: limit for limit in merge_limits(())}
    return joined(
        "# Counting",
        _paragraphs(text.INTRO),
        GENERATED,
        block(_PICTURE.strip("\n")),
        "## What is counted, and for whom",
        paragraph(
            "A limit names a count and whose counter it is, `per`. Each count goes with "
            "each `per`, but for what the second table says."
        ),
        table(
            ("`count`", "what a message costs", "how", "rule that speaks"),
            (
                (f"`{count}`", COUNTS[count], _how(count), _reason(count))
                for count in Count
            ),
        ),
        table(
            ("`per`", "whose counter", "where it applies"),
            ((f"`{per}`", *PERS[per]) for per in Per),
        ),
        _paragraphs(text.RATES),
        "The limits that are shipped:",
        table(
            ("name", "`per`", "`count`", "`rate`", "`action`"),
            (_row(limit) for limit in shipped.values()),
        ),
        "## Strangers",
        _paragraphs(text.STRANGERS),
        "## Different ones",
        _paragraphs(text.DIFFERENT),
        "## Campaigns: messages that say the same",
        _paragraphs(text.CAMPAIGNS),
        "What is joined, of 100 pairs of copies, by how many of their words are others:",
        table(COPIES_HEAD, COPIES),
        _paragraphs(text.JOINED),
        "## The share rule",
        _paragraphs(text.share(shipped)),
        "## Who has asked: registered lists and streams",
        _paragraphs(text.CONSENT),
        "## Many customers, one content",
        _paragraphs(text.ACROSS),
        "## Why these numbers",
        _items(text.reasoning(shipped)),
        "## What it stops, beside plain limits",
        _paragraphs(text.BENCH),
        "Unwanted mail: recipients reached.",
        table(POLICY_HEAD, policy_rows(bad=True)),
        "Wanted mail: messages stopped.",
        table(POLICY_HEAD, policy_rows(bad=False)),
        "## The first day, and the month before it",
        _paragraphs(text.FIRST_DAY),
        "## What it costs",
        _paragraphs(text.COSTS),
        "## While the store is away",
        _paragraphs(text.DEGRADED),
        "## What it does not see",
        _items(text.BLIND),
        "## Limits for common wishes",
        *(
            part
            for wish, toml in EXAMPLES
            for part in (_paragraphs(wish), block(toml.strip("\n"), "toml"))
        ),
        _paragraphs(text.MORE),
    )


def _paragraphs(prose: str) -> str:
    return "\n\n".join(map(paragraph, prose.strip().split("\n\n")))


def _items(prose: str) -> str:
    """A list of it: one item for each paragraph."""
    items = map(paragraph, prose.strip().split("\n\n"))
    return "\n".join("- " + item.replace("\n", "\n  ") for item in items)


def _how(count: Count) -> str:
    return "slides" if count.is_distinct else "drains"


def _reason(count: Count) -> str:
    reason = REASON_OF_COUNT.get(count, Reason.LIMIT_EXCEEDED)
    return f"[`{reason}`](reasons.md#{reason})"


def _row(limit: Limit) -> tuple[str, ...]:
    share = f", share {limit.share} %" if limit.share else ""
    return (
        f"`{limit.name}`",
        f"`{limit.per}`",
        f"`{limit.count}`",
        f"`{limit.rate}`{share}",
        f"`{limit.action}`",
    )

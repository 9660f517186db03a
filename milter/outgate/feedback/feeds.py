"""Known feeds: who sends reports, how to tell them, and what they take out.

The table only names. Whether a report is a feed's own is for whoever authenticates it
(RFC 9477 §3.1): a header From can be written by anybody.
"""

from dataclasses import dataclass

from outgate.model.address import Address


@dataclass(frozen=True, slots=True)
class Feed:
    """One feed.

    Attributes:
        name: in lower case, as it stands in logs.
        domains: of header From; subdomains count.
        agents: how User-Agent begins, lower case.
        sources: what Validity writes into `Source:`, lower case.
        recipients: how it gives them.
        rewrites: whether it changes the embedded message, so that a DKIM signature
            that fails there says nothing.
        known_by: one sentence for the manual.
    """

    name: str
    domains: tuple[str, ...] = ()
    agents: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    recipients: str = "plain"
    rewrites: bool = False
    known_by: str = ""


def _validity(name: str, *domains: str, sources: tuple[str, ...] = ()) -> Feed:
    return Feed(
        name,
        domains,
        sources=sources or (name,),
        recipients="hashed (MD5)",
        rewrites=True,
        known_by="run by Validity",
    )


UNKNOWN_FEED = Feed("unknown", recipients="any")
FEEDS = (
    Feed(
        "yahoo",
        ("arf.mail.yahoo.com",),
        ("yahoo!-mail-feedback",),
        known_by="enrolled by DKIM domain; times in zones with names",
    ),
    Feed(
        "aol",
        ("aol.net",),
        ("aol scomp",),
        recipients="redacted",
        rewrites=True,
        known_by="historic; `Redacted-Address:`, `Received-Date:`",
    ),
    Feed(
        "microsoft",
        ("hotmail.com",),
        recipients="plain until 2026, then none",
        rewrites=True,
        known_by="JMRP: no ARF until June 2026, then ARF without recipient or body",
    ),
    Feed(
        "amazon-ses",
        ("email-abuse.amazonses.com", "sns.amazonaws.com"),
        ("amazon ses",),
        known_by="ARF from Yahoo handed on, or a notification in JSON",
    ),
    Feed(
        "abusix",
        ("abusix.com",),
        ("abusix",),
        recipients="addresses of traps",
        known_by="hits of spam traps: `Spamtraphit by`",
    ),
    Feed(
        "zoho",
        ("fbl.zoho.com",),
        ("zoho mail",),
        sources=("zoho",),
        recipients="none",
        known_by="`User-Agent: Zoho Mail`; no `Reported-Domain:`",
    ),
    Feed(
        "apple",
        recipients="header From",
        known_by="`X-Apple-Unsubscribe: true`: a wish, no complaint",
    ),
    _validity("comcast", "comcastfbl.senderscore.net"),
    _validity("fastmail", "fbl.fastmail.com"),
    _validity("cox", "fbl.cox.net"),
    _validity(
        "opensrs",
        "fbl.hostedemail.com",
        "fbl-opensrs.app.returnpath.net",
        sources=("opensrs", "tucows"),
    ),
    _validity("rackspace", "rackspacefbl.senderscore.net", "fbl.apps.rackspace.com"),
    _validity("synacor", "fbl.synacor.com"),
    _validity("bluetie", "feedback.bluetie.com"),
    _validity("time-warner", "feedback.postmaster.rr.com", sources=("twc",)),
    _validity("usa-net", "fbl.usa.net", sources=("usa.net", "usanet")),
    _validity("terra", "feedback.terra.com"),
    _validity(
        "italia-online", "fbl.italiaonline.net", sources=("italia online", "libero")
    ),
    _validity("mail-ru", "mailru.senderscore.net", sources=("mail.ru", "mailru")),
    _validity("yandex", "yandexfbl.senderscore.net"),
    _validity("telenor"),
    Feed(
        "validity",
        ("senderscore.net", "returnpath.net", "validity.com"),
        ("returnpathfbl",),
        recipients="hashed (MD5)",
        rewrites=True,
        known_by="any other provider whose feed Validity runs",
    ),
)
_BY_NAME = {feed.name: feed for feed in FEEDS} | {UNKNOWN_FEED.name: UNKNOWN_FEED}
_BY_DOMAIN = {domain: feed for feed in FEEDS for domain in feed.domains}
_BY_SOURCE = {source: feed for feed in FEEDS for source in feed.sources}


def feed_named(name: str) -> Feed:
    """A feed of the table."""
    return _BY_NAME[name]


def find_feed(reporter: Address | None, agent: str, source: str) -> Feed:
    """Name the feed: by whom it is run for, then by header From, then by program."""
    agent = agent.strip().lower()
    by_agent = next(
        (feed for feed in FEEDS if feed.agents and agent.startswith(feed.agents)), None
    )
    by_source = _BY_SOURCE.get(source.strip().lower())
    if by_source is not None and by_agent in {None, _BY_NAME["validity"]}:
        return by_source
    domain = reporter.domain if reporter is not None else ""
    while domain:
        if (found := _BY_DOMAIN.get(domain)) is not None:
            return found
        domain = domain.partition(".")[2]
    # `comcast Feedback Loop (V0.01)`: Validity's before it had a version.
    first = agent.partition(" ")[0]
    if by_agent is None and "feedback loop" in agent and first in _BY_SOURCE:
        return _BY_SOURCE[first]
    return by_agent or UNKNOWN_FEED

"""What the operator decides about registered lists: `[[list]]` and `[optin]`."""

from datetime import datetime, timedelta

import attrs

from outgate.policy.declared import setting


@attrs.frozen(kw_only=True)
class ListSettings:
    """A mailing list of a customer, whose subscribers are registered."""

    id: str = setting(
        "Its List-Id (RFC 2919), without brackets. Only mail of its customer that "
        "carries it is the list's mail; who is registered for it "
        "(`outgate optin load`), or has a token in the message (`Opt-In-Evidence`), is "
        "no stranger to it.",
        example='"members.choir.example"',
    )
    customer: str = setting(
        "Who sends it: the name of a `[[customer]]`, or a login, user or client that "
        "is its own customer.",
        example='"choir"',
    )
    enforce_from: datetime | None = setting(
        "From when on `list-without-consent` acts on its mail, as in `[optin]`: a date, or "
        "a time with its zone (RFC 3339). Default: that of `[optin]`.",
        None,
        example="2027-01-01",
    )
    contact: str = setting(
        "Its maintainer's address, told of lacking consents. Default: the customer's.",
        "",
        example='"owner@choir.example"',
    )
    bounces: str = setting(
        "The address that takes its bounces: the envelope sender of its mail, also where "
        "VERP (`news-bounces+user=example.net@…`) or BATV writes more into it. Whoever has "
        'withdrawn is then refused at RCPT, on sockets with `replies = "recipient"`: '
        "[who](list-permission.md#at-rcpt). Of one list only. Default: nobody is.",
        "",
        example='"members-bounces@choir.example"',
    )
    challenges: str = setting(
        "Whether all its requests to confirm a subscription leave through this gate: "
        "`through-us` makes a claimed confirmation that none went before a "
        "contradiction. With `elsewhere` nobody knows.",
        "elsewhere",
        example='"through-us"',
    )
    challenge_sender: tuple[str, ...] = setting(
        "Header From of its requests to confirm, addresses or domains, where they do not "
        "name the list themselves. Default: of a customer with one list, any.",
        (),
        example='["noreply@choir.example"]',
    )
    challenge_pattern: str = setting(
        "What its requests to confirm are known by, in subject or link, where the list's "
        "software is none that Outgate knows; `*` stands for anything.",
        "",
        example='"/newsletter/confirm/*"',
    )


@attrs.frozen(kw_only=True)
class OptinSettings:
    """Consents of registered lists, and requests to confirm a subscription."""

    enforce_from: datetime | None = setting(
        "From when on mail of registered lists needs consents; `[[list]]` may name "
        "another day, and `outgate list grace`, which counts before both. Default: each "
        "list gets its `grace`.",
        None,
        example="2027-01-01",
    )
    grace: timedelta = setting(
        "How long lists have, 20 of a customer at most, before `list-without-consent` acts: "
        "from the day it is first enforced; registered within as long after, from that day. "
        "Until then what lacks consents is tagged, and reported to `contact`. 0d to 366d.",
        timedelta(days=30),
        example='"30d"',
    )
    remove_share: int = setting(
        "Per cent of a message's recipients outside: up to so many without a consent "
        "are taken out of it, and the envelope sender gets a delivery status "
        "notification (RFC 3464); with more, `[rules.list-without-consent]` says what "
        "happens. 0 to 100; 0 takes nobody out.",
        5,
        example="5",
    )
    challenge_retention: timedelta = setting(
        "How long they are kept in the ledger with which claimed confirmations are "
        "compared: 1d to 366d.",
        timedelta(days=30),
        example='"30d"',
    )
    challenges_per_list: int = setting(
        "So many of one list may go to one person within a day (rule "
        "`subscription-bombing`): 1 to 20.",
        1,
        example="1",
    )
    challenges_per_recipient: int = setting(
        "So many of one customer may go to one person within a day, and of so many "
        "customers: 1 to 60.",
        5,
        example="5",
    )
